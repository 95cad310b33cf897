//! A model directory of every kind, from disk to an answer.

use std::path::Path;

use wuji_inference::{Engine, InferenceError, LoadedModel, PrefixLm};
use wuji_model::weights::StoredDtype;
use wuji_protocol::{GenerateOptions, GenerateRequest, TextModel};

use crate::support::flex;
use crate::tiny;

/// A directory that `save` has put a model into, with a tokenizer beside it.
fn directory(save: impl FnOnce(&Path)) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    save(dir.path());
    tiny::tokenizer().save(dir.path()).unwrap();
    dir
}

fn load(dir: &tempfile::TempDir) -> LoadedModel {
    LoadedModel::load(dir.path(), &flex()).unwrap()
}

fn greedy(prompt: &str) -> GenerateRequest {
    let options = GenerateOptions { max_new_tokens: 6, ..GenerateOptions::greedy() };
    GenerateRequest::new(prompt).with_options(options)
}

#[test]
fn language_models_of_every_kind_continue_a_text() {
    let dirs = [
        directory(|dir| tiny::decoder(&flex()).save(dir, StoredDtype::F32).unwrap()),
        directory(|dir| tiny::recurrent_lm(&flex()).save(dir, StoredDtype::F32).unwrap()),
        directory(|dir| tiny::feed_forward_lm(3, &flex()).save(dir, StoredDtype::F32).unwrap()),
    ];
    for dir in &dirs {
        let LoadedModel::Continues(model) = load(dir) else { panic!("not a language model") };
        let response = model.complete(&greedy("the cat")).unwrap();
        assert_eq!(response.usage.prompt_tokens, 7);
        let whole = model.loglikelihood_rolling(&["the cat sat"]).unwrap();
        assert!(whole[0].log_prob < 0.0 && whole[0].tokens > 0);
    }
}

/// What the model in `dir` writes after a prompt.
fn continued(dir: &tempfile::TempDir) -> String {
    let LoadedModel::Continues(model) = load(dir) else { panic!("not a language model") };
    model.complete(&greedy("the cat sat")).unwrap().text
}

#[test]
fn a_model_that_is_marked_reads_its_prompt_in_both_directions() {
    let decoder = tiny::decoder(&flex());
    let dir = directory(|dir| decoder.save(dir, StoredDtype::F32).unwrap());
    let causal = continued(&dir);
    let path = dir.path().join("config.json");
    let config = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, config.replacen('{', "{\"prefix_lm\": true,", 1)).unwrap();
    let both = Engine::new(PrefixLm(decoder), tiny::tokenizer());
    assert_eq!(continued(&dir), both.complete(&greedy("the cat sat")).unwrap().text);
    assert_ne!(continued(&dir), causal);
}

#[test]
fn encoder_decoders_of_every_kind_translate() {
    let mut dirs = Vec::new();
    for (_, model) in tiny::seq2seq_models(&flex()) {
        dirs.push(directory(|dir| model.save(dir, StoredDtype::F32).unwrap()));
    }
    for (_, model) in tiny::recurrent_seq2seq_models(&flex()) {
        let dir = directory(|dir| model.save(dir, StoredDtype::F32).unwrap());
        let path = dir.path().join("config.json");
        let config = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, config.replacen('{', "{\"bos_token_id\": 0,", 1)).unwrap();
        dirs.push(dir);
    }
    for dir in &dirs {
        let LoadedModel::Translates(model) = load(dir) else { panic!("not an encoder–decoder") };
        let response = model.complete(&greedy("the cat")).unwrap();
        assert_eq!(response.usage.prompt_tokens, 8, "the source and its end");
    }
}

#[test]
fn a_translator_without_a_start_token_says_where_it_looked() {
    let model = tiny::recurrent_seq2seq_models(&flex()).remove(0).1;
    let dir = directory(|dir| model.save(dir, StoredDtype::F32).unwrap());
    let error = LoadedModel::load(dir.path(), &flex()).unwrap_err().to_string();
    assert!(error.contains("bos_token_id"), "{error}");
}

#[test]
fn masks_and_blanks_of_a_text_are_filled() {
    let dir = directory(|dir| tiny::bert(&flex()).save(dir, StoredDtype::F32).unwrap());
    let LoadedModel::FillsMasks(filler) = load(&dir) else { panic!("not an encoder") };
    assert_eq!(filler.mask_token(), "[MASK]");
    let filled = filler.fill("the c[MASK]t s[MASK]t", 3).unwrap();
    assert_eq!(filled.masks.len(), 2);
    let best = |at: usize| filled.masks[at].candidates[0].token.clone();
    let special = ["[PAD]", "</s>", "[MASK]", "[gMASK]", "<|startofpiece|>", "<|endofpiece|>"];
    let shown =
        |token: String| if special.contains(&token.as_str()) { String::new() } else { token };
    assert_eq!(filled.text, format!("the c{}t s{}t", shown(best(0)), shown(best(1))));
    let error = filler.fill("the cat", 3).unwrap_err().to_string();
    assert!(error.contains("[MASK]"), "{error}");

    let dir = directory(|dir| tiny::glm(&flex()).save(dir, StoredDtype::F32).unwrap());
    let LoadedModel::FillsBlanks(filler) = load(&dir) else { panic!("not a GLM") };
    let options = GenerateOptions { max_new_tokens: 4, ..GenerateOptions::greedy() };
    let filled = filler.fill("the [MASK] sat.[gMASK]", &options).unwrap();
    assert_eq!(filled.blanks.len(), 2);
    assert_eq!(filled.text, format!("the {} sat.{}", filled.blanks[0], filled.blanks[1]));
    let error = filler.fill("the cat", &options).unwrap_err().to_string();
    assert!(error.contains("[MASK], [gMASK]"), "{error}");
}

#[test]
fn a_model_of_another_kind_is_refused_by_its_name() {
    let dirs = [
        ("glm_original", directory(|d| tiny::glm(&flex()).save(d, StoredDtype::F32).unwrap())),
        ("bert", directory(|d| tiny::bert(&flex()).save(d, StoredDtype::F32).unwrap())),
    ];
    for (name, dir) in &dirs {
        let error = Engine::load(dir.path(), &flex()).unwrap_err();
        assert!(matches!(error, InferenceError::WrongKind { .. }), "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
}
