//! What a model from before the transformer is and costs.

use wuji_model::recurrent::{
    AttentionKind, CellKind, FeedForwardConfig, Nonlinearity, RecurrentLmConfig, Seq2SeqConfig,
};
use wuji_model::{ModelConfig, ModelKind};

use super::parameters::{ParameterCounts, linear};
use super::{Flops, Memory, ModelInfo};

/// The description, or `None` for a transformer.
pub(super) fn describe(config: &ModelConfig) -> Option<ModelInfo> {
    let (layers, width, inner, text) = match config {
        ModelConfig::Recurrent(c) => (c.num_layers, c.hidden_size, 0, cell(c.cell)),
        ModelConfig::FeedForward(c) => {
            let text = format!("feed-forward, over the last {} tokens", c.context_size);
            (c.num_layers, c.embedding_size, c.hidden_size, text)
        }
        ModelConfig::RecurrentSeq2Seq(c) => {
            let attention = match c.attention {
                AttentionKind::Additive => "additive",
                AttentionKind::General => "multiplicative",
                AttentionKind::Dot => "dot-product",
            };
            let text = format!("{}, {attention} attention", cell(c.cell));
            (c.num_layers, c.hidden_size, 0, text)
        }
        _ => return None,
    };
    let parameters = counts(config)?;
    let training = 6.0 * parameters.in_matrix_products as f64;
    let kind = config.kind();
    Some(ModelInfo {
        model_type: config.model_type().to_string(),
        vocab_size: config.vocab_size(),
        context_length: None,
        hidden_size: width,
        kind,
        num_hidden_layers: layers,
        num_encoder_layers: (kind == ModelKind::RecurrentEncoderDecoder).then_some(layers),
        num_attention_heads: 0,
        num_key_value_heads: 0,
        head_dim: 0,
        intermediate_size: inner,
        positions: "none: tokens are read in their order".to_string(),
        norm: "none".to_string(),
        mlp: text,
        experts: None,
        heads: Vec::new(),
        tie_word_embeddings: parameters.head == 0,
        parameters,
        memory: Memory::of_parameters(parameters.total),
        flops: Flops { forward_per_token: training / 3.0, training_per_token: training },
    })
}

fn cell(kind: CellKind) -> String {
    match kind {
        CellKind::Elman => "Elman",
        CellKind::Lstm => "LSTM",
        CellKind::Gru => "GRU",
    }
    .to_string()
}

/// Parameters by part, or `None` for a transformer.
pub(super) fn counts(config: &ModelConfig) -> Option<ParameterCounts> {
    match config {
        ModelConfig::Recurrent(config) => Some(of_recurrent(config)),
        ModelConfig::FeedForward(config) => Some(of_feed_forward(config)),
        ModelConfig::RecurrentSeq2Seq(config) => Some(of_seq2seq(config)),
        _ => None,
    }
}

/// `layers` recurrent layers, the first of which reads `input` values and the others `between`.
fn stack(cell: CellKind, input: usize, between: usize, hidden: usize, layers: usize) -> usize {
    let gates = cell.cell(Nonlinearity::Tanh).gates() * hidden;
    let layer = |input| linear(input, gates, true) + linear(hidden, gates, true);
    layer(input) + (layers - 1) * layer(between)
}

/// Counts of a model with these parts; a tied head multiplies without being counted twice.
fn sum(
    token_embedding: usize,
    recurrent: usize,
    attention: usize,
    mlp: usize,
    head: usize,
    tied: usize,
) -> ParameterCounts {
    let products = recurrent + attention + mlp + head;
    ParameterCounts {
        token_embedding,
        position_embedding: 0,
        recurrent,
        attention,
        mlp,
        norms: 0,
        head,
        total: token_embedding + products,
        in_matrix_products: products + tied,
    }
}

fn of_recurrent(c: &RecurrentLmConfig) -> ParameterCounts {
    let table = c.vocab_size * c.embedding_size;
    let layers = stack(c.cell, c.embedding_size, c.hidden_size, c.hidden_size, c.num_layers);
    if !c.tie_word_embeddings {
        return sum(table, layers, 0, 0, c.hidden_size * c.vocab_size, 0);
    }
    let is_projected = c.hidden_size != c.embedding_size;
    let projection = if is_projected { linear(c.hidden_size, c.embedding_size, true) } else { 0 };
    sum(table, layers, 0, projection, 0, table)
}

fn of_feed_forward(c: &FeedForwardConfig) -> ParameterCounts {
    let window = c.context_size * c.embedding_size;
    let between = (c.num_layers - 1) * linear(c.hidden_size, c.hidden_size, true);
    let direct = if c.direct_connections { window * c.vocab_size } else { 0 };
    let mlp = linear(window, c.hidden_size, true) + between + direct;
    let padding = if c.learned_padding { c.embedding_size } else { 0 };
    let head = linear(c.hidden_size, c.vocab_size, true);
    sum(c.vocab_size * c.embedding_size + padding, 0, 0, mlp, head, 0)
}

fn of_seq2seq(c: &Seq2SeqConfig) -> ParameterCounts {
    let (hidden, encoder) = (c.hidden_size, c.encoder_hidden_size());
    let memory = 2 * encoder;
    let both = 2 * stack(c.cell, c.embedding_size, memory, encoder, c.num_layers);
    let decoder = stack(c.cell, c.embedding_size, hidden, hidden, c.num_layers);
    let cell = c.cell.cell(Nonlinearity::Tanh);
    let bridges = c.num_layers * cell.states() * linear(memory, hidden, true);
    let readout = if c.tie_word_embeddings { c.embedding_size } else { hidden };
    let is_additive = c.attention == AttentionKind::Additive;
    let fed = match c.attention {
        AttentionKind::Additive => memory,
        _ if c.input_feeding => readout,
        _ => 0,
    };
    let scores = match c.attention {
        AttentionKind::Additive => hidden * hidden + linear(memory, hidden, true) + hidden,
        AttentionKind::General => memory * hidden,
        AttentionKind::Dot => 0,
    };
    let token = if is_additive { c.embedding_size } else { 0 };
    let combine = linear(hidden + memory + token, readout, true);
    let table = c.target_vocab_size * c.embedding_size;
    let own_head = linear(hidden, c.target_vocab_size, true);
    let (head, tied) = if c.tie_word_embeddings { (0, table) } else { (own_head, 0) };
    let recurrent = both + decoder + bridges + fed * cell.gates() * hidden;
    sum(c.source_vocab_size * c.embedding_size + table, recurrent, scores + combine, 0, head, tied)
}
