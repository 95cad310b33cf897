//! An encoder–decoder with attention (Bahdanau et al. 2015; Luong et al. 2015).
//!
//! With the whole target at hand, whatever does not depend on the decoder's state is one product
//! outside the loop: the source's keys, the projections of the target's embeddings, and the head
//! over all steps. Without input feeding there is no loop here at all. Search beyond the greedy
//! one is left to others, who have [`RecurrentSeq2Seq::step`] and `select`.

use burn::module::Module;
use burn::tensor::{Bool, Device, Int, Tensor};

use super::attention::{AttendedSource, SourceAttention};
use super::config::{self, ConfigFile};
use super::directory::recurrent_directory;
use super::{AttentionKind, RecurrentStack, RecurrentState, Seq2SeqConfig};
use crate::ModelError;
use crate::layers::{Embedding, Linear, dropout};

/// A recurrent encoder–decoder with attention.
#[derive(Module, Debug)]
pub struct RecurrentSeq2Seq {
    /// `[source_vocab_size, embedding_size]`.
    pub source_embedding: Embedding,
    /// `[target_vocab_size, embedding_size]`.
    pub target_embedding: Embedding,
    /// Both directions.
    pub encoder: RecurrentStack,
    /// From the encoder's final states of both directions to the decoder's first: for each layer
    /// one for the hidden state and, with an LSTM, one for the cells.
    pub bridge: Vec<Linear>,
    /// The decoder's layers; the first reads the target's embedding and what `feed` adds.
    pub decoder: RecurrentStack,
    /// What a step reads beside its token, `[feed, gates · hidden]`.
    pub feed: Option<Linear>,
    /// Scores of source positions.
    pub attention: SourceAttention,
    /// From state and context (and, when additive, the token) to the attentional state.
    pub combine: Linear,
    /// `[hidden_size, target_vocab_size]`; the target embedding's transpose when absent.
    pub head: Option<Linear>,
    #[module(skip)]
    config: Seq2SeqConfig,
}

/// What [`RecurrentSeq2Seq::forward`] returns.
#[derive(Debug, Clone)]
pub struct Seq2SeqOutput {
    /// `[batch, target, target_vocab_size]`.
    pub logits: Tensor<3>,
    /// How much each target position read of each source position, `[batch, target, source]`: a
    /// heat map. With additive attention row `t` is what predicted the token after `t`.
    pub attention: Tensor<3>,
}

/// A source that has been read, and the decoder's state before the first token.
#[derive(Debug, Clone)]
pub struct EncodedSource {
    /// What the decoder attends to.
    pub source: AttendedSource,
    /// Before the first token.
    pub state: DecoderState,
}

/// What a decoder carries from step to step.
#[derive(Debug, Clone)]
pub struct DecoderState {
    /// Of the recurrent layers.
    pub layers: RecurrentState,
    /// The attentional state, `[1, batch, width]`, where it is fed to the next step.
    fed: Option<Tensor<3>>,
}

impl DecoderState {
    /// Some rows of the batch, in this order: what beam search does with it.
    pub fn select(&self, rows: Tensor<1, Int>) -> Self {
        Self {
            layers: self.layers.select(rows.clone()),
            fed: self.fed.as_ref().map(|fed| fed.clone().select(1, rows)),
        }
    }
}

/// What [`RecurrentSeq2Seq::step`] returns.
#[derive(Debug, Clone)]
pub struct DecoderStep {
    /// Of the next token, `[batch, target_vocab_size]`.
    pub logits: Tensor<2>,
    /// What was read of the source, `[batch, source]`.
    pub attention: Tensor<2>,
    /// After this step.
    pub state: DecoderState,
}

recurrent_directory!(RecurrentSeq2Seq, Seq2SeqConfig);

impl RecurrentSeq2Seq {
    fn zeros(config: &Seq2SeqConfig, device: &Device) -> Result<Self, ModelError> {
        config.validate()?;
        let c = config;
        let cell = c.cell.cell(wuji_kernels::Nonlinearity::Tanh);
        let (hidden, memory, readout) = (c.hidden_size, c.memory_size(), c.readout_size());
        let encoder_sizes = [c.embedding_size, c.encoder_hidden_size(), c.num_layers];
        let token = if c.attention == AttentionKind::Additive { c.embedding_size } else { 0 };
        let bridge = |_| Linear::zeros(memory, hidden, true, device);
        let feed = |width| Linear::zeros(width, cell.gates() * hidden, false, device);
        let decoder_sizes = [c.embedding_size, hidden, c.num_layers];
        let head = || Linear::zeros(hidden, c.target_vocab_size, true, device);
        Ok(Self {
            source_embedding: Embedding::zeros(c.source_vocab_size, c.embedding_size, device),
            target_embedding: Embedding::zeros(c.target_vocab_size, c.embedding_size, device),
            encoder: RecurrentStack::bidirectional(cell, encoder_sizes, c.dropout, device),
            bridge: (0..c.num_layers * cell.states()).map(bridge).collect(),
            decoder: RecurrentStack::new(cell, decoder_sizes, c.dropout, device),
            feed: c.feed_size().map(feed),
            attention: SourceAttention::new(c.attention, hidden, memory, device),
            combine: Linear::zeros(hidden + memory + token, readout, true, device),
            head: (!c.tie_word_embeddings).then(head),
            config: config.clone(),
        })
    }

