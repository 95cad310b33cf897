//! Questions made of a few records.

use super::*;

/// A task over these records, which are both what is asked and what is learnt from.
fn prepare(
    task: &str,
    records: &str,
    options: PrepareOptions,
) -> Result<PreparedTask, HarnessError> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.jsonl"), records).unwrap();
    let head = "id = \"t\"\nversion = 1\ntitle = \"T\"\nlanguage = [\"en\"]\nabout = \"\"\n";
    let file: TaskFile = toml::from_str(&format!("{head}{task}")).unwrap();
    PreparedTask::new(&file, dir.path(), options)
}

const CHOICE: &str = r#"
metrics = ["acc"]
slice = "{{ s }}"
[data]
set = "x"
test = { file = "a.jsonl" }
train = { file = "a.jsonl" }
[few_shot]
description = "About {{ s }}.\n"
[request]
type = "choice"
prompt = "Q: {{ q }}\nA:"
choices = "c"
answer = "a"
"#;

const RECORDS: &str = r#"{"q": "one", "c": ["x", "y"], "a": 1, "s": "m"}
{"q": "two", "c": ["x", "y"], "a": "x", "s": "n"}
{"q": "three", "c": ["x", "y", "z"], "a": [0, 2], "s": "n"}
"#;

fn likelihoods(item: &Item) -> &[LoglikelihoodRequest] {
    match &item.request {
        Request::Choice { likelihoods, .. } => likelihoods,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_choice_is_a_likelihood_for_each_option_after_prompt_and_delimiter() {
    let task = prepare(CHOICE, RECORDS, PrepareOptions::default()).unwrap();
    let first = likelihoods(&task.items[0]);
    assert_eq!(first[1], LoglikelihoodRequest::new("About m.\nQ: one\nA:", " y"));
    let golds: Vec<&Gold> = task.items.iter().map(|item| &item.gold).collect();
    let right = |right: &[usize]| Gold::Options(right.to_vec());
    assert_eq!(golds, [&right(&[1]), &right(&[0]), &right(&[0, 2])]);
    assert_eq!(task.items[1].slice.as_deref(), Some("n"));
    // What floors learn from has neither description nor examples.
    assert_eq!(likelihoods(&task.train[0])[0].context, "Q: one\nA:");
}

#[test]
fn examples_are_those_of_the_slice_where_it_has_enough() {
    let options = PrepareOptions { few_shot: Some(1), ..Default::default() };
    let task = prepare(CHOICE, RECORDS, options).unwrap();
    let context = |item: usize| likelihoods(&task.items[item])[0].context.as_str();
    assert_eq!(context(0), "About m.\nQ: one\nA: y\n\nQ: one\nA:");
    assert_eq!(context(2), "About n.\nQ: two\nA: x\n\nQ: three\nA:");
    let options = PrepareOptions { few_shot: Some(2), ..Default::default() };
    let task = prepare(CHOICE, RECORDS, options).unwrap();
    let context = &likelihoods(&task.items[0])[0].context;
    assert_eq!(context, "About m.\nQ: one\nA: y\n\nQ: two\nA: x\n\nQ: one\nA:");
    let options = PrepareOptions { few_shot: Some(4), ..Default::default() };
    let error = prepare(CHOICE, RECORDS, options).unwrap_err().to_string();
    assert_eq!(error, "task t, few_shot.count: 4 examples of 3 training records");
}

#[test]
fn a_limit_draws_documents_by_the_seed_and_keeps_their_order() {
    let records: String = (0..50)
        .map(|i| format!("{{\"q\": \"{i}\", \"c\": [\"x\", \"y\"], \"a\": 0, \"s\": \"m\"}}\n"))
        .collect();
    let records_of = |seed| {
        let options = PrepareOptions { limit: Some(10), seed, ..Default::default() };
        let task = prepare(CHOICE, &records, options).unwrap();
        task.items.iter().map(|item| item.record).collect::<Vec<_>>()
    };
    let drawn = records_of(1);
    assert_eq!(drawn.len(), 10);
    assert!(drawn.is_sorted() && drawn == records_of(1) && drawn != records_of(2));
}

#[test]
fn records_that_do_not_fit_name_record_and_key() {
    let wrong = |records: &str| {
        prepare(CHOICE, records, PrepareOptions::default()).unwrap_err().to_string()
    };
    let error = wrong(r#"{"q": "one", "c": ["x", "y"], "a": 2, "s": "m"}"#);
    let expected = "expected a position below 2 or one of the options, found 2";
    assert_eq!(error, format!("task t, record 1, request.answer: {expected}"));
    let error = wrong(r#"{"q": "one", "c": "x", "a": 2, "s": "m"}"#);
    assert_eq!(error, "task t, record 1, request.choices: expected a list");
}

#[test]
fn labels_are_those_of_the_training_records() {
    let task = r#"
metrics = ["acc"]
[data]
set = "x"
test = { file = "a.jsonl" }
train = { file = "a.jsonl" }
test_only = "index == 0"
[request]
type = "classification"
text = "{{ t }}"
label = "l"
labels = "train"
prompt = "{{ t }} is"
"#;
    let records = "{\"t\": \"b\", \"l\": \"two\"}\n{\"t\": \"a\", \"l\": \"one\"}\n";
    let task = prepare(task, records, PrepareOptions::default()).unwrap();
    assert_eq!(
        (task.labels.join(" "), task.items.len(), task.train.len()),
        ("one two".to_owned(), 1, 2)
    );
    assert_eq!(task.items[0].gold, Gold::Options(vec![1]));
    assert_eq!(likelihoods(&task.items[0])[1], LoglikelihoodRequest::new("b is", " two"));
}

#[test]
fn words_are_counted_as_the_published_perplexities_count_them() {
    // As Python's re.split(r"\s+", text): space at the ends adds an empty word each.
    let cases = [("a b", 2), (" a b", 3), ("a b\n", 3), (" \n ", 2), ("", 1), ("a", 1)];
    for (text, words) in cases {
        assert_eq!(words_as_split(text), words, "{text:?}");
    }
}
