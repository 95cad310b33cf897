//! Word vectors as the first weights of a neural model's embedding.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::WordVectors;
use crate::random::uniform_within;

/// A matrix of a row per token, and where the rows come from.
#[derive(Debug, Clone, PartialEq)]
pub struct InitialMatrix {
    /// `[tokens, dim]`, one row behind the other.
    pub values: Vec<f32>,
    /// Length of a row.
    pub dim: usize,
    /// Tokens that have a vector.
    pub found: usize,
    /// Tokens whose vectors are composed of those of their pieces.
    pub composed: usize,
    /// Tokens that got noise.
    pub missing: usize,
}

impl WordVectors {
    /// A row for each of `tokens`: its vector; without one, the mean of its pieces; without those,
    /// random numbers with the mean square of all vectors, so that no row stands out by its length.
    ///
    /// `tokens` are words as this vocabulary has them. Marks that a tokenizer puts to words (`▁`, `Ġ`,
    /// `##`) are for the caller to take off.
    pub fn initial_matrix<T: AsRef<str>>(&self, tokens: &[T], seed: u64) -> InitialMatrix {
        let squares: f64 = self.values().iter().map(|v| f64::from(*v) * f64::from(*v)).sum();
        // A uniform number up to the limit has a third of its square as mean square.
        let limit = (3.0 * squares / self.values().len() as f64).sqrt() as f32;
        let mut matrix = InitialMatrix {
            values: Vec::with_capacity(tokens.len() * self.dim()),
            dim: self.dim(),
            found: 0,
            composed: 0,
            missing: 0,
        };
        for (stream, token) in tokens.iter().enumerate() {
            let token = token.as_ref();
            if let Some(vector) = self.vector(token) {
                matrix.values.extend_from_slice(vector);
                matrix.found += 1;
            } else if let Some(vector) = self.compose(token) {
                matrix.values.extend(vector);
                matrix.composed += 1;
            } else {
                // A stream each, so that a token's noise does not depend on the tokens before it.
                let mut random = ChaCha8Rng::seed_from_u64(seed);
                random.set_stream(stream as u64);
                matrix.values.extend((0..self.dim()).map(|_| uniform_within(&mut random, limit)));
                matrix.missing += 1;
            }
        }
        matrix
    }
}
