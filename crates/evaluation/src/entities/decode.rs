//! From tags to entities.

use serde::{Deserialize, Serialize};

use crate::error::{EvaluationError, Result};

/// How tags are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// As conlleval does: an `I-` or `E-` that continues nothing begins an entity. Tags of any
    /// scheme with B, I, E, S and O.
    #[default]
    Lenient,
    /// B, I, O: an entity begins with B, and I without it belongs to none.
    Iob2,
    /// B, I, E, S, O: an entity is S alone, or from B to E.
    Iobes,
    /// The same with the letters B, I, L, U, O.
    Bilou,
}

/// A named entity.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Entity {
    /// Its first token.
    pub start: usize,
    /// The token after its last.
    pub end: usize,
    /// Its type, as `PER`; `_` where tags have none.
    pub kind: String,
}

/// A tag without its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tag<'a> {
    /// One of B, I, E, S and O.
    prefix: char,
    kind: &'a str,
}

const OUTSIDE: Tag<'static> = Tag { prefix: 'O', kind: "_" };

/// The entities of a sentence's tags, in order. `sentence` is its position, for errors.
pub fn decode<S: AsRef<str>>(sentence: usize, tags: &[S], scheme: Scheme) -> Result<Vec<Entity>> {
    let mut parsed = Vec::with_capacity(tags.len());
    for (token, tag) in tags.iter().enumerate() {
        let bad = || EvaluationError::BadTag {
            sentence,
            token,
            scheme: scheme.letters(),
            found: tag.as_ref().to_owned(),
        };
        parsed.push(scheme.parse(tag.as_ref()).ok_or_else(bad)?);
    }
    Ok(match scheme {
        Scheme::Lenient => lenient(&parsed),
        Scheme::Iob2 => strict(&parsed, false),
        Scheme::Iobes | Scheme::Bilou => strict(&parsed, true),
    })
}

impl Scheme {
    fn letters(self) -> &'static str {
        match self {
            Self::Lenient | Self::Iobes => "B, I, E, S and O",
            Self::Iob2 => "B, I and O",
            Self::Bilou => "B, I, L, U and O",
        }
    }

    /// A tag with the letters of IOBES, if its letter is of this scheme.
    fn parse(self, tag: &str) -> Option<Tag<'_>> {
        let letter = tag.chars().next()?;
        let prefix = match (self, letter) {
            (_, 'B' | 'I' | 'O') => letter,
            (Self::Lenient | Self::Iobes, 'E' | 'S') => letter,
            (Self::Bilou, 'L') => 'E',
            (Self::Bilou, 'U') => 'S',
            _ => return None,
        };
        let kind = tag[1..].trim_matches('-');
        Some(Tag { prefix, kind: if kind.is_empty() { "_" } else { kind } })
    }
}

fn entity(kind: &str, start: usize, end: usize) -> Entity {
    Entity { start, end, kind: kind.to_owned() }
}

/// Entities that begin and end as the scheme wants it; `closed` wants an E or S at the end.
fn strict(tags: &[Tag<'_>], closed: bool) -> Vec<Entity> {
    let mut entities = Vec::new();
    let mut start = 0;
    while start < tags.len() {
        let first = tags[start];
        let mut end = start + 1;
        if first.prefix == 'B' {
            while end < tags.len() && continues(tags[end - 1], tags[end]) {
                end += 1;
            }
        }
        let last = tags[end - 1].prefix;
        let whole = !closed || matches!(last, 'E' | 'S');
        if matches!(first.prefix, 'B' | 'S') && whole {
            entities.push(entity(first.kind, start, end));
        }
        start = end;
    }
    entities
}

/// Whether a tag is inside the entity of the tag before it.
fn continues(before: Tag<'_>, tag: Tag<'_>) -> bool {
    matches!(before.prefix, 'B' | 'I') && matches!(tag.prefix, 'I' | 'E') && before.kind == tag.kind
}

/// Entities as conlleval sees them.
fn lenient(tags: &[Tag<'_>]) -> Vec<Entity> {
    let mut entities = Vec::new();
    let mut start = 0;
    let mut before = OUTSIDE;
    for (at, tag) in tags.iter().copied().chain([OUTSIDE]).enumerate() {
        let other_kind = before.kind != tag.kind;
        let ends = match before.prefix {
            'O' => false,
            'E' | 'S' => true,
            _ => matches!(tag.prefix, 'B' | 'S' | 'O') || other_kind,
        };
        if ends {
            entities.push(entity(before.kind, start, at));
        }
        let starts = match tag.prefix {
            'O' => false,
            'B' | 'S' => true,
            _ => matches!(before.prefix, 'E' | 'S' | 'O') || other_kind,
        };
        if starts {
            start = at;
        }
        before = tag;
    }
    entities
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(scheme: Scheme, tags: &str, expected: &[(&str, usize, usize)]) {
        let tags: Vec<&str> = tags.split(' ').collect();
        let found = decode(0, &tags, scheme).unwrap();
        let expected: Vec<Entity> =
            expected.iter().map(|(kind, start, end)| entity(kind, *start, *end)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn only_lenient_lets_inside_tags_begin() {
        let tags = "I-A I-B O B-A I-A B-A";
        let all = [("A", 0, 1), ("B", 1, 2), ("A", 3, 5), ("A", 5, 6)];
        check(Scheme::Lenient, tags, &all);
        check(Scheme::Iob2, tags, &all[2..]);
    }

    #[test]
    fn closed_schemes_want_their_end() {
        check(Scheme::Iobes, "B-A I-A E-A S-B B-A I-A O E-A", &[("A", 0, 3), ("B", 3, 4)]);
        check(Scheme::Bilou, "B-A I-A L-A U-B B-A I-A O L-A", &[("A", 0, 3), ("B", 3, 4)]);
        check(Scheme::Iobes, "B-A E-B S", &[("_", 2, 3)]);
    }

    #[test]
    fn a_letter_of_another_scheme_is_an_error_with_its_place() {
        let error = decode(3, &["O", "E-A"], Scheme::Iob2).unwrap_err().to_string();
        assert_eq!(error, "sentence 3, token 1: expected a tag of B, I and O, found \"E-A\"");
        assert!(decode(0, &[""], Scheme::Lenient).is_err());
        assert!(decode(0, &["人"], Scheme::Lenient).is_err());
    }
}
