//! A loss or gradient that is not finite changes no weight: the run stops and says where, or leaves the step out.

use burn::tensor::{Device, Tensor};
use serde_json::Value;
use wuji::data::TokenBatch;
use wuji::model::CausalLm;
use wuji::model::weights::FileTensor;
use wuji::training::{
    BatchSource, CausalLmObjective, NonFinitePolicy, Objective, OptimizerKind, StepOutput,
    TrainingBatch, TrainingConfig, TrainingError,
};

use crate::devices::flex;
use crate::tensors::bits;
use crate::tiny_models::fresh;
use crate::trainings::{Counting, Run, plain};

/// What goes wrong.
#[derive(Clone, Copy, PartialEq)]
enum Harm {
    /// The loss is not a number.
    Loss,
    /// The loss is what it should be, its gradient is not a number.
    Gradient,
}

/// Next-token prediction that goes wrong on the batches of some steps.
struct Poisoned {
    harm: Harm,
    poison: Vec<TokenBatch>,
}

impl Poisoned {
    fn at(harm: Harm, steps: &[u64]) -> Self {
        let poison = steps.iter().map(|step| Counting::PLAIN.batch(*step, 0).unwrap());
        Self { harm, poison: poison.collect() }
    }
}

impl Objective<CausalLm> for Poisoned {
    type Batch = TokenBatch;

    fn loss(&self, model: &CausalLm, batch: &TokenBatch, device: &Device) -> StepOutput {
        let StepOutput { loss_sum, weight, .. } =
            CausalLmObjective::default().loss(model, batch, device);
        let loss_sum = match self.harm {
            _ if !self.poison.contains(batch) => loss_sum,
            Harm::Loss => loss_sum * f32::NAN,
            // The root of zero is zero, and its slope is infinite.
            Harm::Gradient => loss_sum.clone() + (loss_sum * 0.0).sqrt(),
        };
        StepOutput::new(loss_sum, weight)
    }
}

fn config(max_steps: u64, on_non_finite: NonFinitePolicy) -> TrainingConfig {
    TrainingConfig { on_non_finite, gradient_accumulation_steps: 2, ..plain(max_steps) }
}

fn model() -> CausalLm {
    fresh("gpt2", 1, &flex().autodiff())
}

fn assert_same_weights(found: &[FileTensor], expected: &[FileTensor]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(bits(&found.values), bits(&expected.values), "{}", found.name);
    }
}

#[test]
fn the_run_stops_with_step_and_batch_and_the_weights_as_they_were() {
    let before = Run::new(&config(3, NonFinitePolicy::Stop), model(), &Counting::PLAIN).make();
    for (harm, what) in [(Harm::Loss, "loss"), (Harm::Gradient, "gradient norm")] {
        let dir = tempfile::tempdir().unwrap();
        let made = Run::new(&config(8, NonFinitePolicy::Stop), model(), &Counting::PLAIN)
            .in_dir(dir.path())
            .make_with(&Poisoned::at(harm, &[3]));
        let error = made.result.as_ref().unwrap_err();
        let message = error.to_string();
        let TrainingError::NonFinite { step: 3, what: found, batch: Some(path), .. } = error else {
            panic!("{message}");
        };
        assert_eq!(*found, what);
        assert!(message.contains("step 3") && message.contains(what), "{message}");
        assert!(message.contains(&path.display().to_string()), "{message}");
        let text = std::fs::read_to_string(path).unwrap();
        let batches: Vec<Value> = serde_json::from_str(&text).unwrap();
        let expected = [0, 1].map(|micro| Counting::PLAIN.batch(3, micro).unwrap());
        let expected = expected.map(|batch| batch.describe());
        assert_eq!(batches, expected, "the batch of the step");
        assert_eq!(made.steps.len(), 3, "steps before it");
        assert_same_weights(&made.weights(), &before.weights());
    }
}

#[test]
fn a_learning_rate_beyond_reason_is_caught() {
    let huge = |steps| TrainingConfig {
        optimizer: OptimizerKind::Sgd,
        learning_rate: 1e30,
        ..config(steps, NonFinitePolicy::Stop)
    };
    let made = Run::new(&huge(8), model(), &Counting::PLAIN).make();
    let Err(TrainingError::NonFinite { step, .. }) = made.result else {
        panic!("{:?}", made.result);
    };
    let before = Run::new(&huge(step), model(), &Counting::PLAIN).make();
    assert_same_weights(&made.weights(), &before.weights());
}

#[test]
fn a_step_that_is_left_out_changes_nothing() {
    let skip = |steps| config(steps, NonFinitePolicy::Skip);
    let before = Run::new(&skip(3), model(), &Counting::PLAIN).make();
    for harm in [Harm::Loss, Harm::Gradient] {
        let poisoned = Poisoned::at(harm, &[3]);
        let run = |steps| Run::new(&skip(steps), model(), &Counting::PLAIN).make_with(&poisoned);
        let until = run(4);
        assert_same_weights(&until.weights(), &before.weights());
        let beyond = run(6);
        let skipped: Vec<bool> = beyond.steps.iter().map(|step| step.skipped).collect();
        assert_eq!(skipped, [false, false, false, true, false, false]);
        assert!(beyond.steps[5].loss.is_finite());
    }
}

#[test]
fn a_run_that_leaves_out_step_after_step_gives_up() {
    let steps: Vec<u64> = (2..30).collect();
    let poisoned = Poisoned::at(Harm::Loss, &steps);
    let training = config(30, NonFinitePolicy::Skip);
    let made = Run::new(&training, model(), &Counting::PLAIN).make_with(&poisoned);
    let Err(TrainingError::TooManySkipped { step, skipped }) = made.result else {
        panic!("{:?}", made.result);
    };
    assert_eq!((step, skipped), (12, 11), "ten steps in a row are forgiven");
}

#[test]
fn a_weight_that_is_not_a_number_is_found_at_once() {
    let mut model = model();
    let norm = &mut model.decoder.final_norm.as_mut().unwrap().weight;
    *norm = norm.clone().map(|weight: Tensor<1>| (weight * f32::NAN).detach().require_grad());
    let made = Run::new(&config(3, NonFinitePolicy::Stop), model, &Counting::PLAIN).make();
    assert!(matches!(made.result, Err(TrainingError::NonFinite { step: 0, what: "loss", .. })));
    assert!(made.steps.is_empty());
}
