//! Models of a target text given a source text, as [`LogitsModel`]s.
//!
//! A [`ConditionalModel`] reads a source once; [`Conditioned`] on it, it is a model of the target
//! like any other, so that [`generate()`](crate::generate()) and [`beam_search`](crate::beam_search) work
//! unchanged. Targets begin with the model's start token, which is their prompt.

mod recurrent;
mod transformer;

use burn::tensor::{Bool, Device, Int, Tensor};

use crate::id_tensors::{last_position, real, row_numbers, rows};
use crate::logits_model::check_ids;
use crate::{InferenceError, LogitsModel};

/// An encoder–decoder: [`Seq2SeqLm`](wuji_model::Seq2SeqLm) and
/// [`RecurrentSeq2Seq`](wuji_model::recurrent::RecurrentSeq2Seq).
pub trait ConditionalModel: Send + Sync {
    /// What has been read of several sources, a row for each.
    type Sources: Clone + Send + Sync;
    /// What the decoder remembers of several targets, a row for each.
    type State;

    /// Where the weights are.
    fn device(&self) -> Device;

    /// Number of token ids of sources.
    fn source_vocab_size(&self) -> usize;

    /// Number of token ids of targets.
    fn target_vocab_size(&self) -> usize;

    /// Most tokens of a source.
    fn source_length(&self) -> usize;

    /// Most tokens of a target, the start token included.
    fn target_length(&self) -> usize;

    /// Reads sources `[batch, source]`; `mask` is true on tokens and false on the padding behind
    /// them, and absent where there is no padding.
    fn encode(&self, ids: Tensor<2, Int>, mask: Option<Tensor<2, Bool>>) -> Self::Sources;

    /// Some rows of `sources`, in this order.
    fn select_sources(sources: &Self::Sources, rows: Tensor<1, Int>) -> Self::Sources;

    /// Before the first token of targets of at most `capacity` tokens.
    fn new_state(&self, sources: &Self::Sources, capacity: usize) -> Self::State;

    /// Leaves some rows of `state`, in this order.
    fn select_state(state: &mut Self::State, rows: Tensor<1, Int>);

    /// Reads the next tokens `[batch, target]` of the targets of `sources` and returns the logits
    /// `[batch, target, target_vocab_size]` after each.
    fn decode(
        &self,
        ids: Tensor<2, Int>,
        sources: &Self::Sources,
        state: &mut Self::State,
    ) -> Tensor<3>;

    /// How much of each source position predicted the token after each of `ids` `[batch, target]`,
    /// as `[batch, target, source]`; each row sums to one.
    fn attention(&self, ids: Tensor<2, Int>, sources: &Self::Sources) -> Tensor<3>;
}

/// An encoder–decoder that has read its source: a model of the target.
///
/// ```
/// use std::ops::ControlFlow;
/// use wuji_device::DeviceSpec;
/// use wuji_inference::{Conditioned, beam_search, generate, sampling::Sampler};
/// use wuji_model::{ModelConfig, Seq2SeqLm};
/// use wuji_protocol::GenerateOptions;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = ModelConfig::from_json(
///     r#"{"model_type": "t5", "vocab_size": 32, "d_model": 16, "d_kv": 8, "d_ff": 32, "num_heads": 2,
///         "num_layers": 1, "decoder_start_token_id": 0}"#,
/// )?;
/// let model = Seq2SeqLm::init(&config, 1, &DeviceSpec::default().open()?)?;
/// let conditioned = Conditioned::new(&model, &[5, 6, 7, 1])?;
/// let options = GenerateOptions { max_new_tokens: 4, ..GenerateOptions::greedy() };
/// let sampler = Sampler::new(options, Vec::new(), vec![1]);
/// let start = model.decoder_start_token_id();
/// let greedy = generate(&conditioned, &[start], &sampler, &mut |_| Ok(ControlFlow::Continue(())))?;
/// assert_eq!(beam_search(&conditioned, &[start], &sampler)?[0].ids, greedy.ids);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Conditioned<'m, M: ConditionalModel> {
    model: &'m M,
    sources: M::Sources,
    count: usize,
}

/// What a [`Conditioned`] model remembers of the targets it is writing.
#[derive(Debug, Clone)]
pub struct TargetCache<M: ConditionalModel> {
    /// The source of each row.
    sources: M::Sources,
    /// Which one it is.
    source_of_row: Vec<usize>,
    state: M::State,
}

impl<'m, M: ConditionalModel> Conditioned<'m, M> {
    /// Reads a source.
    ///
    /// # Errors
    /// [`InferenceError::EmptySource`], [`InferenceError::PromptTooLong`] and
    /// [`InferenceError::TokenOutOfRange`].
    pub fn new(model: &'m M, source: &[u32]) -> Result<Self, InferenceError> {
        Self::on_each(model, &[source])
    }

