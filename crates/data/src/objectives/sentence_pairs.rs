//! Two segments of text and a question about them: do they follow one another?
//!
//! Next-sentence prediction (Devlin et al., "BERT", 2018): the second segment follows the first, or
//! is from another document. Sentence-order prediction (Lan et al., "ALBERT", 2019): the two follow
//! one another, or are swapped. Both cut documents as BERT's preparation does; a document is a list
//! of sentences, a sentence a list of token ids.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::batch::{MaskedBatch, MaskedExample};
use super::check::probability;
use super::masking::MaskingOptions;
use super::special_ids::{SpecialIds, required};
use crate::dice::Dice;
use crate::error::{DataError, Result};
use crate::loader::IGNORE_INDEX;
use crate::random::draw;

/// A document: its sentences' token ids.
pub type Sentences = Vec<Vec<u32>>;

/// What is asked about a pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PairTask {
    /// Label 0: the second follows the first. Label 1: it is from another document.
    #[default]
    NextSentence,
    /// Label 0: in the order of the text. Label 1: swapped.
    SentenceOrder,
}

/// How pairs are cut from documents.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SentencePairOptions {
    /// What is asked.
    pub task: PairTask,
    /// The most tokens of a row, the three special ones included; in a run never more than
    /// `data.context_length`.
    pub max_length: usize,
    /// Share of the pairs that aim at a random shorter length, for what is shorter in use.
    pub short_sequence_probability: f64,
}

impl Default for SentencePairOptions {
    fn default() -> Self {
        Self { task: PairTask::default(), max_length: 512, short_sequence_probability: 0.1 }
    }
}

/// Documents, as far as pairs are cut by it: how long their sentences are.
pub trait SentenceLengths {
    /// Number of documents.
    fn document_count(&self) -> usize;

    /// Tokens of each sentence of a document that there is.
    fn lengths(&self, document: usize) -> Vec<usize>;
}

impl SentenceLengths for [Sentences] {
    fn document_count(&self) -> usize {
        self.len()
    }

    fn lengths(&self, document: usize) -> Vec<usize> {
        self[document].iter().map(Vec::len).collect()
    }
}

/// Neighbouring sentences of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The document's number.
    pub document: usize,
    /// Numbers of its sentences.
    pub sentences: Range<usize>,
}

/// Where the two segments of a pair are, and the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairPlace {
    /// The first segment.
    pub first: Segment,
    /// The second segment.
    pub second: Segment,
    /// 0 or 1; see [`PairTask`].
    pub label: i64,
}

/// Two segments and the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentPair {
    /// Tokens of the first segment.
    pub first: Vec<u32>,
    /// Tokens of the second segment.
    pub second: Vec<u32>,
    /// 0 or 1; see [`PairTask`].
    pub label: i64,
}

impl SentencePairOptions {
    /// Checks the values.
    pub fn validate(&self) -> Result<()> {
        probability("short_sequence_probability", self.short_sequence_probability)?;
        if self.max_length < 5 {
            return Err(DataError::InvalidOption {
                key: "max_length".to_owned(),
                reason: format!(
                    "expected at least 5, two tokens and three special ones, got {}",
                    self.max_length
                ),
            });
        }
        Ok(())
    }

    /// The pairs of one document; the same arguments give the same pairs.
    ///
    /// Sentences are gathered until they fill a row, and what was gathered is cut in two at random.
    /// For next-sentence prediction the second part is, half of the time, replaced by sentences
    /// of another document, and goes into the next pair; a single sentence is always paired
    /// with another document, as in BERT. Sentence-order prediction leaves single sentences out.
    pub fn pairs(
        &self,
        documents: &[Sentences],
        document: usize,
        seed: u64,
    ) -> Result<Vec<SegmentPair>> {
        let tokens =
            |segment: &Segment| documents[segment.document][segment.sentences.clone()].concat();
        let places = self.places(documents, document, seed)?;
        let pair = |place: &PairPlace| SegmentPair {
            first: tokens(&place.first),
            second: tokens(&place.second),
            label: place.label,
        };
        Ok(places.iter().map(pair).collect())
    }

    /// Where the [`pairs`](Self::pairs) of one document are: a corpus that is not in memory is cut
    /// without being read.
    pub fn places<D: SentenceLengths + ?Sized>(
        &self,
        documents: &D,
        document: usize,
        seed: u64,
    ) -> Result<Vec<PairPlace>> {
        self.validate()?;
        let count = documents.document_count();
        if document >= count {
            let (index, len) = (document as u64, count as u64);
            return Err(DataError::OutOfRange { what: "document", index, len });
        }
        let mut cutter = Cutter {
            documents,
            document,
            lengths: documents.lengths(document),
            dice: Dice::new(draw(seed, [document as u64]), 0),
        };
        let mut places = Vec::new();
        let mut start = 0;
        while start < cutter.lengths.len() {
            let target = self.target(&mut cutter.dice);
            let chunk = start..gather(&cutter.lengths, start, target);
            let (place, used) = match self.task {
                PairTask::NextSentence => cutter.next_sentence(chunk, target)?,
                PairTask::SentenceOrder => (cutter.sentence_order(chunk.clone()), chunk.len()),
            };
            places.extend(place);
            start += used;
        }
        Ok(places)
    }

