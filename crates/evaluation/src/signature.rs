//! What a score is made with, in the notation of sacreBLEU (Post, "A call for clarity in reporting
//! BLEU scores", WMT 2018).

/// The version of sacreBLEU whose rules BLEU, chrF and TER follow, and whose numbers they give.
pub const SACREBLEU_VERSION: &str = "2.6.0";

/// How many references the documents have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ReferenceCount {
    /// No document was seen yet.
    #[default]
    Unknown,
    /// As many for every document.
    Same(usize),
    /// Not as many for every document.
    Varies,
}

impl ReferenceCount {
    /// Takes note of a document with `references` references.
    pub(crate) fn observe(&mut self, references: usize) {
        *self = match *self {
            Self::Unknown => Self::Same(references),
            Self::Same(known) if known == references => *self,
            _ => Self::Varies,
        };
    }
}

/// `nrefs:2|case:mixed|…|version:2.6.0` from the parts between.
pub(crate) fn signature(references: ReferenceCount, parts: &[(&str, String)]) -> String {
    let references = match references {
        ReferenceCount::Unknown => "0".to_owned(),
        ReferenceCount::Same(number) => number.to_string(),
        ReferenceCount::Varies => "var".to_owned(),
    };
    let mut text = format!("nrefs:{references}");
    for (key, value) in parts {
        text.extend(["|", key, ":", value]);
    }
    text.extend(["|version:", SACREBLEU_VERSION]);
    text
}

/// sacreBLEU's words for yes and no.
pub(crate) fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}
