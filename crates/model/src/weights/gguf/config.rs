//! The metadata of a Llama-family GGUF file as the keys of a Hugging Face `config.json`, and the other way round.

use std::path::Path;

use serde_json::{Map, Value as Json, json};
use wuji_tokenizer::gguf::Value;

use super::metadata::GgufFile;
use super::read::{ROPE_FREQS, RowOrder};
use super::rope_factors::Llama3Scaling;
use crate::ModelError;

/// llama.cpp's base where a file names none.
const DEFAULT_ROPE_THETA: f64 = 10_000.0;

/// Reads the file at `path` as the keys of a `config.json`.
///
/// # Errors
/// A file that cannot be read, is malformed, or of an architecture or with parts that are not read.
pub(in crate::weights) fn read_config(path: &Path) -> Result<Map<String, Json>, ModelError> {
    let file = GgufFile::open(path)?;
    refuse_other_parts(&file)?;
    let heads = file.required_size("attention.head_count")?;
    let embedding = file
        .tensor("token_embd.weight")
        .ok_or_else(|| file.bad("token_embd.weight is missing".into()))?;
    let mut config = Map::new();
    let mut set = |key: &str, value: Json| config.insert(key.to_string(), value);
    set("model_type", file.architecture.as_str().into());
    set("vocab_size", file.shape(embedding)?.first().copied().unwrap_or(0).into());
    set("hidden_size", file.required_size("embedding_length")?.into());
    set("intermediate_size", file.required_size("feed_forward_length")?.into());
    set("num_hidden_layers", file.required_size("block_count")?.into());
    set("num_attention_heads", heads.into());
    set("num_key_value_heads", file.size("attention.head_count_kv")?.unwrap_or(heads).into());
    set("max_position_embeddings", file.required_size("context_length")?.into());
    let epsilon = file.number("attention.layer_norm_rms_epsilon")?;
    set("rms_norm_eps", epsilon.unwrap_or(1e-5).into());
    set("hidden_act", "silu".into());
    set("tie_word_embeddings", file.tensor("output.weight").is_none().into());
    if file.architecture != "qwen2" {
        set("head_dim", head_dim(&file)?.into());
        set("attention_bias", file.tensor("blk.0.attn_q.bias").is_some().into());
    }
    if file.architecture == "llama" {
        set("mlp_bias", file.tensor("blk.0.ffn_down.bias").is_some().into());
    }
    for (key, name) in [("bos_token_id", "bos"), ("eos_token_id", "eos")] {
        let id = file.metadata().integer(&format!("tokenizer.ggml.{name}_token_id"));
        if let Some(id) = id.and_then(|id| u32::try_from(id).ok()) {
            set(key, id.into());
        }
    }
    config.extend(rope(&file)?);
    config.insert("dtype".into(), dtype(&file).into());
    Ok(config)
}

/// Parts that would change the arithmetic without any tensor's name telling.
fn refuse_other_parts(file: &GgufFile) -> Result<(), ModelError> {
    for key in ["expert_count", "attention.sliding_window"] {
        if let Some(size) = file.size(key)?.filter(|size| *size > 0) {
            return Err(file.unsupported(format!("{} = {size}", file.key(key))));
        }
    }
    let head_dim = head_dim(file)?;
    let value_dim = file.size("attention.value_length")?.unwrap_or(head_dim);
    let rotated = file.size("rope.dimension_count")?.unwrap_or(head_dim);
    for (key, size) in [("attention.value_length", value_dim), ("rope.dimension_count", rotated)] {
        if size != head_dim {
            let reason = format!("{} = {size}, but a head has {head_dim}", file.key(key));
            return Err(file.unsupported(reason));
        }
    }
    Ok(())
}

fn head_dim(file: &GgufFile) -> Result<usize, ModelError> {
    if let Some(head_dim) = file.size("attention.key_length")? {
        return Ok(head_dim);
    }
    let heads = file.required_size("attention.head_count")?;
    let width = file.required_size("embedding_length")?;
    if heads == 0 || !width.is_multiple_of(heads) {
        let reason = format!("embedding_length {width} does not divide by head_count {heads}");
        return Err(file.bad(reason));
    }
    Ok(width / heads)
}

