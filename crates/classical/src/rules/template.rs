//! What a match is rewritten to: text with captures in braces, `{year}-{month|months|pad2}`.
//!
//! Behind a capture stand changes: `lower`, `upper`, `capital`, `padN` (zeros in front, up to N characters), the name
//! of a map (the whole text is looked up) or that name with `*` (every word is). What a map does not have stays as it
//! is. `{match}` is the whole match; `{{` and `}}` are braces.

use std::collections::BTreeMap;
use std::collections::HashMap;

use super::pattern::Mismatch;
use super::tokens::{Kind, Vocabulary, tokens};

/// Replacements of words, by the word in lower case.
pub(super) type Map = HashMap<String, String>;

#[derive(Debug, Clone)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Capture(String, Vec<Change>),
}

#[derive(Debug, Clone)]
enum Change {
    Lower,
    Upper,
    Capital,
    Pad(usize),
    Whole(Map),
    EachWord(Map),
}

/// The name for all of a match.
const WHOLE: &str = "match";

/// The widest padding.
const MAX_PAD: usize = 100;

impl Template {
    /// Reads a template that may use `captures` and `maps`.
    pub fn parse(
        text: &str,
        captures: &[String],
        maps: &BTreeMap<String, Map>,
    ) -> Result<Self, Mismatch> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let brace = &rest[at..=at];
            plain.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            let end = if brace == "{" { rest.find('}') } else { None };
            let end = end.ok_or_else(|| mismatch("braces in pairs", text))?;
            parts.push(Part::Text(std::mem::take(&mut plain)));
            parts.push(capture(&rest[..end], captures, maps)?);
            rest = &rest[end + 1..];
        }
        plain.push_str(rest);
        parts.push(Part::Text(plain));
        Ok(Self { parts })
    }

    /// The text for a match whose captures are given by `capture`.
    pub fn fill<'t>(&self, whole: &'t str, capture: impl Fn(&str) -> Option<&'t str>) -> String {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Capture(name, changes) => {
                    let found = if name == WHOLE { whole } else { capture(name).unwrap_or("") };
                    let start = found.to_owned();
                    filled.push_str(&changes.iter().fold(start, |text, change| change.apply(text)));
                }
            }
        }
        filled
    }
}

fn capture(
    inside: &str,
    captures: &[String],
    maps: &BTreeMap<String, Map>,
) -> Result<Part, Mismatch> {
    let mut names = inside.split('|').map(str::trim);
    let name = names.next().unwrap_or_default();
    if name != WHOLE && !captures.iter().any(|capture| capture == name) {
        return Err(mismatch("the name of a capture, or `match`", name));
    }
    let changes = names.map(|name| change(name, maps)).collect::<Result<_, _>>()?;
    Ok(Part::Capture(name.to_owned(), changes))
}

fn change(name: &str, maps: &BTreeMap<String, Map>) -> Result<Change, Mismatch> {
    if let Some(map) = maps.get(name) {
        return Ok(Change::Whole(map.clone()));
    }
    if let Some(map) = name.strip_suffix('*').and_then(|name| maps.get(name)) {
        return Ok(Change::EachWord(map.clone()));
    }
    let width = name.strip_prefix("pad").and_then(|width| width.parse().ok());
    match (name, width) {
        ("lower", _) => Ok(Change::Lower),
        ("upper", _) => Ok(Change::Upper),
        ("capital", _) => Ok(Change::Capital),
        (_, Some(width)) if width <= MAX_PAD => Ok(Change::Pad(width)),
        _ => Err(mismatch("lower, upper, capital, padN or the name of a map", name)),
    }
}

impl Change {
    fn apply(&self, text: String) -> String {
        match self {
            Self::Lower => text.to_lowercase(),
            Self::Upper => text.to_uppercase(),
            Self::Capital => {
                let mut characters = text.chars();
                let first = characters.next().into_iter().flat_map(char::to_uppercase);
                first.chain(characters.clone()).collect()
            }
            Self::Pad(width) => {
                let missing = width.saturating_sub(text.chars().count());
                format!("{}{text}", "0".repeat(missing))
            }
            Self::Whole(map) => map.get(&text.to_lowercase()).cloned().unwrap_or(text),
            Self::EachWord(map) => each_word(&text, map),
        }
    }
}

fn each_word(text: &str, map: &Map) -> String {
    let mut changed = String::with_capacity(text.len());
    let mut at = 0;
    for token in
        tokens(text, &Vocabulary::default()).iter().filter(|token| token.kind == Kind::Word)
    {
        let word = &text[token.start..token.end];
        changed.push_str(&text[at..token.start]);
        changed.push_str(map.get(&word.to_lowercase()).map_or(word, String::as_str));
        at = token.end;
    }
    changed.push_str(&text[at..]);
    changed
}

fn mismatch(expected: &str, got: &str) -> Mismatch {
    Mismatch { expected: expected.to_owned(), got: format!("{got:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maps() -> BTreeMap<String, Map> {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(from, to)| (from.to_string(), to.to_string())).collect::<Map>()
        };
        BTreeMap::from([
            ("months".to_owned(), map(&[("may", "5")])),
            ("turn".to_owned(), map(&[("my", "your"), ("i", "you"), ("you", "I")])),
        ])
    }

    fn fill(template: &str, found: &str) -> String {
        let template = Template::parse(template, &["a".to_owned()], &maps()).unwrap();
        template.fill("whole", |name| (name == "a").then_some(found))
    }

    #[test]
    fn captures_are_put_in_and_changed() {
        for (template, found, expected) in [
            ("<{a}> {match} {{x}}", "é", "<é> whole {x}"),
            ("{a|pad2}", "7", "07"),
            ("{a | months | pad2}", "May", "05"),
            ("{a|months}", "June", "June"),
            ("{a|turn*}", "I think, my dog likes you.", "you think, your dog likes I."),
            ("{a|capital}{a|upper}{a|lower}", "éA", "ÉAÉAéa"),
        ] {
            assert_eq!(fill(template, found), expected, "{template}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (template, expected) in [
            ("{a", "braces in pairs"),
            ("a}", "braces in pairs"),
            ("{b}", "the name of a capture"),
            ("{a|years}", "the name of a map"),
            ("{a|pad1000}", "padN"),
        ] {
            let error = Template::parse(template, &["a".to_owned()], &maps()).unwrap_err();
            assert!(error.expected.contains(expected), "{template}: {error:?}");
        }
    }
}
