//! Llama 3's scaling of rotary frequencies as GGUF has it: `rope_freqs.weight`, one divisor for each frequency.
//!
//! Hugging Face states four numbers instead. They cannot be computed from the divisors, but the published models use
//! few, so those are tried.

use serde_json::{Value, json};

/// The four numbers of `rope_type: llama3`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Llama3Scaling {
    pub factor: f64,
    pub low_freq_factor: f64,
    pub high_freq_factor: f64,
    pub original_max_position_embeddings: f64,
}

impl Llama3Scaling {
    /// The divisors of the `head_dim / 2` frequencies.
    pub(super) fn divisors(&self, head_dim: usize, rope_theta: f64) -> Vec<f32> {
        let original = self.original_max_position_embeddings;
        let divisor = |pair: usize| {
            let frequency = rope_theta.powf(-2.0 * pair as f64 / head_dim as f64);
            let turns = original * frequency / std::f64::consts::TAU;
            let range = self.high_freq_factor - self.low_freq_factor;
            let smooth = ((turns - self.low_freq_factor) / range).clamp(0.0, 1.0);
            1.0 / ((1.0 - smooth) / self.factor + smooth)
        };
        (0..head_dim / 2).map(|pair| divisor(pair) as f32).collect()
    }

    /// The scaling that gives these divisors, if it is one that models have.
    pub(super) fn of_divisors(
        divisors: &[f32],
        rope_theta: f64,
        stated_original: Option<f64>,
    ) -> Option<Self> {
        let factor = f64::from(divisors.iter().copied().fold(1.0, f32::max));
        let originals = stated_original.into_iter().chain([8192.0]);
        let mut candidates = originals.map(|original_max_position_embeddings| Self {
            factor,
            low_freq_factor: 1.0,
            high_freq_factor: 4.0,
            original_max_position_embeddings,
        });
        candidates.find(|scaling| {
            let expected = scaling.divisors(2 * divisors.len(), rope_theta);
            expected.iter().zip(divisors).all(|(e, found)| (e - found).abs() <= 1e-4 * e)
        })
    }

    /// `rope_scaling` of `config.json`.
    pub(super) fn to_json(self) -> Value {
        json!({
            "rope_type": "llama3",
            "factor": self.factor,
            "low_freq_factor": self.low_freq_factor,
            "high_freq_factor": self.high_freq_factor,
            "original_max_position_embeddings": self.original_max_position_embeddings as u64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scaling_of_llama_3_1_is_found_in_its_divisors() {
        let scaling = Llama3Scaling {
            factor: 8.0,
            low_freq_factor: 1.0,
            high_freq_factor: 4.0,
            original_max_position_embeddings: 8192.0,
        };
        let divisors = scaling.divisors(128, 500_000.0);
        assert_eq!((divisors[0], divisors[63]), (1.0, 8.0));
        assert!(divisors.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(Llama3Scaling::of_divisors(&divisors, 500_000.0, None), Some(scaling));
        // Of another base, or no scaling that is known.
        assert_eq!(Llama3Scaling::of_divisors(&divisors, 10_000.0, None), None);
        assert_eq!(Llama3Scaling::of_divisors(&[1.0, 3.0, 8.0], 500_000.0, None), None);
    }
}
