//! Training stops when the held-out loss no longer falls, and not before.

use wuji::training::{StopReason, TrainingConfig};

use crate::devices::flex;
use crate::tiny_models::fresh;
use crate::trainings::{Counting, Made, Run, plain};

fn run(early_stopping_patience: u32, validation: &Counting) -> Made {
    let training = TrainingConfig { early_stopping_patience, eval_interval_steps: 2, ..plain(30) };
    let model = fresh("llama", 1, &flex().autodiff());
    Run::new(&training, model, &Counting::PLAIN).validated_on(validation).make()
}

/// Another language: the better one is learnt, the worse the other is guessed.
const FOREIGN: Counting = Counting { stride: 7, ..Counting::PLAIN };

#[test]
fn training_stops_after_the_stated_number_of_worse_evaluations() {
    let patience = 3;
    let made = run(patience, &FOREIGN);
    assert_eq!(made.summary().reason, StopReason::EarlyStopping);
    let (best_loss, best_step) = made.summary().best.unwrap();
    assert_eq!(made.summary().steps, best_step + 2 * u64::from(patience));
    let losses = made.evaluations.iter().map(|event| event.validation_loss);
    assert_eq!(losses.fold(f64::INFINITY, f64::min), best_loss);
}

#[test]
fn a_falling_loss_or_no_patience_lets_training_finish() {
    for (patience, validation) in [(3, Counting::PLAIN), (0, FOREIGN)] {
        let made = run(patience, &validation);
        assert_eq!(made.summary().reason, StopReason::Finished, "patience {patience}");
        assert_eq!(made.summary().steps, 30);
    }
}
