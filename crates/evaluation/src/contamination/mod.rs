//! Whether an evaluation set was in the training text: the n-grams that they share (Brown et al.,
//! "Language models are few-shot learners", 2020, appendix C, with 13 words; Radford et al.,
//! "Language models are unsupervised multitask learners", 2019, with 8).
//!
//! [`Contamination`] indexes the n-grams of the evaluation documents and then reads the training
//! text as a stream, one text after the other: its memory is that of the evaluation set, whatever
//! the size of the training text. The index holds hashes of 64 bits; in ten billion n-grams against
//! an index of ten million, one false match is expected in 200 such runs.
//!
//! ```
//! use wuji_evaluation::contamination::{Contamination, NgramOptions};
//! use wuji_evaluation::uncertainty::BootstrapOptions;
//!
//! # fn main() -> wuji_evaluation::Result<()> {
//! let documents = ["the cat sat on the mat today", "nobody has ever seen this text"];
//! let options = NgramOptions { order: 4, ..Default::default() };
//! let mut check = Contamination::new(&documents, options)?;
//! for text in ["It is said: The cat sat on the mat.", "Something else."] {
//!     check.observe(text);
//! }
//! let report = check.report();
//! assert_eq!(report.documents[0].fraction(), Some(0.75));
//! assert_eq!(&documents[0][report.documents[0].longest.clone().unwrap()], "the cat sat on the mat");
//! assert_eq!(report.documents[1].seen, 0);
//! assert_eq!(report.share_of_documents(0.5, 0.95)?.value, 0.5);
//! # Ok(())
//! # }
//! ```

mod ngrams;
mod report;

use std::collections::HashMap;
use std::ops::Range;

pub use ngrams::{NgramOptions, NgramUnit};
pub use report::{CleanAndDirty, ContaminationReport, DocumentContamination};

use crate::error::{Result, not_empty};
use ngrams::{ByHash, NgramHashes, tokens};

/// A check in progress: what the evaluation documents hold, and what of it was seen.
#[derive(Clone, Debug)]
pub struct Contamination {
    options: NgramOptions,
    documents: Vec<Indexed>,
    /// Whether the n-gram of that hash was seen.
    seen: HashMap<u64, bool, ByHash>,
}

/// The n-grams of an evaluation document, in its order.
#[derive(Clone, Debug)]
struct Indexed {
    hashes: Vec<u64>,
    /// Where its tokens are, in bytes.
    tokens: Vec<Range<usize>>,
}

impl Contamination {
    /// Indexes evaluation documents, of which there must be one.
    pub fn new<S: AsRef<str>>(documents: &[S], options: NgramOptions) -> Result<Self> {
        options.check()?;
        not_empty("documents", documents.len())?;
        let index = |text: &S| Indexed {
            hashes: NgramHashes::new(text.as_ref(), options).collect(),
            tokens: tokens(text.as_ref(), options.unit).collect(),
        };
        let documents: Vec<Indexed> = documents.iter().map(index).collect();
        let hashes = documents.iter().flat_map(|document| &document.hashes);
        let seen = hashes.map(|hash| (*hash, false)).collect();
        Ok(Self { options, documents, seen })
    }

    /// Reads a text of the training data. N-grams do not cross from one text to the next.
    pub fn observe(&mut self, text: &str) {
        for hash in NgramHashes::new(text, self.options) {
            if let Some(seen) = self.seen.get_mut(&hash) {
                *seen = true;
            }
        }
    }

    /// What was seen so far.
    pub fn report(&self) -> ContaminationReport {
        let documents = self.documents.iter().map(|document| self.of_document(document));
        ContaminationReport { options: self.options, documents: documents.collect() }
    }

    fn of_document(&self, document: &Indexed) -> DocumentContamination {
        let seen: Vec<bool> = document.hashes.iter().map(|hash| self.seen[hash]).collect();
        let mut longest: Option<Range<usize>> = None;
        let mut from = 0;
        for run in seen.chunk_by(|a, b| a == b) {
            // N-grams that follow each other overlap: the last one ends `order` tokens after it
            // begins.
            let last = from + run.len() - 1 + self.options.order - 1;
            let span = document.tokens[from].start..document.tokens[last].end;
            if run[0] && longest.as_ref().is_none_or(|longest| span.len() > longest.len()) {
                longest = Some(span);
            }
            from += run.len();
        }
        let count = seen.iter().filter(|seen| **seen).count();
        DocumentContamination { ngrams: seen.len(), seen: count, longest }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn options(order: usize, unit: NgramUnit) -> NgramOptions {
        NgramOptions { order, unit }
    }

    #[test]
    fn chinese_is_compared_by_character_without_regard_to_punctuation() {
        let documents = ["问：北京是中国的首都吗？"];
        let mut check = Contamination::new(&documents, options(5, NgramUnit::Character)).unwrap();
        check.observe("众所周知，北京是中国的首都。");
        let found = check.report().documents.remove(0);
        // 问北京是中国的首都吗 has six 5-grams, of which those within 北京是中国的首都 are four.
        assert_eq!((found.ngrams, found.seen), (6, 4));
        assert_eq!(&documents[0][found.longest.unwrap()], "北京是中国的首都");
    }

    #[test]
    fn ngrams_do_not_cross_from_one_text_to_the_next() {
        let mut check = Contamination::new(&["a b c d"], options(2, NgramUnit::Word)).unwrap();
        check.observe("a b");
        check.observe("c d");
        let found = check.report().documents.remove(0);
        assert_eq!((found.ngrams, found.seen), (3, 2));
        // Two spans are as long; the first is given.
        assert_eq!(found.longest, Some(0..3));
    }

    #[test]
    fn a_document_shorter_than_an_ngram_cannot_be_checked() {
        let mut check = Contamination::new(&["yes", ""], NgramOptions::default()).unwrap();
        check.observe("yes");
        for document in check.report().documents {
            assert_eq!((document.ngrams, document.fraction()), (0, None));
        }
        assert!(Contamination::new::<&str>(&[], NgramOptions::default()).is_err());
        assert!(Contamination::new(&["a"], options(0, NgramUnit::Word)).is_err());
    }

    proptest! {
        #[test]
        fn what_is_seen_is_what_a_search_of_every_ngram_finds(
            document in prop::collection::vec("[abc]", 0..12),
            training in prop::collection::vec(prop::collection::vec("[abc]", 0..12), 0..6),
            order in 1_usize..5
        ) {
            let mut check =
                Contamination::new(&[document.join(" ")], options(order, NgramUnit::Word)).unwrap();
            training.iter().for_each(|text| check.observe(&text.join(" ")));
            let found = check.report().documents.remove(0);
            let is_in = |ngram: &[String]| {
                training.iter().any(|text| text.windows(order).any(|other| other == ngram))
            };
            let seen = document.windows(order).filter(|ngram| is_in(ngram)).count();
            prop_assert_eq!((found.ngrams, found.seen), (document.windows(order).len(), seen));
        }
    }
}
