//! ARPA files: written, read back, and refused.

use std::io::Write;
use std::path::Path;

use proptest::prelude::*;
use wuji_classical::{
    Boundaries, ClassicalError, KneserNey, KneserNeyConfig, NgramModel, Smoothing, Vocabulary,
};

use super::texts::{VOCAB, boundaries, config, contexts, documents};

/// A word for each id of the random texts and one for a `bos` behind them.
fn vocabulary(boundaries: Boundaries) -> Vocabulary {
    let words = if matches!(boundaries, Boundaries::Sentences { bos: VOCAB, .. }) {
        0..=VOCAB
    } else {
        0..=VOCAB - 1
    };
    Vocabulary::new(words.map(|id| format!("w{id}"))).unwrap()
}

fn assert_close(actual: &[f64], expected: &[f64], tolerance: f64, place: &[u32]) {
    for (actual, expected) in actual.iter().zip(expected) {
        let error = (actual - expected).abs();
        assert!(error <= tolerance * expected, "{actual} is not {expected} after {place:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_round_trip_keeps_every_probability(
        documents in documents(),
        boundaries in boundaries(),
        order in 1..=4_usize,
        smoothing in prop_oneof![Just(Smoothing::KneserNey), Just(Smoothing::KATZ)],
        gzip in any::<bool>(),
    ) {
        let config = config(order, boundaries);
        let texts = documents.iter().map(Vec::as_slice);
        let model = NgramModel::train(config, smoothing, texts).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(if gzip { "model.arpa.gz" } else { "model.arpa" });
        let vocabulary = vocabulary(boundaries);
        model.write_arpa(&path, &vocabulary).unwrap();
        prop_assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);

        let read = NgramModel::read_arpa(&path, &vocabulary, boundaries).unwrap();
        prop_assert_eq!(read.order(), order);
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for context in contexts(&config, &documents) {
            model.distribution(&context, &mut before);
            read.distribution(&context, &mut after);
            assert_close(&after, &before, 1e-12, &context);
        }
        for document in &documents {
            let (before, after) =
                (model.document_log_probs(document), read.document_log_probs(document));
            prop_assert_eq!(before.len(), after.len());
            for (before, after) in before.iter().zip(&after) {
                prop_assert!((before - after).abs() < 1e-12 || before == after);
            }
        }

        // What was read writes the same file: one `bos` stays one.
        let again = directory.path().join("again.arpa");
        read.write_arpa(&again, &vocabulary).unwrap();
        let third = NgramModel::read_arpa(&again, &vocabulary, boundaries).unwrap();
        prop_assert_eq!(third.ngram_counts(), read.ngram_counts());
    }
}

/// The bigram model of `small.rs`: p() = 3/8, 1/4, 1/4, 1/8; p(b | a) = 11/24, p(c | a) = 7/24,
/// p(a | b) = 11/16, and half of everything for the shorter context.
#[test]
fn a_file_by_hand() {
    let model = KneserNey::train(KneserNeyConfig::new(2, 4), [&[0, 1, 0, 1, 0, 2][..]]).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("hand.arpa");
    let vocabulary = Vocabulary::new(["a", "b", "c", "d"]).unwrap();
    model.write_arpa(&path, &vocabulary).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let shape: Vec<String> = text.lines().map(rounded).collect();
    let expected = [
        "\\data\\",
        "ngram 1=4",
        "ngram 2=3",
        "",
        "\\1-grams:",
        "-0.43 a -0.30",
        "-0.60 b -0.30",
        "-0.60 c",
        "-0.90 d",
        "",
        "\\2-grams:",
        "-0.34 a b",
        "-0.54 a c",
        "-0.16 b a",
        "",
        "\\end\\",
    ];
    assert_eq!(shape, expected);
    assert_eq!(Vocabulary::from_arpa(&path).unwrap(), vocabulary);
}

/// The line with numbers of two decimals and single spaces.
fn rounded(line: &str) -> String {
    let field = |field: &str| match field.parse::<f64>() {
        Ok(number) => format!("{number:.2}"),
        Err(_) => field.to_owned(),
    };
    line.split_ascii_whitespace().map(field).collect::<Vec<_>>().join(" ")
}

/// Written as the SRI toolkit writes: a comment in front, `<s>` with -99, seven digits, back-off
/// weights only where they are needed, words in any order.
const FILE: &str = "made by hand

\\data\\
ngram 1=4
ngram 2=3
ngram 3=1

\\1-grams:
-1.0\t</s>
-99\t<s>\t-0.25
-0.35 b -0.5
-0.39794\ta\t0

\\2-grams:
-0.1\ta b -0.2
-0.2 <s> a
-0.6\tb a

\\3-grams:
-0.05\t<s> a b

\\end\\
";

fn write(directory: &Path, text: &str) -> std::path::PathBuf {
    let path = directory.join("model.arpa");
    std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
    path
}

