//! How often words stand near each other.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::stream::{END, Stream};
use crate::{ClassicalError, SparseMatrix};

/// Words of a task at least.
const WORDS: usize = 32;

/// What a neighbour counts at some distance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DistanceWeighting {
    /// 1.
    Uniform,
    /// 1 / distance, as GloVe has it.
    Harmonic,
    /// From 1 for the next word down to 1 / window for the last one: what word2vec's windows of random
    /// width come to.
    #[default]
    Linear,
}

/// How neighbours are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cooccurrence {
    /// Words to either side that are neighbours. They never cross the end of a document.
    pub window: usize,
    /// What a neighbour counts.
    pub weighting: DistanceWeighting,
}

impl Default for Cooccurrence {
    fn default() -> Self {
        Self { window: 5, weighting: DistanceWeighting::default() }
    }
}

impl Cooccurrence {
    /// Counts the neighbours of each of `vocab_size` words: a symmetric matrix.
    ///
    /// Each word's row is counted by itself, from a list of where the word stands, so that no two
    /// threads touch one row and nothing is held but the result.
    ///
    /// # Errors
    /// A window of 0, an id outside the vocabulary, or no tokens at all.
    pub fn count<D: AsRef<[u32]>>(
        &self,
        vocab_size: usize,
        documents: &[D],
    ) -> Result<SparseMatrix, ClassicalError> {
        if self.window == 0 {
            let expected = "at least 1";
            return Err(ClassicalError::Setting { name: "window", found: 0.0, expected });
        }
        let stream = Stream::new(vocab_size, documents)?;
        let places = Places::of(&stream);
        let weights: Vec<f64> = (1..=self.window).map(|distance| self.weight(distance)).collect();
        let rows: Vec<Vec<(u32, f32)>> = (0..vocab_size)
            .into_par_iter()
            .with_min_len(WORDS)
            .map_init(
                || Tally { sums: vec![0.0; vocab_size], touched: Vec::new() },
                |tally, word| {
                    for &place in places.of_word(word) {
                        tally.add_neighbours(&stream.tokens, place as usize, &weights);
                    }
                    tally.take()
                },
            )
            .collect();
        Ok(SparseMatrix::from_rows(vocab_size, rows))
    }

    fn weight(&self, distance: usize) -> f64 {
        match self.weighting {
            DistanceWeighting::Uniform => 1.0,
            DistanceWeighting::Harmonic => 1.0 / distance as f64,
            DistanceWeighting::Linear => (self.window + 1 - distance) as f64 / self.window as f64,
        }
    }
}

/// Where each word stands.
struct Places {
    starts: Vec<usize>,
    places: Vec<u32>,
}

impl Places {
    fn of(stream: &Stream) -> Self {
        let mut starts = vec![0];
        for count in &stream.counts {
            starts.push(starts[starts.len() - 1] + count);
        }
        let mut next = starts.clone();
        let mut places = vec![0; stream.len()];
        for (place, &token) in stream.tokens.iter().enumerate().filter(|(_, token)| **token != END)
        {
            places[next[token as usize]] = place as u32;
            next[token as usize] += 1;
        }
        Self { starts, places }
    }

    fn of_word(&self, word: usize) -> &[u32] {
        &self.places[self.starts[word]..self.starts[word + 1]]
    }
}

/// The counts of one word's neighbours.
struct Tally {
    sums: Vec<f64>,
    touched: Vec<u32>,
}

impl Tally {
    fn add_neighbours(&mut self, tokens: &[u32], place: usize, weights: &[f64]) {
        // The stream begins and ends with a mark, so neither walk leaves it.
        for (&token, weight) in tokens[..place].iter().rev().zip(weights) {
            if token == END {
                break;
            }
            self.add(token, *weight);
        }
        for (&token, weight) in tokens[place + 1..].iter().zip(weights) {
            if token == END {
                break;
            }
            self.add(token, *weight);
        }
    }

    fn add(&mut self, token: u32, weight: f64) {
        let sum = &mut self.sums[token as usize];
        if *sum == 0.0 {
            self.touched.push(token);
        }
        *sum += weight;
    }

    /// The row, and zeros for the next one.
    fn take(&mut self) -> Vec<(u32, f32)> {
        self.touched.sort_unstable();
        let take = |token| (token, std::mem::take(&mut self.sums[token as usize]) as f32);
        self.touched.drain(..).map(take).collect()
    }
}
