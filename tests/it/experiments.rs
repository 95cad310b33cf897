//! `wuji experiment`: the whole of each comparison, in small, on generated text.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use wuji::data::generate::StoryWorld;

use crate::command::{Finished, Wuji};
use crate::files::contents;

/// Writes `text` as the file `name` of a data root, compressed as its name says.
fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = GzEncoder::new(fs::File::create(path).unwrap(), Compression::fast());
    file.write_all(text.as_bytes()).unwrap();
    file.finish().unwrap();
}

/// A data root with stories in place of the public sets, and stories and lists as classes of text.
fn data_root() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (seed, name) in
        ["wikitext2/valid", "plato-republic/republic_clean", "tinyshakespeare/input"]
            .iter()
            .enumerate()
    {
        let world = StoryWorld::new(seed as u64);
        let stories: Vec<String> = world.stories().take(60).collect();
        write(root.path(), &format!("pretrain/{name}.txt.gz"), &stories.join("\n\n"));
    }
    let sentence = |number: usize, class: usize| {
        let word = ["dull", "bright", "wide", "deep"][class];
        format!("story {number} is {word} to read")
    };
    let numbered = |count: usize, classes: usize| (0..count).map(move |at| (at, at % classes));
    let tsv: String =
        numbered(60, 2).map(|(at, class)| format!("{}\t{class}\n", sentence(at, class))).collect();
    write(root.path(), "nlu/sst2/train.tsv.gz", &format!("sentence\tlabel\n{tsv}"));
    let jsonl: String = numbered(20, 2)
        .map(|(at, class)| {
            format!("{}\n", json!({"sentence": sentence(at, class), "label": class}))
        })
        .collect();
    write(root.path(), "nlu/sst2/glue-validation.jsonl.gz", &jsonl);
    let names = ["World", "Sports", "Business", "Sci/Tech"];
    let tsv: String = numbered(60, 4)
        .map(|(at, class)| format!("{}\t{}\n", sentence(at, class), names[class]))
        .collect();
    write(root.path(), "nlu/ag-news/train-10k.tsv.gz", &tsv);
    let csv: String = numbered(20, 4)
        .map(|(at, class)| format!("\"{}\",\"title\",\"{}\"\n", class + 1, sentence(at, class)))
        .collect();
    write(root.path(), "nlu/ag-news/test.csv.gz", &csv);
    root
}

fn objectives(root: &Path, out: &Path) -> Wuji {
    objectives_at("0.01", root, out)
}

fn objectives_at(scale: &str, root: &Path, out: &Path) -> Wuji {
    Wuji::new("experiment")
        .args(&["objectives", "--json", "--quiet", "--seeds", "1", "--scale", scale, "--data-root"])
        .arg(root)
        .arg("--out")
        .arg(out)
}

fn rows(finished: &Finished) -> Vec<Value> {
    finished.json()["rows"].as_array().unwrap().clone()
}

#[test]
fn objectives_are_compared_row_by_row_and_resumed_without_doing_a_row_twice() {
    let (root, dir) = (data_root(), tempfile::tempdir().unwrap());
    let out = dir.path().join("objectives");
    let first = objectives(root.path(), &out).succeed();
    let rows_of_first = rows(&first);
    assert_eq!(rows_of_first.len(), 11, "{first}");
    for row in &rows_of_first {
        let trained = row["condition"]["pretraining"] != "none";
        assert_eq!(row["pretraining"].is_object(), trained, "{row}");
        assert_eq!(row["tasks"].as_array().unwrap().len(), 2, "{row}");
        assert_eq!(row["tasks"][0]["gain"].is_object(), trained, "{row}");
        if trained {
            let nats = row["pretraining"]["hidden_nats"]["seeds"]["mean"].as_f64().unwrap();
            let vocabulary = first.json()["vocab_size"].as_f64().unwrap();
            assert!(nats > 0.0 && nats < 1.2 * vocabulary.ln(), "{row}");
        }
    }

    // A row that is missing is made again, the others stay as they are.
    let lost = out.join("rows/blank-infilling-none-seed-0.json");
    let before = contents(&out);
    fs::remove_file(&lost).unwrap();
    objectives(root.path(), &out).run().assert_refused(2, &["--resume"]);
    let second = objectives(root.path(), &out).arg("--resume").succeed();
    assert_eq!(rows(&second), rows_of_first);
    let after = contents(&out);
    for (name, content) in &before {
        let is_kept = name.starts_with("rows") && !lost.ends_with(name);
        assert!(!is_kept || after[name] == *content, "{}", name.display());
    }
    assert!(lost.is_file());

    // Rows of other numbers do not belong into the same table.
    let other = objectives_at("0.5", root.path(), &out).arg("--resume").run();
    other.assert_refused(2, &["settings.json", "other numbers or texts"]);
}

#[test]
fn an_experiment_without_its_data_says_which_file_is_missing_and_what_gets_it() {
    let (root, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let refused = objectives(root.path(), &dir.path().join("out")).run();
    refused.assert_refused(2, &["valid.txt.gz", "wuji data fetch wikitext2", "--data-root"]);
    assert!(!dir.path().join("out").exists());
}