    /// Text tokens to gather for a pair.
    fn target(&self, dice: &mut Dice) -> usize {
        let most = self.max_length - 3;
        match dice.chance(self.short_sequence_probability) {
            true => 2 + dice.below(most - 1),
            false => most,
        }
    }

    /// `[CLS] first [SEP] second [SEP]` with segment numbers, truncated to `max_length`, with
    /// tokens masked and the answer as the label of the row.
    pub fn example(
        &self,
        pair: &SegmentPair,
        masking: &MaskingOptions,
        special: &SpecialIds,
        seed: u64,
    ) -> Result<MaskedExample> {
        self.validate()?;
        masking.validate(special)?;
        let mut example = assemble_pair(pair, special, self.max_length)?;
        let (input_ids, labels) = masking.mask(special, &example.input_ids, seed)?;
        (example.input_ids, example.labels) = (input_ids, labels);
        Ok(example)
    }

    /// A batch of pairs; row r is masked by a seed of its own.
    pub fn batch(
        &self,
        pairs: &[SegmentPair],
        masking: &MaskingOptions,
        special: &SpecialIds,
        seed: u64,
    ) -> Result<MaskedBatch> {
        let rows = (0..).zip(pairs);
        let examples =
            rows.map(|(row, pair)| self.example(pair, masking, special, draw(seed, [row])));
        MaskedBatch::collate(&examples.collect::<Result<Vec<_>>>()?, special, None)
    }
}

/// `[CLS] first [SEP] second [SEP]` and segment numbers; no token has a label yet.
pub fn assemble_pair(
    pair: &SegmentPair,
    special: &SpecialIds,
    max_length: usize,
) -> Result<MaskedExample> {
    let cls = required("cls", special.cls, "sentence pairs")?;
    let sep = required("sep", special.sep, "sentence pairs")?;
    let room = max_length.saturating_sub(3);
    let (first, second) = longest_first(pair.first.len(), pair.second.len(), room);
    let input_ids = [&[cls], &pair.first[..first], &[sep], &pair.second[..second], &[sep]].concat();
    let token_types = [vec![0; first + 2], vec![1; second + 1]].concat();
    Ok(MaskedExample {
        labels: vec![IGNORE_INDEX; input_ids.len()],
        input_ids,
        token_type_ids: Some(token_types),
        sentence_label: Some(pair.label),
        ..MaskedExample::default()
    })
}

/// The lengths of two segments after tokens were taken from the end of the longer one, and of the
/// second when they are equal, until both fit.
pub fn longest_first(mut first: usize, mut second: usize, room: usize) -> (usize, usize) {
    while first + second > room {
        if first > second { first -= 1 } else { second -= 1 }
    }
    (first, second)
}

/// The end of the sentences from `start` on that reach `target` tokens together.
fn gather(lengths: &[usize], start: usize, target: usize) -> usize {
    let mut tokens = 0;
    for (at, length) in lengths.iter().enumerate().skip(start) {
        tokens += length;
        if tokens >= target {
            return at + 1;
        }
    }
    lengths.len()
}

/// A document being cut.
struct Cutter<'a, D: ?Sized> {
    documents: &'a D,
    document: usize,
    lengths: Vec<usize>,
    dice: Dice,
}

