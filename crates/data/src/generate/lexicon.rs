//! Word classes: tables of words with attributes ("duck" says "quack", lives on "the pond"), read from TOML.
//!
//! ```toml
//! [animal]
//! columns = ["word", "sound", "home"]
//! rows = '''
//! duck | quack / quack, quack | the pond
//! '''
//!
//! [girl]
//! constants = { gender = "she" }
//! rows = "Mia"
//!
//! [creature]
//! union = ["animal", "insect"]
//! ```
//! Constants are columns with one value for all rows. A row is one word; a cell may hold several alternatives between slashes, of which one is picked where it is used.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::GrammarError;
use super::english;
use crate::dice::Dice;

/// All word classes of a grammar, by name.
#[derive(Debug, Clone, Default)]
pub struct Lexicon {
    classes: BTreeMap<String, Vec<Arc<Entry>>>,
}

/// A word and what is known about it.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// The word itself (a noun in the singular, an adjective, a name).
    pub word: String,
    attributes: BTreeMap<String, Vec<String>>,
}

/// One class as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassFile {
    #[serde(default)]
    columns: Vec<String>,
    #[serde(default)]
    constants: BTreeMap<String, String>,
    #[serde(default)]
    rows: String,
    #[serde(default)]
    union: Vec<String>,
}

impl Entry {
    /// The alternatives of an attribute, if the class has that column.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&[String]> {
        self.attributes.get(name).map(Vec::as_slice)
    }

    /// One alternative of an attribute.
    #[must_use]
    pub fn pick(&self, name: &str, dice: &mut Dice) -> Option<&str> {
        self.attribute(name).map(|alternatives| dice.pick(alternatives).as_str())
    }

    /// The plural: the attribute of that name, else the regular one.
    #[must_use]
    pub fn plural(&self) -> String {
        match self.attribute("plural") {
            Some([irregular, ..]) => irregular.clone(),
            _ => english::plural(&self.word),
        }
    }
}

impl Lexicon {
    /// Reads a lexicon file; `file` is its name for error messages.
    ///
    /// # Errors
    /// [`GrammarError`] when the TOML is malformed, a row has the wrong number of cells, or a union names no class.
    pub fn parse(file: &str, text: &str) -> Result<Self, GrammarError> {
        let parsed: BTreeMap<String, ClassFile> =
            toml::from_str(text).map_err(|source| GrammarError::toml(file, source))?;
        let mut lexicon = Self::default();
        for (name, class) in parsed.iter().filter(|(_, class)| class.union.is_empty()) {
            lexicon.classes.insert(name.clone(), read_rows(file, name, class)?);
        }
        for (name, class) in parsed.iter().filter(|(_, class)| !class.union.is_empty()) {
            let parts = class.union.iter().map(|part| {
                lexicon.class(part).ok_or_else(|| GrammarError::unknown(file, name, "class", part))
            });
            let parts = parts.collect::<Result<Vec<_>, _>>()?;
            let entries = unite(&parts);
            lexicon.classes.insert(name.clone(), entries);
        }
        Ok(lexicon)
    }

    /// The words of a class, never an empty list.
    #[must_use]
    pub fn class(&self, name: &str) -> Option<&[Arc<Entry>]> {
        self.classes.get(name).map(Vec::as_slice)
    }
}

/// The words of all parts with the attributes that all parts have, so that the words of a class are alike.
fn unite(parts: &[&[Arc<Entry>]]) -> Vec<Arc<Entry>> {
    let in_all = |name: &str| parts.iter().all(|part| part[0].attribute(name).is_some());
    let common = |entry: &Entry| {
        let attributes = entry.attributes.iter().filter(|(name, _)| in_all(name));
        Entry {
            word: entry.word.clone(),
            attributes: attributes.map(|(k, v)| (k.clone(), v.clone())).collect(),
        }
    };
    parts.iter().flat_map(|part| part.iter()).map(|entry| Arc::new(common(entry))).collect()
}

fn read_rows(file: &str, class: &str, table: &ClassFile) -> Result<Vec<Arc<Entry>>, GrammarError> {
    let lines = table.rows.lines().map(str::trim).filter(|line| !line.is_empty());
    let entries =
        lines.map(|line| read_row(file, class, table, line)).collect::<Result<Vec<_>, _>>()?;
    if entries.is_empty() {
        return Err(GrammarError::row(file, class, "", "the class has no words"));
    }
    Ok(entries)
}

fn read_row(
    file: &str,
    class: &str,
    table: &ClassFile,
    line: &str,
) -> Result<Arc<Entry>, GrammarError> {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let width = table.columns.len().max(1);
    if cells.len() != width || cells.iter().any(|cell| cell.is_empty()) {
        return Err(GrammarError::row(
            file,
            class,
            line,
            &format!("expected {width} non-empty cells"),
        ));
    }
    let split = |cell: &str| cell.split('/').map(|part| part.trim().to_owned()).collect();
    let own = table
        .columns
        .iter()
        .zip(&cells)
        .skip(1)
        .map(|(column, cell)| (column.clone(), split(cell)));
    let constant = table.constants.iter().map(|(column, cell)| (column.clone(), split(cell)));
    let attributes = own.chain(constant).collect();
    Ok(Arc::new(Entry { word: cells[0].to_owned(), attributes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANIMALS: &str = "
        [animal]
        columns = ['word', 'sound', 'plural']
        rows = '''
        duck | quack / quack, quack | ducks
        goose | honk | geese
        '''
        [plant]
        constants = { colour = 'green' }
        rows = 'fern'
        [living]
        union = ['animal', 'plant']
    ";

    #[test]
    fn rows_columns_and_unions_are_read() {
        let lexicon = Lexicon::parse("test", ANIMALS).unwrap();
        let animals = lexicon.class("animal").unwrap();
        assert_eq!(animals[0].attribute("sound").unwrap(), ["quack", "quack, quack"]);
        assert_eq!(animals[1].plural(), "geese");
        assert_eq!(lexicon.class("plant").unwrap()[0].attribute("colour").unwrap(), ["green"]);
        let living: Vec<&str> =
            lexicon.class("living").unwrap().iter().map(|entry| entry.word.as_str()).collect();
        assert_eq!(living, ["duck", "goose", "fern"]);
        assert!(
            lexicon.class("living").unwrap()[0].attribute("sound").is_none(),
            "ferns make no sound"
        );
        assert!(lexicon.class("stone").is_none());
    }

    #[test]
    fn malformed_files_name_the_class_and_the_line() {
        for (text, expected) in [
            (
                "[a]\ncolumns = ['word', 'x']\nrows = 'one'",
                "test, class a: expected 2 non-empty cells: \"one\"",
            ),
            ("[a]\nrows = ''", "test, class a: the class has no words: \"\""),
            ("[a]\nunion = ['b']", "test, a: no class is called \"b\""),
        ] {
            assert_eq!(Lexicon::parse("test", text).unwrap_err().to_string(), expected);
        }
        assert!(
            Lexicon::parse("test", "[a]\nrow = 'x'")
                .unwrap_err()
                .to_string()
                .contains("unknown field `row`")
        );
    }
}
