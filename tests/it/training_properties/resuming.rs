//! A run that was interrupted and resumed computes what it would have computed undisturbed, to the last bit.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use wuji::model::CausalLm;
use wuji::training::{OptimizerKind, Schedule, StopReason, TrainingConfig};

use crate::devices::flex;
use crate::files::contents;
use crate::tiny_models::config;
use crate::trainings::{Counting, Made, Run, figures, plain};

const STEPS: u64 = 10;

#[test]
fn adamw_resumed_twice_ends_where_the_straight_run_ends() {
    let dropout = json!({"resid_pdrop": 0.1, "embd_pdrop": 0.1, "attn_pdrop": 0.1});
    check(OptimizerKind::Adamw, "gpt2", dropout);
}

#[test]
fn muon_resumed_twice_ends_where_the_straight_run_ends() {
    check(OptimizerKind::Muon, "llama", json!({"dropout": 0.1, "attention_dropout": 0.1}));
}

#[test]
fn momentum_under_activation_checkpointing_ends_where_the_straight_run_ends() {
    let dropout = json!({"dropout": 0.1});
    let config = TrainingConfig { activation_checkpointing: true, ..everything() };
    check_with(TrainingConfig { optimizer: OptimizerKind::Momentum, ..config }, "qwen3", dropout);
}

/// A config in which everything that could be lost between two processes takes part.
fn everything() -> TrainingConfig {
    TrainingConfig {
        gradient_accumulation_steps: 2,
        schedule: Schedule::Cosine,
        warmup_steps: 3,
        weight_decay: 0.1,
        max_grad_norm: 1.0,
        ema_decay: 0.9,
        eval_interval_steps: 3,
        ..plain(STEPS)
    }
}

fn check(optimizer: OptimizerKind, family: &str, dropout: Value) {
    check_with(TrainingConfig { optimizer, ..everything() }, family, dropout);
}

fn check_with(training: TrainingConfig, family: &str, dropout: Value) {
    let model = || CausalLm::init(&config(family, dropout.clone()), 5, &flex().autodiff()).unwrap();
    let train = Counting { uneven: true, ..Counting::PLAIN };
    let validation = Counting { stride: 7, ..Counting::PLAIN };
    let run = |dir| Run::new(&training, model(), &train).validated_on(&validation).in_dir(dir);

    let straight_dir = tempfile::tempdir().unwrap();
    let straight = run(straight_dir.path()).make();
    assert_eq!(straight.summary().reason, StopReason::Finished);

    let resumed_dir = tempfile::tempdir().unwrap();
    let mut pieces = vec![run(resumed_dir.path()).stopped_after(4).make()];
    pieces.push(run(resumed_dir.path()).resumed().stopped_after(7).make());
    assert!(pieces.iter().all(|piece| piece.summary().reason == StopReason::Interrupted));
    pieces.push(run(resumed_dir.path()).resumed().make());

    let steps: Vec<_> = pieces.iter().flat_map(|piece| figures(&piece.steps)).collect();
    assert_eq!(steps, figures(&straight.steps), "{family}: steps");
    let evaluations: Vec<_> = pieces.iter().flat_map(evaluations).collect();
    assert_eq!(evaluations, self::evaluations(&straight), "{family}: evaluations");
    let (found, expected) = (checkpoint(resumed_dir.path()), checkpoint(straight_dir.path()));
    let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(&expected), "{family}: files of the checkpoint");
    for (name, content) in expected {
        assert!(found[&name] == content, "{family}: {} differs", name.display());
    }
}

fn evaluations(made: &Made) -> Vec<(u64, u64, bool)> {
    let bits = |event: &wuji::training::EvalEvent| {
        (event.step, event.validation_loss.to_bits(), event.best)
    };
    made.evaluations.iter().map(bits).collect()
}

/// The files of the last checkpoint: weights, their average, the optimiser, and where the run stands without the
/// clock.
fn checkpoint(run_dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = contents(&run_dir.join(format!("checkpoints/step-{STEPS}")));
    for part in ["model/model.safetensors", "ema/model.safetensors", "optimizer.safetensors"] {
        assert!(files.contains_key(Path::new(part)), "no {part} in the checkpoint");
    }
    let state = files.get_mut(Path::new("state.json")).unwrap();
    let mut values: Value = serde_json::from_slice(state).unwrap();
    for clock in ["train_seconds", "data_seconds"] {
        assert!(values["state"][clock].take().is_number(), "{clock}");
    }
    *state = values.to_string().into_bytes();
    files
}
