//! A stack of blocks described independently of any family's config keys.
//!
//! Families translate their `config.json` to this; layers are built from this alone.

use serde::{Deserialize, Serialize};

use crate::ModelError;

/// Everything that decides the shape and arithmetic of a stack of transformer blocks with its
/// embeddings: a decoder, an encoder, or either half of an encoder–decoder.
#[derive(Debug, Clone, PartialEq)]
pub struct Architecture {
    /// Number of token ids.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Number of blocks.
    pub num_hidden_layers: usize,
    /// Number of query heads.
    pub num_attention_heads: usize,
    /// Number of key/value heads; divides `num_attention_heads` (grouped-query attention).
    pub num_key_value_heads: usize,
    /// Width of one head; need not be `hidden_size / num_attention_heads`.
    pub head_dim: usize,
    /// Width inside the MLP.
    pub intermediate_size: usize,
    /// Longest sequence that the positions allow.
    pub max_position_embeddings: usize,
    /// Whether a token sees only itself and what comes before it.
    pub causal: bool,
    /// Blocks whose tokens see only the nearest ones.
    pub sliding_window: Option<SlidingWindow>,
    /// Whether each block also attends to another stack's hidden states.
    pub cross_attention: bool,
    /// How positions enter.
    pub positions: Positions,
    /// Number of kinds of token (BERT's segments); none where it is 0.
    pub token_types: usize,
    /// Factor on the sum of the embeddings (`sqrt(hidden_size)` in the original Transformer).
    pub embedding_scale: f64,
    /// Whether the sum of the embeddings is normalised.
    pub embedding_norm: bool,
    /// Where in a block the norms stand.
    pub norm_placement: NormPlacement,
    /// Which normalisation.
    pub norm: NormKind,
    /// Epsilon of every norm.
    pub norm_epsilon: f64,
    /// Plain or gated MLP.
    pub mlp: MlpKind,
    /// Non-linearity of the MLP.
    pub activation: Activation,
    /// Several MLPs of which each token takes a few, in place of one.
    pub experts: Option<Experts>,
    /// Whether the query/key/value projection has a bias.
    pub qkv_bias: bool,
    /// Whether the attention output projection has a bias.
    pub attention_output_bias: bool,
    /// Whether the MLP projections have biases.
    pub mlp_bias: bool,
    /// Whether queries and keys are RMS-normalised per head before rotation (Qwen3; Henry et al.
    /// 2020).
    pub qk_norm: bool,
    /// What the attention scores are divided by.
    pub attention_scale: AttentionScale,
    /// Whether the head is the token embedding's transpose.
    pub tie_word_embeddings: bool,
    /// Factor on the hidden states before the head (T5 with a tied head: `1 / sqrt(hidden_size)`).
    pub head_scale: f64,
    /// Dropout rates; they act only while training.
    pub dropout: DropoutRates,
    /// Standard deviation of the normal initialisation.
    pub initializer_range: f64,
    /// Whether the projections that write to the residual stream start at
    /// `initializer_range / sqrt(2 · num_hidden_layers)` (GPT-2).
    pub scale_residual_init: bool,
}

impl Default for Architecture {
    /// The choices that most decoders share; sizes are zero and must be given.
    fn default() -> Self {
        Self {
            vocab_size: 0,
            hidden_size: 0,
            num_hidden_layers: 0,
            num_attention_heads: 0,
            num_key_value_heads: 0,
            head_dim: 0,
            intermediate_size: 0,
            max_position_embeddings: 0,
            causal: true,
            sliding_window: None,
            cross_attention: false,
            positions: Positions::None,
            token_types: 0,
            embedding_scale: 1.0,
            embedding_norm: false,
            norm_placement: NormPlacement::Before,
            norm: NormKind::RmsNorm,
            norm_epsilon: 1e-6,
            mlp: MlpKind::Gated,
            activation: Activation::Silu,
            experts: None,
            qkv_bias: false,
            attention_output_bias: false,
            mlp_bias: false,
            qk_norm: false,
            attention_scale: AttentionScale::InverseSqrtHeadDim,
            tie_word_embeddings: false,
            head_scale: 1.0,
            dropout: DropoutRates::default(),
            initializer_range: 0.02,
            scale_residual_init: true,
        }
    }
}

/// Attention to the nearest tokens only (Mistral; Beltagy et al. 2020).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlidingWindow {
    /// Tokens that a token sees, itself included.
    pub size: usize,
    /// First block with a window; those below see everything.
    pub first_layer: usize,
}

/// Where the norms of a block stand, `f` being attention or MLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormPlacement {
    /// `x + f(norm(x))`, and a norm after the last block (GPT-2, Llama).
    Before,
    /// `x + attention(norm(x)) + mlp(norm(x))`, each with a norm of its own (GPT-NeoX).
    BeforeInParallel,
    /// `x + norm(f(norm(x)))` (GLM-4-0414).
    Around,
    /// `norm(x + f(x))`, and no norm after the last block (the original Transformer, BERT).
    After,
}

