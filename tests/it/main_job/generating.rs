//! `wuji generate` from what `wuji train` made.

use std::path::Path;

use super::small;
use crate::command::Wuji;

fn generate(model: &Path, temperature: &str) -> Wuji {
    Wuji::new("generate")
        .arg("--model")
        .arg(model)
        .args(&["--prompt", "Once upon a time", "--max-new-tokens", "30"])
        .args(&["--temperature", temperature])
}

#[test]
fn greedy_text_is_the_same_every_time_and_from_checkpoint_and_model() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path(), 20).succeed();
    let text = generate(&dir.path().join("model"), "0").succeed().stdout;
    assert!(text.starts_with("Once upon a time"), "{text}");
    assert!(text.trim_end().len() > "Once upon a time".len(), "{text}");
    for model in ["model", "checkpoints/step-20/model"] {
        assert_eq!(generate(&dir.path().join(model), "0").succeed().stdout, text, "{model}");
    }
}

#[test]
fn draws_follow_the_seed() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path(), 2).succeed();
    let model = dir.path().join("model");
    let draw = |seed| generate(&model, "1").args(&["--seed", seed]).succeed().stdout;
    assert_eq!(draw("1"), draw("1"));
    assert_ne!(draw("1"), draw("2"));
}

#[test]
fn json_holds_the_continuation_and_how_it_ended() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path(), 2).succeed();
    let model = dir.path().join("model");
    let printed = generate(&model, "0").succeed().stdout;
    let answer = generate(&model, "0").arg("--json").succeed().json();
    assert_eq!(answer["prompt"], "Once upon a time");
    let text = answer["text"].as_str().unwrap();
    assert_eq!(printed.trim_end(), format!("Once upon a time{text}").trim_end());
    assert_eq!(answer["finish_reason"], "length");
    assert_eq!(answer["usage"]["completion_tokens"], 30);
}
