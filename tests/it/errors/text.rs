//! Text that cannot be learnt from.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::command::{Finished, Wuji};
use crate::main_job::small;

/// A folder with one input file in it.
struct Input {
    dir: TempDir,
    name: &'static str,
}

impl Input {
    fn new(name: &'static str, content: impl AsRef<[u8]>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(name), content).unwrap();
        Self { dir, name }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join(self.name)
    }

    /// Two steps on the file, whose last tenth validates.
    fn train(&self) -> Wuji {
        let line = small(&self.dir.path().join("run"), 2).arg("--data").arg(self.path());
        line.set("data.split={kind='position',validation_fraction=0.1}")
    }

    fn assert_refused(&self, mentions: &[&str]) {
        let path = self.path();
        let mentions = [&[path.to_str().unwrap()], mentions].concat();
        self.train().run().assert_refused(2, &mentions);
    }
}

fn verse() -> String {
    (0..300).map(|line| format!("Line {line} of a song about the {}.\n", line % 7)).collect()
}

#[test]
fn a_missing_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let run = |path: &str| {
        let line = small(&dir.path().join("run"), 2).arg("--data").arg(dir.path().join(path));
        line.run()
    };
    run("absent.txt").assert_refused(2, &["absent.txt", "no such file"]);
    run("absent/*.txt").assert_refused(2, &["absent/*.txt"]);
}

#[test]
fn a_folder_without_text_is_named() {
    let input = Input::new("picture.png", "not text");
    let line = small(&input.dir.path().join("run"), 2).arg("--data").arg(input.dir.path());
    line.run().assert_refused(2, &[input.dir.path().to_str().unwrap(), ".jsonl"]);
}

#[test]
fn an_empty_file_is_named() {
    Input::new("empty.txt", "").assert_refused(&["empty"]);
}

#[test]
fn a_binary_file_is_not_taken_for_text() {
    // An ELF program's first bytes, and a page of zeros.
    let content = [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 4096]].concat();
    Input::new("program.txt", content).assert_refused(&["not a text file"]);
}

#[test]
fn a_file_of_unknown_format_is_named_with_the_known_ones() {
    Input::new("text.xyz", verse()).assert_refused(&["unknown format", ".txt", ".parquet"]);
}

#[test]
fn invalid_utf8_is_named_with_its_offset_and_can_be_read_lossily() {
    let mut content = verse().into_bytes();
    content[1000] = 0xff;
    let input = Input::new("latin.txt", content);
    input.assert_refused(&["byte 1000", "--lossy"]);
    input.train().arg("--lossy").succeed();
}

#[test]
fn a_damaged_archive_is_named() {
    // The beginning of what gzip makes, and no more of it.
    let header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 0x4c];
    Input::new("text.txt.gz", header).assert_refused(&[]);
    Input::new("text.txt.gz", verse()).assert_refused(&[]);
}

#[test]
fn a_bad_record_is_named_with_its_line() {
    let content = "{\"text\": \"one\"}\n{\"text\": \"two\"}\n{\"text\": \n";
    Input::new("records.jsonl", content).assert_refused(&["3"]);
    Input::new("records.jsonl", "{\"body\": \"one\"}\n").assert_refused(&["\"text\"", "\"body\""]);
}

#[test]
fn a_corpus_of_one_token_is_too_small() {
    let input = Input::new("short.txt", "a");
    let refuse = |finished: Finished| finished.assert_refused(2, &["split", "train"]);
    refuse(input.train().run());
    refuse(input.train().set("tokenizer.kind=char").run());
    // Two characters: one to train on, which predicts nothing.
    let input = Input::new("short.txt", "ab");
    let halves = "data.split={kind='position',validation_fraction=0.5}";
    let line = input.train().set("tokenizer.kind=char").set(halves);
    line.run().assert_refused(2, &["token", "at least 2"]);
}

#[test]
fn a_context_longer_than_the_corpus_is_refused_with_both_lengths() {
    let input = Input::new("short.txt", "All of fifty characters, of which some validate: 5");
    let line = input.train().set("tokenizer.kind=char");
    line.run().assert_refused(2, &["context of 64", "45", "shorter context or more text"]);
}

#[test]
fn a_vocabulary_larger_than_the_corpus_supports_becomes_smaller() {
    let input = Input::new("text.txt", verse());
    let summary = input.train().set("tokenizer.vocab_size=50000").succeed().json();
    let vocab_size = summary["data"]["vocab_size"].as_u64().unwrap();
    assert!((257..2000).contains(&vocab_size), "{vocab_size} tokens of a few words");
    let config = fs::read(input.dir.path().join("run/model/config.json")).unwrap();
    let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
    assert_eq!(config["vocab_size"], vocab_size);
}
