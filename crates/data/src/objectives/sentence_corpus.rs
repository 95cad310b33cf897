//! Token shards as documents that are cut into sentences, for [`SentencePairOptions`].
//!
//! Only the place of each sentence is kept in memory, eight bytes for each; its tokens stay in the
//! shards until a pair is read.

use super::sentence_pairs::{
    PairPlace, Segment, SegmentPair, SentenceLengths, SentencePairOptions,
};
use super::sentences::sentence_spans;
use super::special_ids::SpecialIds;
use crate::dice::Dice;
use crate::error::{DataError, Result};
use crate::shard::TokenShards;

/// The documents of a split and where their sentences are.
#[derive(Clone, Debug)]
pub struct SentenceCorpus {
    shards: TokenShards,
    /// Where in the shards each sentence ends, and for each document, before its sentences, where its
    /// first begins.
    bounds: Vec<u64>,
    /// Index in `bounds` of each document's first entry, then the number of entries.
    documents: Vec<usize>,
}

impl SentenceCorpus {
    /// Reads the shards once. Sentences end where tokens end them
    /// ([`WordTable::sentence_ends`](super::WordTable::sentence_ends)) or the document does; the
    /// special tokens behind a document are of no sentence.
    ///
    /// # Errors
    /// A vocabulary that does not tell how its tokens are spelt, or sources with weights, which have
    /// no meaning for documents that are all read once in a pass.
    pub fn new(shards: TokenShards, special: &SpecialIds) -> Result<Self> {
        let Some(words) = &special.words else {
            return Err(invalid("expected a tokenizer that tells where words begin, got none"));
        };
        if shards.shards().iter().any(|shard| shard.weight.is_some()) {
            return Err(invalid("expected sources without weights, since every pair is read once"));
        }
        let ends = words.sentence_ends();
        let (mut bounds, mut documents) = (Vec::new(), Vec::new());
        for document in 0..shards.document_count() {
            let start = shards.document_start(document);
            let mut tokens = vec![0; (shards.document_start(document + 1) - start) as usize];
            shards.read(start, &mut tokens);
            while tokens.last().is_some_and(|&id| special.is_special(id)) {
                tokens.pop();
            }
            documents.push(bounds.len());
            bounds.push(start);
            let spans = sentence_spans(&tokens, &ends);
            bounds.extend(spans.into_iter().map(|span| start + span.end as u64));
        }
        documents.push(bounds.len());
        Ok(Self { shards, bounds, documents })
    }

    /// The pairs of all documents, in their order; the same arguments give the same pairs.
    ///
    /// # Errors
    /// Options that make no sense, or a text without any pair.
    pub fn pass(&self, options: &SentencePairOptions, seed: u64) -> Result<Vec<PairPlace>> {
        let mut pairs = Vec::new();
        for document in 0..self.document_count() {
            pairs.extend(options.places(self, document, seed)?);
        }
        if pairs.is_empty() {
            return Err(invalid("expected documents of more than one sentence, got none"));
        }
        Ok(pairs)
    }

    /// The pairs of all documents, in random order.
    ///
    /// # Errors
    /// As [`pass`](Self::pass).
    pub fn shuffled_pass(
        &self,
        options: &SentencePairOptions,
        seed: u64,
    ) -> Result<Vec<PairPlace>> {
        let mut pairs = self.pass(options, seed)?;
        // Cutting draws from stream 0 of seeds of its own.
        Dice::new(seed, 1).shuffle(&mut pairs);
        Ok(pairs)
    }

    /// The tokens of a pair.
    ///
    /// # Panics
    /// If the place is of another corpus.
    pub fn pair(&self, place: &PairPlace) -> SegmentPair {
        SegmentPair {
            first: self.tokens(&place.first),
            second: self.tokens(&place.second),
            label: place.label,
        }
    }

    fn tokens(&self, segment: &Segment) -> Vec<u32> {
        let bounds = self.bounds_of(segment.document);
        let (start, end) = (bounds[segment.sentences.start], bounds[segment.sentences.end]);
        let mut tokens = vec![0; (end - start) as usize];
        self.shards.read(start, &mut tokens);
        tokens
    }

    /// Where a document's sentences begin and end: one entry more than there are sentences.
    fn bounds_of(&self, document: usize) -> &[u64] {
        &self.bounds[self.documents[document]..self.documents[document + 1]]
    }
}

impl SentenceLengths for SentenceCorpus {
    fn document_count(&self) -> usize {
        self.documents.len() - 1
    }

    fn lengths(&self, document: usize) -> Vec<usize> {
        let bounds = self.bounds_of(document).windows(2);
        bounds.map(|ends| (ends[1] - ends[0]) as usize).collect()
    }
}

fn invalid(reason: &str) -> DataError {
    DataError::InvalidOption { key: "sentence_pairs".to_owned(), reason: reason.to_owned() }
}
