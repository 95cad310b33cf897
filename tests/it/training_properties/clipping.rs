//! Clipping shortens a gradient that is too long and leaves the others alone.

use wuji::model::weights::FileTensor;
use wuji::training::{OptimizerKind, TrainingConfig};

use crate::devices::flex;
use crate::tiny_models::lively;
use crate::trainings::{Counting, Run, plain};

const RATE: f64 = 0.1;

/// The gradient's norm before clipping, and how far the weights moved.
fn step(max_grad_norm: f64) -> (f64, f64) {
    let training = TrainingConfig {
        optimizer: OptimizerKind::Sgd,
        learning_rate: RATE,
        max_grad_norm,
        ..plain(1)
    };
    let model = lively("gpt2", &flex().autodiff());
    let start = model.file_tensors();
    let made = Run::new(&training, model, &Counting::PLAIN).make();
    (made.steps[0].grad_norm, distance(&start, &made.weights()))
}

fn distance(from: &[FileTensor], to: &[FileTensor]) -> f64 {
    let pairs = from.iter().zip(to).flat_map(|(from, to)| from.values.iter().zip(&to.values));
    pairs.map(|(from, to)| f64::from(to - from).powi(2)).sum::<f64>().sqrt()
}

fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-4 * expected, "{found}, expected {expected}");
}

#[test]
fn a_step_is_no_longer_than_the_clipped_gradient() {
    let (norm, moved) = step(0.0);
    assert_near(moved, RATE * norm);
    let (same_norm, moved) = step(norm / 4.0);
    assert_eq!(same_norm, norm, "what is reported is the norm before clipping");
    assert_near(moved, RATE * norm / 4.0);
    let (_, moved) = step(norm * 2.0);
    assert_near(moved, RATE * norm);
}