    /// Reads several sources at once, shorter ones padded. Row `i` of
    /// [`beam_search_rows`](crate::beam_search_rows) is then conditioned on `sources[i]`; whatever
    /// takes one sequence only writes the target of the first.
    ///
    /// # Errors
    /// As [`Conditioned::new`]; no sources are an empty one.
    pub fn on_each(model: &'m M, sources: &[&[u32]]) -> Result<Self, InferenceError> {
        for source in sources {
            check_source(model, source)?;
        }
        let length = |source: &&[u32]| source.len();
        let Some(longest) = sources.iter().map(length).max() else {
            return Err(InferenceError::EmptySource);
        };
        let device = model.device();
        let is_padded = sources.iter().any(|source| source.len() < longest);
        let mask = is_padded.then(|| real(sources, longest, &device));
        let read = model.encode(rows(sources, longest, &device), mask);
        Ok(Self { model, sources: read, count: sources.len() })
    }

    /// How much of each token of the first source predicted each of the tokens `target[1..]` and the
    /// one after them.
    ///
    /// # Errors
    /// [`InferenceError::TokenOutOfRange`], and when the device fails.
    pub fn attention(&self, target: &[u32]) -> Result<Vec<Vec<f32>>, InferenceError> {
        check_ids(target, self.vocab_size())?;
        let device = self.model.device();
        let source = M::select_sources(&self.sources, row_numbers(&[0], &device));
        let ids = rows(&[target], target.len(), &device);
        let weights = self.model.attention(ids, &source);
        let [_, _, width] = weights.dims();
        let weights = weights.try_into_vec_as::<f32>()?;
        Ok(weights.chunks_exact(width.max(1)).map(<[f32]>::to_vec).collect())
    }
}

fn check_source<M: ConditionalModel>(model: &M, source: &[u32]) -> Result<(), InferenceError> {
    let (tokens, context_length) = (source.len(), model.source_length());
    if tokens == 0 {
        return Err(InferenceError::EmptySource);
    }
    if tokens > context_length {
        return Err(InferenceError::PromptTooLong { tokens, context_length });
    }
    check_ids(source, model.source_vocab_size())
}

impl<M: ConditionalModel> LogitsModel for Conditioned<'_, M> {
    type Cache = TargetCache<M>;

    fn vocab_size(&self) -> usize {
        self.model.target_vocab_size()
    }

    fn context_length(&self) -> usize {
        self.model.target_length()
    }

    fn new_cache(&self, capacity: usize) -> TargetCache<M> {
        TargetCache {
            sources: self.sources.clone(),
            source_of_row: (0..self.count).collect(),
            state: self.model.new_state(&self.sources, capacity),
        }
    }

    fn advance(&self, ids: &[u32], cache: &mut TargetCache<M>) -> Result<Vec<f32>, InferenceError> {
        self.take_rows(&[0], cache);
        let ids = rows(&[ids], ids.len(), &self.model.device());
        last_position(self.model.decode(ids, &cache.sources, &mut cache.state))
    }

    fn advance_rows(
        &self,
        parents: &[usize],
        ids: &[u32],
        cache: &mut TargetCache<M>,
    ) -> Result<Vec<f32>, InferenceError> {
        self.take_rows(parents, cache);
        let sequences: Vec<&[u32]> = ids.chunks(1).collect();
        let ids = rows(&sequences, 1, &self.model.device());
        last_position(self.model.decode(ids, &cache.sources, &mut cache.state))
    }

    fn logits(&self, ids: &[u32]) -> Result<Vec<f32>, InferenceError> {
        let mut cache = self.new_cache(ids.len());
        self.take_rows(&[0], &mut cache);
        let ids = rows(&[ids], ids.len(), &self.model.device());
        let logits = self.model.decode(ids, &cache.sources, &mut cache.state);
        Ok(logits.try_into_vec_as::<f32>()?)
    }
}

impl<M: ConditionalModel> Conditioned<'_, M> {
    /// Row `i` of `cache` becomes what row `parents[i]` was. Beams mostly stay with their source, so
    /// its hidden states are gathered anew only where a row changes to another.
    fn take_rows(&self, parents: &[usize], cache: &mut TargetCache<M>) {
        let device = self.model.device();
        if !parents.iter().copied().eq(0..cache.source_of_row.len()) {
            M::select_state(&mut cache.state, row_numbers(parents, &device));
        }
        let source_of_row: Vec<usize> =
            parents.iter().map(|&row| cache.source_of_row[row]).collect();
        if source_of_row != cache.source_of_row {
            cache.sources = M::select_sources(&self.sources, row_numbers(&source_of_row, &device));
            cache.source_of_row = source_of_row;
        }
    }
}
