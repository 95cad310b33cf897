//! What a model is: its shape, its parameters by part, and what it costs in memory and arithmetic.
//!
//! Everything is computed from the config, so that a model of any size can be described without
//! reading its weights.

use serde::Serialize;
use wuji_model::{
    Activation, DecoderArchitecture, MlpKind, ModelConfig, NormKind, Positions, RopeScaling,
};

use crate::WujiError;

/// A description of a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelInfo {
    /// Family, as `config.json` spells it.
    pub model_type: String,
    /// Number of token ids.
    pub vocab_size: usize,
    /// Longest sequence.
    pub context_length: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Number of blocks.
    pub num_hidden_layers: usize,
    /// Number of query heads.
    pub num_attention_heads: usize,
    /// Number of key/value heads.
    pub num_key_value_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Width inside the MLP.
    pub intermediate_size: usize,
    /// How positions enter.
    pub positions: String,
    /// The norm.
    pub norm: String,
    /// The MLP.
    pub mlp: String,
    /// Whether the head is the token embedding.
    pub tie_word_embeddings: bool,
    /// Parameters by part.
    pub parameters: ParameterCounts,
    /// Bytes.
    pub memory: Memory,
    /// Arithmetic.
    pub flops: Flops,
}

/// Numbers of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ParameterCounts {
    /// Token embedding.
    pub token_embedding: usize,
    /// Learned positions.
    pub position_embedding: usize,
    /// Attention of all blocks.
    pub attention: usize,
    /// MLPs of all blocks.
    pub mlp: usize,
    /// All norms.
    pub norms: usize,
    /// Head; none where it is the token embedding.
    pub head: usize,
    /// All of them.
    pub total: usize,
    /// Those that multiply an activation: not the tables in which a row is looked up.
    pub in_matrix_products: usize,
}

/// Bytes that a model needs, activations aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// Weights in f32.
    pub weights_f32: u64,
    /// Weights in bf16 (or f16).
    pub weights_bf16: u64,
    /// Weights in int8, scales aside.
    pub weights_int8: u64,
    /// Weights, gradients and both moments of AdamW in f32.
    pub training_adamw_f32: u64,
    /// Keys and values of one sequence of full length in f32.
    pub kv_cache_f32: u64,
}

/// Floating-point operations per token at full context, a multiply–add counted as two.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Flops {
    /// Forward pass.
    pub forward_per_token: f64,
    /// Forward and backward pass.
    pub training_per_token: f64,
}

impl ModelInfo {
    /// Describes the model of `config`.
    ///
    /// # Errors
    /// A config whose sizes do not fit each other.
    pub fn new(config: &ModelConfig) -> Result<Self, WujiError> {
        let a = config.architecture()?;
        let parameters = ParameterCounts::of(&a);
        let context = a.max_position_embeddings;
        let training = a.training_flops_per_token(parameters.in_matrix_products, context);
        Ok(Self {
            model_type: config.model_type().to_string(),
            vocab_size: a.vocab_size,
            context_length: context,
            hidden_size: a.hidden_size,
            num_hidden_layers: a.num_hidden_layers,
            num_attention_heads: a.num_attention_heads,
            num_key_value_heads: a.num_key_value_heads,
            head_dim: a.head_dim,
            intermediate_size: a.intermediate_size,
            positions: positions(&a.positions),
            norm: norm(a.norm),
            mlp: mlp(a.mlp, a.activation),
            tie_word_embeddings: a.tie_word_embeddings,
            parameters,
            memory: Memory::of(&a, parameters.total),
            // A backward pass is two forward passes: one product for the inputs, one for the weights.
            flops: Flops { forward_per_token: training / 3.0, training_per_token: training },
        })
    }
}

impl ParameterCounts {
    /// Counts the parameters of a decoder with its head.
    pub fn of(architecture: &DecoderArchitecture) -> Self {
        let a = architecture;
        let width = a.hidden_size;
        let linear = |input: usize, output: usize, bias: bool| {
            input * output + if bias { output } else { 0 }
        };
        let qkv: usize = a.qkv_sizes().iter().sum();
        let heads = a.num_attention_heads * a.head_dim;
        let attention =
            linear(width, qkv, a.qkv_bias) + linear(heads, width, a.attention_output_bias);
        let up = match a.mlp {
            MlpKind::Plain => a.intermediate_size,
            MlpKind::Gated => 2 * a.intermediate_size,
        };
        let mlp = linear(width, up, a.mlp_bias) + linear(a.intermediate_size, width, a.mlp_bias);
        let norm = match a.norm {
            NormKind::LayerNorm { bias: true } => 2 * width,
            NormKind::LayerNorm { bias: false } | NormKind::RmsNorm => width,
        };
        let head_norms = if a.qk_norm { 2 * a.head_dim } else { 0 };
        let layers = a.num_hidden_layers;
        let token_embedding = a.vocab_size * width;
        let position_embedding = match a.positions {
            Positions::Learned => a.max_position_embeddings * width,
            Positions::Rotary(_) => 0,
        };
        let norms = layers * (2 * norm + head_norms) + norm;
        let (attention, mlp) = (layers * attention, layers * mlp);
        let head = if a.tie_word_embeddings { 0 } else { token_embedding };
        let blocks = attention + mlp + norms;
        Self {
            token_embedding,
            position_embedding,
            attention,
            mlp,
            norms,
            head,
            total: token_embedding + position_embedding + blocks + head,
            // A tied embedding is multiplied with, as the head.
            in_matrix_products: blocks + token_embedding,
        }
    }
}

