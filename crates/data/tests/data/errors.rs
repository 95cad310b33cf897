//! What a user reads when something is wrong: which file, where, what was expected.

use std::fs;

use wuji_data::{
    BatchLoader, ByteEncoder, Corpus, CorpusOptions, DataError, DocumentMode, FileFormat,
    LoaderOptions, MemorySource, SourceOptions, SplitOptions,
};

use crate::support::{directory, documents, gzip, options, prepare, write};

/// The message of an error, which must contain every one of `expected`.
fn check<T>(result: Result<T, DataError>, expected: &[&str]) {
    let message = match result {
        Ok(_) => panic!("expected an error with {expected:?}"),
        Err(error) => error.to_string(),
    };
    for part in expected {
        assert!(message.contains(part), "no {part:?} in {message:?}");
    }
    assert!(!message.contains('\n'), "{message:?} has several lines");
}

/// The message for a file of this name and content.
fn check_file(name: &str, content: impl AsRef<[u8]>, expected: &[&str]) {
    let directory = directory();
    let path = write(&directory, name, content);
    check(documents(&options(&path)), &[&[name], expected].concat());
}

#[test]
fn missing_files_directories_and_patterns() {
    let directory = directory();
    check(documents(&SourceOptions::new(["no/such.txt"])), &["no/such.txt", "no such file"]);
    let root = directory.path().display().to_string();
    check(documents(&SourceOptions::new([root.clone()])), &[&root, "no file found", ".jsonl"]);
    let pattern = format!("{root}/*.txt");
    check(documents(&SourceOptions::new([pattern.clone()])), &[&pattern, "no file found"]);
    check(documents(&SourceOptions::new(["a[.txt"])), &["a[.txt", "glob pattern"]);
    check(documents(&SourceOptions::new(Vec::<String>::new())), &["paths", "got none"]);
}

#[test]
fn empty_files_of_every_format() {
    for name in ["e.txt", "e.jsonl", "e.csv", "e.tsv", "e.parquet", "e.txt.gz"] {
        check_file(name, "", &["the file is empty"]);
    }
    let directory = directory();
    let path = directory.path().join("zero.txt.gz");
    fs::write(&path, "").expect("writes");
    check(documents(&options(&path)), &["zero.txt.gz", "the file is empty"]);
}

#[test]
fn files_that_are_no_text() {
    check_file("b.txt", b"abc\0def", &["not a text file", "zero byte at offset 3"]);
    check_file("b.jsonl", b"{}\0", &["not a text file", "offset 2"]);
    check_file("g.txt", gzip(b"text"), &["gzip", ".gz"]);
    check_file("p.csv", b"PAR1....", &["Parquet"]);
    check_file("u.txt", b"\xff\xfea\0b\0", &["UTF-16"]);
    check_file("x.parquet", "text", &["x.parquet"]);
}

#[test]
fn broken_compression() {
    let directory = directory();
    let path = directory.path().join("t.txt.gz");
    fs::write(&path, "not gzip at all").expect("writes");
    check(documents(&options(&path)), &["t.txt.gz", "not valid gzip data"]);
    let whole = gzip("many words ".repeat(100_000).as_bytes());
    fs::write(&path, &whole[..whole.len() / 2]).expect("writes");
    check(documents(&options(&path)), &["t.txt.gz", "gzip", "truncated"]);
    let mut flipped = whole.clone();
    let middle = flipped.len() - 6;
    flipped[middle] ^= 1;
    fs::write(&path, &flipped).expect("writes");
    check(documents(&options(&path)), &["t.txt.gz", "gzip"]);
}

#[test]
fn bytes_that_are_not_utf8() {
    check_file("t.txt", b"\xef\xbb\xbfabc\xff", &["invalid UTF-8 at byte 6", "--lossy"]);
    check_file("t.txt.gz", b"abc\xff", &["invalid UTF-8 at byte 3"]);
    check_file("t.jsonl", b"{\"text\":\"a\"}\n{\"text\":\"\xff\"}", &["invalid UTF-8 at byte 22"]);
    check_file("t.csv", b"text\nab\na\xff\n", &["invalid UTF-8 at byte 9"]);
}

#[test]
fn unknown_formats() {
    check_file("t.doc", "text", &["unknown format", ".parquet", "`format`"]);
    let directory = directory();
    let path = write(&directory, "t.doc", "text");
    let stated = SourceOptions { format: Some(FileFormat::Text), ..options(&path) };
    assert_eq!(documents(&stated).expect("reads"), ["text"]);
}

#[test]
fn records_without_the_text_field_list_what_is_there() {
    check_file(
        "t.jsonl",
        "{\"text\":\"a\"}\n{\"body\":\"a\",\"id\":1}",
        &["t.jsonl:2", "no field \"text\"", "\"body\", \"id\""],
    );
    check_file("t.csv", "title,body\na,b\n", &["no field \"text\"", "\"title\", \"body\""]);
}

