//! Resampled corpora: which documents each of them draws, with replacement.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;

use crate::error::{EvaluationError, Result, not_empty};
use crate::statistics::{CorpusMetric, add};

/// Draws of as many documents as a corpus has, with replacement.
#[derive(Clone, Debug)]
pub struct Resamples {
    documents: usize,
    draws: Draws,
}

#[derive(Clone, Debug)]
enum Draws {
    Seeded { number: usize, seed: u64 },
    Given(Vec<Vec<usize>>),
}

impl Resamples {
    /// `number` draws from a corpus of `documents`, the same for the same seed on any machine.
    pub fn seeded(documents: usize, number: usize, seed: u64) -> Result<Self> {
        not_empty("documents", documents)?;
        if number == 0 {
            return Err(EvaluationError::InvalidOption {
                option: "resamples",
                expected: "at least 1",
                found: number.to_string(),
            });
        }
        Ok(Self { documents, draws: Draws::Seeded { number, seed } })
    }

    /// Draws that somebody else made, as lists of positions of documents.
    pub fn given(documents: usize, draws: Vec<Vec<usize>>) -> Result<Self> {
        not_empty("documents", documents)?;
        not_empty("resamples", draws.len())?;
        for draw in &draws {
            if let Some(position) = draw.iter().position(|index| *index >= documents) {
                let found = draw[position];
                let what = "index of a document";
                return Err(EvaluationError::OutOfRange {
                    what,
                    position,
                    bound: documents,
                    found,
                });
            }
        }
        Ok(Self { documents, draws: Draws::Given(draws) })
    }

    /// How many draws there are.
    pub fn number(&self) -> usize {
        match &self.draws {
            Draws::Seeded { number, .. } => *number,
            Draws::Given(draws) => draws.len(),
        }
    }

    /// How many documents the corpus has.
    pub fn documents(&self) -> usize {
        self.documents
    }

    /// The seed of the draws, unless they were given.
    pub fn seed(&self) -> Option<u64> {
        match self.draws {
            Draws::Seeded { seed, .. } => Some(seed),
            Draws::Given(_) => None,
        }
    }

    /// The figure of every draw. Draws are independent of one another, so they run in parallel.
    ///
    /// # Panics
    /// If the metric is of fewer documents than the draws are.
    pub fn scores<M: CorpusMetric + ?Sized>(&self, metric: &M) -> Vec<f64> {
        let statistics = metric.statistics();
        let draws = (0..self.number()).into_par_iter();
        let score = |draw| {
            let mut sums = vec![0.0; statistics.width()];
            self.visit(draw, |document| add(&mut sums, statistics.row(document)));
            metric.score_of(&sums)
        };
        draws.map(score).collect()
    }

    /// `figure` of the positions of the documents of every draw.
    pub fn map<T: Send>(&self, figure: impl Fn(&[usize]) -> T + Sync) -> Vec<T> {
        let draws = (0..self.number()).into_par_iter();
        let positions = |draw| {
            let mut positions = Vec::with_capacity(self.documents);
            self.visit(draw, |document| positions.push(document));
            positions
        };
        draws.map(|draw| figure(&positions(draw))).collect()
    }

    /// Calls `visit` for every document of a draw.
    fn visit(&self, draw: usize, mut visit: impl FnMut(usize)) {
        match &self.draws {
            Draws::Given(draws) => draws[draw].iter().for_each(|document| visit(*document)),
            Draws::Seeded { seed, .. } => {
                let mut random = stream(*seed, draw);
                (0..self.documents).for_each(|_| visit(below(random.next_u32(), self.documents)));
            }
        }
    }
}

/// The random numbers of one of many draws; each has a stream of its own.
pub(super) fn stream(seed: u64, draw: usize) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(draw as u64);
    random
}

/// Maps 32 uniform bits to `0..bound`. The bias is at most `bound / 2^32`, which for a million
/// documents is a hundred times below what a thousand draws could show.
fn below(bits: u32, bound: usize) -> usize {
    ((u64::from(bits) * bound as u64) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::DocumentMean;

    #[test]
    fn the_same_seed_draws_the_same_and_another_seed_does_not() {
        let mean = DocumentMean::new(&(0..50).map(f64::from).collect::<Vec<_>>()).unwrap();
        let scores = |seed| Resamples::seeded(50, 20, seed).unwrap().scores(&mean);
        assert_eq!(scores(1), scores(1));
        assert_ne!(scores(1), scores(2));
        // Draws differ among themselves.
        assert_ne!(scores(1)[0], scores(1)[1]);
    }

    #[test]
    fn every_document_is_drawn_as_often_as_any_other() {
        // A mean over one-hot scores is how often that document was drawn, per draw of one.
        let share = |at: usize| {
            let scores: Vec<f64> = (0..5).map(|i| f64::from(u8::from(i == at))).collect();
            let mean = DocumentMean::new(&scores).unwrap();
            let scores = Resamples::seeded(5, 20_000, 7).unwrap().scores(&mean);
            scores.iter().sum::<f64>() / 20_000.0
        };
        for at in 0..5 {
            // The standard error is 0.0013.
            assert!((share(at) - 0.2).abs() < 0.005, "document {at}: {}", share(at));
        }
    }

    #[test]
    fn draws_that_do_not_fit_are_errors() {
        assert!(Resamples::given(2, vec![vec![0, 1], vec![1, 2]]).is_err());
        assert!(Resamples::seeded(0, 10, 0).is_err());
        assert!(Resamples::seeded(10, 0, 0).is_err());
    }
}