/// A mixture of experts (Shazeer et al. 2017; Fedus et al. 2022).
#[derive(Debug, Clone, PartialEq)]
pub struct Experts {
    /// How many MLPs there are.
    pub count: usize,
    /// How many each token takes.
    pub per_token: usize,
    /// Width inside one of them.
    pub intermediate_size: usize,
    /// Whether the weights of those taken are scaled to sum to one.
    pub normalise: bool,
    /// Width inside an MLP that every token takes besides, behind a sigmoid gate.
    pub shared_intermediate_size: Option<usize>,
    /// Blocks that have one plain MLP instead.
    pub dense_layers: Vec<usize>,
    /// Factor of the load-balancing loss in the training loss.
    pub balance_coefficient: f64,
}

/// How a model knows where a token is.
#[derive(Debug, Clone, PartialEq)]
pub enum Positions {
    /// Not at all.
    None,
    /// A learned vector per position, added to the token embedding (GPT-2).
    Learned,
    /// The same, where padding has position `padding_id` and the others count up from the one
    /// after it (RoBERTa). The table has `max_position_embeddings` rows, these included.
    LearnedAfterPadding {
        /// The id of padding, which is also its position.
        padding_id: usize,
    },
    /// A learned vector per position and another per position within a block of generated text
    /// (GLM; Du et al. 2022).
    LearnedTwice,
    /// Fixed sines and cosines of geometrically spaced frequencies, added to the token embedding:
    /// all sines first, then all cosines (Vaswani et al. 2017, in Marian's order).
    Sinusoidal,
    /// Queries and keys rotated by an angle proportional to position (Su et al. 2021).
    Rotary(RopeParameters),
    /// A learned number per head and bucket of distances, added to the scores (T5; Raffel et al.
    /// 2020).
    RelativeBias {
        /// Number of buckets.
        buckets: usize,
        /// Distances from here on share a bucket.
        max_distance: usize,
    },
}

/// Frequencies of a rotary embedding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RopeParameters {
    /// Base of the geometric frequency ladder.
    pub rope_theta: f64,
    /// The part of a head that turns, from the front (GPT-NeoX, GLM); the rest stays as it is.
    pub partial_rotary_factor: f64,
    /// Change of the ladder for longer contexts.
    pub scaling: RopeScaling,
}

/// Context-extension rules for rotary embeddings, with Hugging Face's parameter names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum RopeScaling {
    /// The plain ladder.
    None,
    /// All frequencies divided by `factor` (Chen et al. 2023, position interpolation).
    Linear {
        /// How much longer the context becomes.
        factor: f64,
    },
    /// Llama 3.1's rule: low frequencies divided, high ones kept, a ramp between.
    Llama3 {
        /// Divisor of the low frequencies.
        factor: f64,
        /// Wavelengths longer than `original / low_freq_factor` are divided in full.
        low_freq_factor: f64,
        /// Wavelengths shorter than `original / high_freq_factor` are kept.
        high_freq_factor: f64,
        /// Context length before extension.
        original_max_position_embeddings: usize,
    },
    /// YaRN (Peng et al. 2023).
    Yarn {
        /// How much longer the context becomes.
        factor: f64,
        /// Rotations above which a dimension is left alone.
        beta_fast: f64,
        /// Rotations below which a dimension is interpolated in full.
        beta_slow: f64,
        /// Multiplier of cos and sin; from `factor` when absent.
        attention_factor: Option<f64>,
        /// Context length before extension.
        original_max_position_embeddings: usize,
        /// Whether the ramp's ends are rounded to whole dimensions.
        truncate: bool,
    },
}

/// The normalisation before attention, MLP and head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormKind {
    /// Mean and variance removed, with a scale and optionally a bias (Ba et al. 2016).
    LayerNorm {
        /// Whether there is a bias.
        bias: bool,
    },
    /// Divided by the root mean square, with a scale (Zhang & Sennrich 2019).
    RmsNorm,
}

/// The feed-forward half of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MlpKind {
    /// `down(act(up(x)))`.
    Plain,
    /// `down(act(gate(x)) · up(x))` (Shazeer 2020).
    Gated,
}

/// Non-linearities, by Hugging Face's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Activation {
    /// `x · Φ(x)` with the exact error function.
    #[serde(rename = "gelu")]
    Gelu,
    /// GELU's tanh approximation, as GPT-2 uses it.
    #[serde(rename = "gelu_new", alias = "gelu_tanh")]
    #[serde(alias = "gelu_pytorch_tanh", alias = "gelu_fast")]
    GeluNew,
    /// `x · sigmoid(x)`.
    #[serde(rename = "silu", alias = "swish")]
    Silu,
    /// `max(x, 0)`.
    #[serde(rename = "relu")]
    Relu,
    /// `tanh(x)`.
    #[serde(rename = "tanh")]
    Tanh,
    /// `1 / (1 + exp(-x))`.
    #[serde(rename = "sigmoid")]
    Sigmoid,
}

/// The factor on attention scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttentionScale {
    /// `1 / sqrt(head_dim)`.
    InverseSqrtHeadDim,
    /// `1 / (sqrt(head_dim) · (layer + 1))`, GPT-2's `scale_attn_by_inverse_layer_idx`.
    InverseSqrtHeadDimAndLayer,
    /// `1 / (layer + 1)`: inverse layer index with `scale_attn_weights` off.
    InverseLayer,
    /// 1: `scale_attn_weights` off.
    One,
}

