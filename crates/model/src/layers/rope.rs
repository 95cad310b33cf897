//! Rotary position embedding: frequencies with their context-extension rules, and angles.
//!
//! Follows Su et al. 2021 (RoFormer), with the pairing of Llama (dimension `i` turns with
//! `i + head_dim / 2`), Llama 3.1's and YaRN's (Peng et al. 2023) rules.

use std::f64::consts::PI;

use burn::tensor::{Int, Tensor, TensorData};

use crate::{RopeParameters, RopeScaling};

/// Inverse frequencies of the `head_dim / 2` pairs in radians per position, and the factor on cos
/// and sin (1 except for YaRN). Computed in f64: at position 100 000 an f32 frequency is off by
/// hundredths of a radian.
///
/// Where only a part of a head turns, the turning pairs come first and the others have frequency
/// zero: [`rotary_order`] brings the elements of a head into this order when weights are read.
pub fn rotary_frequencies(parameters: &RopeParameters, head_dim: usize) -> (Vec<f64>, f64) {
    let (mut frequencies, factor) = turning(parameters, rotary_dim(parameters, head_dim));
    frequencies.resize(head_dim / 2, 0.0);
    (frequencies, factor)
}

/// How many elements at the front of a head turn.
fn rotary_dim(parameters: &RopeParameters, head_dim: usize) -> usize {
    // Rounded down to pairs.
    (parameters.partial_rotary_factor * head_dim as f64) as usize / 2 * 2
}

/// Which elements of a head form a pair in a family's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotaryPairs {
    /// Element `i` with the one half a turning part further (GPT-NeoX, Llama in Hugging Face).
    Halves,
    /// Neighbours `2i` and `2i + 1` (GLM, llama2.c).
    Neighbours,
}

/// For each element of a head here, its place in a head of a file: queries and keys permuted alike
/// have the same products, so that a permutation when weights are read spares one at every step.
/// `None` where both are the same.
pub fn rotary_order(
    parameters: &RopeParameters,
    head_dim: usize,
    pairs: RotaryPairs,
) -> Option<Vec<usize>> {
    let turning = rotary_dim(parameters, head_dim);
    if pairs == RotaryPairs::Halves && turning == head_dim {
        return None;
    }
    let (half, still) = (turning / 2, (head_dim - turning) / 2);
    let place = |pair: usize, second: usize| match pairs {
        _ if pair >= half => turning + (pair - half) + second * still,
        RotaryPairs::Halves => pair + second * half,
        RotaryPairs::Neighbours => 2 * pair + second,
    };
    let in_half = |second: usize| (0..head_dim / 2).map(move |pair| (pair, second));
    Some(in_half(0).chain(in_half(1)).map(|(pair, second)| place(pair, second)).collect())
}

/// The frequencies of the pairs among `head_dim` turning elements.
fn turning(parameters: &RopeParameters, head_dim: usize) -> (Vec<f64>, f64) {
    let theta = parameters.rope_theta;
    let base: Vec<f64> =
        (0..head_dim / 2).map(|pair| theta.powf(-2.0 * pair as f64 / head_dim as f64)).collect();
    match &parameters.scaling {
        RopeScaling::None => (base, 1.0),
        RopeScaling::Linear { factor } => (base.iter().map(|f| f / factor).collect(), 1.0),
        RopeScaling::Llama3 {
            factor,
            low_freq_factor,
            high_freq_factor,
            original_max_position_embeddings,
        } => {
            let original = *original_max_position_embeddings as f64;
            let scale = |f: f64| llama3(f, *factor, *low_freq_factor, *high_freq_factor, original);
            (base.into_iter().map(scale).collect(), 1.0)
        }
        RopeScaling::Yarn {
            factor,
            beta_fast,
            beta_slow,
            attention_factor,
            original_max_position_embeddings,
            truncate,
        } => {
            let original = *original_max_position_embeddings as f64;
            let ramp = YarnRamp::new(theta, head_dim, original, *beta_fast, *beta_slow, *truncate);
            let scaled = base
                .into_iter()
                .enumerate()
                .map(|(pair, f)| {
                    let kept = 1.0 - ramp.at(pair);
                    f / factor * (1.0 - kept) + f * kept
                })
                .collect();
            let default = if *factor <= 1.0 { 1.0 } else { 0.1 * factor.ln() + 1.0 };
            (scaled, attention_factor.unwrap_or(default))
        }
    }
}

