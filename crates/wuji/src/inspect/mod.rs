//! What a model is: its shape, its parameters by part, and what it costs in memory and arithmetic.
//!
//! Everything is computed from the config, so that a model of any size can be described without
//! reading its weights.

mod parameters;
mod recurrent;
mod words;

use serde::Serialize;
use wuji_model::{Architecture, ModelConfig, ModelKind};

use crate::WujiError;
pub use parameters::ParameterCounts;

/// A description of a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelInfo {
    /// Family, as `config.json` spells it.
    pub model_type: String,
    /// Number of token ids.
    pub vocab_size: usize,
    /// Longest sequence; absent where there is no limit.
    pub context_length: Option<usize>,
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
    /// Heads of an encoder.
    pub heads: Vec<String>,
    /// Whether the head is the token embedding.
    pub tie_word_embeddings: bool,
    /// Parameters by part.
    pub parameters: ParameterCounts,
    /// Bytes.
    pub memory: Memory,
    /// Arithmetic.
    pub flops: Flops,
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
    /// Keys and values of one sequence of full length in f32, and those of a source of full length
    /// in an encoder–decoder; an encoder keeps none.
    pub kv_cache_f32: Option<u64>,
}

/// Floating-point operations per token at full context, a multiply–add counted as two. Of an
/// encoder–decoder, per source token and target token together.
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
        config.validate()?;
        if let Some(info) = recurrent::describe(config) {
            return Ok(info);
        }
        let a = config.architecture()?;
        let encoder = config.encoder_architecture()?;
        let parameters = ParameterCounts::of(config)?;
        let context = a.max_position_embeddings;
        let attention: f64 =
            [Some(&a), encoder.as_ref()].into_iter().flatten().map(attention).sum();
        let training = 6.0 * parameters.in_matrix_products as f64 + attention;
        Ok(Self {
            model_type: config.model_type().to_string(),
            vocab_size: a.vocab_size,
            context_length: Some(context),
            hidden_size: a.hidden_size,
            kind: config.kind(),
            num_hidden_layers: a.num_hidden_layers,
            num_encoder_layers: encoder.as_ref().map(|encoder| encoder.num_hidden_layers),
            num_attention_heads: a.num_attention_heads,
            num_key_value_heads: a.num_key_value_heads,
            head_dim: a.head_dim,
            intermediate_size: a.intermediate_size,
            positions: words::positions(&a.positions),
            norm: words::norm(a.norm, a.norm_placement),
            mlp: words::mlp(a.mlp, a.activation),
            experts: a.experts.as_ref().map(words::experts),
            heads: words::heads(&config.family().encoder_heads()?),
            tie_word_embeddings: a.tie_word_embeddings,
            parameters,
            memory: Memory::of(&a, config.kind(), parameters.total),
            // A backward pass is two forward passes: one product for the inputs, one for the weights.
            flops: Flops { forward_per_token: training / 3.0, training_per_token: training },
        })
    }
}

impl Memory {
    fn of(a: &Architecture, kind: ModelKind, parameters: usize) -> Self {
        let sequences = attended_sequences(a);
        let keys = sequences * a.num_hidden_layers * a.num_key_value_heads * a.head_dim;
        Self {
            kv_cache_f32: (kind != ModelKind::Encoder)
                .then_some((4 * 2 * keys * a.max_position_embeddings) as u64),
            ..Self::of_parameters(parameters)
        }
    }

    /// Of a model that keeps no keys and values.
    fn of_parameters(parameters: usize) -> Self {
        let parameters = parameters as u64;
        Self {
            weights_f32: 4 * parameters,
            weights_bf16: 2 * parameters,
            weights_int8: parameters,
            training_adamw_f32: 16 * parameters,
            kv_cache_f32: None,
        }
    }
}

/// Floating-point operations of training per token that is read, of which each passes one of the two
/// stacks of an encoder–decoder, in texts of `context` tokens. A recurrent decoder's look at its
/// source is left out, since it depends on the source's length.
///
/// # Errors
/// A config whose sizes do not fit each other.
pub fn training_flops_per_token(config: &ModelConfig, context: usize) -> Result<f64, WujiError> {
    let stacks = if config.kind().has_source() { 2 } else { 1 };
    let parameters = ParameterCounts::of(config)?.in_matrix_products / stacks;
    if !config.kind().is_transformer() {
        return Ok(6.0 * parameters as f64);
    }
    Ok(config.architecture()?.training_flops_per_token(parameters, context))
}

