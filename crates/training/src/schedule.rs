//! Learning-rate schedules, as a factor between `min_learning_rate` and `learning_rate`.
//!
//! Checked against transformers' schedules (`shared/golden/training/schedules`).

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::{TrainingConfig, WarmupRule};

/// How the learning rate goes from its peak to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Stays at the peak.
    Constant,
    /// Straight line to the minimum at `max_steps`.
    Linear,
    /// Half a cosine to the minimum at `max_steps` (Loshchilov & Hutter 2017).
    Cosine,
    /// Warm-up, stable, decay: the peak until the last `decay_steps`, then a straight line to the
    /// minimum (Hu et al. 2024, MiniCPM).
    Wsd,
    /// Falls with the square root of the step, `sqrt(warmup / (t + 1))` relative to the peak
    /// (Raffel et al. 2020); the minimum is a floor.
    InverseSqrt,
}

impl Schedule {
    /// Learning rate of the update number `step` (from 0), for a peak of `peak`.
    pub fn learning_rate(config: &TrainingConfig, peak: f64, step: u64) -> f64 {
        let warmup = config.warmup_steps as f64;
        let t = step as f64;
        // A group with its own peak keeps its proportion to the minimum.
        let min = config.min_learning_rate * peak / config.learning_rate;
        if step < config.warmup_steps {
            return match (config.warmup_rule, config.schedule) {
                // transformers lets this schedule alone rise from its minimum.
                (WarmupRule::FromZero, Self::Wsd) => min + (peak - min) * t / warmup,
                (WarmupRule::FromZero, _) => peak * t / warmup,
                (WarmupRule::FromFirstStep, _) => peak * (t + 1.0) / (warmup + 1.0),
            };
        }
        let max_steps = config.max_steps as f64;
        let progress = |from: f64| ((t - from) / (max_steps - from).max(1.0)).clamp(0.0, 1.0);
        match config.schedule {
            Self::Constant => peak,
            Self::Linear => peak + (min - peak) * progress(warmup),
            Self::Cosine => min + (peak - min) * 0.5 * (1.0 + (PI * progress(warmup)).cos()),
            Self::Wsd => peak + (min - peak) * progress(max_steps - config.decay_steps as f64),
            Self::InverseSqrt => {
                let timescale = warmup.max(1.0);
                (peak * (timescale / (t - warmup + timescale)).sqrt()).max(min)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(schedule: Schedule) -> TrainingConfig {
        TrainingConfig {
            schedule,
            max_steps: 100,
            warmup_steps: 10,
            decay_steps: 20,
            learning_rate: 1.0,
            min_learning_rate: 0.1,
            ..TrainingConfig::default()
        }
    }

    fn check(schedule: Schedule, step: u64, expected: f64) {
        let found = Schedule::learning_rate(&config(schedule), 1.0, step);
        assert!((found - expected).abs() < 1e-12, "{schedule:?} at {step}: {found} ≠ {expected}");
    }

    #[test]
    fn warm_up_rises_to_the_peak() {
        check(Schedule::Cosine, 0, 1.0 / 11.0);
        check(Schedule::Cosine, 10, 1.0);
        let config =
            TrainingConfig { warmup_rule: WarmupRule::FromZero, ..config(Schedule::Linear) };
        assert_eq!(Schedule::learning_rate(&config, 1.0, 0), 0.0);
    }

    #[test]
    fn each_schedule_ends_where_it_should() {
        check(Schedule::Constant, 99, 1.0);
        check(Schedule::Linear, 55, 0.55);
        check(Schedule::Linear, 100, 0.1);
        check(Schedule::Cosine, 55, 0.55);
        check(Schedule::Cosine, 100, 0.1);
        check(Schedule::Wsd, 79, 1.0);
        check(Schedule::Wsd, 90, 0.55);
        check(Schedule::Wsd, 1000, 0.1);
        check(Schedule::InverseSqrt, 30, (10.0_f64 / 30.0).sqrt());
    }

    #[test]
    fn a_group_with_another_peak_keeps_the_shape() {
        let config = config(Schedule::Linear);
        let ratio =
            Schedule::learning_rate(&config, 0.02, 70) / Schedule::learning_rate(&config, 1.0, 70);
        assert!((ratio - 0.02).abs() < 1e-12);
    }
}