/// `rope_theta` and `rope_scaling`.
fn rope(file: &GgufFile) -> Result<Map<String, Json>, ModelError> {
    let theta = file.number("rope.freq_base")?.unwrap_or(DEFAULT_ROPE_THETA);
    let mut keys = Map::from_iter([("rope_theta".to_string(), json!(theta))]);
    let factor = file.number("rope.scaling.factor")?;
    let original = file.number("rope.scaling.original_context_length")?;
    let kind = file.metadata().string(&file.key("rope.scaling.type")).unwrap_or("none");
    let mut scaling = Map::new();
    if let Some(info) = file.tensor(ROPE_FREQS) {
        let divisors = file.blocks(info, RowOrder::Same)?.read(ROPE_FREQS)?;
        let Some(llama3) = Llama3Scaling::of_divisors(&divisors, theta, original) else {
            return Err(file.unsupported(format!("{ROPE_FREQS} is no scaling of Llama 3")));
        };
        if llama3.factor > 1.0 {
            keys.insert("rope_scaling".into(), llama3.to_json());
        }
        return Ok(keys);
    }
    match (kind, factor) {
        ("none", _) | (_, None | Some(1.0)) => return Ok(keys),
        ("linear" | "yarn", Some(factor)) => {
            scaling.insert("rope_type".into(), kind.into());
            scaling.insert("factor".into(), factor.into());
        }
        (other, _) => return Err(file.unsupported(format!("rope.scaling.type = {other:?}"))),
    }
    if kind == "yarn" {
        let key = "original_max_position_embeddings";
        if let Some(length) = original {
            scaling.insert(key.into(), json!(length as u64));
        }
        for (key, name) in [("beta_fast", "yarn_beta_fast"), ("beta_slow", "yarn_beta_slow")] {
            if let Some(value) = file.number(&format!("rope.scaling.{name}"))? {
                scaling.insert(key.into(), value.into());
            }
        }
    }
    keys.insert("rope_scaling".into(), scaling.into());
    Ok(keys)
}

/// The number format that holds all matrices as they are.
fn dtype(file: &GgufFile) -> &'static str {
    let matrices = file.header.tensors.iter().filter(|tensor| tensor.dimensions.len() > 1);
    let mut kinds: Vec<u32> = matrices.map(|tensor| tensor.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    match kinds.as_slice() {
        [1] => "float16",
        [30] => "bfloat16",
        _ => "float32",
    }
}

/// What a `config.json` says that a GGUF file must say too.
pub(super) struct Described {
    /// llama.cpp's name of the architecture.
    pub(super) architecture: &'static str,
    pub(super) heads: usize,
    pub(super) key_value_heads: usize,
    pub(super) metadata: Vec<(String, Value)>,
    /// Divisors of the rotary frequencies, if the scaling is Llama 3's.
    pub(super) rope_divisors: Option<Vec<f32>>,
}

/// Describes the config with the keys `config`, of `model_type`. The reason if it cannot be said in GGUF.
pub(super) fn describe(model_type: &str, config: &Json) -> Result<Described, String> {
    let sliding = |key: &str| config.get(key).is_some_and(|value| value.as_u64().is_some());
    let architecture = match model_type {
        "llama" => "llama",
        // llama.cpp has no windows in these, and calls Mistral a Llama.
        "mistral" if !sliding("sliding_window") => "llama",
        "qwen2" => "qwen2",
        "qwen3" => "qwen3",
        "mistral" => return Err("sliding_window is set".into()),
        other => return Err(format!("model_type is {other:?}; expected llama, qwen2 or qwen3")),
    };
    if config["use_sliding_window"] == true {
        return Err("use_sliding_window is true".into());
    }
    if config.get("hidden_act").is_some_and(|act| act != "silu") {
        return Err(format!("hidden_act is {}; expected silu", config["hidden_act"]));
    }
    let size = |key: &str| {
        let size = config[key].as_u64().and_then(|size| usize::try_from(size).ok());
        size.ok_or_else(|| format!("{key} is {}; expected a size", config[key]))
    };
    let heads = size("num_attention_heads")?;
    let key_value_heads = size("num_key_value_heads").unwrap_or(heads);
    let head_dim = match size("head_dim") {
        Ok(head_dim) => head_dim,
        Err(_) => size("hidden_size")? / heads.max(1),
    };
    let mut pairs = vec![("general.architecture".to_string(), Value::String(architecture.into()))];
    let mut set = |key: &str, value: Value| pairs.push((format!("{architecture}.{key}"), value));
    for (key, value) in [
        ("context_length", size("max_position_embeddings")?),
        ("embedding_length", size("hidden_size")?),
        ("block_count", size("num_hidden_layers")?),
        ("feed_forward_length", size("intermediate_size")?),
        ("vocab_size", size("vocab_size")?),
        ("attention.head_count", heads),
        ("attention.head_count_kv", key_value_heads),
        ("attention.key_length", head_dim),
        ("attention.value_length", head_dim),
        ("rope.dimension_count", head_dim),
    ] {
        set(key, Value::Integer(value as i64));
    }
    let epsilon = config["rms_norm_eps"].as_f64().ok_or("rms_norm_eps is missing")?;
    set("attention.layer_norm_rms_epsilon", Value::Float(epsilon));
    let rope = Rope::of(config, head_dim)?;
    rope.metadata.into_iter().for_each(|(key, value)| set(key, value));
    Ok(Described {
        architecture,
        heads,
        key_value_heads,
        metadata: pairs,
        rope_divisors: rope.divisors,
    })
}

