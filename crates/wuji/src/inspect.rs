//! What a model is: its shape, its parameters by part, and what it costs in memory and arithmetic.
//!
//! Everything is computed from the config, so that a model of any size can be described without
//! reading its weights.

use serde::Serialize;
use wuji_model::{
    Activation, Architecture, EncoderHeads, Experts, MlpKind, ModelConfig, ModelKind, NormKind,
    NormPlacement, Positions, RopeScaling,
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
    /// What it computes.
    pub kind: ModelKind,
    /// Number of blocks; of an encoder–decoder, of the decoder.
    pub num_hidden_layers: usize,
    /// Number of blocks of the encoder of an encoder–decoder.
    pub num_encoder_layers: Option<usize>,
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
    /// Experts in place of the MLP.
    pub experts: Option<String>,
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
    /// Learned positions, kinds of token, and biases by distance.
    pub position_embedding: usize,
    /// Attention of all blocks.
    pub attention: usize,
    /// MLPs of all blocks, experts and their routers.
    pub mlp: usize,
    /// All norms of the blocks and around them.
    pub norms: usize,
    /// Heads; none where the token embedding is the only one.
    pub head: usize,
    /// All of them.
    pub total: usize,
    /// Those that multiply an activation of a token: not the tables in which a row is looked up,
    /// nor the experts that a token does not take.
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
        let encoder = config.encoder_architecture()?;
        let parameters = ParameterCounts::of(config)?;
        let context = a.max_position_embeddings;
        let training = a.training_flops_per_token(parameters.in_matrix_products, context);
        Ok(Self {
            model_type: config.model_type().to_string(),
            vocab_size: a.vocab_size,
            context_length: context,
            hidden_size: a.hidden_size,
            kind: config.kind(),
            num_hidden_layers: a.num_hidden_layers,
            num_encoder_layers: encoder.map(|encoder| encoder.num_hidden_layers),
            num_attention_heads: a.num_attention_heads,
            num_key_value_heads: a.num_key_value_heads,
            head_dim: a.head_dim,
            intermediate_size: a.intermediate_size,
            positions: positions(&a.positions),
            norm: norm(a.norm, a.norm_placement),
            mlp: mlp(a.mlp, a.activation),
            experts: a.experts.as_ref().map(experts),
            tie_word_embeddings: a.tie_word_embeddings,
            parameters,
            memory: Memory::of(&a, parameters.total),
            // A backward pass is two forward passes: one product for the inputs, one for the weights.
            flops: Flops { forward_per_token: training / 3.0, training_per_token: training },
        })
    }
}

impl ParameterCounts {
    /// Counts the parameters of a model with its heads.
    ///
    /// # Errors
    /// A config whose sizes do not fit each other.
    pub fn of(config: &ModelConfig) -> Result<Self, WujiError> {
        let a = config.architecture()?;
        let mut stacks = vec![Stack::of(&a)];
        stacks.extend(config.encoder_architecture()?.as_ref().map(Stack::of));
        let sum = |part: fn(&Stack) -> usize| stacks.iter().map(part).sum::<usize>();
        let token_embedding = a.vocab_size * a.hidden_size;
        let head = match config.kind() {
            ModelKind::Encoder => encoder_heads(&a, &config.family().encoder_heads()?),
            _ if a.tie_word_embeddings => 0,
            _ => token_embedding,
        };
        let bias = if config.family().has_logits_bias() { a.vocab_size } else { 0 };
        let blocks = sum(|s| s.attention) + sum(|s| s.mlp) + sum(|s| s.norms);
        let tables = sum(|s| s.tables);
        let is_predicting = config.kind() != ModelKind::Encoder && a.tie_word_embeddings;
        Ok(Self {
            token_embedding,
            position_embedding: tables,
            attention: sum(|s| s.attention),
            mlp: sum(|s| s.mlp),
            norms: sum(|s| s.norms),
            head: head + bias,
            total: token_embedding + tables + blocks + head + bias,
            // A tied embedding is multiplied with, as the head.
            in_matrix_products: blocks - sum(|s| s.idle)
                + head
                + if is_predicting { token_embedding } else { 0 },
        })
    }
}

/// The parameters of one stack of blocks, without its token embedding.
struct Stack {
    tables: usize,
    attention: usize,
    mlp: usize,
    norms: usize,
    /// Of the experts that a token does not take.
    idle: usize,
}

