//! "`a` is to `b` as `c` is to …" (Mikolov, Yih and Zweig 2013; Levy and Goldberg 2014, "Linguistic
//! regularities in sparse and explicit word representations").

use serde::{Deserialize, Serialize};

use super::vectors::unit;
use super::{Neighbour, WordVectors};
use crate::ClassicalError;

/// Keeps 3CosMul from dividing by nothing; the paper's value.
const EPSILON: f32 = 0.001;

/// What makes a word the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Analogy {
    /// 3CosAdd: `cos(x, b) + cos(x, c) − cos(x, a)`.
    #[default]
    Add,
    /// 3CosMul: `cos(x, b) · cos(x, c) / cos(x, a)`, cosines moved to between 0 and 1. One large term
    /// cannot outweigh the others.
    Mul,
}

impl WordVectors {
    /// The `count` best answers, the best first, without the three words themselves.
    ///
    /// # Errors
    /// A word without a vector.
    pub fn analogy(
        &self,
        [a, b, c]: [&str; 3],
        count: usize,
        kind: Analogy,
    ) -> Result<Vec<Neighbour<'_>>, ClassicalError> {
        let units = [unit(self.known(a)?), unit(self.known(b)?), unit(self.known(c)?)];
        Ok(self.best(count, &[a, b, c], |index| {
            let [a, b, c] = [0, 1, 2].map(|term| self.cosine(index, &units[term]));
            let positive = |cosine: f32| (cosine + 1.0) / 2.0;
            match kind {
                Analogy::Add => b + c - a,
                Analogy::Mul => positive(b) * positive(c) / (positive(a) + EPSILON),
            }
        }))
    }
}