struct Rope {
    metadata: Vec<(&'static str, Value)>,
    divisors: Option<Vec<f32>>,
}

impl Rope {
    fn of(config: &Json, head_dim: usize) -> Result<Self, String> {
        let object = |key: &str| config.get(key).filter(|value| value.is_object());
        let none = json!({});
        let scaling = object("rope_parameters").or(object("rope_scaling")).unwrap_or(&none);
        let theta = [&scaling["rope_theta"], &config["rope_theta"]];
        let theta = theta.iter().find_map(|value| value.as_f64()).unwrap_or(DEFAULT_ROPE_THETA);
        let mut rope =
            Self { metadata: vec![("rope.freq_base", Value::Float(theta))], divisors: None };
        let kind = scaling.get("rope_type").or(scaling.get("type")).and_then(Json::as_str);
        let number = |key: &str| {
            scaling[key].as_f64().ok_or_else(|| format!("{key} of the rotary scaling is missing"))
        };
        match kind.unwrap_or("default") {
            "default" => {}
            kind @ ("linear" | "yarn") => rope.set_scaling(kind, scaling, number("factor")?)?,
            "llama3" => {
                let original = number("original_max_position_embeddings")?;
                let llama3 = Llama3Scaling {
                    factor: number("factor")?,
                    low_freq_factor: number("low_freq_factor")?,
                    high_freq_factor: number("high_freq_factor")?,
                    original_max_position_embeddings: original,
                };
                // llama.cpp needs the divisors alone; the length helps whoever wants the four numbers.
                let length = Value::Integer(original as i64);
                rope.metadata.push(("rope.scaling.original_context_length", length));
                rope.divisors = Some(llama3.divisors(head_dim, theta));
            }
            other => return Err(format!("rope_type is {other:?}")),
        }
        Ok(rope)
    }

    fn set_scaling(&mut self, kind: &str, scaling: &Json, factor: f64) -> Result<(), String> {
        for key in ["attention_factor", "mscale", "mscale_all_dim"] {
            if scaling.get(key).is_some_and(|value| !value.is_null()) {
                return Err(format!("{key} is set in the rotary scaling"));
            }
        }
        if scaling["truncate"] == false {
            return Err("truncate is false in the rotary scaling".into());
        }
        self.metadata.push(("rope.scaling.type", Value::String(kind.into())));
        self.metadata.push(("rope.scaling.factor", Value::Float(factor)));
        if let Some(length) = scaling["original_max_position_embeddings"].as_u64() {
            let length = Value::Integer(length as i64);
            self.metadata.push(("rope.scaling.original_context_length", length));
        }
        for (key, name) in [
            ("beta_fast", "rope.scaling.yarn_beta_fast"),
            ("beta_slow", "rope.scaling.yarn_beta_slow"),
        ] {
            if let Some(value) = scaling[key].as_f64() {
                self.metadata.push((name, Value::Float(value)));
            }
        }
        Ok(())
    }
}
