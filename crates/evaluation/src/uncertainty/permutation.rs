//! The paired permutation test, or approximate randomisation: if two systems were alike, it would
//! not matter whose answer to a document is whose (Noreen, 1989; Riezler and Maxwell, 2005).

use rand_chacha::rand_core::Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::resamples::stream;
use crate::error::{EvaluationError, Result, not_empty, same_length};
use crate::statistics::{CorpusMetric, add};

/// The outcome of a paired permutation test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PermutationTest {
    /// The first system's figure less the second's.
    pub difference: f64,
    /// Two-sided p-value; the observed assignment counts as one of the permutations, so it is
    /// never 0 (Phipson and Smyth, 2010).
    pub p_value: f64,
    /// How many random assignments were tried.
    pub permutations: usize,
    /// Documents.
    pub n: usize,
    /// The seed of the assignments.
    pub seed: u64,
}

/// Tests two systems' results on the same documents, in the same order. Both metrics must be of
/// one kind and with the same options, because documents change sides.
pub fn paired_permutation<M: CorpusMetric + ?Sized>(
    first: &M,
    second: &M,
    permutations: usize,
    seed: u64,
) -> Result<PermutationTest> {
    let (of_first, of_second) = (first.statistics(), second.statistics());
    let n = of_first.documents();
    not_empty("documents", n)?;
    same_length("documents of the second system", n, of_second.documents())?;
    same_length("statistics of the second system", of_first.width(), of_second.width())?;
    if permutations == 0 {
        return Err(EvaluationError::InvalidOption {
            option: "permutations",
            expected: "at least 1",
            found: permutations.to_string(),
        });
    }
    let difference = first.value() - second.value();
    // Differences that are equal on paper may differ in their last bit.
    let observed = difference.abs() - 1e-12 * difference.abs().max(1.0);
    let as_far = (0..permutations)
        .into_par_iter()
        .filter(|permutation| swapped(first, second, seed, *permutation).abs() >= observed)
        .count();
    let p_value = (as_far + 1) as f64 / (permutations + 1) as f64;
    Ok(PermutationTest { difference, p_value, permutations, n, seed })
}

/// The difference after a coin has decided for every document whether the systems change sides.
fn swapped<M: CorpusMetric + ?Sized>(first: &M, second: &M, seed: u64, permutation: usize) -> f64 {
    let (of_first, of_second) = (first.statistics(), second.statistics());
    let mut sums = [vec![0.0; of_first.width()], vec![0.0; of_first.width()]];
    let mut random = stream(seed, permutation);
    let mut coins = 0;
    for document in 0..of_first.documents() {
        if document % 64 == 0 {
            coins = random.next_u64();
        }
        let side = (coins >> (document % 64) & 1) as usize;
        add(&mut sums[side], of_first.row(document));
        add(&mut sums[1 - side], of_second.row(document));
    }
    first.score_of(&sums[0]) - first.score_of(&sums[1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::DocumentMean;

    #[test]
    fn the_p_value_is_the_share_of_assignments_that_are_as_far_apart() {
        // Eight documents, the first always ahead: two of 256 assignments are as far apart.
        let first = DocumentMean::new(&[1.0; 8]).unwrap();
        let second = DocumentMean::new(&[0.0; 8]).unwrap();
        let test = paired_permutation(&first, &second, 50_000, 3).unwrap();
        assert_eq!(test.difference, 1.0);
        assert!((test.p_value - 2.0 / 256.0).abs() < 0.002, "{}", test.p_value);
        assert_eq!(paired_permutation(&first, &first, 100, 3).unwrap().p_value, 1.0);
    }

    #[test]
    fn systems_on_different_documents_are_an_error() {
        let first = DocumentMean::new(&[1.0, 2.0]).unwrap();
        let second = DocumentMean::new(&[1.0]).unwrap();
        assert!(paired_permutation(&first, &second, 10, 0).is_err());
        assert!(paired_permutation(&first, &first, 0, 0).is_err());
    }
}
