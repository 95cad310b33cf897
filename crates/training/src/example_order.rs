//! Which examples of a list each batch holds, as a pure function of its step and micro-step.

use std::sync::{Arc, Mutex, PoisonError};

use wuji_data::objectives::{length_buckets, step_seed};

/// The examples of each batch of a pass.
type Pass = Arc<[Vec<usize>]>;

/// Examples of like length in batches, shuffled anew for every pass, or all in their order.
#[derive(Debug)]
pub(crate) struct ExampleOrder {
    examples: usize,
    rows: usize,
    micro_steps: u32,
    /// Lengths by which examples are put together, and the seed; none for their own order.
    shuffle: Option<(Vec<(usize, usize)>, u64)>,
    /// The pass that was read last, and its number.
    current: Mutex<Option<(u64, Pass)>>,
}

impl ExampleOrder {
    /// Batches of `rows` examples of these lengths, `micro_steps` of them in a step, shuffled by
    /// `seed`.
    pub(crate) fn shuffled(
        lengths: Vec<(usize, usize)>,
        (rows, micro_steps): (usize, u32),
        seed: u64,
    ) -> Self {
        let shuffle = Some((lengths, seed));
        let examples = shuffle.as_ref().map_or(0, |(lengths, _)| lengths.len());
        Self { micro_steps, shuffle, ..Self::in_order(examples, rows) }
    }

    /// Batches of `rows` examples in their order, one in a step.
    pub(crate) fn in_order(examples: usize, rows: usize) -> Self {
        let (rows, current) = (rows.max(1), Mutex::new(None));
        Self { examples, rows, micro_steps: 1, shuffle: None, current }
    }

    /// Batches in one pass over the examples.
    pub(crate) fn batches_per_pass(&self) -> u64 {
        self.examples.div_ceil(self.rows).max(1) as u64
    }

    /// The examples of a batch; none where there are no examples.
    pub(crate) fn batch(&self, step: u64, micro_step: u32) -> Vec<usize> {
        let place = step * u64::from(self.micro_steps) + u64::from(micro_step);
        let per_pass = self.batches_per_pass();
        let pass = self.pass(place / per_pass);
        pass.get((place % per_pass) as usize).cloned().unwrap_or_default()
    }

    /// The batches of a pass; those of the same pass as before are not drawn again.
    fn pass(&self, number: u64) -> Pass {
        // Whoever panicked while holding the lock has left a whole pass behind, or none.
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        match &*current {
            Some((of, pass)) if *of == number => pass.clone(),
            _ => {
                let pass: Pass = self.draw(number).into();
                *current = Some((number, pass.clone()));
                pass
            }
        }
    }

    fn draw(&self, number: u64) -> Vec<Vec<usize>> {
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
        let lengths = (0..10).map(|length| (length, 0)).collect();
        let order = ExampleOrder::shuffled(lengths, (4, 1), 7);
        let pass = |number: u64| -> Vec<usize> {
            (number * 3..(number + 1) * 3).flat_map(|step| order.batch(step, 0)).collect()
        };
        let (first, second) = (pass(0), pass(1));
        assert_ne!(first, second);
        for mut pass in [first, second] {
            pass.sort_unstable();
            assert_eq!(pass, (0..10).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_batch_is_the_same_whatever_was_read_before_and_however_steps_are_cut() {
        let order = |micro_steps| ExampleOrder::shuffled(vec![(1, 1); 9], (2, micro_steps), 3);
        let (whole, halves) = (order(1), order(2));
        let all: Vec<_> = (0..12).map(|step| whole.batch(step, 0)).collect();
        for step in (0..6).rev() {
            for micro_step in 0..2 {
                let expected = &all[step * 2 + micro_step as usize];
                assert_eq!(halves.batch(step as u64, micro_step), *expected);
            }
        }
        let own = ExampleOrder::in_order(3, 2);
        assert_eq!([0, 1, 2].map(|step| own.batch(step, 0)), [vec![0, 1], vec![2], vec![0, 1]]);
    }
}
