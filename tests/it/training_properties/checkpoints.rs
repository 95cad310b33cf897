//! Which checkpoints are kept, and that only whole ones count.

use std::fs;
use std::path::Path;

use wuji::model::CausalLm;
use wuji::training::{Checkpoints, TrainingConfig};

use crate::devices::flex;
use crate::files::{contents, copy, names};
use crate::tensors::bits;
use crate::tiny_models::fresh;
use crate::trainings::{Counting, Made, Run, figures, plain};

const STEPS: u64 = 12;
const KEPT: usize = 2;

/// A run whose held-out loss is best early on, as it learns something else.
fn run(dir: &Path, checkpoint_interval_steps: u64) -> Made {
    let training = TrainingConfig {
        eval_interval_steps: 1,
        checkpoint_interval_steps,
        keep_checkpoints: KEPT,
        ..plain(STEPS)
    };
    let foreign = Counting { stride: 7, ..Counting::PLAIN };
    let model = fresh("llama", 1, &flex().autodiff());
    Run::new(&training, model, &Counting::PLAIN).validated_on(&foreign).in_dir(dir).make()
}

fn steps_kept(dir: &Path) -> Vec<u64> {
    let checkpoints = Checkpoints::open(&dir.join("checkpoints"), KEPT).unwrap();
    checkpoints.list().unwrap().iter().map(|info| info.step).collect()
}

#[test]
fn the_newest_checkpoints_and_the_best_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (_, best) = run(dir.path(), 1).summary().best.unwrap();
    assert!(best < STEPS - KEPT as u64, "step {best} is too new to tell best from newest");
    assert_eq!(steps_kept(dir.path()), [best, STEPS - 1, STEPS]);
}

#[test]
fn the_best_weights_are_kept_even_where_no_checkpoint_was_due() {
    let dir = tempfile::tempdir().unwrap();
    let (_, best) = run(dir.path(), 5).summary().best.unwrap();
    assert!(!best.is_multiple_of(5) && best < 5, "step {best} does not tell");
    let kept = steps_kept(dir.path());
    assert_eq!(kept, [best, 10, STEPS]);
}

#[test]
fn what_was_left_half_written_is_cleared_away_and_never_read() {
    let dir = tempfile::tempdir().unwrap();
    let train = |steps, resumed: bool| {
        let training = TrainingConfig { checkpoint_interval_steps: 2, ..plain(steps) };
        let model = fresh("gpt2", 1, &flex().autodiff());
        let run = Run::new(&training, model, &Counting::PLAIN).in_dir(dir.path());
        if resumed { run.resumed().make() } else { run.make() }
    };
    train(4, false);
    let checkpoints = dir.path().join("checkpoints");
    // Newer than all, and as far as it goes like a whole one.
    let half = checkpoints.join(".step-6.partial");
    copy(&checkpoints.join("step-4"), &half);
    fs::remove_file(half.join("state.json")).unwrap();
    fs::write(half.join("optimizer.safetensors"), b"the power failed he").unwrap();

    let resumed = train(5, true);
    assert_eq!(resumed.steps[0].step, 5, "resumed from step 4");
    assert!(!half.exists(), "the half-written checkpoint is still there");
    assert_eq!(steps_kept(dir.path()), [4, 5]);
}

#[test]
fn a_finished_run_that_is_resumed_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let first = run(dir.path(), 4);
    let training =
        TrainingConfig { eval_interval_steps: 1, checkpoint_interval_steps: 4, ..plain(STEPS) };
    let model = fresh("llama", 2, &flex().autodiff());
    let again = Run::new(&training, model, &Counting::PLAIN).in_dir(dir.path()).resumed().make();
    assert_eq!(figures(&again.steps), []);
    for (found, expected) in again.weights().iter().zip(first.weights()) {
        assert_eq!(bits(&found.values), bits(&expected.values), "{}", found.name);
    }
}

#[test]
fn a_checkpoint_is_a_model_directory() {
    let dir = tempfile::tempdir().unwrap();
    let made = run(dir.path(), 0);
    assert_eq!(names(&dir.path().join("checkpoints")), [format!("step-{STEPS}")]);
    let model = dir.path().join(format!("checkpoints/step-{STEPS}/model"));
    assert!(contents(&model).keys().any(|name| name.ends_with("config.json")));
    let loaded = CausalLm::from_dir(&model, &flex()).unwrap();
    for (found, expected) in loaded.file_tensors().iter().zip(made.weights()) {
        assert_eq!(bits(&found.values), bits(&expected.values), "{}", found.name);
    }
}
