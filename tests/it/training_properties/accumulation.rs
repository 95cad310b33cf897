//! Micro-batches add up to the batch they were cut from, however unevenly labels are spread over them.

use wuji::training::{OptimizerKind, TrainingConfig};

use crate::devices::flex;
use crate::tensors::assert_close;
use crate::tiny_models::{FAMILIES, lively};
use crate::trainings::{Counting, Made, Run, plain};

const ROWS: usize = 4;

fn train(family: &str, micro_steps: u32) -> Made {
    let training = TrainingConfig {
        gradient_accumulation_steps: micro_steps,
        optimizer: OptimizerKind::Sgd,
        // Weights then move by the gradient itself, and differ as gradients differ.
        learning_rate: 1.0,
        ..plain(2)
    };
    let rows = ROWS / micro_steps as usize;
    let source = Counting { rows, micro_steps, uneven: true, ..Counting::PLAIN };
    Run::new(&training, lively(family, &flex().autodiff()), &source).make()
}

#[test]
fn accumulated_micro_batches_are_the_full_batch() {
    for family in FAMILIES {
        let full = train(family, 1);
        for micro_steps in [2, 4] {
            let accumulated = train(family, micro_steps);
            let what = format!("{family} in {micro_steps} micro-batches");
            for (found, expected) in accumulated.steps.iter().zip(&full.steps) {
                let relative = |a: f64, b: f64| (a - b).abs() / b;
                assert!(relative(found.loss, expected.loss) < 1e-6, "{what}: {found:?}");
                assert!(relative(found.grad_norm, expected.grad_norm) < 1e-5, "{what}: {found:?}");
                assert_eq!(found.tokens, expected.tokens, "{what}");
            }
            // Weights move by the gradient itself: what agrees to 1e-6 of its norm moves them alike to as much.
            let norm = full.steps.iter().map(|step| step.grad_norm).fold(1.0, f64::max);
            let tolerance = (1e-6 * norm) as f32;
            for (found, expected) in accumulated.weights().iter().zip(full.weights()) {
                let what = format!("{what}: {}", found.name);
                assert_close(&what, &found.values, &expected.values, tolerance);
            }
        }
    }
}