    /// Checks ids of a source and a target before they are read, where they enter.
    ///
    /// # Errors
    /// An id outside its vocabulary.
    pub fn check_input(&self, source: &[u32], target: &[u32]) -> Result<(), ModelError> {
        config::check_ids(source, self.config.source_vocab_size)?;
        config::check_ids(target, self.config.target_vocab_size)
    }

    /// Logits and attention for a whole target (teacher forcing): position `t` of the logits is
    /// the prediction after `target_ids[..=t]`, which begin with the token that begins texts.
    ///
    /// `source_ids` are `[batch, source]` with `source_mask` true on tokens and false on padding
    /// behind them (no padding when absent); `target_ids` are `[batch, target]`. Padding behind a
    /// target changes nothing before it.
    pub fn forward(
        &self,
        source_ids: Tensor<2, Int>,
        source_mask: Option<Tensor<2, Bool>>,
        target_ids: Tensor<2, Int>,
    ) -> Seq2SeqOutput {
        let EncodedSource { source, state } = self.encode(source_ids, source_mask);
        let embedded = self.embed_target(target_ids.transpose()); // [target, batch, width]
        let (readout, attention, _) = self.decode(embedded, state, &source);
        Seq2SeqOutput { logits: self.logits(readout), attention }
    }

    /// Reads a source; see [`RecurrentSeq2Seq::forward`].
    pub fn encode(
        &self,
        source_ids: Tensor<2, Int>,
        source_mask: Option<Tensor<2, Bool>>,
    ) -> EncodedSource {
        let embedded = self.source_embedding.forward(source_ids.transpose());
        let embedded = dropout(embedded, self.config.dropout);
        let mask = source_mask.clone().map(Tensor::transpose);
        let (memory, last) = self.encoder.forward_time_major(embedded, None, mask);
        let layers = last.layers.chunks(2).enumerate();
        let layers = layers.map(|(layer, both)| self.cross_bridge(layer, both)).collect();
        let source = self.attention.read(memory.swap_dims(0, 1), source_mask);
        let [batch, _, _] = source.memory.dims();
        let fed = match self.config.attention {
            AttentionKind::Additive => None,
            _ => self
                .config
                .feed_size()
                .map(|width| Tensor::zeros([1, batch, width], &source.memory.device())),
        };
        EncodedSource { source, state: DecoderState { layers: RecurrentState { layers }, fed } }
    }

    /// The first state of decoder layer `layer`, from the last ones of both directions of the
    /// encoder's, `[states, batch, encoder_hidden_size]` each.
    fn cross_bridge(&self, layer: usize, both: &[Tensor<3>]) -> Tensor<3> {
        let last = Tensor::cat(both.to_vec(), 2);
        let states = last.dims()[0];
        let bridges = &self.bridge[layer * states..][..states];
        let first = |(state, bridge): (usize, &Linear)| {
            bridge.forward(last.clone().narrow(0, state, 1)).tanh()
        };
        Tensor::cat(bridges.iter().enumerate().map(first).collect(), 0)
    }

    /// One step: reads `ids` `[batch]`, the last token of each target.
    pub fn step(
        &self,
        ids: Tensor<1, Int>,
        state: DecoderState,
        source: &AttendedSource,
    ) -> DecoderStep {
        let embedded = self.embed_target(ids.unsqueeze_dim(0)); // [1, batch, width]
        let (readout, attention, state) = self.decode(embedded, state, source);
        DecoderStep {
            logits: self.logits(readout).squeeze_dim(1),
            attention: attention.squeeze_dim(1),
            state,
        }
    }

    /// Embeddings `[target, batch, embedding_size]` of ids `[target, batch]`.
    fn embed_target(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        dropout(self.target_embedding.forward(ids), self.config.dropout)
    }