impl AttentionScale {
    /// The factor in block `layer` (from 0).
    pub fn factor(self, head_dim: usize, layer: usize) -> f64 {
        let by_dim = 1.0 / (head_dim as f64).sqrt();
        let by_layer = 1.0 / (layer as f64 + 1.0);
        match self {
            Self::InverseSqrtHeadDim => by_dim,
            Self::InverseSqrtHeadDimAndLayer => by_dim * by_layer,
            Self::InverseLayer => by_layer,
            Self::One => 1.0,
        }
    }
}

/// Probabilities of zeroing an activation while training.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct DropoutRates {
    /// On the sum of embeddings.
    pub embedding: f64,
    /// On attention probabilities.
    pub attention: f64,
    /// On what attention and MLP add to the residual stream.
    pub residual: f64,
}

impl Architecture {
    /// Checks sizes against each other.
    ///
    /// # Errors
    /// [`ModelError::InvalidConfig`] naming the key, what was found and what was expected.
    pub fn validate(&self) -> Result<(), ModelError> {
        for (key, value) in [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("num_key_value_heads", self.num_key_value_heads),
            ("head_dim", self.head_dim),
            ("intermediate_size", self.intermediate_size),
            ("max_position_embeddings", self.max_position_embeddings),
        ] {
            if value == 0 {
                return Err(ModelError::invalid(key, value, "at least 1"));
            }
        }
        if !self.num_attention_heads.is_multiple_of(self.num_key_value_heads) {
            return Err(ModelError::invalid(
                "num_key_value_heads",
                self.num_key_value_heads,
                format!("a divisor of num_attention_heads = {}", self.num_attention_heads),
            ));
        }
        self.validate_positions()?;
        self.validate_experts()?;
        if self.sliding_window.is_some_and(|window| window.size == 0) {
            return Err(ModelError::invalid("sliding_window", 0, "at least 1"));
        }
        if !(self.norm_epsilon.is_finite() && self.norm_epsilon > 0.0) {
            return Err(ModelError::invalid(
                "norm epsilon",
                self.norm_epsilon,
                "a positive number",
            ));
        }
        for (key, rate) in [
            ("embedding dropout", self.dropout.embedding),
            ("attention dropout", self.dropout.attention),
            ("residual dropout", self.dropout.residual),
        ] {
            if !(0.0..1.0).contains(&rate) {
                return Err(ModelError::invalid(key, rate, "a probability in [0, 1)"));
            }
        }
        Ok(())
    }

    fn validate_positions(&self) -> Result<(), ModelError> {
        let Positions::Rotary(rope) = &self.positions else { return Ok(()) };
        if !self.head_dim.is_multiple_of(2) {
            return Err(ModelError::invalid(
                "head_dim",
                self.head_dim,
                "an even number, since rotary embeddings turn pairs",
            ));
        }
        let factor = rope.partial_rotary_factor;
        if !(factor > 0.0 && factor <= 1.0) {
            let expected = "a number above 0 and at most 1";
            return Err(ModelError::invalid("partial_rotary_factor", factor, expected));
        }
        Ok(())
    }

    fn validate_experts(&self) -> Result<(), ModelError> {
        let Some(experts) = &self.experts else { return Ok(()) };
        if experts.count == 0 {
            return Err(ModelError::invalid("number of experts", 0, "at least 1"));
        }
        if experts.per_token == 0 || experts.per_token > experts.count {
            let expected = format!("1 to {}, the number of experts", experts.count);
            return Err(ModelError::invalid("num_experts_per_tok", experts.per_token, expected));
        }
        if experts.intermediate_size == 0 {
            return Err(ModelError::invalid("width of the experts", 0, "at least 1"));
        }
        Ok(())
    }

    /// Whether a norm follows the last block.
    pub fn has_final_norm(&self) -> bool {
        self.norm_placement != NormPlacement::After
    }

    /// The experts of block `layer`, where it has them.
    pub fn experts_in(&self, layer: usize) -> Option<&Experts> {
        self.experts.as_ref().filter(|experts| !experts.dense_layers.contains(&layer))
    }

    /// Columns of the fused projection that hold queries, keys and values, in that order.
    pub fn qkv_sizes(&self) -> [usize; 3] {
        let key_value = self.num_key_value_heads * self.head_dim;
        [self.num_attention_heads * self.head_dim, key_value, key_value]
    }

    /// Multiply–add FLOPs of one token's forward and backward pass, counted the usual way: 6 per
    /// parameter that multiplies an activation, plus `12 · layers · heads · head_dim · context` for
    /// attention (Chowdhery et al. 2022, PaLM appendix B).
    pub fn training_flops_per_token(&self, matmul_parameters: usize, context: usize) -> f64 {
        let attention =
            12 * self.num_hidden_layers * self.num_attention_heads * self.head_dim * context;
        6.0 * matmul_parameters as f64 + attention as f64
    }
}
