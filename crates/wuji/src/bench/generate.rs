//! Prefill and decode: how fast a prompt is read, and how fast text is written after it.

use std::ops::ControlFlow;
use std::time::Instant;

use serde::Serialize;
use wuji_inference::sampling::Sampler;
use wuji_inference::{LogitsModel, generate};
use wuji_protocol::GenerateOptions;
use wuji_training::peak_rss_mib;

use super::{median, random_ids};
use crate::WujiError;

/// What to time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GenerateBench {
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Tokens written after it.
    pub new_tokens: usize,
    /// Repetitions, of which the medians are reported; one more goes before them.
    pub rounds: usize,
    /// Seed of the prompt.
    pub seed: u64,
}

/// Times and rates of generation, one sequence at a time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GenerateReport {
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Tokens written after it.
    pub new_tokens: usize,
    /// Repetitions.
    pub rounds: usize,
    /// Milliseconds from the prompt to the first new token.
    pub first_token_ms: f64,
    /// Prompt tokens per second until then.
    pub prefill_tokens_per_second: f64,
    /// Milliseconds between new tokens.
    pub ms_per_token: f64,
    /// New tokens per second after the first.
    pub decode_tokens_per_second: f64,
    /// Most memory used, MiB, where the system says.
    pub peak_rss_mib: Option<u64>,
}

/// Times greedy generation from a random prompt; `on_round` is told of each repetition.
///
/// # Errors
/// Lengths that do not fit the model's positions, or a device that fails.
pub fn bench_generate(
    model: &impl LogitsModel,
    bench: &GenerateBench,
    on_round: &mut dyn FnMut(),
) -> Result<GenerateReport, WujiError> {
    check(model, bench)?;
    let prompt: Vec<u32> =
        random_ids(bench.seed, model.vocab_size()).take(bench.prompt_tokens).collect();
    let options = GenerateOptions { max_new_tokens: bench.new_tokens, ..GenerateOptions::greedy() };
    // No token ends the text: every round writes as much.
    let sampler = Sampler::new(options, Vec::new(), Vec::new());
    let (mut first, mut between) = (Vec::new(), Vec::new());
    for round in 0..=bench.rounds.max(1) {
        let start = Instant::now();
        let mut times = Vec::with_capacity(bench.new_tokens);
        generate(model, &prompt, &sampler, &mut |_| {
            times.push(start.elapsed().as_secs_f64() * 1e3);
            Ok(ControlFlow::Continue(()))
        })?;
        on_round();
        if round > 0 {
            let (head, tail) = (times[0], times[times.len() - 1]);
            first.push(head);
            between.push((tail - head) / (times.len() - 1) as f64);
        }
    }
    let (first_token_ms, ms_per_token) = (median(first), median(between));
    Ok(GenerateReport {
        prompt_tokens: bench.prompt_tokens,
        new_tokens: bench.new_tokens,
        rounds: bench.rounds.max(1),
        first_token_ms,
        prefill_tokens_per_second: bench.prompt_tokens as f64 / first_token_ms * 1e3,
        ms_per_token,
        decode_tokens_per_second: 1e3 / ms_per_token,
        peak_rss_mib: peak_rss_mib(),
    })
}

fn check(model: &impl LogitsModel, bench: &GenerateBench) -> Result<(), WujiError> {
    let wrong = |key: &str, problem: String| Err(WujiError::config(key, problem));
    let limit = model.context_length();
    if bench.prompt_tokens == 0 {
        return wrong("prompt tokens", "0: expected at least 1".to_string());
    }
    if bench.new_tokens < 2 {
        let problem =
            format!("{}: expected at least 2, to time from one to the next", bench.new_tokens);
        return wrong("new tokens", problem);
    }
    let sum = bench.prompt_tokens + bench.new_tokens;
    if sum > limit {
        let problem = format!("{sum}: expected at most the model's {limit} positions");
        return wrong("prompt and new tokens", problem);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wuji_inference::testing::TableModel;

    #[test]
    fn every_round_writes_all_tokens() {
        let model = TableModel::chain(&[1, 2, 0], 32);
        let bench = GenerateBench { prompt_tokens: 4, new_tokens: 8, rounds: 3, seed: 0 };
        let mut rounds = 0;
        let report = bench_generate(&model, &bench, &mut || rounds += 1).unwrap();
        assert_eq!(rounds, 4);
        let product = report.prefill_tokens_per_second * report.first_token_ms;
        assert!((product - 4e3).abs() < 1e-6);
    }

    #[test]
    fn lengths_must_fit() {
        let model = TableModel::chain(&[1, 2, 0], 8);
        let check = |prompt_tokens, new_tokens, expected: &str| {
            let bench = GenerateBench { prompt_tokens, new_tokens, rounds: 1, seed: 0 };
            let message = bench_generate(&model, &bench, &mut || {}).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        };
        check(0, 2, "at least 1");
        check(1, 1, "at least 2");
        check(4, 5, "at most the model's 8 positions");
    }
}
