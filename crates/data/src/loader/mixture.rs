//! Mixing sources by weight, exactly and without state.
//!
//! Samples are dealt in rounds of 4096. Each source owns a fixed number of the round's slots, as
//! near to its share as whole numbers allow, and a pseudo-random permutation decides which sample
//! of the round falls on which slot. So after every round the shares are exact, and the source of
//! any sample, with its index among the samples of that source, is known without those before it.

use crate::error::{DataError, Result};
use crate::random::{Permutation, draw};
use crate::shard::ShardRegion;

const SLOTS: u64 = 4096;
/// Keeps these draws apart from those of the windows.
const MIXTURE: u64 = 4;

#[derive(Clone, Debug)]
pub(super) struct Mixture {
    /// The first slot of each source, then the number of slots.
    starts: Vec<u64>,
    seed: u64,
}

impl Mixture {
    pub(super) fn new(regions: &[ShardRegion], seed: u64) -> Result<Self> {
        if regions.len() as u64 > SLOTS {
            return Err(DataError::InvalidOption {
                key: "sources".to_owned(),
                reason: format!("expected at most {SLOTS} weighted ones, got {}", regions.len()),
            });
        }
        let weights: Vec<f64> = regions.iter().map(|region| region.weight).collect();
        let mut starts = vec![0];
        let mut total = 0;
        for quota in quotas(&weights) {
            total += quota;
            starts.push(total);
        }
        Ok(Self { starts, seed })
    }

    /// The source of a sample, and how many samples that source gave before it.
    pub(super) fn assign(&self, sample: u64) -> (usize, u64) {
        let (round, place) = (sample / SLOTS, sample % SLOTS);
        let slot = Permutation::new(SLOTS, draw(self.seed, [MIXTURE, round])).apply(place);
        let source = self.starts.partition_point(|&start| start <= slot) - 1;
        let quota = self.starts[source + 1] - self.starts[source];
        (source, round * quota + slot - self.starts[source])
    }
}

/// Shares out the slots by largest remainder; a source with any weight gets at least one.
fn quotas(weights: &[f64]) -> Vec<u64> {
    let total: f64 = weights.iter().sum();
    let exact: Vec<f64> = weights.iter().map(|weight| weight / total * SLOTS as f64).collect();
    let mut quotas: Vec<u64> = exact.iter().map(|share| (share.floor() as u64).max(1)).collect();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by(|&a, &b| exact[b].fract().total_cmp(&exact[a].fract()).then(a.cmp(&b)));
    let missing = SLOTS.saturating_sub(quotas.iter().sum());
    for &index in by_remainder.iter().cycle().take(missing as usize) {
        quotas[index] += 1;
    }
    // The minimum of one may have given out too many: the largest source pays.
    while quotas.iter().sum::<u64>() > SLOTS {
        if let Some(largest) = quotas.iter_mut().max() {
            *largest -= 1;
        }
    }
    quotas
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixture(weights: &[f64]) -> Mixture {
        let regions: Vec<ShardRegion> = weights
            .iter()
            .map(|&weight| ShardRegion { name: "s".to_owned(), start: 0, len: 9, weight })
            .collect();
        Mixture::new(&regions, 11).expect("few sources")
    }

    #[test]
    fn quotas_follow_the_weights_and_fill_the_round() {
        let check = |weights: &[f64], expected: &[u64]| assert_eq!(quotas(weights), expected);
        check(&[1.0, 1.0], &[2048, 2048]);
        check(&[3.0, 1.0], &[3072, 1024]);
        check(&[1.0, 1.0, 1.0], &[1366, 1365, 1365]);
        check(&[1.0, 1e-9], &[4095, 1]);
        assert_eq!(quotas(&[1.0; 4096]), [1; 4096]);
    }

    #[test]
    fn shares_are_exact_after_a_round_and_indices_are_consecutive() {
        let mixture = mixture(&[0.7, 0.2, 0.1]);
        let mut met = vec![Vec::new(); 3];
        for sample in 0..2 * SLOTS {
            let (source, index) = mixture.assign(sample);
            met[source].push(index);
        }
        for (indices, expected) in met.iter_mut().zip([2867, 819, 410]) {
            indices.sort_unstable();
            assert_eq!(*indices, (0..2 * expected).collect::<Vec<u64>>());
        }
    }

    #[test]
    fn the_beginning_of_a_round_is_already_mixed() {
        let mixture = mixture(&[1.0, 1.0]);
        let first = (0..100).filter(|&sample| mixture.assign(sample).0 == 0).count();
        assert!((25..75).contains(&first), "{first} of 100 from a source of weight one half");
    }
}