#[test]
fn records_that_do_not_parse() {
    check_file("t.jsonl", "{\"text\":\"a\"}\n{\"text\":", &["t.jsonl:2", "JSON"]);
    check_file("t.jsonl", "[1]", &["t.jsonl:1", "JSON object"]);
    check_file("t.jsonl", "{\"text\":\"a\"} x", &["t.jsonl:1", "trailing"]);
    check_file("t.jsonl", "{\"text\":3}", &["t.jsonl:1", "\"text\"", "a number"]);
    check_file("t.csv", "text,n\na,1\nb\n", &["t.csv:3", "expected 2 columns", "got 1"]);
}

#[test]
fn options_that_cannot_work() {
    let directory = directory();
    let corpus = || Corpus::single(MemorySource::new("m", ["text"]));
    for validation_fraction in [0.0, 1.0, -1.0, f64::NAN] {
        for split in [
            SplitOptions::Position { validation_fraction },
            SplitOptions::ContentHash { validation_fraction, seed: 0 },
        ] {
            let result =
                wuji_data::prepare(&corpus(), &ByteEncoder::default(), &split, directory.path());
            check(result, &["validation_fraction", "between 0 and 1"]);
        }
    }
    let open = |text: &str| Corpus::open(&toml::from_str::<CorpusOptions>(text).expect("parses"));
    let a = write(&directory, "a.txt", "a").display().to_string();
    let b = write(&directory, "b.txt", "b").display().to_string();
    check(open(""), &["sources", "got none"]);
    check(
        open(&format!("[[sources]]\npaths=['{a}']\nweight=1.0\n[[sources]]\npaths=['{b}']")),
        &["b.txt", "weight", "missing"],
    );
    check(open(&format!("[[sources]]\npaths=['{a}']\nweight=-1.0")), &["weight", "got -1"]);
    check(
        open(&format!("[[sources]]\npaths=['{a}']\n[[sources]]\npaths=['{a}']")),
        &["two are named \"a.txt\""],
    );
    let unknown = toml::from_str::<CorpusOptions>("[[sources]]\npath = 'x'").expect_err("a typo");
    assert!(unknown.to_string().contains("unknown field `path`"), "{unknown}");
}

#[test]
fn corpora_without_enough_text() {
    let directory = directory();
    let prepare_with = |documents: &[&str], split: &SplitOptions| {
        let corpus = Corpus::single(MemorySource::new("tiny", documents.iter().copied()));
        wuji_data::prepare(&corpus, &ByteEncoder::default(), split, directory.path())
    };
    check(prepare_with(&[""], &SplitOptions::default()), &["no text", "tiny"]);
    check(prepare_with(&["a"], &SplitOptions::default()), &["the train split is empty", "short"]);
    let by_content = SplitOptions::ContentHash { validation_fraction: 0.1, seed: 0 };
    check(
        prepare_with(&["one document"], &by_content),
        &["split is empty", "all 1 document(s)", "split by position"],
    );

    let blank = write(&directory, "blank.txt", "\n \n");
    let blank = SourceOptions { documents: DocumentMode::Line, ..options(&blank) };
    let corpus = Corpus::open(&CorpusOptions { sources: vec![blank] }).expect("opens");
    let result = wuji_data::prepare(
        &corpus,
        &ByteEncoder::default(),
        &SplitOptions::default(),
        directory.path(),
    );
    check(result, &["no text", "blank.txt"]);
}

#[test]
fn contexts_that_are_longer_than_the_text() {
    let directory = directory();
    let prepared = prepare(&directory, &["0123456789"], false, &SplitOptions::default());
    let loader = |context| {
        BatchLoader::new(prepared.train.clone(), LoaderOptions { context, ..Default::default() })
    };
    assert!(loader(8).is_ok());
    check(loader(9), &["context of 9", "at least 10", "has 9", "memory"]);
    check(loader(0), &["context", "at least 1", "got 0"]);
    let one = BatchLoader::new(prepared.validation.clone(), LoaderOptions::default());
    check(one, &["has 1 token", "at least 2"]);
    let late = loader(4).expect("fits").batch(0, 1);
    check(late, &["micro-step 1", "there are 1"]);
}

#[test]
fn output_that_cannot_be_written() {
    let directory = directory();
    let file = write(&directory, "file", "not a directory");
    let corpus = Corpus::single(MemorySource::new("m", ["some text"]));
    let result = wuji_data::prepare(
        &corpus,
        &ByteEncoder::default(),
        &SplitOptions::default(),
        &file.join("out"),
    );
    check(result, &["cannot create", "file/out"]);
}
