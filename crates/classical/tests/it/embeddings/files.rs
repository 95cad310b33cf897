//! word2vec's formats: what is written comes back, and what is wrong is named with its place.

use std::path::PathBuf;

use proptest::prelude::*;
use wuji_classical::{ClassicalError, VectorFilePlace, WordVectors};

fn some() -> WordVectors {
    let words = ["the", "naïve", "猫", "</s>"].map(str::to_owned).to_vec();
    let values = vec![
        0.1,
        -2.5e-12,
        1.0 / 3.0,
        f32::MAX,
        0.0,
        7.0,
        -0.1,
        1e20,
        f32::MIN_POSITIVE,
        1.0,
        2.0,
        3.0,
    ];
    WordVectors::new(words, 3, values).unwrap()
}

fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vectors");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

#[test]
fn what_is_written_comes_back_bit_for_bit() {
    let (folder, path) = file(b"what was there before");
    some().save_text(&path).unwrap();
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("4 3\nthe 0.1 "));
    assert_eq!(WordVectors::load_text(&path).unwrap(), some());
    some().save_binary(&path).unwrap();
    assert_eq!(WordVectors::load_binary(&path).unwrap(), some());
    // Nothing but the file is left behind.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn binary_files_may_do_without_line_feeds() {
    let mut bytes = b"2 1\na ".to_vec();
    bytes.extend(1.5f32.to_le_bytes());
    bytes.extend(b"b ");
    bytes.extend(2.5f32.to_le_bytes());
    let (_folder, path) = file(&bytes);
    let vectors = WordVectors::load_binary(&path).unwrap();
    assert_eq!(
        (vectors.words(), vectors.values()),
        (&["a".to_owned(), "b".to_owned()][..], &[1.5, 2.5][..])
    );
}

#[test]
fn text_files_may_end_lines_as_they_like() {
    let (_folder, path) = file(b"2 2\r\na  1 2 \r\nb 3\t4\r\n\r\n");
    assert_eq!(WordVectors::load_text(&path).unwrap().values(), [1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn wrong_text_is_named_with_its_line() {
    let cases: [(&[u8], usize, &str, &str); 10] = [
        (b"", 1, "the number of words", "\"\""),
        (b"two 2\n", 1, "the number of words", "\"two 2\""),
        (b"0 2\n", 1, "both above 0", "\"0 2\""),
        (b"2 2\na 1 2\nb 1\n", 3, "a word and 2 numbers", "\"b\" and 1 numbers"),
        (b"1 2\na 1 2 3\n", 2, "a word and 2 numbers", "\"a\" and 3 numbers"),
        (b"1 2\na 1 x\n", 2, "a finite number", "\"x\""),
        (b"1 2\na 1 inf\n", 2, "a finite number", "\"inf\""),
        (b"2 1\na 1\na 2\n", 3, "each word once", "which line 2 has"),
        (b"1 1\na 1\nb 1\n", 3, "no more than 1 words", "another"),
        (b"99999999999 1\na 1\n", 1, "99999999999 words", "1 in the file"),
    ];
    for (bytes, line, wanted, got) in cases {
        let (_folder, path) = file(bytes);
        match WordVectors::load_text(&path).unwrap_err() {
            ClassicalError::VectorFile { place, expected, found, .. } => {
                assert_eq!(place, VectorFilePlace::Line(line), "{expected}, {found}");
                assert!(expected.contains(wanted) && found.contains(got), "{expected}, {found}");
            }
            other => panic!("{other}"),
        }
    }
    let (_folder, path) = file(b"1 1\n\xff 1\n");
    let message = WordVectors::load_text(&path).unwrap_err().to_string();
    assert!(message.contains("line 2: expected UTF-8"), "{message}");
}

#[test]
fn wrong_bytes_are_named_with_their_offset() {
    let nan = f32::NAN.to_le_bytes();
    let cases: [(Vec<u8>, usize, &str); 6] = [
        (b"1\n".to_vec(), 0, "the number of words"),
        (b"1 1\na".to_vec(), 4, "a word with a space"),
        (b"1 1\n a".to_vec(), 4, "a word with a space"),
        (b"1 2\nab 1234567".to_vec(), 7, "2 numbers of 4 bytes"),
        ([b"1 1\na ", &nan[..]].concat(), 6, "a finite number"),
        (b"1 1\na 1234\nrest".to_vec(), 11, "the end after 1 words"),
    ];
    for (bytes, byte, wanted) in cases {
        let (_folder, path) = file(&bytes);
        match WordVectors::load_binary(&path).unwrap_err() {
            ClassicalError::VectorFile { place, expected, .. } => {
                assert_eq!(place, VectorFilePlace::Byte(byte), "{expected}");
                assert!(expected.contains(wanted), "{expected}");
            }
            other => panic!("{other}"),
        }
    }
    let (_folder, path) = file(b"2 1\na 1234\na 1234\n");
    assert!(WordVectors::load_binary(&path).unwrap_err().to_string().contains("which byte 4 has"));
}

#[test]
fn files_that_are_not_there_and_words_that_cannot_be_written() {
    let (folder, path) = file(b"");
    let missing = folder.path().join("missing");
    let kind = std::io::ErrorKind::NotFound;
    let expected = ClassicalError::ReadFile { path: missing.clone(), kind };
    assert_eq!(WordVectors::load_text(&missing).unwrap_err(), expected);
    let nowhere = missing.join("vectors");
    let expected = ClassicalError::WriteFile { path: nowhere.clone(), kind };
    assert_eq!(some().save_text(&nowhere).unwrap_err(), expected);
    let spaced = WordVectors::new(vec!["New York".to_owned()], 1, vec![1.0]).unwrap();
    let expected = ClassicalError::UnwritableWord { word: "New York".to_owned() };
    assert_eq!(spaced.save_binary(&path).unwrap_err(), expected);
    assert_eq!(std::fs::read(&path).unwrap(), b"");
}

proptest! {
    #[test]
    fn no_file_makes_a_reader_panic(
        header in prop::sample::select(vec!["", "1 1\n", "2 2\n", "3 1000000000000000000\n"]),
        bytes in prop::collection::vec(prop_oneof![Just(b' '), Just(b'\n'), Just(b'1'), any::<u8>()], 0..40),
    ) {
        let (_folder, path) = file(&[header.as_bytes(), &bytes].concat());
        for vectors in [WordVectors::load_text(&path), WordVectors::load_binary(&path)].into_iter().flatten() {
            prop_assert_eq!(vectors.values().len(), vectors.len() * vectors.dim());
        }
    }
}
