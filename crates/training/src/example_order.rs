//! Which examples of a list each batch holds, as a pure function of its number.

use std::ops::Range;

use wuji_data::objectives::{length_buckets, step_seed};

/// Examples of like length in batches, shuffled anew for every pass, or all in their order.
#[derive(Debug, Clone)]
pub(crate) struct ExampleOrder {
    examples: usize,
    rows: usize,
    /// Lengths by which examples are put together, and the seed; none for their own order.
    shuffle: Option<(Vec<(usize, usize)>, u64)>,
}

impl ExampleOrder {
    /// Batches of `rows` examples of these lengths, shuffled by `seed`.
    pub(crate) fn shuffled(lengths: Vec<(usize, usize)>, rows: usize, seed: u64) -> Self {
        Self { examples: lengths.len(), rows: rows.max(1), shuffle: Some((lengths, seed)) }
    }

    /// Batches of `rows` examples in their order.
    pub(crate) fn in_order(examples: usize, rows: usize) -> Self {
        Self { examples, rows: rows.max(1), shuffle: None }
    }

    /// Batches in one pass over the examples.
    pub(crate) fn batches_per_pass(&self) -> u64 {
        self.examples.div_ceil(self.rows).max(1) as u64
    }

    /// The examples of all micro-batches of `steps`, in order; none where there are no examples.
    pub(crate) fn batches(
        &self,
        steps: Range<u64>,
        micro_steps: u32,
    ) -> impl Iterator<Item = Vec<usize>> + '_ {
        let micro_steps = u64::from(micro_steps);
        let per_pass = self.batches_per_pass();
        let mut current = None;
        (steps.start * micro_steps..steps.end * micro_steps).map(move |place| {
            let (number, index) = (place / per_pass, (place % per_pass) as usize);
            let pass = match current.take() {
                Some((of, pass)) if of == number => pass,
                _ => self.pass(number),
            };
            let batch = pass.get(index).cloned().unwrap_or_default();
            current = Some((number, pass));
            batch
        })
    }

    /// The examples of each batch of a pass.
    fn pass(&self, number: u64) -> Vec<Vec<usize>> {
        match &self.shuffle {
            Some((lengths, seed)) => {
                length_buckets(lengths, self.rows, step_seed(*seed, number, 0))
            }
            None => {
                let all: Vec<usize> = (0..self.examples).collect();
                all.chunks(self.rows).map(<[usize]>::to_vec).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pass_has_every_example_once_in_an_order_of_its_own() {
        let order = ExampleOrder::shuffled((0..10).map(|length| (length, 0)).collect(), 4, 7);
        let pass = |number: u64| -> Vec<usize> {
            order.batches(number * 3..(number + 1) * 3, 1).flatten().collect()
        };
        let (first, second) = (pass(0), pass(1));
        assert_ne!(first, second);
        for mut pass in [first, second] {
            pass.sort_unstable();
            assert_eq!(pass, (0..10).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_stream_that_begins_later_goes_on_as_the_whole_does() {
        let order = ExampleOrder::shuffled(vec![(1, 1); 9], 2, 3);
        let whole: Vec<_> = order.batches(0..6, 2).collect();
        assert_eq!(order.batches(3..6, 2).collect::<Vec<_>>(), whole[6..]);
        let own = ExampleOrder::in_order(3, 2);
        assert_eq!(own.batches(0..3, 1).collect::<Vec<_>>(), [vec![0, 1], vec![2], vec![0, 1]]);
    }
}
