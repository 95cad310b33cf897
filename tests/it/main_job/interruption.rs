//! Ctrl-C, SIGTERM and `kill -9`: a resumed run ends where an undisturbed one ends.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::run_directory::check_metrics;
use super::{last_checkpoint, resume, small};
use crate::command::Wuji;
use crate::files::{assert_nothing_lost, contents, names};

const STEPS: u64 = 40;

/// A run in which everything that could be lost takes part, with a checkpoint at every step.
fn run(dir: &Path) -> Wuji {
    small(dir, STEPS)
        .set("training.checkpoint_interval_steps=1")
        .set("training.gradient_accumulation_steps=2")
        .set("training.eval_interval_steps=7")
        .set("training.ema_decay=0.9")
        .set("model.resid_pdrop=0.1")
        .set("model.attn_pdrop=0.1")
}

/// Moments to kill at: seeded, so that a failure can be had again.
struct Moments(u64);

impl Moments {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % below
    }
}

#[test]
fn a_run_killed_at_any_moment_ends_as_if_undisturbed() {
    let dir = tempfile::tempdir().unwrap();
    let (undisturbed, killed) = (dir.path().join("undisturbed"), dir.path().join("killed"));
    run(&undisturbed).succeed();

    let mut moments = Moments(1);
    let mut pause = |milliseconds| {
        std::thread::sleep(Duration::from_millis(moments.next(milliseconds)));
    };
    // The first time somewhere between tokenizer and training, where there may be no run yet.
    let mut running = run(&killed).start();
    assert!(running.wait_until(|| killed.join("tokenizer").exists()), "it ended too early");
    pause(40);
    running.kill();
    let has_begun = || killed.join("config.toml").is_file();
    let go_on = || if has_begun() { resume(&killed) } else { run(&killed) };
    for attempt in 0..8 {
        let before = last_checkpoint(&killed);
        let mut running = go_on().start();
        // Every other time while a checkpoint is being written.
        let writing = attempt % 2 == 1;
        let checkpoints = killed.join("checkpoints");
        running.wait_until(|| {
            last_checkpoint(&killed) > before + 1
                && (!writing || names(&checkpoints).iter().any(|name| name.starts_with(".step-")))
        });
        if !writing {
            pause(20);
        }
        running.kill();
    }
    let summary = go_on().succeed().json();
    assert_eq!(summary["steps"], STEPS);

    for part in ["model", "checkpoints/step-40/model", "checkpoints/step-40/ema"] {
        // The card tells how long training took, and a killed run trained some steps twice.
        let files = |run_dir: &Path| {
            let mut files = contents(&run_dir.join(part));
            files.remove(Path::new("README.md"));
            files
        };
        let (found, expected) = (files(&killed), files(&undisturbed));
        assert!(found == expected, "{part} differs from the undisturbed run's");
    }
    let optimizer = "checkpoints/step-40/optimizer.safetensors";
    assert!(
        fs::read(killed.join(optimizer)).unwrap() == fs::read(undisturbed.join(optimizer)).unwrap(),
        "{optimizer} differs from the undisturbed run's"
    );
    check_metrics(&killed.join("metrics.jsonl"), STEPS, &summary);
}

#[test]
fn resuming_a_finished_run_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let first = small(dir.path(), 4).succeed().json();
    let before = contents(&dir.path().join("model"));
    let again = resume(dir.path()).succeed().json();
    assert!(contents(&dir.path().join("model")) == before);
    for key in ["steps", "tokens", "validation_loss", "bits_per_byte"] {
        assert_eq!(again[key], first[key], "{key}");
    }
}

fn a_signal_checkpoints_and_says_how_to_go_on(signal: &str) {
    let dir = tempfile::tempdir().unwrap();
    let run_dir = dir.path().join("run");
    let mut running = small(&run_dir, 100_000).set("training.checkpoint_interval_steps=3").start();
    assert!(running.wait_until(|| last_checkpoint(&run_dir) >= 3), "it ended too early");
    running.signal(signal);
    let finished = running.wait();
    let step = last_checkpoint(&run_dir);
    let message = format!("interrupted at step {step}; continue with --resume");
    finished.assert_refused(1, &[&message, run_dir.to_str().unwrap()]);
    assert_eq!(finished.json()["reason"], "interrupted");
    let before = contents(&run_dir.join("checkpoints"));

    // A run directory is all there is of a run: it may go elsewhere.
    let moved = dir.path().join("moved");
    fs::rename(&run_dir, &moved).unwrap();
    let last = step + 2;
    let resumed = resume(&moved).set(format!("training.max_steps={last}"));
    let resumed = resumed.set("training.keep_checkpoints=9").succeed();
    assert_eq!(resumed.json()["steps"], last);
    assert_nothing_lost(&before, &moved.join("checkpoints"));
}

#[test]
fn sigterm_checkpoints_and_says_how_to_go_on() {
    a_signal_checkpoints_and_says_how_to_go_on("TERM");
}

#[test]
fn sigint_checkpoints_and_says_how_to_go_on() {
    a_signal_checkpoints_and_says_how_to_go_on("INT");
}
