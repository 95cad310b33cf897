//! TPE and the Gaussian process find more than random draws in as many trials, over twenty seeds.
#![expect(clippy::print_stderr, reason = "figures are worth seeing")]

use std::time::Instant;

use wuji_training::search::{Observation, Question, SamplerConfig, Standing};

use super::functions::{ACKLEY, BRANIN, Function, HARTMANN};

const SEEDS: u64 = 20;

/// How far the best of `trials` proposals is above the minimum.
fn regret(function: &Function, sampler: &str, trials: u64, seed: u64) -> f64 {
    let space = function.space();
    let sampler = SamplerConfig::named(sampler).unwrap().build(&space).unwrap();
    let mut history: Vec<Observation> = Vec::new();
    let mut best = f64::INFINITY;
    for number in 0..trials {
        let question = Question { space: &space, seed, number, history: &history };
        let assignment = sampler.propose(&question).unwrap();
        let value = function.at(&assignment);
        best = best.min(value);
        history.push(Observation { assignment, standing: Standing::Finished(value) });
    }
    best - function.minimum
}

/// The chance of at least this many heads in as many throws of a fair coin.
fn sign_test(wins: u64, pairs: u64) -> f64 {
    let choose = |k: u64| (0..k).map(|i| (pairs - i) as f64 / (i + 1) as f64).product::<f64>();
    (wins..=pairs).map(choose).sum::<f64>() * 0.5f64.powi(pairs as i32)
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    0.5 * (values[(values.len() - 1) / 2] + values[values.len() / 2])
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Median and mean regret are lower, and the sign test over seeds says that this is no chance.
fn check(function: &Function, trials: u64) {
    let all = |sampler: &str| -> Vec<f64> {
        let start = Instant::now();
        let regrets: Vec<f64> =
            (0..SEEDS).map(|seed| regret(function, sampler, trials, seed)).collect();
        eprintln!(
            "{:10} {trials} trials {sampler:16} median regret {:.4}, mean {:.4}, {:.2} s for {SEEDS} seeds",
            function.name,
            median(&regrets),
            mean(&regrets),
            start.elapsed().as_secs_f64(),
        );
        regrets
    };
    let random = all("random");
    for sampler in ["tpe", "gaussian-process"] {
        let regrets = all(sampler);
        let wins =
            regrets.iter().zip(&random).filter(|(ours, theirs)| ours < theirs).count() as u64;
        let p = sign_test(wins, SEEDS);
        eprintln!("{:10} {sampler} beats random in {wins} of {SEEDS}, p = {p:.1e}", function.name);
        assert!(median(&regrets) < median(&random) && mean(&regrets) < mean(&random));
        assert!(p < 0.05, "{} {sampler}: {wins} of {SEEDS}", function.name);
    }
}

#[test]
fn on_branin() {
    check(&BRANIN, 40);
}

#[test]
fn on_hartmann() {
    check(&HARTMANN, 60);
}

#[test]
fn on_ackley() {
    check(&ACKLEY, 60);
}

#[test]
fn the_sign_test_is_the_binomial_tail() {
    // scipy.stats.binomtest(15, 20, alternative='greater').pvalue
    assert!((sign_test(15, 20) - 0.020_694_732_666_015_625).abs() < 1e-15);
    assert_eq!(sign_test(0, 3), 1.0);
}
