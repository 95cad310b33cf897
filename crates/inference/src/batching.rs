//! Grouping sequences of different lengths into batches that waste little padding.

/// How large a batch may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Most sequences in a batch.
    pub max_sequences: usize,
    /// Most tokens in a batch, padding included; a longer sequence is a batch by itself.
    pub max_tokens: usize,
}

/// Groups indices into `lengths` by falling length, so that the sequences of a batch are nearly
/// equally long and the largest batch comes first (if memory is short, it is short at once).
pub fn batches(lengths: &[usize], limits: BatchLimits) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(lengths[index]));
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for index in order {
        match batches.last_mut() {
            Some(batch) if fits(batch, lengths, limits) => batch.push(index),
            _ => batches.push(vec![index]),
        }
    }
    batches
}

/// Whether one more sequence, not longer than the first, fits into `batch`.
fn fits(batch: &[usize], lengths: &[usize], limits: BatchLimits) -> bool {
    let sequences = batch.len() + 1;
    sequences <= limits.max_sequences && sequences * lengths[batch[0]] <= limits.max_tokens
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn long_ones_come_first_and_equals_keep_their_order() {
        let limits = BatchLimits { max_sequences: 3, max_tokens: 12 };
        assert_eq!(
            batches(&[1, 5, 5, 6, 1, 20], limits),
            [vec![5], vec![3, 1], vec![2, 0], vec![4]]
        );
    }

    proptest! {
        #[test]
        fn every_sequence_is_in_one_batch_within_the_limits(
            lengths in prop::collection::vec(1usize..60, 0..80),
            max_sequences in 1usize..9, max_tokens in 1usize..200
        ) {
            let batches = batches(&lengths, BatchLimits { max_sequences, max_tokens });
            let mut all: Vec<usize> = batches.concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..lengths.len()).collect::<Vec<_>>());
            for batch in batches {
                let longest = batch.iter().map(|&index| lengths[index]).max().unwrap();
                prop_assert!(batch.len() <= max_sequences);
                prop_assert!(batch.len() == 1 || batch.len() * longest <= max_tokens);
            }
        }
    }
}
