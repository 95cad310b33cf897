//! One small model of each family: learned positions, rotary ones with grouped keys, and normalised queries with heads
//! of their own width.

use burn::tensor::Device;
use serde_json::{Value, json};
use wuji::model::{CausalLm, ModelConfig};

/// Ids of every model here.
pub const VOCAB_SIZE: usize = 48;

/// Positions of every model here.
pub const POSITIONS: usize = 64;

/// `model_type` of every family.
pub const FAMILIES: [&str; 3] = ["gpt2", "llama", "qwen3"];

/// A small model's config without dropout, with `changes` made to its keys.
pub fn config(family: &str, changes: Value) -> ModelConfig {
    let mut keys = match family {
        "gpt2" => json!({
            "n_positions": POSITIONS, "n_embd": 32, "n_layer": 2, "n_head": 4,
            "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0,
        }),
        "llama" => rotary(),
        "qwen3" => merged(rotary(), json!({"head_dim": 16, "tie_word_embeddings": true})),
        other => panic!("no small model of family {other}"),
    };
    keys["model_type"] = family.into();
    keys["vocab_size"] = VOCAB_SIZE.into();
    ModelConfig::from_json(&merged(keys, changes).to_string()).unwrap()
}

fn rotary() -> Value {
    json!({
        "max_position_embeddings": POSITIONS, "hidden_size": 32, "intermediate_size": 64,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    })
}

fn merged(mut keys: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    keys.as_object_mut().unwrap().extend(changes);
    keys
}

/// A new model with weights of the usual size.
pub fn fresh(family: &str, seed: u64, device: &Device) -> CausalLm {
    CausalLm::init(&config(family, json!({})), seed, device).unwrap()
}

/// A model with weights so large that every token has a visible effect on what follows it.
pub fn lively(family: &str, device: &Device) -> CausalLm {
    CausalLm::init(&config(family, json!({"initializer_range": 0.2})), 7, device).unwrap()
}

/// Some ids; another `salt` gives others.
pub fn some_ids(length: usize, salt: u32) -> Vec<u32> {
    (0..length as u32).map(|at| (at * at * 7 + at * 3 + salt * 11) % VOCAB_SIZE as u32).collect()
}