#[test]
fn a_foreign_file_scores_by_the_back_off_rule() {
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), FILE);
    let words = Vocabulary::from_arpa(&path).unwrap();
    let model = NgramModel::read_arpa(&path, &words, words.boundaries()).unwrap();
    let id = |word| words.id(word).unwrap();
    let (a, b, bos, eos) = (id("a"), id("b"), id("<s>"), id("</s>"));
    assert_eq!(model.ngram_counts(), [3, 3, 1]);
    let check = |context: &[u32], token, log10: f64| {
        let expected = log10 * std::f64::consts::LN_10;
        let actual = model.log_prob(context, token);
        assert!((actual - expected).abs() < 1e-9, "{context:?} {token}: {actual}, not {expected}");
    };
    check(&[], a, -0.39794);
    check(&[bos], a, -0.2);
    check(&[bos], b, -0.35 - 0.25); // by the weight of <s>
    check(&[bos, a], b, -0.05);
    check(&[b, a], b, -0.1); // `b a` is no context
    check(&[a, b], a, -0.2 - 0.6); // by the weight of `a b`, then `b a`
    check(&[a, b], eos, -0.2 - 0.5 - 1.0);
    assert_eq!(model.log_prob(&[a], bos), f64::NEG_INFINITY);
    let whole: f64 = model.document_log_probs(&[a, b]).iter().sum();
    let expected = (-0.2 - 0.05 - 0.2 - 0.5 - 1.0) * std::f64::consts::LN_10;
    assert!((whole - expected).abs() < 1e-9);
}

#[test]
fn a_bad_file_is_an_error_with_its_line() {
    let check = |old: &str, new: &str, message: &str| {
        let directory = tempfile::tempdir().unwrap();
        assert!(FILE.contains(old));
        let path = write(directory.path(), &FILE.replacen(old, new, 1));
        let words = Vocabulary::new(["a", "b", "<s>", "</s>"]).unwrap();
        let error = NgramModel::read_arpa(&path, &words, words.boundaries()).unwrap_err();
        assert!(matches!(error, ClassicalError::Arpa { .. } | ClassicalError::Order { .. }));
        let error = error.to_string();
        assert!(error.ends_with(message), "{error}, expected {message}");
    };
    check("\\data\\", "data", "line 22: expected \\data\\, got the end of the file");
    check("ngram 2=3", "ngram 3=3", "line 5: expected ngram 2=COUNT, got \"ngram 3=3\"");
    check(
        "ngram 2=3",
        "ngram 2=4",
        "line 19: expected 4 2-grams, as \\data\\ says, got 3 of them before \\3-grams:",
    );
    check("\\1-grams:", "\\2-grams:", "line 8: expected \\1-grams:, got \"\\\\2-grams:\"");
    check("-0.39794\ta", "-0.39794\tc", "line 12: expected a word of the vocabulary, got c");
    check("-0.39794", "0.1", "line 12: expected log10 of a probability, got 0.1");
    check("-0.39794", "nan", "line 12: expected log10 of a probability, got nan");
    check("b -0.5", "b much", "line 11: expected log10 of a back-off weight, got much");
    check(
        "a b -0.2",
        "a b c -0.2",
        "line 15: expected log10 p, 2 words and perhaps a back-off weight, got \"-0.1\\ta b c -0.2\"",
    );
    check("b a\n", "a b\n", "line 17: expected every n-gram once, got one of line 15 again");
    check("<s> a b", "b b a", "line 20: expected a context that is among the 2-grams, got b b");
    check("\\end\\", "", "line 22: expected \\end\\, got the end of the file");
    check("ngram 1=4", "", "line 5: expected ngram 1=COUNT, got \"ngram 2=3\"");
}

#[test]
fn files_and_vocabularies_that_do_not_fit_are_named() {
    let model = KneserNey::train(KneserNeyConfig::new(2, 4), [&[0, 1][..]]).unwrap();
    let words = Vocabulary::new(["a", "b"]).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("none").join("model.arpa");
    let error = model.write_arpa(&path, &words).unwrap_err();
    assert_eq!(error, ClassicalError::Words { words: 2, expected: 4 });
    let words = Vocabulary::new(["a", "b", "c", "d"]).unwrap();
    let error = model.write_arpa(&path, &words).unwrap_err().to_string();
    assert!(error.starts_with("cannot write ") && error.contains("none"), "{error}");
    let error = NgramModel::read_arpa(&path, &words, Boundaries::Stream).unwrap_err().to_string();
    assert!(error.starts_with("cannot open "), "{error}");
    let path = directory.path().join("model.arpa.gz");
    std::fs::write(&path, "\\data\\\n").unwrap();
    let error = NgramModel::read_arpa(&path, &words, Boundaries::Stream).unwrap_err().to_string();
    assert!(error.starts_with("cannot read "), "{error}");
}