impl Stack {
    fn of(a: &Architecture) -> Self {
        let width = a.hidden_size;
        let norm = norm_size(a);
        let qkv: usize = a.qkv_sizes().iter().sum();
        let heads = a.num_attention_heads * a.head_dim;
        let attention =
            linear(width, qkv, a.qkv_bias) + linear(heads, width, a.attention_output_bias);
        let is_around = a.norm_placement == NormPlacement::Around;
        let halves = 2 + usize::from(a.cross_attention);
        let block_norms = norm * (halves + if is_around { 2 } else { 0 });
        let head_norms = if a.qk_norm { 2 * a.head_dim } else { 0 };
        let outer = usize::from(a.embedding_norm) + usize::from(a.has_final_norm());
        let layers = a.num_hidden_layers;
        let (mut mlp, mut idle) = (0, 0);
        for layer in 0..layers {
            let (all, unused) = feed_forward(a, a.experts_in(layer));
            mlp += all;
            idle += unused;
        }
        Self {
            tables: tables(a),
            attention: layers * (halves - 1) * attention,
            mlp,
            norms: layers * (block_norms + head_norms) + outer * norm,
            idle,
        }
    }
}

fn linear(input: usize, output: usize, bias: bool) -> usize {
    input * output + if bias { output } else { 0 }
}

fn norm_size(a: &Architecture) -> usize {
    match a.norm {
        NormKind::LayerNorm { bias: true } => 2 * a.hidden_size,
        NormKind::LayerNorm { bias: false } | NormKind::RmsNorm => a.hidden_size,
    }
}

/// Everything that is looked up by position or kind.
fn tables(a: &Architecture) -> usize {
    let positions = match a.positions {
        Positions::Learned | Positions::LearnedAfterPadding { .. } => {
            a.max_position_embeddings * a.hidden_size
        }
        Positions::LearnedTwice => 2 * a.max_position_embeddings * a.hidden_size,
        Positions::RelativeBias { buckets, .. } => buckets * a.num_attention_heads,
        Positions::None | Positions::Sinusoidal | Positions::Rotary(_) => 0,
    };
    positions + a.token_types * a.hidden_size
}

/// Parameters of the second half of a block, and how many of them a token leaves alone.
fn feed_forward(a: &Architecture, experts: Option<&Experts>) -> (usize, usize) {
    let width = a.hidden_size;
    let mlp = |inner: usize| {
        let up = match a.mlp {
            MlpKind::Plain => inner,
            MlpKind::Gated => 2 * inner,
        };
        linear(width, up, a.mlp_bias) + linear(inner, width, a.mlp_bias)
    };
    let Some(experts) = experts else { return (mlp(a.intermediate_size), 0) };
    let one = mlp(experts.intermediate_size);
    let shared = experts.shared_intermediate_size.map_or(0, |inner| mlp(inner) + width);
    let idle = one * (experts.count - experts.per_token);
    (width * experts.count + one * experts.count + shared, idle)
}

fn encoder_heads(a: &Architecture, heads: &EncoderHeads) -> usize {
    let width = a.hidden_size;
    let dense = linear(width, width, true);
    let mut sum = 0;
    if heads.pooler {
        sum += dense;
    }
    if heads.masked_lm {
        let projection = if a.tie_word_embeddings { 0 } else { a.vocab_size * width };
        sum += dense + norm_size(a) + projection + a.vocab_size;
    }
    if heads.next_sentence {
        sum += linear(width, 2, true);
    }
    if let Some(classifier) = heads.classifier {
        sum += if classifier.dense.is_some() { dense } else { 0 };
        sum += linear(width, classifier.labels, true);
    }
    sum
}

impl Memory {
    fn of(a: &Architecture, parameters: usize) -> Self {
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
        Positions::None => "none".to_string(),
        Positions::Learned => "learned".to_string(),
        Positions::LearnedAfterPadding { .. } => "learned, counted behind the padding".to_string(),
        Positions::LearnedTwice => "learned, in the text and in the blank".to_string(),
        Positions::Sinusoidal => "sinusoidal".to_string(),
        Positions::RelativeBias { buckets, max_distance } => {
            format!("bias by distance, {buckets} buckets up to {max_distance}")
        }
        Positions::Rotary(rope) => {
            let scaling = match &rope.scaling {
                RopeScaling::None => String::new(),
                RopeScaling::Linear { factor } => format!(", linear scaling ×{factor}"),
                RopeScaling::Llama3 { factor, .. } => format!(", Llama 3 scaling ×{factor}"),
                RopeScaling::Yarn { factor, .. } => format!(", YaRN ×{factor}"),
            };
            let part = match rope.partial_rotary_factor {
                1.0 => String::new(),
                part => format!(", {part} of a head"),
            };
            format!("rotary, θ = {}{part}{scaling}", rope.rope_theta)
        }
    }
}

