//! The element-wise part: from scores to weights and back, a block of rows at a time.

use crate::simd::{Kernel, Simd, WIDTH, math, max, sum};

/// Running maximum and sum of exponentials of one row.
#[derive(Clone, Copy)]
pub struct Running {
    /// Largest score so far.
    pub max: f32,
    /// Sum of `2^(score - max)` so far.
    pub sum: f32,
}

impl Running {
    /// Before the first score.
    pub const START: Self = Self { max: f32::NEG_INFINITY, sum: 0.0 };

    /// `log₂ Σ 2^score`, or `∞` for a row that saw nothing, whose probabilities are then all 0.
    pub fn log_sum(&self) -> f32 {
        if self.sum == 0.0 { f32::INFINITY } else { self.max + self.sum.log2() }
    }

    /// Factor that turns weights into probabilities; 0 for a row that saw nothing.
    fn normalizer(&self) -> f32 {
        if self.sum == 0.0 { 0.0 } else { 1.0 / self.sum }
    }
}

/// Turns a block of scores into weights `2^(score - max)` and moves `running` on, scaling what
/// `outputs` has summed so far to the new maximum.
pub struct Weights<'a> {
    /// Rows of scores.
    pub scores: &'a mut [f32],
    /// Distance between rows of scores.
    pub stride: usize,
    /// Scores per row.
    pub columns: usize,
    /// One per row.
    pub running: &'a mut [Running],
    /// Rows of sums over values.
    pub outputs: &'a mut [f32],
    /// Length of a row of outputs.
    pub width: usize,
}

impl Kernel for Weights<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let rows =
            self.scores.chunks_mut(self.stride).zip(self.outputs.chunks_exact_mut(self.width));
        for ((scores, output), running) in rows.zip(self.running) {
            let (scores, _) = scores[..self.columns].as_chunks_mut::<WIDTH>();
            let mut highest = [running.max; WIDTH];
            for block in &*scores {
                for (highest, &score) in highest.iter_mut().zip(block) {
                    *highest = if score > *highest { score } else { *highest };
                }
            }
            let highest = max(highest);
            // A row that has seen nothing keeps a finite shift: -∞ - 0 gives weight 0.
            let shift = if highest == f32::NEG_INFINITY { 0.0 } else { highest };
            let mut sums = [0.0; WIDTH];
            for block in scores {
                for (sum, score) in sums.iter_mut().zip(block) {
                    *score = math::exp2_flushed::<S>(*score - shift);
                    *sum += *score;
                }
            }
            let factor = math::exp2_flushed::<S>(running.max - shift);
            *running = Running { max: highest, sum: S::mul_add(running.sum, factor, sum(sums)) };
            if factor != 1.0 {
                for output in output {
                    *output *= factor;
                }
            }
        }
    }
}

/// Turns sums over values into means: divides each row by its sum of weights.
pub struct Normalize<'a> {
    /// Rows of sums over values.
    pub outputs: &'a mut [f32],
    /// Length of a row.
    pub width: usize,
    /// One per row.
    pub running: &'a [Running],
}

impl Kernel for Normalize<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        for (outputs, running) in self.outputs.chunks_exact_mut(self.width).zip(self.running) {
            let factor = running.normalizer();
            for output in outputs {
                *output *= factor;
            }
        }
    }
}

/// Adds a bias to scores, which are in units of log 2.
pub struct AddBias<'a> {
    /// Scores of one row.
    pub scores: &'a mut [f32],
    /// Its bias; what scores there are beyond it are left alone.
    pub bias: &'a [f32],
}

impl Kernel for AddBias<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        for (score, &bias) in self.scores.iter_mut().zip(self.bias) {
            *score = S::mul_add(bias, std::f32::consts::LOG2_E, *score);
        }
    }
}

/// Turns a block of scores into probabilities `2^(score - log_sum)`.
pub struct Probabilities<'a> {
    /// Rows of scores.
    pub scores: &'a mut [f32],
    /// Distance between rows.
    pub stride: usize,
    /// Scores per row.
    pub columns: usize,
    /// One per row.
    pub log_sums: &'a [f32],
}

impl Kernel for Probabilities<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        for (scores, &log_sum) in self.scores.chunks_mut(self.stride).zip(self.log_sums) {
            for score in &mut scores[..self.columns] {
                *score = math::exp2_flushed::<S>(*score - log_sum);
            }
        }
    }
}

/// Turns gradients of probabilities into gradients of scores before scaling:
/// `scale · p · (grad - Σ p·grad)`.
pub struct ScoreGradients<'a> {
    /// Rows of gradients.
    pub grads: &'a mut [f32],
    /// Rows of probabilities.
    pub probabilities: &'a [f32],
    /// Distance between rows of both.
    pub stride: usize,
    /// Elements per row.
    pub columns: usize,
    /// `Σ p·grad` of each row.
    pub projections: &'a [f32],
    /// The factor on scores.
    pub scale: f32,
}

impl Kernel for ScoreGradients<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let rows = self.grads.chunks_mut(self.stride).zip(self.probabilities.chunks(self.stride));
        for ((grads, probabilities), &projection) in rows.zip(self.projections) {
            let probabilities = &probabilities[..self.columns];
            for (grad, &probability) in grads[..self.columns].iter_mut().zip(probabilities) {
                *grad = self.scale * probability * (*grad - projection);
            }
        }
    }
}

/// Dot product of two rows.
pub struct Dot<'a>(pub &'a [f32], pub &'a [f32]);

impl Kernel for Dot<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self) -> f32 {
        dot::<S>(self.0, self.1)
    }
}

/// Dot product of two rows in sixteen lanes.
#[inline(always)]
pub fn dot<S: Simd>(a: &[f32], b: &[f32]) -> f32 {
    let (a_blocks, a_rest) = a.as_chunks::<WIDTH>();
    let (b_blocks, b_rest) = b.as_chunks::<WIDTH>();
    let mut sums = [0.0; WIDTH];
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for i in 0..WIDTH {
            sums[i] = S::mul_add(a[i], b[i], sums[i]);
        }
    }
    for (i, (&a, &b)) in a_rest.iter().zip(b_rest).enumerate() {
        sums[i] = S::mul_add(a, b, sums[i]);
    }
    sum(sums)
}
