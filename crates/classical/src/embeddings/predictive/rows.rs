//! A matrix whose rows are dealt out to blocks, which can be changed side by side.

use rand_chacha::ChaCha8Rng;

use crate::embeddings::kernels::{LANES, add_scaled};
use crate::random::uniform_within;

/// Blocks of a matrix: threads that can change it at a time. Neighbouring rows, which are about equally
/// frequent words, go to different blocks, so that the blocks have about the same to do.
pub(super) const BLOCKS: usize = 16;

/// Rows of `stride` numbers, of which the first `dim` are used and the others are zero.
pub(super) struct Rows {
    dim: usize,
    stride: usize,
    /// Row r is in block r mod [`BLOCKS`].
    pub blocks: Vec<Vec<f32>>,
}

impl Rows {
    pub fn zero(rows: usize, dim: usize) -> Self {
        let stride = stride(dim);
        let length = |block: usize| (rows + BLOCKS - 1 - block) / BLOCKS * stride;
        Self { dim, stride, blocks: (0..BLOCKS).map(|block| vec![0.0; length(block)]).collect() }
    }

    pub fn random(rows: usize, dim: usize, limit: f32, random: &mut ChaCha8Rng) -> Self {
        let mut matrix = Self::zero(rows, dim);
        for block in &mut matrix.blocks {
            for row in block.chunks_exact_mut(matrix.stride) {
                row[..dim].fill_with(|| uniform_within(random, limit));
            }
        }
        matrix
    }

    #[inline(always)]
    pub fn row(&self, row: u32) -> &[f32] {
        &self.blocks[row as usize % BLOCKS][row as usize / BLOCKS * self.stride..][..self.stride]
    }

    /// The mean of some rows, without the padding.
    pub fn mean(&self, rows: &[u32], mean: &mut [f32]) {
        let mut sums = vec![0.0; self.stride];
        for &row in rows {
            add_scaled(&mut sums, 1.0, self.row(row));
        }
        let share = 1.0 / rows.len() as f32;
        mean.iter_mut().zip(&sums[..self.dim]).for_each(|(mean, sum)| *mean = share * sum);
    }
}

/// Numbers of a row with its padding.
pub(super) fn stride(dim: usize) -> usize {
    dim.next_multiple_of(LANES)
}
