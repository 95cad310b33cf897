//! Generation beside what the machine can do: reading a prompt is bound by arithmetic, writing a
//! token after it by the memory that is read for it.

use std::hint::black_box;
use std::time::Instant;

use burn::tensor::Device;
use rayon::prelude::*;
use serde::Serialize;
use wuji_model::{ModelConfig, WeightFormat};
use wuji_training::measure_matmul_peak;

use super::GenerateReport;
use crate::WujiError;
use crate::inspect::ParameterCounts;

/// What is read to measure the memory: 512 MiB, far more than any cache holds.
const BUFFER: usize = 1 << 26;
/// Readings, of which the fastest counts.
const ROUNDS: usize = 5;
/// Bytes of a number of a key or value.
const FLOAT: f64 = 4.0;

/// How near generation comes to the limits of the machine, on the CPU. Rates are in
/// units of 10⁹ per second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GenerateLimits {
    /// Bytes that must be read to write a token: every weight that multiplies it once, and the keys
    /// and values of the tokens before it, the mean over the tokens written.
    pub bytes_per_token: f64,
    /// Bytes read while writing.
    pub decode_gb_per_second: f64,
    /// Bytes that all threads together can read.
    pub memory_gb_per_second: f64,
    /// The ratio of the two.
    pub bandwidth_fraction: f64,
    /// Floating-point rate of reading the prompt, a multiply–add counted as two.
    pub prefill_gflops: f64,
    /// Rate of a large f32 matrix product.
    pub peak_gflops: f64,
    /// The ratio of the two.
    pub prefill_peak_fraction: f64,
}

impl GenerateLimits {
    /// Measures the machine and puts what was `report`ed of the model of `config`, its matrices held
    /// as `weights`, beside it.
    ///
    /// # Errors
    /// A config of another kind than a decoder.
    pub fn measure(
        config: &ModelConfig,
        weights: WeightFormat,
        report: &GenerateReport,
        device: &Device,
    ) -> Result<Self, WujiError> {
        let memory = memory_bandwidth() / 1e9;
        let peak = measure_matmul_peak(&device.clone().without_autodiff()) / 1e9;
        let work = Work::of(config, weights, report)?;
        let decode = work.bytes_per_token / report.ms_per_token / 1e6;
        let prefill = work.prompt_flops / report.first_token_ms / 1e6;
        Ok(Self {
            bytes_per_token: work.bytes_per_token,
            decode_gb_per_second: decode,
            memory_gb_per_second: memory,
            bandwidth_fraction: decode / memory,
            prefill_gflops: prefill,
            peak_gflops: peak,
            prefill_peak_fraction: prefill / peak,
        })
    }
}

/// What generation has to do at the least.
struct Work {
    bytes_per_token: f64,
    prompt_flops: f64,
}

impl Work {
    fn of(
        config: &ModelConfig,
        weights: WeightFormat,
        report: &GenerateReport,
    ) -> Result<Self, WujiError> {
        let a = config.architecture()?;
        let parameters = ParameterCounts::of(config)?.in_matrix_products as f64;
        let (prompt, new) = (report.prompt_tokens as f64, report.new_tokens as f64);
        let cached = 2.0 * (a.num_hidden_layers * a.num_key_value_heads * a.head_dim) as f64;
        let before = prompt + new / 2.0;
        // Only the last token of a prompt meets the head.
        let head = (a.vocab_size * a.hidden_size) as f64;
        let queries = (a.num_hidden_layers * a.num_attention_heads * a.head_dim) as f64;
        // A score and a weighted value for each token that a token sees, half of the prompt.
        let attention = 4.0 * queries * prompt * prompt / 2.0;
        Ok(Self {
            bytes_per_token: weights.bytes_per_weight() * parameters + FLOAT * cached * before,
            prompt_flops: 2.0 * ((parameters - head) * prompt + head) + attention,
        })
    }
}

/// Bytes per second that all threads together read from memory.
fn memory_bandwidth() -> f64 {
    let buffer: Vec<u64> = (0..BUFFER as u64).into_par_iter().collect();
    let share = BUFFER.div_ceil(rayon::current_num_threads());
    let read = |_| {
        let start = Instant::now();
        let sum = |part: &[u64]| part.iter().fold(0_u64, |sum, &value| sum.wrapping_add(value));
        black_box(buffer.par_chunks(share).map(sum).reduce(|| 0, u64::wrapping_add));
        size_of_val(buffer.as_slice()) as f64 / start.elapsed().as_secs_f64()
    };
    (0..ROUNDS).map(read).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_of_a_model_is_counted_from_its_shape() {
        let text = r#"{"model_type": "gpt2", "vocab_size": 10, "n_positions": 16, "n_embd": 4, "n_layer": 2,
            "n_head": 2, "bias": false}"#;
        let config = ModelConfig::from_json(text).unwrap();
        let report = GenerateReport {
            prompt_tokens: 6,
            new_tokens: 4,
            rounds: 1,
            first_token_ms: 1.0,
            prefill_tokens_per_second: 6e3,
            ms_per_token: 1.0,
            decode_tokens_per_second: 1e3,
            peak_rss_mib: None,
        };
        let work = Work::of(&config, WeightFormat::F32, &report).unwrap();
        // Two blocks of 12 · 4², five norms of 4, the head of 10 · 4.
        let (blocks, head) = (2.0 * 12.0 * 16.0 + 5.0 * 4.0, 40.0);
        // Two blocks of 4 keys and 4 values for each of the 6 + 2 tokens before.
        assert_eq!(work.bytes_per_token, 4.0 * (blocks + head + 2.0 * 8.0 * 8.0));
        let small = Work::of(&config, WeightFormat::Int8, &report).unwrap();
        assert_eq!(small.bytes_per_token, 1.125 * (blocks + head) + 4.0 * 2.0 * 8.0 * 8.0);
        let attention = 2.0 * 4.0 * 4.0 * 6.0 * 6.0 / 2.0;
        assert_eq!(work.prompt_flops, 2.0 * (6.0 * blocks + head) + attention);
    }

    #[test]
    fn memory_has_a_bandwidth() {
        let found = memory_bandwidth();
        assert!(found > 1e8 && found.is_finite(), "{found} bytes per second");
    }
}