impl<D: SentenceLengths + ?Sized> Cutter<'_, D> {
    /// A pair, if both of its segments have tokens, and how many sentences of the chunk it used up.
    fn next_sentence(
        &mut self,
        chunk: Range<usize>,
        target: usize,
    ) -> Result<(Option<PairPlace>, usize)> {
        let cut = if chunk.len() < 2 { 1 } else { 1 + self.dice.below(chunk.len() - 1) };
        let first = chunk.start..chunk.start + cut;
        let tokens: usize = self.lengths[first.clone()].iter().sum();
        if chunk.len() > 1 && !self.dice.chance(0.5) {
            let rest = first.end..chunk.end;
            let has_both = tokens > 0 && self.lengths[rest.clone()].iter().any(|&len| len > 0);
            let place =
                PairPlace { first: self.segment(first), second: self.segment(rest), label: 0 };
            return Ok((has_both.then_some(place), chunk.len()));
        }
        let other = another(self.documents.document_count(), self.document, &mut self.dice)?;
        let lengths = self.documents.lengths(other);
        let sentences = match lengths.len() {
            0 => 0..0,
            len => {
                let start = self.dice.below(len);
                start..gather(&lengths, start, target.saturating_sub(tokens).max(1))
            }
        };
        let has_both = tokens > 0 && lengths[sentences.clone()].iter().any(|&len| len > 0);
        let second = Segment { document: other, sentences };
        let place = PairPlace { first: self.segment(first), second, label: 1 };
        Ok((has_both.then_some(place), cut))
    }

    fn sentence_order(&mut self, chunk: Range<usize>) -> Option<PairPlace> {
        if chunk.len() < 2 {
            return None;
        }
        let cut = chunk.start + 1 + self.dice.below(chunk.len() - 1);
        let halves = [chunk.start..cut, cut..chunk.end];
        let has_tokens =
            |half: &Range<usize>| self.lengths[half.clone()].iter().any(|&len| len > 0);
        let has_both = halves.iter().all(has_tokens);
        let [first, second] = halves.map(|half| self.segment(half));
        let place = match self.dice.chance(0.5) {
            true => PairPlace { first: second, second: first, label: 1 },
            false => PairPlace { first, second, label: 0 },
        };
        has_both.then_some(place)
    }

    fn segment(&self, sentences: Range<usize>) -> Segment {
        Segment { document: self.document, sentences }
    }
}

/// Any document but this one.
fn another(count: usize, document: usize, dice: &mut Dice) -> Result<usize> {
    if count < 2 {
        return Err(DataError::InvalidOption {
            key: "documents".to_owned(),
            reason: format!(
                "expected at least 2, so that one can be paired with another, got {count}"
            ),
        });
    }
    let other = dice.below(count - 1);
    Ok(other + usize::from(other >= document))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Token `1000·d + 10·s + t` is token t of sentence s of document d.
    fn documents() -> Vec<Sentences> {
        let sentence = |d: u32, s: u32| (0..5).map(|t| 1000 * (d + 1) + 10 * s + t).collect();
        (0..4).map(|d| (0..20).map(|s| sentence(d, s)).collect()).collect()
    }

    #[test]
    fn the_longer_segment_loses_its_end_first() {
        let check = |first, second, room, expected| {
            assert_eq!(longest_first(first, second, room), expected, "{first} {second} {room}");
        };
        check(3, 3, 10, (3, 3));
        check(9, 3, 10, (7, 3));
        check(9, 8, 10, (5, 5));
        check(1, 9, 4, (1, 3));
        check(5, 5, 9, (5, 4));
    }

    #[test]
    fn a_pair_is_framed_and_numbered() {
        let special = SpecialIds { cls: Some(1), sep: Some(2), ..SpecialIds::new(100) };
        let pair = SegmentPair { first: vec![10, 11], second: vec![20], label: 1 };
        let example = assemble_pair(&pair, &special, 512).expect("has the tokens");
        assert_eq!(example.input_ids, [1, 10, 11, 2, 20, 2]);
        assert_eq!(example.token_type_ids, Some(vec![0, 0, 0, 0, 1, 1]));
        assert_eq!(example.sentence_label, Some(1));
        assert_eq!(example.labels, [-100; 6]);
    }

    #[test]
    fn next_sentences_follow_and_random_ones_are_of_another_document() {
        let documents = documents();
        let options = SentencePairOptions { max_length: 40, ..SentencePairOptions::default() };
        for pair in options.pairs(&documents, 1, 6).expect("pairs") {
            let (end, next) = (pair.first.last().expect("tokens"), pair.second[0]);
            match pair.label {
                0 => assert_eq!(next, (end / 10 + 1) * 10, "{pair:?}"),
                _ => assert_ne!(next / 1000, 2, "{pair:?}"),
            }
        }
    }

    #[test]
    fn swapped_segments_are_in_the_wrong_order() {
        let options = SentencePairOptions {
            task: PairTask::SentenceOrder,
            max_length: 40,
            ..SentencePairOptions::default()
        };
        let pairs = options.pairs(&documents(), 2, 3).expect("pairs");
        assert!(pairs.iter().any(|pair| pair.label == 1));
        for pair in pairs {
            assert_eq!(pair.label == 1, pair.first[0] > pair.second[0], "{pair:?}");
        }
    }

    #[test]
    fn one_document_cannot_be_paired_with_another() {
        let documents = vec![vec![vec![1, 2, 3]]];
        let error =
            SentencePairOptions::default().pairs(&documents, 0, 1).expect_err("one document");
        assert!(error.to_string().starts_with("documents: expected at least 2"), "{error}");
    }
}
