//! The same documents from every format, place and way of listing.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int64Array, LargeStringArray, RecordBatch};
use arrow::array::{StringArray, StringViewArray};
use arrow::datatypes::Int32Type;
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;
use wuji_data::source::{PART_BYTES, Place};
use wuji_data::{DocumentMode, InvalidUtf8, SourceOptions};

use crate::support::{directory, documents, gzip, options, parts, shared, write};

const TEXTS: [&str; 4] = ["plain", "two\nlines, \"quoted\"", "字 and 😀", "  spaces\tand tabs "];

/// One column of text beside one of numbers.
fn parquet(path: &Path, text: ArrayRef) {
    let numbers = Int64Array::from_iter_values(0..text.len() as i64);
    let columns: [(&str, ArrayRef); 2] = [("number", Arc::new(numbers)), ("text", text)];
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let file = File::create(path).expect("creates");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("writes");
    writer.close().expect("closes");
}

fn jsonl(texts: &[&str]) -> String {
    let line = |text: &&str| serde_json::json!({"id": 1, "text": text, "x": [1]}).to_string();
    texts.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn table(texts: &[&str], delimiter: char) -> String {
    let row = |text: &&str| format!("7{delimiter}\"{}\"\n", text.replace('"', "\"\""));
    format!("id{delimiter}text\n") + &texts.iter().map(row).collect::<String>()
}

#[test]
fn every_format_gives_the_same_documents_plain_and_compressed() {
    let directory = directory();
    let parquet_path = directory.path().join("t.parquet");
    parquet(&parquet_path, Arc::new(StringArray::from(TEXTS.to_vec())));
    let contents = [
        ("t.jsonl", jsonl(&TEXTS).into_bytes()),
        ("t.ndjson", jsonl(&TEXTS).into_bytes()),
        ("t.csv", table(&TEXTS, ',').into_bytes()),
        ("t.tsv", table(&TEXTS, '\t').into_bytes()),
        ("t.parquet", std::fs::read(parquet_path).expect("reads")),
    ];
    for (name, content) in contents {
        let plain = write(&directory, name, &content);
        assert_eq!(documents(&options(&plain)).expect(name), TEXTS, "{name}");
        let compressed = write(&directory, &format!("{name}.gz"), &content);
        assert_eq!(documents(&options(&compressed)).expect(name), TEXTS, "{name}.gz");
    }
    for text in TEXTS {
        let plain = write(&directory, "t.txt", text);
        assert_eq!(documents(&options(&plain)).expect("txt"), [text]);
        let compressed = write(&directory, "t.txt.gz", text);
        assert_eq!(documents(&options(&compressed)).expect("txt.gz"), [text]);
    }
}

#[test]
fn every_parquet_string_type_is_text_and_nulls_are_left_out() {
    let directory = directory();
    let path = directory.path().join("t.parquet");
    let texts = [Some("one"), None, Some(""), Some("two")];
    let dictionary: DictionaryArray<Int32Type> = texts.into_iter().collect();
    let columns: [ArrayRef; 4] = [
        Arc::new(StringArray::from(texts.to_vec())),
        Arc::new(LargeStringArray::from(texts.to_vec())),
        Arc::new(StringViewArray::from(texts.to_vec())),
        Arc::new(dictionary),
    ];
    for column in columns {
        let kind = column.data_type().to_string();
        parquet(&path, column);
        let parts = parts(&options(&path)).expect(&kind);
        let found: Vec<_> =
            parts.iter().map(|part| (part.text.as_str(), part.origin.place)).collect();
        assert_eq!(found, [("one", Place::Row(1)), ("two", Place::Row(4))], "{kind}");
    }
}

#[test]
fn many_parquet_rows_keep_their_order_and_number() {
    let directory = directory();
    let path = directory.path().join("t.parquet");
    let texts: Vec<String> = (1..=1000).map(|row| format!("row {row}")).collect();
    parquet(&path, Arc::new(StringArray::from_iter_values(&texts)));
    let parts = parts(&options(&path)).expect("reads");
    assert_eq!(parts.len(), 1000);
    for (row, part) in (1..).zip(&parts) {
        assert_eq!(part.text, format!("row {row}"));
        assert_eq!(part.origin.place, Place::Row(row));
    }
}

#[test]
fn jsonl_takes_lists_of_lines_and_leaves_out_null_and_blank() {
    let directory = directory();
    let lines =
        "{\"text\": [\"a\", \"b\"]}\n\n{\"text\": null}\r\n{\"text\": \"\"}\n{\"text\":\"c\"}";
    let path = write(&directory, "t.jsonl", lines);
    let parts = parts(&options(&path)).expect("reads");
    let found: Vec<_> = parts.iter().map(|part| (part.text.as_str(), part.origin.place)).collect();
    assert_eq!(found, [("a\nb", Place::Line(1)), ("c", Place::Line(5))]);
}

#[test]
fn another_field_can_hold_the_text() {
    let directory = directory();
    let csv = write(&directory, "t.csv", "label,sentence\ngood,hello\n");
    let named =
        |path: &Path, field: &str| SourceOptions { text_field: field.to_owned(), ..options(path) };
    assert_eq!(documents(&named(&csv, "sentence")).expect("reads"), ["hello"]);
    assert_eq!(documents(&named(&csv, "label")).expect("reads"), ["good"]);
}

#[test]
fn plain_text_is_cut_as_asked() {
    let directory = directory();
    let text = "\n  first line\r\nsecond line\n \t\n\n\nthird\n";
    let path = write(&directory, "t.txt", text);
    let check = |mode, expected: &[(&str, Place)]| {
        let parts = parts(&SourceOptions { documents: mode, ..options(&path) }).expect("reads");
        let found: Vec<_> =
            parts.iter().map(|part| (part.text.as_str(), part.origin.place)).collect();
        assert_eq!(found, expected);
    };
    check(DocumentMode::WholeFile, &[(text, Place::Whole)]);
    check(
        DocumentMode::BlankLine,
        &[("  first line\nsecond line", Place::Line(2)), ("third", Place::Line(7))],
    );
    check(
        DocumentMode::Line,
        &[
            ("  first line", Place::Line(2)),
            ("second line", Place::Line(3)),
            ("third", Place::Line(7)),
        ],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Against the plainest possible statement of the rule, with lines longer than a part and
    /// chunk borders in every kind of place.
    #[test]
    fn lines_and_paragraphs_follow_their_rule(
        lines in proptest::collection::vec(("[ab 字\r]{0,6}", 1_usize..40_000), 0..12),
        trailing_newline: bool,
    ) {
        let lines: Vec<String> =
            lines.iter().map(|(word, repeats)| word.repeat(*repeats).replace("\r", " \r ")).collect();
        let mut text = lines.join("\n");
        prop_assume!(!text.is_empty());
        if trailing_newline {
            text.push('\n');
        }
        let directory = directory();
        let path = write(&directory, "t.txt", &text);
        let read = |mode| documents(&SourceOptions { documents: mode, ..options(&path) }).expect("reads");

        prop_assert_eq!(read(DocumentMode::WholeFile), vec![text.clone()]);
        let visible = |line: &&str| !line.trim().is_empty();
        let expected: Vec<&str> = text.lines().filter(visible).collect();
        prop_assert_eq!(read(DocumentMode::Line), expected);
        let all: Vec<&str> = text.lines().collect();
        let expected: Vec<String> = all
            .split(|line| line.trim().is_empty())
            .filter(|paragraph| !paragraph.is_empty())
            .map(|paragraph| paragraph.join("\n"))
            .collect();
        prop_assert_eq!(read(DocumentMode::BlankLine), expected);
    }
}

#[test]
fn long_records_come_in_parts_of_one_document() {
    let directory = directory();
    let long = "some words in a line\n".repeat(PART_BYTES / 8);
    let path = write(&directory, "t.jsonl.gz", jsonl(&[&long, "short"]));
    let parts = parts(&options(&path)).expect("reads");
    assert!(parts.len() > 3 && parts.iter().all(|part| part.text.len() <= PART_BYTES));
    assert_eq!(documents(&options(&path)).expect("reads"), [long.as_str(), "short"]);
}

#[test]
fn files_are_read_in_the_order_of_their_paths_however_they_are_listed() {
    let directory = directory();
    for (name, text) in [
        ("b.txt", "2"),
        ("a.txt", "1"),
        ("sub/c.txt.gz", "3"),
        (".hidden.txt", "no"),
        ("x.bin", "no"),
    ] {
        write(&directory, name, text);
    }
    let root = directory.path().display().to_string();
    let read = |paths: &[String]| documents(&SourceOptions::new(paths.to_vec())).expect("reads");
    let file = |name: &str| format!("{root}/{name}");
    assert_eq!(read(std::slice::from_ref(&root)), ["1", "2", "3"]);
    assert_eq!(read(&[file("b.txt"), file("a.txt"), file("b.txt")]), ["1", "2"]);
    assert_eq!(read(&[file("a.txt"), file("sub/../a.txt")]), ["1"]);
    assert_eq!(read(&[file("*.txt")]), ["1", "2"]);
    assert_eq!(read(&[file("*")]), ["1", "2", "3"]);
    assert_eq!(read(&[file("sub"), file("[ab].txt")]), ["1", "2", "3"]);
}

#[cfg(unix)]
#[test]
fn linked_files_are_read_but_linked_directories_are_not_followed() {
    let directory = directory();
    let elsewhere = write(&directory, "elsewhere/blob", "text");
    write(&directory, "in/b.txt", "more");
    let inside = directory.path().join("in");
    std::os::unix::fs::symlink(elsewhere, inside.join("a.txt")).expect("links");
    std::os::unix::fs::symlink(&inside, inside.join("loop")).expect("links");
    assert_eq!(documents(&options(&inside)).expect("reads"), ["text", "more"]);
}

#[test]
fn a_file_whose_name_looks_like_a_pattern_is_a_file() {
    let directory = directory();
    let path = write(&directory, "what[1].txt", "yes");
    assert_eq!(documents(&options(&path)).expect("reads"), ["yes"]);
}

#[test]
fn a_byte_order_mark_is_not_text() {
    let directory = directory();
    let text = write(&directory, "t.txt", "\u{feff}text");
    assert_eq!(documents(&options(&text)).expect("reads"), ["text"]);
    let csv = write(&directory, "t.csv", "\u{feff}text\nhello\n");
    assert_eq!(documents(&options(&csv)).expect("reads"), ["hello"]);
    let jsonl = write(&directory, "t.jsonl", "\u{feff}{\"text\":\"hello\"}\n");
    assert_eq!(documents(&options(&jsonl)).expect("reads"), ["hello"]);
}

#[test]
fn lossy_reading_replaces_what_is_not_utf8() {
    let directory = directory();
    for (name, bytes) in [
        ("t.txt", b"a\xffb".as_slice()),
        ("t.csv", b"text\na\xffb\n"),
        ("t.jsonl", b"{\"text\": \"a\xffb\"}\n"),
    ] {
        let path = write(&directory, name, bytes);
        let lossy = SourceOptions { invalid_utf8: InvalidUtf8::Replace, ..options(&path) };
        assert_eq!(documents(&lossy).expect(name), ["a\u{fffd}b"], "{name}");
    }
}

#[test]
fn gzip_files_of_several_members_are_read_to_the_end() {
    let directory = directory();
    let path = directory.path().join("t.txt.gz");
    std::fs::write(&path, [gzip(b"one "), gzip(b"two")].concat()).expect("writes");
    assert_eq!(documents(&options(&path)).expect("reads"), ["one two"]);
}

#[test]
fn public_corpora_are_read_whole() {
    // Documents and characters as counted by `zcat FILE | wc -lm` and jq.
    let check = |file: &str, mode, expected: (usize, usize)| {
        let Some(path) = shared(file) else { return };
        let found = documents(&SourceOptions { documents: mode, ..options(&path) }).expect(file);
        let characters = found.iter().map(|text| text.chars().count()).sum();
        assert_eq!((found.len(), characters), expected, "{file}");
    };
    check("data/pretrain/tinyshakespeare/input.txt.gz", DocumentMode::WholeFile, (1, 1_115_394));
    check("data/pretrain/chinese-poetry/poems.jsonl.gz", DocumentMode::WholeFile, POEMS);
}

/// Poems, and characters in their `text`.
const POEMS: (usize, usize) = (27_188, 2_113_332);
