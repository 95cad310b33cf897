//! The moving average of the weights is the one that its formula gives.

use std::path::Path;

use wuji::model::weights::TensorFiles;
use wuji::training::TrainingConfig;

use crate::devices::flex;
use crate::tensors::{assert_close, bits, max_difference};
use crate::tiny_models::fresh;
use crate::trainings::{Counting, Run, plain};

const STEPS: u64 = 12;
const DECAY: f64 = 0.5;

fn tensor(run_dir: &Path, step: u64, part: &str, name: &str) -> Vec<f32> {
    let dir = run_dir.join(format!("checkpoints/step-{step}")).join(part);
    TensorFiles::open_dir(&dir).unwrap().read_f32(name).unwrap()
}

#[test]
fn the_average_is_the_one_computed_by_hand() {
    let training = TrainingConfig {
        ema_decay: DECAY,
        checkpoint_interval_steps: 1,
        keep_checkpoints: STEPS as usize,
        ..plain(STEPS)
    };
    let model = fresh("llama", 1, &flex().autodiff());
    let start = model.file_tensors();
    let dir = tempfile::tempdir().unwrap();
    let made = Run::new(&training, model, &Counting::PLAIN).in_dir(dir.path()).make();
    for first in start {
        let mut average: Vec<f64> = first.values.iter().map(|value| f64::from(*value)).collect();
        for step in 1..=STEPS {
            // The update from `step - 1` to `step`; early averages forget faster.
            let update = (step - 1) as f64;
            let decay = DECAY.min((1.0 + update) / (10.0 + update));
            let weights = tensor(dir.path(), step, "model", &first.name);
            for (average, weight) in average.iter_mut().zip(&weights) {
                *average = decay * *average + (1.0 - decay) * f64::from(*weight);
            }
            let expected: Vec<f32> = average.iter().map(|value| *value as f32).collect();
            let found = tensor(dir.path(), step, "ema", &first.name);
            assert_close(&format!("{} at step {step}", first.name), &found, &expected, 1e-6);
            assert!(max_difference(&found, &weights) > 1e-5, "{} does not trail", first.name);
        }
    }
    // The average is what is evaluated and saved.
    for tensor in made.weights() {
        let average = self::tensor(dir.path(), STEPS, "ema", &tensor.name);
        assert_eq!(bits(&tensor.values), bits(&average), "{}", tensor.name);
    }
}
