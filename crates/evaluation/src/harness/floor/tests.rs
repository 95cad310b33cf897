//! What each floor says, on tasks of a few records.

use std::path::Path;

use wuji_protocol::GenerateRequest;

use super::*;
use crate::harness::{PrepareOptions, TaskFile};

fn prepare(task: &str, files: &[(&str, &str)]) -> PreparedTask {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let head = "id = \"t\"\nversion = 1\ntitle = \"T\"\nlanguage = [\"en\"]\nabout = \"\"\n";
    let file: TaskFile = toml::from_str(&format!("{head}{task}")).unwrap();
    PreparedTask::new(&file, Path::new(dir.path()), PrepareOptions::default()).unwrap()
}

fn answers(kind: FloorKind, task: &PreparedTask) -> Vec<Option<Answer>> {
    let requests: Vec<&Request> = task.items.iter().map(|item| &item.request).collect();
    kind.fit(task).unwrap().answer(&requests, &mut |_, _| {}).unwrap()
}

fn sentiment() -> PreparedTask {
    let task = r#"
metrics = ["acc"]
[data]
set = "x"
test = { file = "test.jsonl" }
train = { file = "train.jsonl" }
[request]
type = "classification"
text = "{{ t }}"
label = "l"
labels = ["bad", "good"]
prompt = "{{ t }}"
"#;
    let train: String = (0..30)
        .map(|i| match i % 3 {
            0 => "{\"t\": \"a dull film\", \"l\": 0}\n",
            1 => "{\"t\": \"a fine film\", \"l\": 1}\n",
            _ => "{\"t\": \"fine work\", \"l\": 1}\n",
        })
        .collect();
    let test = "{\"t\": \"dull work\", \"l\": 0}\n{\"t\": \"a fine day\", \"l\": 1}\n";
    prepare(task, &[("train.jsonl", &train), ("test.jsonl", test)])
}

fn probabilities(answer: &Option<Answer>) -> &[f64] {
    match answer {
        Some(Answer::Probabilities(probabilities)) => probabilities,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_majority_knows_how_often_each_label_is_right() {
    let found = answers(FloorKind::Majority, &sentiment());
    assert_eq!(probabilities(&found[0]), [11.0 / 32.0, 21.0 / 32.0]);
    assert_eq!(probabilities(&answers(FloorKind::Chance, &sentiment())[1]), [0.5, 0.5]);
}

#[test]
fn tf_idf_learns_words() {
    let found = answers(FloorKind::TfIdf, &sentiment());
    assert!(probabilities(&found[0])[0] > 0.5 && probabilities(&found[1])[1] > 0.5);
}

#[test]
fn the_ngram_prefers_what_it_has_read() {
    let task = r#"
metrics = ["bits_per_byte"]
[data]
set = "x"
test = { file = "a.txt", format = "lines" }
train = { file = "a.txt", format = "text" }
[request]
type = "rolling"
text = "{{ text }}"
"#;
    let text = "the cat sat on the mat\n".repeat(40) + "zqxj kvwp\n";
    let task = prepare(task, &[("a.txt", &text)]);
    let found = answers(FloorKind::Ngram, &task);
    let bits = |answer: &Option<Answer>| match answer {
        Some(Answer::Rolling(likelihood)) => likelihood.bits_per_byte().unwrap(),
        other => panic!("{other:?}"),
    };
    assert!(2.0 * bits(&found[0]) < bits(&found[40]));
}

#[test]
fn copies_are_sentences_of_the_source() {
    let source = "One is 1.5 here. Two? Three!\n四。Five.";
    let request = |prompt: &str| Request::Generation {
        request: GenerateRequest::new(prompt),
        source: source.to_owned(),
    };
    let text = |answer: Option<Answer>| match answer {
        Some(Answer::Text(text)) => text,
        other => panic!("{other:?}"),
    };
    assert_eq!(text(copy::lead_3(&request(""))), "One is 1.5 here. Two? Three!");
    assert_eq!(text(copy::copy(&request(""))), source);
    let asked = request("Context: x\n\nQuestion: Which five?\n\nAnswer:");
    assert_eq!(text(overlap::overlap(&asked)), "Five.");
    assert_eq!(copy::copy(&Request::Rolling { text: String::new() }), None);
}

#[test]
fn a_floor_without_what_it_learns_from_is_an_error() {
    let task = r#"
metrics = ["acc"]
[data]
set = "x"
test = { file = "a.jsonl" }
[request]
type = "choice"
choices = "['a', 'b']"
answer = "0"
"#;
    let task = prepare(task, &[("a.jsonl", "{}")]);
    let error = FloorKind::Majority.fit(&task).err().unwrap().to_string();
    assert_eq!(error, "task t, floor majority: no training records with options");
    assert!(FloorKind::TfIdf.fit(&task).is_err() && FloorKind::Ngram.fit(&task).is_err());
}
