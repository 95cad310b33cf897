//! Records of every format, and the messages about those that are none.

use super::*;

fn read(name: &str, text: &str, source: RecordSource) -> Result<Vec<Record>> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(name), text).unwrap();
    RecordSource { file: Some(name.into()), ..source }.read(dir.path())
}

fn nothing() -> RecordSource {
    RecordSource {
        file: None,
        files: Vec::new(),
        parallel: BTreeMap::new(),
        format: None,
        columns: Vec::new(),
        pointer: None,
    }
}

fn check(name: &str, text: &str, source: RecordSource, expected: &str) {
    let expected: Vec<Record> = serde_json::from_str(expected).unwrap();
    assert_eq!(read(name, text, source).unwrap(), expected);
}

fn fails(name: &str, text: &str, source: RecordSource, expected: &str) {
    let error = read(name, text, source).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn lines_of_json_and_of_python() {
    check("a.jsonl", "{\"a\": 1}\n\n{\"a\": [2]}\n", nothing(), r#"[{"a":1},{"a":[2]}]"#);
    check("a.jsonl", "{'a': \"it's\", 'b': 'x\\ny'}", nothing(), r#"[{"a":"it's","b":"x\ny"}]"#);
    fails("a.jsonl", "{\"a\": 1}\n[1]\n", nothing(), "a.jsonl:2: not a JSON object");
}

#[test]
fn documents_of_lists_and_of_objects() {
    let columns = ["text", "label"].map(str::to_owned).to_vec();
    let at = |pointer: &str| RecordSource {
        pointer: Some(pointer.to_owned()),
        columns: columns.clone(),
        ..nothing()
    };
    let text = r#"{"test": [["hi", "greet"]], "other": [["hi"]]}"#;
    check("a.json", text, at("/test"), r#"[{"label":"greet","text":"hi"}]"#);
    fails("a.json", text, at("/other"), "row 1: 1 fields; expected 2: text, label");
    fails("a.json", text, at("/none"), "nothing at \"/none\"");
    check("a.json", r#"{"x": {"a": 1}}"#, nothing(), r#"[{"a":1,"key":"x"}]"#);
}

#[test]
fn tables_with_and_without_a_header() {
    check("a.csv", "a,b\n\"x,\ny\",2\n", nothing(), r#"[{"a":"x,\ny","b":"2"}]"#);
    let columns = || RecordSource { columns: vec!["a".to_owned(), "b".to_owned()], ..nothing() };
    check("a.tsv", "say \"hi\t1\n", columns(), r#"[{"a":"say \"hi","b":"1"}]"#);
    fails("a.tsv", "x\t1\ny\n", columns(), "a.tsv:2: 1 fields; expected 2: a, b");
}

#[test]
fn sentences_with_tags() {
    let text = "Ann\tB-PER\n .\tO\n\t\n\nB\tx\tO\n";
    let expected = r#"[{"tags":["B-PER","O"],"tokens":["Ann","."]},{"tags":["O"],"tokens":["B"]}]"#;
    check("a.conll", text, nothing(), expected);
    fails("a.conll", "Ann\n", nothing(), "a.conll:1: expected a token and its tag");
}

#[test]
fn questions_have_their_paragraph_and_each_answer_once() {
    let text = r#"{"data": [{"title": "t", "paragraphs": [{"context": "c", "qas": [
        {"id": "1", "question": "q", "answers": [{"text": "c", "answer_start": 0}, {"text": "c"}]}]}]}]}"#;
    let squad = RecordSource { format: Some(RecordFormat::Squad), ..nothing() };
    let expected = r#"[{"answers":["c"],"context":"c","id":"1","question":"q","title":"t"}]"#;
    check("a.json", text, squad, expected);
}

#[test]
fn files_side_by_side_have_as_many_lines() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a"), "x\n\ny\n").unwrap();
    std::fs::write(dir.path().join("b"), "1\n2\n3\n").unwrap();
    std::fs::write(dir.path().join("c"), "1\n").unwrap();
    let beside = |other: &str| RecordSource {
        parallel: [("a", "a"), ("b", other)]
            .map(|(column, file)| (column.to_owned(), file.into()))
            .into(),
        ..nothing()
    };
    let records = beside("b").read(dir.path()).unwrap();
    assert_eq!((&records[1]["a"], &records[1]["b"]), (&Value::from(""), &Value::from("2")));
    let error = beside("c").read(dir.path()).unwrap_err().to_string();
    assert!(error.contains("3 in a, but 1 in c"), "{error}");
    assert!(nothing().read(dir.path()).unwrap_err().to_string().contains("one of `file`"));
}

#[test]
fn articles_begin_with_their_title() {
    let text = " \n = A = \n x \n = = B = = \n y \n = C = \n z \n";
    let wikitext = RecordSource { format: Some(RecordFormat::Wikitext), ..nothing() };
    let articles = read("a.txt", text, wikitext).unwrap();
    assert_eq!(articles.len(), 2);
    assert_eq!(articles[0]["text"], " = A = \n x \n = = B = = \n y \n");
}

#[test]
fn files_one_after_the_other() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.jsonl"), "{\"x\": 1}").unwrap();
    std::fs::write(dir.path().join("b.jsonl"), "{\"x\": 2}").unwrap();
    let source = RecordSource { files: vec!["a.jsonl".into(), "b.jsonl".into()], ..nothing() };
    assert_eq!(source.read(dir.path()).unwrap().len(), 2);
    assert_eq!(source.paths().count(), 2);
}
