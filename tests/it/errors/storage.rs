//! Disks that are full and places that cannot be written.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::command::Wuji;
use crate::files::{assert_nothing_lost, contents, names};
use crate::main_job::{last_checkpoint, resume, small, steps_in};
use crate::tmpfs::Tmpfs;

fn generate(model: &Path) -> Wuji {
    let line = Wuji::new("generate").arg("--model").arg(model);
    line.args(&["--prompt", "Once", "--max-new-tokens", "3", "--temperature", "0"])
}

/// Takes all the room that is left.
fn fill(dir: &Path) {
    let mut file = File::create(dir.join("filler")).unwrap();
    let page = [0_u8; 4096];
    while file.write_all(&page).is_ok() {}
}

#[test]
fn a_full_disk_ends_the_run_and_loses_nothing() {
    let Some(disk) = Tmpfs::mount("3m") else { return };
    let run_dir = disk.path().join("run");
    let line = small(&run_dir, 60)
        .set("training.checkpoint_interval_steps=2")
        .set("training.keep_checkpoints=100");
    let full = "No space left on device";
    line.run().assert_refused(1, &[full, run_dir.to_str().unwrap()]);
    let last = last_checkpoint(&run_dir);
    assert!(last >= 2, "no checkpoint fits at all");
    generate(&run_dir.join(format!("checkpoints/step-{last}/model"))).succeed();

    // Still full, without even the room of what was half-written.
    let half = run_dir.join("checkpoints").join(format!(".step-{}.partial", last + 2));
    if half.exists() {
        fs::remove_dir_all(half).unwrap();
    }
    fill(disk.path());
    let mut before = contents(&run_dir);
    // Steps after the last checkpoint are made again, and so are their lines.
    before.remove(Path::new("metrics.jsonl"));
    resume(&run_dir).run().assert_refused(1, &[full, run_dir.to_str().unwrap()]);
    assert_nothing_lost(&before, &run_dir);
    let steps = steps_in(&run_dir.join("metrics.jsonl"));
    assert!(steps.starts_with(&(1..=last).collect::<Vec<_>>()), "{steps:?}");

    disk.remount("size=64m");
    assert_eq!(resume(&run_dir).succeed().json()["steps"], 60);
    let partial: Vec<_> = names(&run_dir.join("checkpoints"))
        .into_iter()
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(partial.is_empty(), "{partial:?}");
}

#[test]
fn a_read_only_disk_can_be_generated_from_and_not_written() {
    let Some(disk) = Tmpfs::mount("16m") else { return };
    let run_dir = disk.path().join("run");
    small(&run_dir, 2).succeed();
    let before = contents(&run_dir);
    disk.remount("ro");
    generate(&run_dir.join("model")).succeed();
    let other = disk.path().join("other");
    let read_only = "Read-only file system";
    small(&other, 2).run().assert_refused(1, &[read_only, other.to_str().unwrap()]);
    let resumed = resume(&run_dir).set("training.max_steps=4");
    resumed.run().assert_refused(1, &[read_only, run_dir.to_str().unwrap()]);
    assert_nothing_lost(&before, &run_dir);
}

#[test]
fn a_directory_below_a_file_cannot_be_made() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "mine").unwrap();
    let below = file.join("run");
    small(&below, 2).run().assert_refused(2, &[below.to_str().unwrap()]);
    small(&file, 2).run().assert_refused(2, &[file.to_str().unwrap()]);
    assert_eq!(fs::read(&file).unwrap(), b"mine");
}