/// Training FLOPs per token of a stack's attention scores and sums, apart from its parameters.
fn attention(a: &Architecture) -> f64 {
    attended_sequences(a) as f64 * a.training_flops_per_token(0, a.max_position_embeddings)
}

/// What a block attends to: its own sequence, and in a decoder with cross-attention the source.
fn attended_sequences(a: &Architecture) -> usize {
    1 + usize::from(a.cross_attention)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wuji_device::DeviceSpec;
    use wuji_model::AnyModel;

    const CONFIGS: [&str; 18] = [
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
        r#"{"model_type": "wuji_rnn", "vocab_size": 31, "embedding_size": 12, "hidden_size": 8, "num_layers": 2}"#,
        r#"{"model_type": "wuji_rnn", "vocab_size": 31, "cell": "elman", "tie_word_embeddings": false}"#,
        r#"{"model_type": "wuji_mlp", "vocab_size": 31, "context_size": 3, "embedding_size": 5, "hidden_size": 7,
            "num_layers": 2, "direct_connections": true}"#,
        r#"{"model_type": "wuji_rnn_seq2seq", "source_vocab_size": 31, "target_vocab_size": 29, "hidden_size": 8,
            "embedding_size": 6, "num_layers": 2}"#,
        r#"{"model_type": "wuji_rnn_seq2seq", "source_vocab_size": 31, "target_vocab_size": 29, "hidden_size": 8,
            "embedding_size": 6, "cell": "lstm", "attention": "general", "tie_word_embeddings": true}"#,
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
        assert_eq!(info.memory.kv_cache_f32, Some(75_497_472));
        assert_eq!(info.flops.training_per_token, 3.0 * info.flops.forward_per_token);
    }

    fn info(config: &str) -> ModelInfo {
        ModelInfo::new(&ModelConfig::from_json(config).unwrap()).unwrap()
    }

    #[test]
    fn an_encoder_has_heads_and_no_cache() {
        let bert = |class: &str| {
            info(&format!(
                r#"{{"model_type": "bert", "architectures": ["{class}"], "num_labels": 3}}"#
            ))
        };
        let bare = bert("BertModel");
        assert_eq!(bare.parameters.total, 109_482_240); // bert-base-uncased, as `transformers` counts it
        assert_eq!(bare.memory.kv_cache_f32, None);
        assert_eq!(bare.heads, ["pooler"]);
        // The pooler, and what stands on it, see one token of a text.
        let labelled = bert("BertForSequenceClassification");
        assert_eq!(labelled.heads, ["pooler", "3 labels of a text"]);
        assert_eq!(labelled.flops, bare.flops);
        // A masked token is compared with all 30522 there are.
        let masked = bert("BertForMaskedLM");
        assert_eq!(masked.heads, ["masked tokens"]);
        let more = masked.parameters.in_matrix_products - bare.parameters.in_matrix_products;
        assert_eq!(more, 768 * 30522 + 768 * 768 + 768 + 2 * 768 + 30522);
    }

    #[test]
    fn a_decoder_with_a_source_attends_to_both_and_caches_both() {
        let t5 = info(r#"{"model_type": "t5"}"#); // t5-small's sizes
        assert_eq!(t5.parameters.total, 60_506_624);
        // 6 layers · 2 · 512 values · 4 bytes, of 512 target and 512 source tokens.
        assert_eq!(t5.memory.kv_cache_f32, Some(6 * 2 * 512 * 4 * 1024));
        let products = 6.0 * t5.parameters.in_matrix_products as f64;
        // Three attentions of 6 layers · 512 values over 512 tokens.
        assert_eq!(t5.flops.training_per_token - products, 3.0 * 12.0 * (6 * 512 * 512) as f64);
    }

    #[test]
    fn a_token_pays_for_the_experts_that_it_takes() {
        let of = |taken: usize| {
            info(&format!(
                r#"{{"model_type": "mixtral", "vocab_size": 32000, "hidden_size": 4096,
                "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32,
                "num_key_value_heads": 8, "num_experts_per_tok": {taken}}}"#
            ))
        };
        let (two, all) = (of(2), of(8));
        assert_eq!(two.parameters.total, 46_702_792_704); // Mixtral 8x7B
        assert_eq!(two.memory, all.memory);
        // 6 experts less in each of 32 layers, of three matrices each.
        let idle = 6 * 32 * 3 * 4096 * 14336;
        assert_eq!(all.parameters.in_matrix_products - two.parameters.in_matrix_products, idle);
    }
}
