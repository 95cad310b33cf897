//! How many parameters a model has, by part, from the shapes that its architecture gives them.

use serde::Serialize;
use wuji_model::{
    Architecture, ClassifiedUnit, EncoderHeads, Experts, MlpKind, ModelConfig, ModelKind, NormKind,
    NormPlacement, Positions,
};

use super::recurrent;
use crate::WujiError;

/// Numbers of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ParameterCounts {
    /// Token embedding.
    pub token_embedding: usize,
    /// Learned positions, kinds of token, and biases by distance.
    pub position_embedding: usize,
    /// Recurrent layers, and what carries states from an encoder to a decoder.
    pub recurrent: usize,
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
    /// nor the experts that a token does not take, nor what only the first token of a text meets. Of
    /// an encoder–decoder, those of a source token and of a target token together.
    pub in_matrix_products: usize,
}

impl ParameterCounts {
    /// Counts the parameters of a model with its heads.
    ///
    /// # Errors
    /// A config whose sizes do not fit each other.
    pub fn of(config: &ModelConfig) -> Result<Self, WujiError> {
        if let Some(counts) = recurrent::counts(config) {
            config.validate()?;
            return Ok(counts);
        }
        let a = config.architecture()?;
        let mut stacks = vec![Stack::of(&a)];
        stacks.extend(config.encoder_architecture()?.as_ref().map(Stack::of));
        let sum = |part: fn(&Stack) -> usize| stacks.iter().map(part).sum::<usize>();
        let token_embedding = a.vocab_size * a.hidden_size;
        let head = Head::of(config, &a)?;
        let blocks = sum(|s| s.attention) + sum(|s| s.mlp) + sum(|s| s.norms);
        let tables = sum(|s| s.tables);
        Ok(Self {
            token_embedding,
            position_embedding: tables,
            recurrent: 0,
            attention: sum(|s| s.attention),
            mlp: sum(|s| s.mlp),
            norms: sum(|s| s.norms),
            head: head.all,
            total: token_embedding + tables + blocks + head.all,
            in_matrix_products: blocks - sum(|s| s.idle) + head.of_tokens,
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

pub(super) fn linear(input: usize, output: usize, bias: bool) -> usize {
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

/// The parameters of the heads.
struct Head {
    all: usize,
    /// Those that each token is multiplied with; a tied embedding is one, though not of the head.
    of_tokens: usize,
}

impl Head {
    fn of(config: &ModelConfig, a: &Architecture) -> Result<Self, WujiError> {
        let table = a.vocab_size * a.hidden_size;
        let own = if a.tie_word_embeddings { 0 } else { table };
        if config.kind() != ModelKind::Encoder {
            // The bias is added, and never trained.
            let bias = if config.family().has_logits_bias() { a.vocab_size } else { 0 };
            return Ok(Self { all: own + bias, of_tokens: table });
        }
        let heads = config.family().encoder_heads()?;
        let (mut all, mut of_tokens) = (of_texts(a, &heads), 0);
        let dense = linear(a.hidden_size, a.hidden_size, true);
        if heads.masked_lm {
            let transform = dense + norm_size(a) + a.vocab_size;
            all += transform + own;
            of_tokens += transform + table;
        }
        if let Some(classifier) = heads.classifier {
            let size = linear(a.hidden_size, classifier.labels, true)
                + if classifier.dense.is_some() { dense } else { 0 };
            all += size;
            of_tokens += if classifier.unit == ClassifiedUnit::Text { 0 } else { size };
        }
        Ok(Self { all, of_tokens })
    }
}

/// Parameters of the pooler and what stands on it, which only the first token meets.
fn of_texts(a: &Architecture, heads: &EncoderHeads) -> usize {
    let pooler = if heads.pooler { linear(a.hidden_size, a.hidden_size, true) } else { 0 };
    pooler + if heads.next_sentence { linear(a.hidden_size, 2, true) } else { 0 }
}
