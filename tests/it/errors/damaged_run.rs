//! Runs whose checkpoints were damaged: the message says which, and what to do about it.

use std::fs;
use std::path::Path;

use crate::files::{assert_nothing_lost, contents, copy};
use crate::main_job::{resume, small};

/// A way to damage a file.
type Damage = fn(&Path);

fn truncate(path: &Path) {
    let length = fs::metadata(path).unwrap().len();
    fs::File::options().write(true).open(path).unwrap().set_len(length / 2).unwrap();
}

fn empty(path: &Path) {
    fs::write(path, "").unwrap();
}

/// Other bytes from the beginning on.
fn garble(path: &Path) {
    let content: Vec<u8> = fs::read(path).unwrap().iter().map(|byte| !byte).collect();
    fs::write(path, content).unwrap();
}

/// One bit, far inside.
fn flip(path: &Path) {
    let mut content = fs::read(path).unwrap();
    let place = content.len() * 3 / 4;
    content[place] ^= 1;
    fs::write(path, content).unwrap();
}

fn delete(path: &Path) {
    fs::remove_file(path).unwrap();
}

const DAMAGES: [(&str, Damage); 10] = [
    ("model/model.safetensors", truncate),
    ("model/model.safetensors", garble),
    ("model/model.safetensors", flip),
    ("model/model.safetensors", delete),
    ("model/config.json", truncate),
    ("ema/model.safetensors", truncate),
    ("optimizer.safetensors", empty),
    ("optimizer.safetensors", flip),
    ("state.json", truncate),
    ("state.json", garble),
];

#[test]
fn a_damaged_checkpoint_is_named_with_the_older_one_to_go_back_to() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    let line = small(&whole, 6).set("training.checkpoint_interval_steps=2");
    line.set("training.ema_decay=0.9").set("training.keep_checkpoints=3").succeed();
    for (number, (part, damage)) in DAMAGES.into_iter().enumerate() {
        let run_dir = dir.path().join(format!("damaged-{number}"));
        copy(&whole, &run_dir);
        let newest = run_dir.join("checkpoints/step-6");
        damage(&newest.join(part));
        let before = contents(&run_dir);
        let go_on = || resume(&run_dir).set("training.max_steps=8");
        let advice = "remove this directory to resume from step 4";
        go_on().run().assert_refused(2, &[newest.to_str().unwrap(), advice]);
        assert_nothing_lost(&before, &run_dir);
        if number == 0 {
            fs::remove_dir_all(&newest).unwrap();
            assert_eq!(go_on().succeed().json()["steps"], 8);
        }
    }
}

#[test]
fn a_damaged_file_of_the_run_itself_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    small(&whole, 2).succeed();
    let files = ["config.toml", "environment.toml", "tokenizer/tokenizer.json"];
    for (number, file) in files.into_iter().enumerate() {
        let run_dir = dir.path().join(format!("damaged-{number}"));
        copy(&whole, &run_dir);
        garble(&run_dir.join(file));
        let before = contents(&run_dir);
        resume(&run_dir).run().assert_refused(2, &[file]);
        assert_nothing_lost(&before, &run_dir);
    }
}

#[test]
fn damaged_shards_are_made_again() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path(), 2).succeed();
    let shards: Vec<_> = contents(&dir.path().join("data")).into_keys().collect();
    let shard = shards.iter().find(|name| !name.ends_with("manifest.json")).unwrap();
    truncate(&dir.path().join("data").join(shard));
    assert_eq!(resume(dir.path()).set("training.max_steps=4").succeed().json()["steps"], 4);
}

#[test]
fn a_run_is_not_resumed_with_another_optimizer() {
    let dir = tempfile::tempdir().unwrap();
    let run_dir = dir.path().join("run");
    small(&run_dir, 2).set("training.optimizer=adamw").succeed();
    let before = contents(&run_dir);
    let other = resume(&run_dir).set("training.max_steps=4").set("training.optimizer=muon");
    other.run().assert_refused(2, &["step-2", "adamw", "muon"]);
    assert_nothing_lost(&before, &run_dir);
}
