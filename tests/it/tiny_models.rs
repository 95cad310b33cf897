//! One small model of each family of decoders: learned and rotary positions, grouped keys, normalised queries, windows,
//! experts, and norms in all places.

use burn::tensor::Device;
use serde_json::{Value, json};
use wuji::model::{CausalLm, ModelConfig};

/// Ids of every model here.
pub const VOCAB_SIZE: usize = 48;

/// Positions of every model here.
pub const POSITIONS: usize = 64;

/// `model_type` of every family.
pub const FAMILIES: [&str; 10] = [
    "gpt2",
    "gpt_neox",
    "llama",
    "mistral",
    "mixtral",
    "qwen2",
    "qwen2_moe",
    "qwen3",
    "glm",
    "glm4",
];

/// A small model's config without dropout, with `changes` made to its keys.
pub fn config(family: &str, changes: Value) -> ModelConfig {
    let mut keys = match family {
        "gpt2" => json!({
            "n_positions": POSITIONS, "n_embd": 32, "n_layer": 2, "n_head": 4,
            "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0,
        }),
        "gpt_neox" => merged(rotary(), json!({"hidden_act": "gelu"})),
        "llama" => rotary(),
        "mistral" => merged(rotary(), json!({"sliding_window": 24})),
        // Without the load-balancing loss, which is no sum over tokens: two halves of a batch do not have that of the whole.
        "mixtral" => merged(rotary(), json!({"num_local_experts": 3, "router_aux_loss_coef": 0.0})),
        "qwen2" => merged(rotary(), json!({"tie_word_embeddings": true})),
        "qwen2_moe" => merged(
            rotary(),
            json!({
                "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16,
                "shared_expert_intermediate_size": 24, "router_aux_loss_coef": 0.0,
            }),
        ),
        "glm" | "glm4" => merged(rotary(), json!({"attention_bias": true})),
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
