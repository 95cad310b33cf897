//! Spans as tags of tokens, and which tags may follow each other (Ramshaw & Marcus 1995).

use serde::{Deserialize, Serialize};

use crate::ClassicalError;

/// How a tagger writes spans for itself. What goes in and comes out is always BIO.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TagScheme {
    /// `B-` begins a span, `I-` goes on, `O` is outside.
    Bio,
    /// Also `E-` for the last token of a span and `S-` for a span of one: more to learn from.
    #[default]
    Bioes,
}

/// Tokens `start..end` of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TaggedSpan {
    /// What follows `B-`.
    pub kind: String,
    /// The first token.
    pub start: usize,
    /// Behind the last token.
    pub end: usize,
}

/// The spans of BIO tags. An `I-` that continues nothing of its kind begins a span.
///
/// # Errors
/// A tag that is neither `O` nor `B-` or `I-` and a kind.
pub fn spans<T: AsRef<str>>(tags: &[T]) -> Result<Vec<TaggedSpan>, ClassicalError> {
    let mut spans: Vec<TaggedSpan> = Vec::new();
    for (position, tag) in tags.iter().enumerate() {
        let tag = tag.as_ref();
        let unknown = || ClassicalError::Tag { position, tag: tag.to_owned() };
        let (mark, kind) = match tag.split_once('-') {
            _ if tag == "O" => continue,
            Some((mark @ ("B" | "I"), kind)) if !kind.is_empty() => (mark, kind),
            _ => return Err(unknown()),
        };
        match spans.last_mut() {
            Some(span) if mark == "I" && span.end == position && span.kind == kind => span.end += 1,
            _ => {
                spans.push(TaggedSpan { kind: kind.to_owned(), start: position, end: position + 1 })
            }
        }
    }
    Ok(spans)
}

impl TagScheme {
    /// The tags of spans over `length` tokens.
    pub(super) fn write(self, spans: &[TaggedSpan], length: usize) -> Vec<String> {
        let mut tags = vec!["O".to_owned(); length];
        for span in spans {
            for (position, tag) in (span.start..).zip(&mut tags[span.start..span.end]) {
                let (first, last) = (position == span.start, position + 1 == span.end);
                let mark = match (self, first, last) {
                    (Self::Bioes, true, true) => "S",
                    (Self::Bioes, false, true) => "E",
                    (_, true, _) => "B",
                    (_, false, _) => "I",
                };
                *tag = format!("{mark}-{}", span.kind);
            }
        }
        tags
    }

    /// Whether `to` may follow `from`; `None` is what is outside of the sentence.
    pub(super) fn allows(self, from: Option<&str>, to: Option<&str>) -> bool {
        let (from, to) = (mark_and_kind(from), mark_and_kind(to));
        let is_open = matches!(from.0, "B" | "I");
        if matches!(to.0, "I" | "E") {
            return is_open && from.1 == to.1;
        }
        self == Self::Bio || !is_open
    }

    /// The BIO tag of one of the scheme's.
    pub(super) fn to_bio(tag: &str) -> String {
        match tag.split_once('-') {
            Some(("E", kind)) => format!("I-{kind}"),
            Some(("S", kind)) => format!("B-{kind}"),
            _ => tag.to_owned(),
        }
    }
}

fn mark_and_kind(tag: Option<&str>) -> (&str, &str) {
    tag.and_then(|tag| tag.split_once('-')).unwrap_or(("O", ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written() {
        let tags = ["I-X", "I-X", "O", "B-X", "B-X", "I-Y"];
        let found = spans(&tags).unwrap();
        let ends: Vec<_> = found.iter().map(|s| (s.kind.as_str(), s.start, s.end)).collect();
        assert_eq!(ends, [("X", 0, 2), ("X", 3, 4), ("X", 4, 5), ("Y", 5, 6)]);
        let bioes = TagScheme::Bioes.write(&found, 6);
        assert_eq!(bioes, ["B-X", "E-X", "O", "S-X", "S-X", "S-Y"]);
        let bio: Vec<String> = bioes.iter().map(|tag| TagScheme::to_bio(tag)).collect();
        assert_eq!(bio, ["B-X", "I-X", "O", "B-X", "B-X", "B-Y"]);
        assert_eq!(bio, TagScheme::Bio.write(&found, 6));
        for tag in ["", "X", "B", "B-", "E-X"] {
            let error = spans(&["O", tag]).unwrap_err();
            assert_eq!(error, ClassicalError::Tag { position: 1, tag: tag.to_owned() });
        }
    }

    fn side(tag: &str) -> Option<&str> {
        (!tag.is_empty()).then_some(tag)
    }

    #[test]
    fn only_what_can_follow_is_allowed() {
        let allowed = |scheme: TagScheme, pairs: &[(&str, &str)]| -> Vec<bool> {
            let pairs = pairs.iter();
            pairs.map(|&(from, to)| scheme.allows(side(from), side(to))).collect()
        };
        let never = [("O", "I-X"), ("", "I-X"), ("B-Y", "I-X"), ("I-Y", "I-X")];
        assert_eq!(allowed(TagScheme::Bio, &never), [false; 4]);
        let always = [("B-X", "I-X"), ("I-X", "I-X"), ("O", "B-X"), ("O", "O"), ("", "O")];
        assert_eq!(allowed(TagScheme::Bio, &always), [true; 5]);
        let open = [("B-X", "O"), ("I-X", ""), ("B-X", "B-X"), ("B-X", "S-X"), ("I-X", "E-Y")];
        assert_eq!(allowed(TagScheme::Bioes, &open), [false; 5]);
        let closed = [("E-X", "O"), ("S-X", ""), ("E-X", "B-X"), ("I-X", "E-X"), ("", "S-X")];
        assert_eq!(allowed(TagScheme::Bioes, &closed), [true; 5]);
    }
}
