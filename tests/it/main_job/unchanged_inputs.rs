//! A run is resumed with the text, the tokenizer and the model it began with, or not at all.

use std::fs;
use std::path::Path;

use super::{resume, runs::brief, small, train};
use crate::command::Wuji;
use crate::files::{assert_nothing_lost, contents};

fn stories(words: &str) -> String {
    (0..400)
        .map(|number| format!("Story {number} is about {words}, as story {}.\n", number / 3))
        .collect()
}

fn run(dir: &Path) -> Wuji {
    let line = train(&dir.join("run")).arg("--data").arg(dir.join("text.txt"));
    // One long text: its end validates.
    let line = line.set("data.split={kind='position',validation_fraction=0.1}");
    brief(line.set("tokenizer.vocab_size=300")).set("training.max_steps=2")
}

#[test]
fn a_run_whose_text_has_changed_is_not_resumed() {
    let dir = tempfile::tempdir().unwrap();
    let (run_dir, text) = (dir.path().join("run"), dir.path().join("text.txt"));
    fs::write(&text, stories("the sea")).unwrap();
    run(dir.path()).succeed();
    let before = contents(&run_dir);
    let go_on = || resume(&run_dir).set("training.max_steps=4").run();

    fs::write(&text, stories("the moon")).unwrap();
    go_on().assert_refused(2, &["training text changed", run_dir.to_str().unwrap()]);
    fs::remove_file(&text).unwrap();
    go_on().assert_refused(2, &["text.txt"]);
    assert_nothing_lost(&before, &run_dir);

    fs::write(&text, stories("the sea")).unwrap();
    assert_eq!(go_on().json()["steps"], 4);
}

#[test]
fn a_run_whose_tokenizer_has_changed_is_not_resumed() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("text.txt"), stories("the sea")).unwrap();
    run(dir.path()).succeed();
    let run_dir = dir.path().join("run");
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("text.txt"), stories("the moon and the stars")).unwrap();
    run(other.path()).succeed();
    let tokenizer = "tokenizer/tokenizer.json";
    fs::copy(other.path().join("run").join(tokenizer), run_dir.join(tokenizer)).unwrap();
    let before = contents(&run_dir);
    resume(&run_dir).run().assert_refused(2, &["tokenizer changed", run_dir.to_str().unwrap()]);
    assert_nothing_lost(&before, &run_dir);
}

#[test]
fn a_resumed_run_keeps_its_model_and_remembers_what_it_was_told() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path(), 2).succeed();
    let before = contents(dir.path());
    for option in ["model.n_layer=3", "tokenizer.vocab_size=290"] {
        let section = format!("[{}]", option.split('.').next().unwrap());
        resume(dir.path()).set(option).run().assert_refused(2, &["config.toml", &section]);
    }
    assert_nothing_lost(&before, dir.path());
    resume(dir.path()).set("training.max_steps=4").succeed();
    let config = fs::read_to_string(dir.path().join("config.toml")).unwrap();
    assert!(config.contains("max_steps = 4"), "{config}");
}
