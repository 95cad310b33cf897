//! A directory holds one run, made by one process at a time.

use super::{last_checkpoint, resume, small};
use crate::files::{assert_nothing_lost, contents};

#[test]
fn a_second_run_in_the_directory_of_a_finished_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path(), 2).succeed();
    let before = contents(dir.path());
    let path = dir.path().to_str().unwrap();
    small(dir.path(), 2).run().assert_refused(2, &[path, "already holds a run", "--resume"]);
    assert_nothing_lost(&before, dir.path());
}

#[test]
fn a_second_process_in_the_directory_of_a_running_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut running =
        small(dir.path(), 100_000).set("training.checkpoint_interval_steps=2").start();
    assert!(running.wait_until(|| last_checkpoint(dir.path()) >= 2), "it ended too early");
    let path = dir.path().to_str().unwrap();
    for second in [small(dir.path(), 2), resume(dir.path())] {
        second.run().assert_refused(2, &[path, "in use by another run"]);
    }
    assert!(running.is_running(), "the first run goes on");
    running.signal("TERM");
    running.wait().assert_refused(1, &["interrupted at step"]);
}

#[test]
fn a_run_refused_before_it_began_leaves_its_directory_free() {
    let dir = tempfile::tempdir().unwrap();
    let run_dir = dir.path().join("run");
    let missing = dir.path().join("absent.txt");
    small(&run_dir, 2).arg("--data").arg(&missing).run().assert_refused(2, &["absent.txt"]);
    // The mistake is mended, and the same directory named again.
    small(&run_dir, 2).succeed();
}