    /// Logits `[batch, target, vocabulary]` of attentional states `[batch, target, width]`.
    fn logits(&self, readout: Tensor<3>) -> Tensor<3> {
        let readout = dropout(readout, self.config.dropout);
        match &self.head {
            Some(head) => head.forward(readout),
            None => {
                let weight = self.target_embedding.weight.val().transpose();
                wuji_kernels::linear(readout, weight, None)
            }
        }
    }

    /// Attentional states `[batch, target, width]`, attention `[batch, target, source]` and the
    /// final state, of embeddings `[target, batch, embedding_size]`.
    fn decode(
        &self,
        embedded: Tensor<3>,
        state: DecoderState,
        source: &AttendedSource,
    ) -> (Tensor<3>, Tensor<3>, DecoderState) {
        match (&self.feed, self.config.attention) {
            (Some(feed), AttentionKind::Additive) => self.additive(embedded, state, source, feed),
            (Some(feed), _) => self.multiplicative_fed(embedded, state, source, feed),
            (None, _) => {
                let (hidden, layers) =
                    self.decoder.forward_time_major(embedded, Some(state.layers), None);
                let (readout, weights) = self.attend(hidden.swap_dims(0, 1), source);
                (readout, weights, DecoderState { layers, fed: None })
            }
        }
    }

    /// Luong's attentional states `tanh(W [context; state])` of states `[batch, target, hidden]`.
    fn attend(&self, hidden: Tensor<3>, source: &AttendedSource) -> (Tensor<3>, Tensor<3>) {
        let weights = self.attention.weights(hidden.clone(), source);
        let context = self.attention.context(weights.clone(), source);
        (self.combine.forward(Tensor::cat(vec![context, hidden], 2)).tanh(), weights)
    }

    /// Luong's decoder with input feeding.
    fn multiplicative_fed(
        &self,
        embedded: Tensor<3>,
        mut state: DecoderState,
        source: &AttendedSource,
        feed: &Linear,
    ) -> (Tensor<3>, Tensor<3>, DecoderState) {
        let projected = self.decoder.layers[0].input.forward(embedded);
        let (mut readouts, mut weights) = (Vec::new(), Vec::new());
        for x in wuji_kernels::time_steps(projected) {
            let x = match state.fed {
                Some(fed) => x + feed.forward(fed),
                None => x,
            };
            let (hidden, layers) = self.decoder.step(x, state.layers);
            let (readout, row) = self.attend(batch_first(hidden), source);
            state = DecoderState { layers, fed: Some(time_first(readout.clone())) };
            readouts.push(readout);
            weights.push(row);
        }
        (Tensor::cat(readouts, 1), Tensor::cat(weights, 1), state)
    }

    /// Bahdanau's decoder: attention before the step, whose input is what was read.
    fn additive(
        &self,
        embedded: Tensor<3>,
        state: DecoderState,
        source: &AttendedSource,
        feed: &Linear,
    ) -> (Tensor<3>, Tensor<3>, DecoderState) {
        let projected = self.decoder.layers[0].input.forward(embedded.clone());
        let mut layers = state.layers;
        let (mut states, mut contexts, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        for x in wuji_kernels::time_steps(projected) {
            let row = self.attention.weights(batch_first(top_hidden(&layers)), source);
            let context = self.attention.context(row.clone(), source);
            let x = x + feed.forward(time_first(context.clone()));
            let hidden;
            (hidden, layers) = self.decoder.step(x, layers);
            states.push(batch_first(hidden));
            contexts.push(context);
            weights.push(row);
        }
        let [states, contexts, weights] = [states, contexts, weights].map(|x| Tensor::cat(x, 1));
        let all = Tensor::cat(vec![contexts, states, embedded.swap_dims(0, 1)], 2);
        let state = DecoderState { layers, fed: None };
        (self.combine.forward(all).tanh(), weights, state)
    }
}

/// The hidden state of the last layer, `[1, batch, hidden]`.
fn top_hidden(state: &RecurrentState) -> Tensor<3> {
    let top = state.layers[state.layers.len() - 1].clone();
    if top.dims()[0] == 1 { top } else { top.narrow(0, 0, 1) }
}

/// `[1, batch, width]` as `[batch, 1, width]`, without moving anything.
fn batch_first(x: Tensor<3>) -> Tensor<3> {
    let [_, batch, width] = x.dims();
    x.reshape([batch, 1, width])
}

/// `[batch, 1, width]` as `[1, batch, width]`, without moving anything.
fn time_first(x: Tensor<3>) -> Tensor<3> {
    let [batch, _, width] = x.dims();
    x.reshape([1, batch, width])
}
