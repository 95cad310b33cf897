//! Every family is pre-trained with its own objective by its small preset: it learns, is reported, and is read back.

use wuji::config::PRESETS;
use wuji::model::AnyModel;

use crate::command::Wuji;
use crate::devices::flex;

/// What a preset's run says about itself.
struct Told {
    objective: String,
    loss: f64,
    floor: f64,
    parameters: u64,
}

fn train(preset: &str, dir: &std::path::Path) -> Told {
    let run = Wuji::new("train").args(&["--preset", preset, "--json", "--quiet"]).arg("--out");
    let run =
        run.arg(dir).set("data.stories.size={ documents = 100 }").set("training.max_steps=15");
    let run = run.set("data.pairs.dates={ train = 400, validation = 20 }");
    let summary = run.succeed().json();
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    Told {
        objective: summary["objective"].as_str().unwrap().to_string(),
        loss: number(&summary["validation_loss"]),
        floor: number(&summary["ngram"]["validation_loss"]),
        parameters: summary["parameters"].as_u64().unwrap(),
    }
}

#[test]
fn every_family_learns_with_its_own_objective() {
    for preset in PRESETS.iter().filter(|preset| preset.name.starts_with("tiny-")) {
        let dir = tempfile::tempdir().unwrap();
        let told = train(preset.name, dir.path());
        let vocabulary = AnyModel::from_dir(&dir.path().join("model"), &flex()).unwrap();
        let uniform = (vocabulary.config().vocab_size() as f64).ln();
        assert!(told.loss.is_finite() && told.loss < uniform, "{}: {}", preset.name, told.loss);
        assert_eq!(vocabulary.num_params() as u64, told.parameters, "{}", preset.name);
        assert!(told.floor < uniform, "{}: the baseline {}", preset.name, told.floor);
        let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
        let is_causal = told.objective == "causal-lm";
        let has_pairs = told.objective == "sequence-to-sequence";
        if has_pairs {
            let translations = read("translations/validation.txt");
            assert_eq!(translations.lines().count(), 20, "{}", preset.name);
        } else {
            let samples = read("samples.txt");
            assert_eq!(samples.starts_with("shown   "), !is_causal, "{}: {samples}", preset.name);
        }
        let report = read("report.html");
        let says_bits = report.contains("bits per byte</span>");
        assert_eq!(says_bits, is_causal || has_pairs, "{}", preset.name);
        assert_eq!(report.contains("<h2>Translations</h2>"), has_pairs, "{}", preset.name);
    }
}

#[test]
fn an_objective_that_the_model_has_no_outputs_for_is_refused() {
    for (preset, objective, expected) in [
        ("tiny-bert", "causal-lm", "expected masked-lm for model_type \"bert\""),
        ("tiny-llama", "masked-lm", "expected causal-lm"),
        ("tiny-t5", "prefix-lm", "expected sequence-to-sequence, span-corruption or"),
        ("tiny-rnn", "masked-lm", "expected causal-lm or fill-in-the-middle"),
        ("tiny-llama", "blank-infilling", "blank-infilling and glm_original go together"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let option = format!("objective={{ kind = \"{objective}\" }}");
        let run =
            Wuji::new("train").args(&["--preset", preset, "--out"]).arg(dir.path().join("run"));
        run.set(option).run().assert_refused(2, &["[objective]", expected]);
    }
}
