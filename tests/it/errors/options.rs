//! Options and configs that make no sense.

use std::fs;

use crate::command::Wuji;
use crate::main_job::{resume, small};

/// What a run with this option says, which must end it with exit code 2 before anything is written.
fn check(option: &str, mentions: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let run_dir = dir.path().join("run");
    small(&run_dir, 2).set(option).run().assert_refused(2, mentions);
    assert!(!run_dir.exists(), "{option}: a run directory was made");
}

#[test]
fn an_unknown_key_is_named_with_the_nearest_known_one() {
    check("training.lerning_rate=1e-3", &["lerning_rate", "did you mean `learning_rate`?"]);
    check("model.n_layr=2", &["n_layr", "did you mean `n_layer`?"]);
    check("data.contxt_length=2", &["contxt_length", "did you mean `context_length`?"]);
    check("trainning.seed=2", &["[trainning]", "did you mean [training]?"]);
    check("training.optimizer=adamv", &["adamv", "did you mean `adamw`?"]);
}

#[test]
fn a_value_that_cannot_work_is_named_with_what_would() {
    check("training.learning_rate=nan", &["training.learning_rate", "NaN", "positive"]);
    check("training.learning_rate=-1", &["training.learning_rate", "-1", "positive"]);
    check("training.learning_rate=fast", &["learning_rate", "fast"]);
    check("training.max_steps=0", &["training.max_steps", "at least 1"]);
    check("training.max_steps=-3", &["max_steps", "-3"]);
    check("training.micro_batch_size=0", &["training.micro_batch_size", "at least 1"]);
    check("model.n_head=5", &["n_head", "5", "divisor"]);
    check("model.resid_pdrop=1.5", &["dropout", "1.5"]);
    check("model.model_type=gtp2", &["gtp2", "gpt2"]);
    check("data.context_length=0", &["data.context_length", "0"]);
    check("data.context_length=65", &["data.context_length", "65", "64"]);
    check("evaluation.ngram_max_order=10", &["ngram_max_order", "10", "9"]);
}

#[test]
fn a_value_that_would_fail_after_training_is_refused_before() {
    check("evaluation.samples.temperature=-1", &["temperature", "-1"]);
    check("evaluation.samples.top_p=1.5", &["top_p", "1.5"]);
    check("evaluation.samples.max_new_tokens=0", &["max_new_tokens", "at least 1"]);
}

#[test]
fn an_option_that_is_none_is_refused() {
    check("max_steps=3", &["--set max_steps=3", "section.key=value"]);
    check("training.max_steps", &["--set training.max_steps", "="]);
}

#[test]
fn a_config_file_is_named_with_the_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("my.toml");
    let train = || {
        let line = small(&dir.path().join("run"), 2).arg("--config").arg(&file);
        line.run()
    };
    train().assert_refused(2, &["my.toml"]);
    fs::write(&file, "[training]\nmax_steps = \n").unwrap();
    train().assert_refused(2, &["my.toml", "line 2"]);
    fs::write(&file, "[training]\nmax_step = 3\n").unwrap();
    train().assert_refused(2, &["my.toml", "`max_step`", "did you mean `max_steps`?"]);
}

#[test]
fn an_unknown_preset_is_named_with_the_nearest() {
    let line = Wuji::new("train").args(&["--preset", "quickstrat"]);
    line.run().assert_refused(2, &["quickstrat", "did you mean quickstart?"]);
}

#[test]
fn an_unknown_flag_or_verb_is_wrong_usage() {
    Wuji::new("train").arg("--presett=tiny").run().assert_refused(2, &["--presett"]);
    Wuji::new("trian").run().assert_refused(2, &["trian"]);
    let dir = tempfile::tempdir().unwrap();
    resume(dir.path()).args(&["--preset", "tiny"]).run().assert_refused(2, &["--resume"]);
}

#[test]
fn a_device_that_is_not_there_is_named_with_the_feature_that_brings_it() {
    let on = |device| Wuji::new("train").args(&["--preset", "tiny", "--device", device]).run();
    on("tpu").assert_refused(2, &["tpu", "flex, ndarray, wgpu[:n] or cuda[:n]"]);
    let dir = tempfile::tempdir().unwrap();
    let line = small(&dir.path().join("run"), 2).args(&["--device", "cuda"]);
    line.run().assert_refused(2, &["cuda", "--features cuda"]);
}

#[test]
fn a_directory_without_a_run_cannot_be_resumed() {
    let dir = tempfile::tempdir().unwrap();
    resume(dir.path()).run().assert_refused(2, &["no run to resume", "config.toml"]);
    let absent = dir.path().join("absent");
    resume(&absent).run().assert_refused(2, &["no run to resume"]);
    assert!(!absent.exists());
}