impl Memory {
    fn of(a: &DecoderArchitecture, parameters: usize) -> Self {
        let parameters = parameters as u64;
        let keys = a.num_hidden_layers * a.num_key_value_heads * a.head_dim;
        Self {
            weights_f32: 4 * parameters,
            weights_bf16: 2 * parameters,
            weights_int8: parameters,
            training_adamw_f32: 16 * parameters,
            kv_cache_f32: (4 * 2 * keys * a.max_position_embeddings) as u64,
        }
    }
}

fn positions(positions: &Positions) -> String {
    match positions {
        Positions::Learned => "learned".to_string(),
        Positions::Rotary(rope) => {
            let scaling = match &rope.scaling {
                RopeScaling::None => String::new(),
                RopeScaling::Linear { factor } => format!(", linear scaling ×{factor}"),
                RopeScaling::Llama3 { factor, .. } => format!(", Llama 3 scaling ×{factor}"),
                RopeScaling::Yarn { factor, .. } => format!(", YaRN ×{factor}"),
            };
            format!("rotary, θ = {}{scaling}", rope.rope_theta)
        }
    }
}

fn norm(norm: NormKind) -> String {
    match norm {
        NormKind::LayerNorm { bias: true } => "LayerNorm",
        NormKind::LayerNorm { bias: false } => "LayerNorm without bias",
        NormKind::RmsNorm => "RMSNorm",
    }
    .to_string()
}

fn mlp(kind: MlpKind, activation: Activation) -> String {
    let activation = match activation {
        Activation::Gelu => "GELU",
        Activation::GeluNew => "GELU (tanh)",
        Activation::Silu => "SiLU",
        Activation::Relu => "ReLU",
    };
    match kind {
        MlpKind::Plain => activation.to_string(),
        MlpKind::Gated => format!("gated, {activation}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::module::Module;
    use wuji_device::DeviceSpec;
    use wuji_model::CausalLm;

    const CONFIGS: [&str; 5] = [
        r#"{"model_type": "gpt2", "vocab_size": 31, "n_positions": 16, "n_embd": 8, "n_layer": 2, "n_head": 2}"#,
        r#"{"model_type": "gpt2", "vocab_size": 31, "n_positions": 16, "n_embd": 8, "n_layer": 3, "n_head": 2,
            "bias": false, "n_inner": 12, "tie_word_embeddings": false}"#,
        r#"{"model_type": "llama", "vocab_size": 31, "hidden_size": 16, "intermediate_size": 24,
            "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
            "max_position_embeddings": 32}"#,
        r#"{"model_type": "llama", "vocab_size": 31, "hidden_size": 16, "intermediate_size": 24, "head_dim": 6,
            "num_hidden_layers": 1, "num_attention_heads": 4, "attention_bias": true, "mlp_bias": true,
            "tie_word_embeddings": true, "max_position_embeddings": 32}"#,
        r#"{"model_type": "qwen3", "vocab_size": 31, "hidden_size": 16, "intermediate_size": 24, "head_dim": 8,
            "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 1,
            "max_position_embeddings": 32}"#,
    ];

    #[test]
    fn parameters_are_those_of_the_model_itself() {
        let device = DeviceSpec::default().open().unwrap();
        for text in CONFIGS {
            let config = ModelConfig::from_json(text).unwrap();
            let model = CausalLm::init(&config, 0, &device).unwrap();
            let counts = ModelInfo::new(&config).unwrap().parameters;
            assert_eq!(counts.total, model.num_params(), "{text}");
            assert_eq!(counts.in_matrix_products, model.matmul_parameters(), "{text}");
        }
    }

    #[test]
    fn gpt2_small_has_its_documented_size() {
        let config = ModelConfig::from_json(r#"{"model_type": "gpt2"}"#).unwrap();
        let info = ModelInfo::new(&config).unwrap();
        assert_eq!(info.parameters.total, 124_439_808);
        assert_eq!(info.memory.weights_bf16, 2 * 124_439_808);
        // 12 layers · 2 · 768 values · 1024 positions · 4 bytes
        assert_eq!(info.memory.kv_cache_f32, 75_497_472);
        assert_eq!(info.flops.training_per_token, 3.0 * info.flops.forward_per_token);
    }
}
