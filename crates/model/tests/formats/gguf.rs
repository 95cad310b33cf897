//! GGUF files made here, whole and damaged.

use std::fs;
use std::path::Path;

use wuji_model::weights::{FileTensor, GgufDtype, config_of, write_gguf};
use wuji_model::{CausalLm, ModelConfig};
use wuji_tokenizer::gguf::{Value, write_header};

use crate::support::{flex, logits, small, worst};

const LLAMA: &str = r#"{"model_type": "llama", "vocab_size": 40, "hidden_size": 32, "intermediate_size": 48,
    "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "max_position_embeddings": 16, "rms_norm_eps": 1e-5, "rope_theta": 500000.0, "eos_token_id": 3,
    "tie_word_embeddings": true, "attention_bias": true, "mlp_bias": true}"#;

fn write(path: &Path, model: &CausalLm, dtype: GgufDtype) {
    let eos = [("tokenizer.ggml.eos_token_id".to_string(), Value::Integer(3))];
    write_gguf(path, model.config(), &model.file_tensors(), dtype, &eos).unwrap();
}

#[test]
fn a_written_model_is_the_model_that_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.gguf");
    let model = small(LLAMA);
    write(&path, &model, GgufDtype::F32);
    let read = CausalLm::from_dir(&path, &flex()).unwrap();
    assert_eq!(logits(&read), logits(&model));
    assert_eq!(read.config().eos_token_ids(), [3]);
    assert_eq!(
        config_of(&path).unwrap().architecture().unwrap(),
        model.config().architecture().unwrap()
    );
}

#[test]
fn coarser_formats_are_smaller_and_further_off() {
    let dir = tempfile::tempdir().unwrap();
    let model = small(LLAMA);
    let mut last = (u64::MAX, 0.0);
    for dtype in [GgufDtype::F32, GgufDtype::F16, GgufDtype::Q8_0, GgufDtype::Q4_0] {
        let path = dir.path().join(format!("{dtype:?}.gguf"));
        write(&path, &model, dtype);
        let read = CausalLm::from_dir(&path, &flex()).unwrap();
        let now = (fs::metadata(&path).unwrap().len(), worst(&logits(&read), &logits(&model)));
        assert!(now.0 < last.0 && now.1 >= last.1, "{dtype:?}: {now:?} after {last:?}");
        last = now;
    }
    assert!(last.1 > 0.0);
}

#[test]
fn rows_that_are_no_whole_blocks_are_written_as_f16() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.gguf");
    let narrow = LLAMA.replace("\"intermediate_size\": 48", "\"intermediate_size\": 40");
    let model = small(&narrow);
    write(&path, &model, GgufDtype::Q8_0);
    let read = CausalLm::from_dir(&path, &flex()).unwrap();
    assert!(worst(&logits(&read), &logits(&model)) < 0.05);
}

#[test]
fn models_without_words_in_gguf_are_refused_with_the_reason() {
    let path = Path::new("m.gguf");
    let refused = |json: &str, tensors: &[FileTensor], mentions: &str| {
        let config = ModelConfig::from_json(json).unwrap();
        let error =
            write_gguf(path, &config, tensors, GgufDtype::F32, &[]).unwrap_err().to_string();
        assert!(error.contains("m.gguf") && error.contains(mentions), "{error}");
        assert!(!path.exists());
    };
    refused(r#"{"model_type": "gpt2"}"#, &[], "model_type is \"gpt2\"");
    refused(&LLAMA.replace("16, \"rms", "16, \"hidden_act\": \"relu\", \"rms"), &[], "hidden_act");
    let stranger = FileTensor { name: "a.b".into(), shape: vec![2], values: vec![0.0; 2] };
    refused(LLAMA, &[stranger], "a.b: unexpected, shape [2]");
}

/// A header of `architecture` with `more` keys and no tensors.
fn header(path: &Path, architecture: &str, more: &[(&str, Value)]) {
    let mut metadata =
        vec![("general.architecture".to_string(), Value::String(architecture.to_string()))];
    metadata.extend(more.iter().map(|(key, value)| ((*key).to_string(), value.clone())));
    let mut bytes = Vec::new();
    write_header(&mut bytes, &metadata, &[]).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn foreign_and_incomplete_files_say_what_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.gguf");
    let refused = |mentions: &[&str]| {
        let error = CausalLm::from_dir(&path, &flex()).unwrap_err().to_string();
        for mention in mentions.iter().chain(&["m.gguf"]) {
            assert!(error.contains(mention), "{mention} in {error}");
        }
    };
    header(&path, "mamba", &[]);
    refused(&["\"mamba\"", "llama, qwen2, qwen3"]);
    header(&path, "llama", &[("llama.expert_count", Value::Integer(8))]);
    refused(&["llama.expert_count = 8"]);
    header(&path, "llama", &[]);
    refused(&["llama.attention.head_count is missing"]);
    header(&path, "llama", &[("llama.attention.head_count", Value::String("four".into()))]);
    refused(&["head_count", "four", "expected a size"]);
    fs::write(&path, b"GGUF\x03\0\0\0").unwrap();
    refused(&["not a valid GGUF file: at byte 8"]);
}

#[test]
fn a_file_that_is_cut_anywhere_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.gguf");
    write(&path, &small(LLAMA), GgufDtype::Q4_0);
    let whole = fs::read(&path).unwrap();
    // The last tensor's bytes may be followed by padding.
    for length in (0..whole.len() - 32).step_by(whole.len() / 97) {
        fs::write(&path, &whole[..length]).unwrap();
        let error = CausalLm::from_dir(&path, &flex()).unwrap_err().to_string();
        assert!(error.contains("m.gguf"), "{length} bytes: {error}");
    }
}

#[test]
fn missing_and_unexpected_tensors_are_listed_with_their_shapes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.gguf");
    let model = small(LLAMA);
    let mut tensors = model.file_tensors();
    tensors.retain(|tensor| tensor.name != "model.norm.weight");
    let norm = tensors.iter_mut().find(|tensor| tensor.name.contains("0.input_layernorm")).unwrap();
    (norm.shape, norm.values) = (vec![16], vec![1.0; 16]);
    let more = FileTensor {
        name: "model.layers.7.mlp.up_proj.weight".into(),
        shape: vec![2, 3],
        values: vec![0.0; 6],
    };
    tensors.push(more);
    write_gguf(&path, model.config(), &tensors, GgufDtype::F32, &[]).unwrap();
    let error = CausalLm::from_dir(&path, &flex()).unwrap_err().to_string();
    for line in [
        "model.norm.weight: missing, expected shape [32]",
        "model.layers.0.input_layernorm.weight: expected shape [32], found [16]",
        "model.layers.7.mlp.up_proj.weight: unexpected, shape [2, 3]",
    ] {
        assert!(error.contains(line), "{line} in {error}");
    }
}