fn norm(norm: NormKind, placement: NormPlacement) -> String {
    let norm = match norm {
        NormKind::LayerNorm { bias: true } => "LayerNorm",
        NormKind::LayerNorm { bias: false } => "LayerNorm without bias",
        NormKind::RmsNorm => "RMSNorm",
    };
    let placement = match placement {
        NormPlacement::Before => "",
        NormPlacement::BeforeInParallel => ", attention and MLP in parallel",
        NormPlacement::Around => ", before and after each half",
        NormPlacement::After => ", after each half",
    };
    format!("{norm}{placement}")
}

fn experts(experts: &Experts) -> String {
    let shared = match experts.shared_intermediate_size {
        Some(inner) => format!(", and one of {inner} for every token"),
        None => String::new(),
    };
    let Experts { count, per_token, intermediate_size, .. } = experts;
    format!("{per_token} of {count}, each {intermediate_size} wide{shared}")
}

fn mlp(kind: MlpKind, activation: Activation) -> String {
    let activation = match activation {
        Activation::Gelu => "GELU",
        Activation::GeluNew => "GELU (tanh)",
        Activation::Silu => "SiLU",
        Activation::Relu => "ReLU",
        Activation::Tanh => "tanh",
        Activation::Sigmoid => "sigmoid",
    };
    match kind {
        MlpKind::Plain => activation.to_string(),
        MlpKind::Gated => format!("gated, {activation}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wuji_device::DeviceSpec;
    use wuji_model::AnyModel;

    const CONFIGS: [&str; 13] = [
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
        r#"{"model_type": "gpt_neox", "vocab_size": 31, "hidden_size": 16, "intermediate_size": 24,
            "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 32}"#,
        r#"{"model_type": "glm4", "vocab_size": 31, "hidden_size": 16, "intermediate_size": 24, "head_dim": 8,
            "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 1, "attention_bias": true,
            "max_position_embeddings": 32}"#,
        r#"{"model_type": "qwen2_moe", "vocab_size": 31, "hidden_size": 16, "intermediate_size": 24,
            "num_hidden_layers": 3, "num_attention_heads": 4, "num_experts": 3, "num_experts_per_tok": 2,
            "moe_intermediate_size": 10, "shared_expert_intermediate_size": 12, "mlp_only_layers": [1],
            "max_position_embeddings": 32}"#,
        r#"{"model_type": "glm_original", "vocab_size": 31, "hidden_size": 16, "num_layers": 2,
            "num_attention_heads": 4, "max_sequence_length": 32}"#,
        r#"{"model_type": "bert", "vocab_size": 31, "hidden_size": 16, "intermediate_size": 24,
            "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 32,
            "architectures": ["BertForPreTraining"]}"#,
        r#"{"model_type": "distilbert", "vocab_size": 31, "dim": 16, "hidden_dim": 24, "n_layers": 2,
            "n_heads": 4, "max_position_embeddings": 32, "num_labels": 3,
            "architectures": ["DistilBertForSequenceClassification"]}"#,
        r#"{"model_type": "t5", "vocab_size": 31, "d_model": 16, "d_kv": 6, "d_ff": 24, "num_layers": 2,
            "num_decoder_layers": 1, "num_heads": 4, "feed_forward_proj": "gated-gelu",
            "tie_word_embeddings": false}"#,
        r#"{"model_type": "marian", "vocab_size": 31, "d_model": 16, "encoder_layers": 2, "decoder_layers": 1,
            "encoder_attention_heads": 4, "decoder_attention_heads": 4, "encoder_ffn_dim": 24,
            "decoder_ffn_dim": 20, "max_position_embeddings": 32}"#,
    ];

    #[test]
    fn parameters_are_those_of_the_model_itself() {
        let device = DeviceSpec::default().open().unwrap();
        for text in CONFIGS {
            let config = ModelConfig::from_json(text).unwrap();
            let model = AnyModel::init(&config, 0, &device).unwrap();
            let counts = ModelInfo::new(&config).unwrap().parameters;
            assert_eq!(counts.total, model.num_params(), "{text}");
            if let AnyModel::CausalLm(model) = model {
                assert_eq!(counts.in_matrix_products, model.matmul_parameters(), "{text}");
            }
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
