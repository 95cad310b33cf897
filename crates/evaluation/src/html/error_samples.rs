//! Documents that a model got wrong, with what it said and what was expected.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::text::escape;
use crate::error::{EvaluationError, Result};

/// What a highlighted span is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HighlightKind {
    /// Of interest, neither right nor wrong.
    #[default]
    Neutral,
    /// Expected and found.
    Right,
    /// Found, but not expected.
    Wrong,
    /// Expected, but not found.
    Missing,
}

impl HighlightKind {
    fn name(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Right => "right",
            Self::Wrong => "wrong",
            Self::Missing => "missing",
        }
    }
}

/// A span of a document's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Highlight {
    /// Bytes of the text.
    pub span: Range<usize>,
    /// What it is called, as the type of an entity; may be empty.
    pub label: String,
    /// What it is.
    pub kind: HighlightKind,
}

/// A document that a model got wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorSample {
    /// Which document it is.
    pub id: String,
    /// Its text.
    pub text: String,
    /// Spans of the text; they may overlap.
    pub highlights: Vec<Highlight>,
    /// What was expected and said, as pairs of a name and a text.
    pub fields: Vec<(String, String)>,
}

/// Samples one below the other. Errs where a highlight is outside of its text or cuts a character.
pub fn error_samples(samples: &[ErrorSample]) -> Result<String> {
    samples.iter().map(ErrorSample::html).collect()
}

impl ErrorSample {
    fn html(&self) -> Result<String> {
        let field = |(name, text): &(String, String)| {
            format!("<dt>{}</dt><dd dir=\"auto\">{}</dd>\n", escape(name), escape(text))
        };
        let fields: String = self.fields.iter().map(field).collect();
        Ok(format!(
            "<article class=\"sample\"><h3>{}</h3>\n<p class=\"text\" dir=\"auto\">{}</p>\n\
             <dl>\n{fields}</dl></article>\n",
            escape(&self.id),
            self.marked_text()?
        ))
    }

    /// The text, cut wherever a highlight begins or ends, so that spans may overlap.
    fn marked_text(&self) -> Result<String> {
        for (at, highlight) in self.highlights.iter().enumerate() {
            self.check(at, &highlight.span)?;
        }
        let ends =
            self.highlights.iter().flat_map(|highlight| [highlight.span.start, highlight.span.end]);
        let cuts: Vec<usize> =
            ends.chain([0, self.text.len()]).collect::<BTreeSet<_>>().into_iter().collect();
        Ok(cuts.windows(2).map(|cut| self.piece(cut[0]..cut[1])).collect())
    }

    /// A piece that highlights cover wholly or not at all; a label stands where its span ends.
    fn piece(&self, piece: Range<usize>) -> String {
        let text = escape(&self.text[piece.clone()]);
        let covers = |highlight: &&Highlight| {
            highlight.span.start <= piece.start && piece.end <= highlight.span.end
        };
        let covering: Vec<&Highlight> = self.highlights.iter().filter(covers).collect();
        // Of several kinds the gravest, which is the last.
        let Some(kind) = covering.iter().map(|highlight| highlight.kind).max() else {
            return text;
        };
        let ending = covering.iter().filter(|highlight| highlight.span.end == piece.end);
        let labels: String = ending.map(|highlight| label(highlight)).collect();
        format!("<mark class=\"{}\">{text}{labels}</mark>", kind.name())
    }

    fn check(&self, position: usize, span: &Range<usize>) -> Result<()> {
        if self.text.get(span.clone()).is_some() {
            return Ok(());
        }
        let (bound, found) = (self.text.len() + 1, span.end);
        if found < bound {
            let reason = "it ends before it begins, or cuts a character";
            return Err(EvaluationError::Undefined { what: "the span of a highlight", reason });
        }
        Err(EvaluationError::OutOfRange { what: "end of a highlight", position, bound, found })
    }
}

/// A label in words, since colours alone are not seen by all.
fn label(highlight: &Highlight) -> String {
    let kind = match highlight.kind {
        HighlightKind::Neutral => "",
        other => other.name(),
    };
    let words = [escape(&highlight.label), kind.to_owned()];
    let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    if words.is_empty() { String::new() } else { format!("<small>{}</small>", words.join(" · ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(text: &str, spans: &[(Range<usize>, &str, HighlightKind)]) -> ErrorSample {
        let highlight = |(span, label, kind): &(Range<usize>, &str, HighlightKind)| Highlight {
            span: span.clone(),
            label: (*label).to_owned(),
            kind: *kind,
        };
        let highlights = spans.iter().map(highlight).collect();
        ErrorSample { text: text.to_owned(), highlights, ..Default::default() }
    }

    #[test]
    fn overlapping_spans_are_cut_and_labelled_where_they_end() {
        let spans = [(0..6, "LOC", HighlightKind::Missing), (3..9, "ORG", HighlightKind::Wrong)];
        let html = sample("北京市<", &spans).marked_text().unwrap();
        assert_eq!(
            html,
            "<mark class=\"missing\">北</mark>\
             <mark class=\"missing\">京<small>LOC · missing</small></mark>\
             <mark class=\"wrong\">市<small>ORG · wrong</small></mark>&lt;"
        );
    }

    #[test]
    fn everything_is_escaped() {
        let mut sample = sample("<b>", &[(0..1, "<i>", HighlightKind::Neutral)]);
        sample.id = "<id>".to_owned();
        sample.fields = vec![("<name>".to_owned(), "<value>".to_owned())];
        let html = error_samples(&[sample]).unwrap();
        for raw in ["<b>", "<i>", "<id>", "<name>", "<value>"] {
            assert!(!html.contains(raw), "{html}");
        }
    }

    #[test]
    fn spans_outside_of_the_text_or_inside_of_a_character_are_errors() {
        let of = |span: Range<usize>| sample("北京", &[(span, "", HighlightKind::Right)]).html();
        assert!(of(0..3).is_ok() && of(3..3).is_ok());
        assert!(of(0..9).is_err() && of(0..4).is_err());
        #[expect(clippy::reversed_empty_ranges, reason = "a span that ends before it begins")]
        let reversed = of(3..0);
        assert!(reversed.is_err());
    }
}
