//! Doc comments out of Rust source, as rustfmt leaves it: enough of a parser for config structs and
//! their enums, no more.

/// A public field of a struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub name: String,
    pub ty: String,
    pub docs: String,
    pub attributes: String,
}

/// A variant of an enum, under the name that serde gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Variant {
    pub name: String,
    pub docs: String,
    pub content: Content,
}

/// What a variant holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    Nothing,
    One,
    Fields(Vec<Field>),
}

/// The fields of `pub struct name`; none if it is not in `source`.
pub(super) fn fields(source: &str, name: &str) -> Vec<Field> {
    let (_, body) = item(source, &format!("pub struct {name} {{"));
    read_fields(&body, "    pub ")
}

/// The variants of `pub enum name`; none if it is not in `source`.
pub(super) fn variants(source: &str, name: &str) -> Vec<Variant> {
    let (attributes, body) = item(source, &format!("pub enum {name} {{"));
    let rule = quoted_after(&attributes, "rename_all = ").unwrap_or_default();
    let mut variants = Vec::new();
    let mut notes = Notes::default();
    let mut lines = body.iter();
    while let Some(line) = lines.next() {
        let Some(declared) = line.strip_prefix("    ") else { continue };
        if notes.take(declared) || declared.starts_with([' ', '}']) || declared.is_empty() {
            continue;
        }
        let name: String = declared.chars().take_while(|c| c.is_alphanumeric()).collect();
        let rest = &declared[name.len()..];
        let content = if rest.starts_with(" {") {
            let inner: Vec<&str> =
                lines.by_ref().take_while(|line| **line != "    },").copied().collect();
            Content::Fields(read_fields(&inner, "        "))
        } else if rest.starts_with('(') {
            Content::One
        } else {
            Content::Nothing
        };
        let (docs, attributes) = notes.finish();
        let renamed = quoted_after(&attributes, "rename = ");
        let name = renamed.unwrap_or_else(|| rename(&name, &rule));
        variants.push(Variant { name, docs, content });
    }
    variants
}

/// Attributes before the line `opening`, and the lines between it and its closing brace.
fn item<'a>(source: &'a str, opening: &str) -> (String, Vec<&'a str>) {
    let lines: Vec<&str> = source.lines().collect();
    let Some(start) = lines.iter().position(|line| *line == opening) else {
        return Default::default();
    };
    let before = lines[..start].iter().rev().take_while(|line| line.starts_with("#[")).copied();
    let body = lines[start + 1..].iter().take_while(|line| **line != "}").copied();
    (before.collect(), body.collect())
}

fn read_fields(lines: &[&str], indent: &str) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut notes = Notes::default();
    for line in lines {
        if notes.take(line.trim_start()) {
            continue;
        }
        if let Some((name, ty)) = line.strip_prefix(indent).and_then(|rest| rest.split_once(": ")) {
            let (docs, attributes) = notes.finish();
            let ty = ty.trim_end_matches(',').to_string();
            fields.push(Field { name: name.to_string(), ty, docs, attributes });
        }
    }
    fields
}

/// Doc comments and attributes since the last declaration.
#[derive(Default)]
struct Notes {
    docs: Vec<String>,
    attributes: String,
}

impl Notes {
    /// Whether `line` is such.
    fn take(&mut self, line: &str) -> bool {
        if let Some(text) = line.strip_prefix("///") {
            self.docs.push(text.trim().to_string());
            return true;
        }
        if line.starts_with("#[") {
            self.attributes.push_str(line);
            return true;
        }
        false
    }

    fn finish(&mut self) -> (String, String) {
        let docs = plain(&std::mem::take(&mut self.docs).join(" "));
        (docs, std::mem::take(&mut self.attributes))
    }
}

/// Intra-doc links mean nothing outside rustdoc: their text remains.
fn plain(docs: &str) -> String {
    let mut out = String::new();
    let mut rest = docs;
    while let Some(start) = rest.find("[`") {
        out.push_str(&rest[..start]);
        let after = &rest[start + 1..];
        let Some(end) = after.find("`]") else { break };
        out.push_str(&after[..=end]);
        rest = &after[end + 2..];
        if rest.starts_with('(')
            && let Some(close) = rest.find(')')
        {
            rest = &rest[close + 1..];
        }
    }
    out + rest
}

/// The string after `key` in an attribute: `key"value"`.
fn quoted_after(attributes: &str, key: &str) -> Option<String> {
    let (_, after) = attributes.split_once(key)?;
    let (value, _) = after.strip_prefix('"')?.split_once('"')?;
    Some(value.to_string())
}

fn rename(variant: &str, rule: &str) -> String {
    let separator = match rule {
        "kebab-case" => "-",
        "snake_case" => "_",
        "lowercase" => "",
        _ => return variant.to_string(),
    };
    let mut out = String::new();
    for (index, c) in variant.chars().enumerate() {
        if c.is_uppercase() && index > 0 {
            out.push_str(separator);
        }
        out.extend(c.to_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"
/// Ignored.
#[derive(Debug)]
#[serde(default)]
pub struct Config {
    /// Steps in all, see [`Other::steps`](x)
    /// and [`This`].
    #[serde(skip)]
    pub steps: Option<u64>,
    /// Plain.
    pub name: String,
}

#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The first.
    #[default]
    FirstOne,
    /// With a field.
    Second {
        /// How much.
        fraction: f64,
        /// Other.
        #[serde(default)]
        seed: u64,
    },
    /// With a value.
    Third(usize),
    /// Renamed.
    #[serde(rename = "four", alias = "4")]
    Fourth,
}
"#;

    #[test]
    fn fields_come_with_their_comments() {
        let fields = fields(SOURCE, "Config");
        assert_eq!(fields.len(), 2);
        assert_eq!(fields[0].name, "steps");
        assert_eq!(fields[0].ty, "Option<u64>");
        assert_eq!(fields[0].docs, "Steps in all, see `Other::steps` and `This`.");
        assert!(fields[0].attributes.contains("skip"));
        assert_eq!(fields[1].docs, "Plain.");
    }

    #[test]
    fn variants_come_under_the_names_that_files_use() {
        let variants = variants(SOURCE, "Kind");
        let names: Vec<&str> = variants.iter().map(|variant| variant.name.as_str()).collect();
        assert_eq!(names, ["first-one", "second", "third", "four"]);
        assert_eq!(variants[2].content, Content::One);
        let Content::Fields(fields) = &variants[1].content else { panic!("{variants:?}") };
        assert_eq!((fields[0].name.as_str(), fields[1].docs.as_str()), ("fraction", "Other."));
    }

    #[test]
    fn what_is_not_there_has_nothing() {
        assert!(fields(SOURCE, "Absent").is_empty() && variants(SOURCE, "Absent").is_empty());
    }
}
