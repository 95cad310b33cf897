//! word2vec (Mikolov et al. 2013, "Distributed representations of words and phrases and their
//! compositionality"): vectors that tell a word's neighbours from other words; and fastText, where a
//! word's vector is the mean of its own and its pieces'.
//!
//! The authors' threads write over each other, so that no two runs agree. Here the text is learnt in
//! small batches of words: every gradient of a batch is taken at the weights that it began with, by as
//! many threads as there are, and then added to the weights in the order of the text ([`batch`]). A
//! batch is short enough for the weights not to move far in it: see `docs/embeddings.md` for what its
//! length does to quality and speed.

mod batch;
mod composition;
mod epoch;
mod negatives;
mod rows;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use batch::{Batch, Step};
use composition::Composition;
use epoch::{Epoch, Subsampling};
use negatives::Negatives;
use rows::Rows;

use super::stream::Stream;
use super::subwords::Subwords;
use super::vectors::SubwordVectors;
use super::{WordVectors, WordVocabulary};
use crate::ClassicalError;

/// Rows of words and pieces are numbered with 32 bits.
const MOST_BUCKETS: usize = 1 << 30;

/// Streams of random numbers: the weights, what each epoch leaves out, and the windows and negatives.
#[derive(Clone, Copy)]
enum Draws {
    Weights,
    Epoch(usize),
    Batches,
}

/// What predicts what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
    /// A word predicts each of its neighbours. Better for small corpora and rare words.
    #[default]
    SkipGram,
    /// The mean of the neighbours predicts the word: a continuous bag of words, several times faster.
    Cbow,
}

/// How vectors learn to predict.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Word2Vec {
    /// What predicts what.
    pub architecture: Architecture,
    /// Pieces of words, as fastText has them; without, word2vec.
    pub subwords: Option<Subwords>,
    /// Length of a vector.
    pub dim: usize,
    /// Neighbours to either side at most; the width is drawn for each word.
    pub window: usize,
    /// Other words that each predicted word is told from.
    pub negatives: usize,
    /// The share of the text above which a word is left out at random, the oftener the more frequent
    /// it is. 1 keeps everything; 10⁻³ to 10⁻⁵ are usual, the lower the larger the corpus.
    pub subsample: f64,
    /// The first step; it falls in a straight line to a ten-thousandth. 0.025 suits skip-gram, 0.05
    /// the bag of words.
    pub learning_rate: f64,
    /// Passes over the text.
    pub epochs: usize,
    /// Words whose gradients are taken at the same weights.
    pub batch_words: usize,
    /// Seed of weights, windows and negatives.
    pub seed: u64,
}

impl Default for Word2Vec {
    fn default() -> Self {
        Self {
            architecture: Architecture::SkipGram,
            subwords: None,
            dim: 100,
            window: 5,
            negatives: 5,
            subsample: 1e-3,
            learning_rate: 0.025,
            epochs: 5,
            batch_words: 64,
            seed: 0,
        }
    }
}

impl Word2Vec {
    /// A continuous bag of words with the step that suits it.
    pub fn cbow() -> Self {
        Self { architecture: Architecture::Cbow, learning_rate: 0.05, ..Self::default() }
    }

    /// Skip-gram over pieces of words, with fastText's step.
    pub fn fast_text() -> Self {
        Self { subwords: Some(Subwords::default()), learning_rate: 0.05, ..Self::default() }
    }

    /// Vectors of the words of `vocabulary` from documents of their ids.
    ///
    /// # Errors
    /// Options that make no sense, an id outside the vocabulary, or no tokens at all.
    pub fn train<D: AsRef<[u32]>>(
        &self,
        vocabulary: &WordVocabulary,
        documents: &[D],
    ) -> Result<WordVectors, ClassicalError> {
        self.check()?;
        let stream = Stream::new(vocabulary.len(), documents)?;
        let composition = Composition::of(vocabulary.words(), self.subwords.as_ref());
        let inputs = self.fit(&stream, &composition);
        let mut values = vec![0.0; vocabulary.len() * self.dim];
        values.par_chunks_mut(self.dim).enumerate().for_each(|(word, values)| {
            inputs.mean(composition.rows_of(word as u32), values);
        });
        let pieces = self.subwords.map(|subwords| {
            let rows = vocabulary.len()..vocabulary.len() + subwords.buckets;
            let values = rows.flat_map(|row| inputs.row(row as u32)[..self.dim].iter().copied());
            SubwordVectors { subwords, values: values.collect() }
        });
        Ok(WordVectors::new(vocabulary.words().to_vec(), self.dim, values)?.with_pieces(pieces))
    }

    fn check(&self) -> Result<(), ClassicalError> {
        let mut positive = vec![
            ("dim", self.dim as f64),
            ("window", self.window as f64),
            ("subsample", self.subsample),
            ("learning_rate", self.learning_rate),
            ("batch_words", self.batch_words as f64),
        ];
        if let Some(subwords) = self.subwords {
            positive.push(("subwords.shortest", subwords.shortest as f64));
            if !(1..=MOST_BUCKETS).contains(&subwords.buckets) {
                let (name, found) = ("subwords.buckets", subwords.buckets as f64);
                return Err(ClassicalError::Setting { name, found, expected: "from 1 to 2^30" });
            }
        }
        match positive.into_iter().find(|(_, value)| !(*value > 0.0 && value.is_finite())) {
            Some((name, found)) => {
                Err(ClassicalError::Setting { name, found, expected: "a positive number" })
            }
            None => Ok(()),
        }
    }

    /// The vectors of words and pieces as predictors.
    fn fit(&self, stream: &Stream, composition: &Composition) -> Rows {
        // fastText begins with larger weights, since a mean of many is small.
        let limit = if self.subwords.is_some() { 1.0 } else { 0.5 } / self.dim as f32;
        let mut weights = self.draws(Draws::Weights);
        let mut inputs = Rows::random(composition.rows(), self.dim, limit, &mut weights);
        let mut outputs = Rows::zero(stream.counts.len(), self.dim);
        let negatives = Negatives::new(&stream.counts);
        let subsampling = Subsampling::new(&stream.counts, self.subsample);
        let mut batch = Batch::new(self.dim);
        let draws = self.draws(Draws::Batches);
        let mut batches = 0;
        for epoch in 0..self.epochs {
            let text = Epoch::draw(stream, &subsampling, self.draws(Draws::Epoch(epoch)));
            for places in text.batches(self.batch_words) {
                let done = (epoch as f64 + text.progress(places.start)) / self.epochs as f64;
                let step = Step {
                    options: self,
                    composition,
                    negatives: &negatives,
                    text: &text,
                    learning_rate: (self.learning_rate * (1.0 - done).max(1e-4)) as f32,
                    draws: &draws,
                    number: batches,
                };
                batch.learn(&step, places, &mut inputs, &mut outputs);
                batches += 1;
            }
            tracing::debug!(epoch, batches, "word2vec");
        }
        inputs
    }

    fn draws(&self, draws: Draws) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(match draws {
            Draws::Weights => 0,
            Draws::Epoch(epoch) => 1 + epoch as u64,
            // The batches' own streams are counted from here.
            Draws::Batches => 1 << 32,
        });
        random
    }
}
