//! Runs that learn from pairs of texts: files, resumption, and what is wrong with them.

use std::fs;
use std::ops::Range;
use std::path::Path;

use super::resume;
use crate::command::Wuji;
use crate::files::contents;

/// A run on the embedded dates, of a recurrent model with dropout.
fn run(dir: &Path) -> Wuji {
    let run = Wuji::new("train").args(&["--preset", "tiny-rnn-seq2seq", "--json", "--quiet"]);
    run.arg("--out")
        .arg(dir)
        .set("data.pairs.dates={ train = 300, validation = 20 }")
        .set("training.checkpoint_interval_steps=5")
        .set("model.dropout=0.1")
}

#[test]
fn a_resumed_run_continues_bit_by_bit_in_the_middle_of_a_pass() {
    let dir = tempfile::tempdir().unwrap();
    let (whole, parts) = (dir.path().join("whole"), dir.path().join("parts"));
    // A pass is 19 batches: 12 steps end inside the first, 31 inside the second.
    let steady = |dir: &Path| run(dir).set("training.schedule=constant");
    steady(&whole).set("training.max_steps=31").succeed();
    steady(&parts).set("training.max_steps=12").succeed();
    resume(&parts).set("training.max_steps=31").succeed();
    let model = |dir: &Path| fs::read(dir.join("model/model.safetensors")).unwrap();
    assert!(model(&whole) == model(&parts), "the weights differ");
    assert_eq!(contents(&whole.join("translations")), contents(&parts.join("translations")));
}

#[test]
fn dates_are_learnt_and_the_report_shows_where_the_model_looked() {
    let dir = tempfile::tempdir().unwrap();
    let summary = run(dir.path())
        .set("data.pairs.dates={ train = 4000, validation = 100 }")
        .set("training.max_steps=1000")
        .set("training.micro_batch_size=32")
        .set("model.hidden_size=96")
        .set("model.dropout=0.0")
        .succeed()
        .json();
    let scores = &summary["translations"][0];
    assert_eq!((&scores["name"], &scores["pairs"]), (&"validation".into(), &100.into()));
    let exact = scores["exact"].as_f64().unwrap();
    assert!(exact > 0.5, "{exact} of the dates are right");
    assert!(scores["bleu"]["value"].as_f64().unwrap() > scores["copy_bleu"].as_f64().unwrap());
    for example in scores["examples"].as_array().unwrap() {
        let map = &example["attention"];
        let count = |key: &str| map[key].as_array().unwrap().len();
        assert_eq!(count("weights"), count("target"));
        for row in map["weights"].as_array().unwrap() {
            let row = row.as_array().unwrap();
            assert_eq!(row.len(), count("source"));
            let sum: f64 = row.iter().map(|weight| weight.as_f64().unwrap()).sum();
            assert!((sum - 1.0).abs() < 1e-3, "{sum}");
        }
    }
    let report = fs::read_to_string(dir.path().join("report.html")).unwrap();
    let maps = report.split_once("<h2>Where the model looked</h2>").unwrap().1;
    assert_eq!(maps.matches("<svg ").count(), 6);
    let loss = summary["validation_loss"].as_f64().unwrap();
    assert!(loss < summary["ngram"]["validation_loss"].as_f64().unwrap(), "{loss}");
}

#[test]
fn aligned_files_are_read_and_every_test_is_scored() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, lines: &[String]| {
        let path = dir.path().join(name);
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        path
    };
    let both = |name: &str, numbers: Range<usize>| {
        let lines = |word: &str| -> Vec<String> {
            numbers.clone().map(|number| format!("{word} {number}")).collect()
        };
        [file(&format!("{name}.en"), &lines("number")), file(&format!("{name}.de"), &lines("Zahl"))]
    };
    let [en, de] = both("train", 0..200);
    let [validation, test] = [both("val", 200..220), both("t", 300..330)];
    let train = |out: &str| {
        let run = Wuji::new("train").args(&["--preset", "tiny-translation", "--json", "--quiet"]);
        run.arg("--out").arg(dir.path().join(out)).set("training.max_steps=5")
    };
    let run = train("run").arg("--pairs").arg(&en).arg(&de);
    let run = run.arg("--validation-pairs").arg(&validation[0]).arg(&validation[1]);
    let summary = run.arg("--test-pairs").arg(&test[0]).arg(&test[1]).succeed().json();
    assert_eq!(summary["data"]["train_documents"], 200);
    let sets = summary["translations"].as_array().unwrap();
    let sets: Vec<_> = sets.iter().map(|set| (set["name"].clone(), set["pairs"].clone())).collect();
    assert_eq!(sets, [("validation".into(), 20.into()), ("t.en".into(), 30.into())]);
    let translations = fs::read_to_string(dir.path().join("run/translations/t.en.txt")).unwrap();
    assert_eq!(translations.lines().count(), 30);

    let [_, short] = both("short", 0..199);
    let unaligned = train("a").arg("--pairs").arg(&en).arg(&short);
    let unaligned = unaligned.arg("--validation-pairs").arg(&validation[0]).arg(&validation[1]);
    unaligned.run().assert_refused(2, &["not aligned", "200 in ", "199 in "]);
    let alone = train("b").arg("--pairs").arg(&en).arg(&de).run();
    alone.assert_refused(2, &["[data.pairs]", "validation: expected some pairs"]);
    let other =
        Wuji::new("train").args(&["--preset", "tiny-t5", "--out"]).arg(dir.path().join("c"));
    let other = other.arg("--pairs").arg(&en).arg(&de).run();
    other.assert_refused(2, &["[data.pairs]", "expected \"sequence-to-sequence\""]);
}
