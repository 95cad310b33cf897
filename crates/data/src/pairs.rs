//! Texts in pairs: a source and a target for translation, summaries or any other task that makes a
//! text of a text.
//!
//! Leaves tokens and batches to [`objectives`](crate::objectives).

use serde::{Deserialize, Serialize};

use crate::error::{DataError, Result};
use crate::source::{DocumentSource, FileSource, SourceOptions};

/// Two sources whose documents belong together one by one: aligned files, or two columns of a table.
///
/// ```
/// let options: wuji_data::PairOptions = toml::from_str(r#"
///     source = { paths = ["train.tsv"], text_field = "english" }
///     target = { paths = ["train.tsv"], text_field = "german" }
/// "#).unwrap();
/// assert_eq!(options.target.text_field, "german");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PairOptions {
    /// Name for reports and messages. Default: that of the source.
    pub name: Option<String>,
    /// What is read.
    pub source: SourceOptions,
    /// What is to be written.
    pub target: SourceOptions,
}

/// A source and its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextPair {
    /// What is read.
    pub source: String,
    /// What is to be written.
    pub target: String,
}

impl PairOptions {
    /// Two files of one sentence per line.
    pub fn lines(source: impl Into<String>, target: impl Into<String>) -> Self {
        let lines = |path: String| SourceOptions {
            format: Some(crate::FileFormat::Text),
            documents: crate::DocumentMode::Line,
            ..SourceOptions::new([path])
        };
        Self { name: None, source: lines(source.into()), target: lines(target.into()) }
    }

    /// The name for reports: as given, or the name of the first file of the source.
    ///
    /// # Errors
    /// A source that cannot be opened.
    pub fn name(&self) -> Result<String> {
        match &self.name {
            Some(name) => Ok(name.clone()),
            None => Ok(FileSource::open(&self.source)?.name().to_owned()),
        }
    }

    /// Reads all pairs into memory.
    ///
    /// # Errors
    /// A file that cannot be read, no pairs at all, or sides of different lengths.
    pub fn read(&self) -> Result<Vec<TextPair>> {
        let (sources, targets) = (documents(&self.source)?, documents(&self.target)?);
        if sources.len() != targets.len() {
            return Err(DataError::Unaligned {
                source_paths: self.source.paths.join(", "),
                sources: sources.len(),
                target_paths: self.target.paths.join(", "),
                targets: targets.len(),
            });
        }
        if sources.is_empty() {
            return Err(DataError::EmptyCorpus { sources: self.source.paths.join(", ") });
        }
        let pairs = sources.into_iter().zip(targets);
        Ok(pairs.map(|(source, target)| TextPair { source, target }).collect())
    }
}

/// The documents of a source, each as a whole.
fn documents(options: &SourceOptions) -> Result<Vec<String>> {
    let mut documents = Vec::new();
    for part in FileSource::open(options)?.parts()? {
        let part = part?;
        match documents.last_mut() {
            Some(last) if !part.begins => String::push_str(last, &part.text),
            _ => documents.push(part.text),
        }
    }
    Ok(documents)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn pair(source: &str, target: &str) -> TextPair {
        TextPair { source: source.to_owned(), target: target.to_owned() }
    }

    #[test]
    fn lines_of_two_files_and_columns_of_one_make_the_same_pairs() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        fs::write(path("a.en"), "a dog\ntwo \"cats\"\n").unwrap();
        fs::write(path("a.de"), "ein Hund\nzwei Katzen\n").unwrap();
        let expected = [pair("a dog", "ein Hund"), pair("two \"cats\"", "zwei Katzen")];
        let options = PairOptions::lines(path("a.en"), path("a.de"));
        assert_eq!(options.read().unwrap(), expected);
        assert_eq!(options.name().unwrap(), "a.en");

        fs::write(path("a.tsv"), "ein Hund\ta dog\nzwei Katzen\ttwo \"cats\"\n").unwrap();
        let column = |number: &str| SourceOptions {
            has_header: false,
            has_quotes: false,
            text_field: number.to_owned(),
            ..SourceOptions::new([path("a.tsv")])
        };
        let options = PairOptions { name: None, source: column("2"), target: column("1") };
        assert_eq!(options.read().unwrap(), expected);
    }

    #[test]
    fn sides_of_different_lengths_are_refused_with_both_counts() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        fs::write(path("a"), "one\ntwo\n").unwrap();
        fs::write(path("b"), "eins\n\n").unwrap();
        let error = PairOptions::lines(path("a"), path("b")).read().unwrap_err().to_string();
        assert!(error.contains("2 in ") && error.contains("1 in "), "{error}");
    }
}