fn llama3(frequency: f64, factor: f64, low: f64, high: f64, original: f64) -> f64 {
    let wavelength = 2.0 * PI / frequency;
    if wavelength > original / low {
        frequency / factor
    } else if wavelength < original / high {
        frequency
    } else {
        let smooth = (original / wavelength - low) / (high - low);
        (1.0 - smooth) * frequency / factor + smooth * frequency
    }
}

/// YaRN's linear ramp over pairs: 0 where frequencies are kept, 1 where they are interpolated.
struct YarnRamp {
    low: f64,
    high: f64,
}

impl YarnRamp {
    fn new(
        theta: f64,
        head_dim: usize,
        original: f64,
        beta_fast: f64,
        beta_slow: f64,
        truncate: bool,
    ) -> Self {
        // The pair that makes `rotations` turns over the original context.
        let pair_of = |rotations: f64| {
            head_dim as f64 * (original / (rotations * 2.0 * PI)).ln() / (2.0 * theta.ln())
        };
        let (mut low, mut high) = (pair_of(beta_fast), pair_of(beta_slow));
        if truncate {
            (low, high) = (low.floor(), high.ceil());
        }
        low = low.max(0.0);
        high = high.min(head_dim as f64 - 1.0);
        if low == high {
            high += 0.001; // As the reference does, against division by zero.
        }
        Self { low, high }
    }

    fn at(&self, pair: usize) -> f64 {
        ((pair as f64 - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }
}

/// Cosines and sines of the tokens of one forward pass, shared by all layers.
#[derive(Debug, Clone)]
pub struct RotaryAngles {
    /// `[1 or batch, seq, head_dim / 2]`.
    pub cos: Tensor<3>,
    /// `[1 or batch, seq, head_dim / 2]`.
    pub sin: Tensor<3>,
}

impl RotaryAngles {
    /// Angles of positions `start..start + seq`, the same for every row of the batch.
    pub fn consecutive(
        frequencies: &[f64],
        factor: f64,
        start: usize,
        seq: usize,
        device: &burn::tensor::Device,
    ) -> Self {
        let positions: Vec<i64> = (start..start + seq).map(|p| p as i64).collect();
        Self::at(frequencies, factor, &positions, [1, seq], device)
    }

    /// Angles of `position_ids` `[batch, seq]`.
    pub fn of_positions(frequencies: &[f64], factor: f64, position_ids: Tensor<2, Int>) -> Self {
        let [batch, seq] = position_ids.dims();
        let device = position_ids.device();
        let positions: Vec<i64> = position_ids.into_data().iter::<i64>().collect();
        Self::at(frequencies, factor, &positions, [batch, seq], &device)
    }

    fn at(
        frequencies: &[f64],
        factor: f64,
        positions: &[i64],
        [rows, seq]: [usize; 2],
        device: &burn::tensor::Device,
    ) -> Self {
        let pairs = frequencies.len();
        let mut cos = Vec::with_capacity(positions.len() * pairs);
        let mut sin = Vec::with_capacity(positions.len() * pairs);
        for &position in positions {
            for &frequency in frequencies {
                let (s, c) = (position as f64 * frequency).sin_cos();
                // What does not turn is not scaled either.
                let factor = if frequency == 0.0 { 1.0 } else { factor };
                cos.push((c * factor) as f32);
                sin.push((s * factor) as f32);
            }
        }
        // Angles are constants: off the autodiff tape, whatever the device.
        let device = device.clone().without_autodiff();
        let tensor =
            |values| Tensor::from_data(TensorData::new(values, [rows, seq, pairs]), &device);
        Self { cos: tensor(cos), sin: tensor(sin) }
    }
}
