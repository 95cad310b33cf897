//! Texts from other texts: an encoder–decoder between two tokenizers.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wuji_model::recurrent::RecurrentSeq2Seq;
use wuji_model::{AnyModel, Seq2SeqLm};
use wuji_protocol::GenerateOptions;
use wuji_tokenizer::Tokenizer;

use crate::generation_config::{eos_token_ids, suppressed_ids};
use crate::sampling::Sampler;
use crate::{
    BatchLimits, ConditionalModel, Conditioned, Hypothesis, InferenceError, batches,
    beam_search_rows,
};

/// How a [`Translator`] searches.
#[derive(Debug, Clone, PartialEq)]
pub struct TranslatorOptions {
    /// Translations that are followed at once; 1 is greedy. Default 4.
    pub num_beams: usize,
    /// A translation's log-probability is divided by its length in tokens to this power. Default 1.
    pub length_penalty: f32,
    /// Whether the search for a text ends once `num_beams` translations are finished. Default false.
    pub early_stopping: bool,
    /// Most tokens of a translation for each token of its source. Default 3.
    pub max_length_ratio: f64,
    /// Most tokens of a translation. Default 256.
    pub max_new_tokens: usize,
    /// How many sources are read at once; a batch has `num_beams` times as many targets.
    pub batch_limits: BatchLimits,
}

impl Default for TranslatorOptions {
    fn default() -> Self {
        Self {
            num_beams: 4,
            length_penalty: 1.0,
            early_stopping: false,
            max_length_ratio: 3.0,
            max_new_tokens: 256,
            batch_limits: BatchLimits { max_sequences: 16, max_tokens: 2048 },
        }
    }
}

impl TranslatorOptions {
    fn generation(&self) -> GenerateOptions {
        GenerateOptions {
            num_beams: self.num_beams.max(1),
            length_penalty: self.length_penalty,
            early_stopping: self.early_stopping,
            max_new_tokens: self.max_new_tokens.max(1),
            ..GenerateOptions::greedy()
        }
    }

    fn limit(&self, source: usize) -> usize {
        let by_ratio = (source as f64 * self.max_length_ratio).ceil().max(1.0) as usize;
        by_ratio.min(self.max_new_tokens.max(1))
    }
}

/// The tokens that a target is written with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TargetTokens {
    /// Begins every target.
    pub start: u32,
    /// End a target.
    pub end: Vec<u32>,
    /// Are never chosen.
    pub suppressed: Vec<u32>,
}

/// One text made of another.
#[derive(Debug, Clone, PartialEq)]
pub struct TranslatedText {
    /// The text.
    pub text: String,
    /// Sum of log-probabilities over `length ^ length_penalty`.
    pub score: f64,
    /// Its tokens, without those that begin and end targets.
    pub ids: Vec<u32>,
}

/// A heat map of what a decoder looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttentionMap {
    /// The tokens of the source.
    pub source: Vec<String>,
    /// The tokens of the target.
    pub target: Vec<String>,
    /// For each token of the target, how much of each token of the source predicted it; each row
    /// sums to one.
    pub weights: Vec<Vec<f32>>,
}

/// An encoder–decoder with the tokenizers of its two sides.
///
/// Sources are encoded with the tokenizer's template, and with an end-of-text token behind, which
/// encoder–decoders are trained with.
///
/// ```
/// use wuji_device::DeviceSpec;
/// use wuji_inference::{TargetTokens, Translator, TranslatorOptions};
/// use wuji_model::recurrent::{RecurrentSeq2Seq, Seq2SeqConfig};
/// use wuji_tokenizer::{Tokenizer, TokenizerKind, TokenizerTrainerConfig};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = TokenizerTrainerConfig::new(TokenizerKind::Char, 100);
/// let tokenizer = Tokenizer::train(&config, ["<abcde>".to_owned()].into_iter())?;
/// let size = tokenizer.vocab_size();
/// let config = Seq2SeqConfig {
///     source_vocab_size: size,
///     target_vocab_size: size,
///     embedding_size: 16,
///     hidden_size: 16,
///     ..Seq2SeqConfig::default()
/// };
/// let model = RecurrentSeq2Seq::init(&config, 1, &DeviceSpec::default().open()?)?;
/// let [start, end] = ["<", ">"].map(|token| tokenizer.token_to_id(token).unwrap());
/// let tokens = TargetTokens { start, end: vec![end], suppressed: Vec::new() };
/// let translator = Translator::shared(model, tokenizer, tokens);
///
/// let options = TranslatorOptions { num_beams: 2, max_length_ratio: 1.5, ..Default::default() };
/// let found = translator.translate(&["abc", "ea"], &options)?;
/// assert_eq!(found.len(), 2);
/// let map = translator.attention_map("abc", &found[0].ids)?; // for a heat map
/// assert_eq!((map.source.len(), map.target.len()), (3, found[0].ids.len()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Translator<M = Seq2SeqLm> {
    model: M,
    source_tokenizer: Tokenizer,
    target_tokenizer: Tokenizer,
    tokens: TargetTokens,
    source_end: Option<u32>,
}

impl<M: ConditionalModel> Translator<M> {
    /// Puts a model and its tokenizers together.
    pub fn new(model: M, source: Tokenizer, target: Tokenizer, tokens: TargetTokens) -> Self {
        let source_end = source.eos_token_id();
        Self { model, source_tokenizer: source, target_tokenizer: target, tokens, source_end }
    }

    /// The same with one tokenizer for both sides.
    pub fn shared(model: M, tokenizer: Tokenizer, tokens: TargetTokens) -> Self {
        Self::new(model, tokenizer.clone(), tokenizer, tokens)
    }

    /// Ends every source with this token, unless it ends so already; `None` leaves sources as the
    /// tokenizer's template makes them. Without this, it is the tokenizer's end-of-text token.
    #[must_use]
    pub fn with_source_end(mut self, id: Option<u32>) -> Self {
        self.source_end = id;
        self
    }

    /// The model.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The tokenizer of sources.
    pub fn source_tokenizer(&self) -> &Tokenizer {
        &self.source_tokenizer
    }

    /// The tokenizer of targets.
    pub fn target_tokenizer(&self) -> &Tokenizer {
        &self.target_tokenizer
    }

    /// The tokens that targets are written with.
    pub fn tokens(&self) -> &TargetTokens {
        &self.tokens
    }

    /// The tokens of a source as the model reads them.
    ///
    /// # Errors
    /// A text that the tokenizer cannot encode.
    pub fn source_ids(&self, text: &str) -> Result<Vec<u32>, InferenceError> {
        let mut ids = self.source_tokenizer.encode(text, true)?.ids;
        if let Some(end) = self.source_end
            && ids.last() != Some(&end)
        {
            ids.push(end);
        }
        Ok(ids)
    }

    /// A sampler for targets.
    pub(crate) fn sampler(&self, options: GenerateOptions, bad_words: Vec<Vec<u32>>) -> Sampler {
        let sampler = Sampler::new(options, bad_words, self.tokens.end.clone());
        sampler.with_suppressed_ids(self.tokens.suppressed.clone())
    }

    /// The best translation of each text that beam search finds, in the order given, however they
    /// were batched.
    ///
    /// # Errors
    /// A source that is empty, too long or not encodable, and those of the model.
    pub fn translate<S: AsRef<str>>(
        &self,
        texts: &[S],
        options: &TranslatorOptions,
    ) -> Result<Vec<TranslatedText>, InferenceError> {
        let sources: Vec<Vec<u32>> =
            texts.iter().map(|text| self.source_ids(text.as_ref())).collect::<Result<_, _>>()?;
        let lengths: Vec<usize> = sources.iter().map(Vec::len).collect();
        let mut translations = vec![None; sources.len()];
        for batch in batches(&lengths, options.batch_limits) {
            let sources: Vec<&[u32]> =
                batch.iter().map(|&index| sources[index].as_slice()).collect();
            for (index, found) in batch.into_iter().zip(self.translate_batch(&sources, options)?) {
                translations[index] = Some(found);
            }
        }
        Ok(translations.into_iter().flatten().collect())
    }

    fn translate_batch(
        &self,
        sources: &[&[u32]],
        options: &TranslatorOptions,
    ) -> Result<Vec<TranslatedText>, InferenceError> {
        let sampler = self.sampler(options.generation(), Vec::new());
        let conditioned = Conditioned::on_each(&self.model, sources)?;
        let starts = vec![self.tokens.start; sources.len()];
        let limits: Vec<usize> = sources.iter().map(|source| options.limit(source.len())).collect();
        let found = beam_search_rows(&conditioned, &starts, &limits, &sampler)?;
        let text = |mut found: Vec<Hypothesis>| {
            let Hypothesis { ids, score, .. } = found.swap_remove(0);
            let text = self.target_tokenizer.decode(&ids, true)?;
            Ok(TranslatedText { text, score, ids })
        };
        found.into_iter().map(text).collect()
    }

    /// What each token of a translation, `ids`, read of its source. Of a transformer, it is the mean
    /// over all heads of all blocks.
    ///
    /// # Errors
    /// As [`Translator::translate`], and ids outside the vocabulary.
    pub fn attention_map(&self, text: &str, ids: &[u32]) -> Result<AttentionMap, InferenceError> {
        let source = self.source_ids(text)?;
        let target = [&[self.tokens.start], ids].concat();
        let mut weights = Conditioned::new(&self.model, &source)?.attention(&target)?;
        weights.truncate(ids.len()); // The last row predicted the end.
        let tokens = |tokenizer: &Tokenizer, ids: &[u32]| {
            ids.iter().map(|&id| readable(tokenizer, id)).collect()
        };
        Ok(AttentionMap {
            source: tokens(&self.source_tokenizer, &source),
            target: tokens(&self.target_tokenizer, ids),
            weights,
        })
    }
}

impl Translator<Seq2SeqLm> {
    /// Loads a Hugging Face model directory of a T5 or Marian model: config, weights, generation
    /// config, and either `tokenizer.json` for both sides or the directories `source_tokenizer` and
    /// `target_tokenizer`.
    ///
    /// # Errors
    /// A file that is missing, damaged or does not fit the others.
    pub fn load(dir: &Path, device: &Device) -> Result<Self, InferenceError> {
        match AnyModel::from_dir(dir, device)? {
            AnyModel::EncoderDecoder(model) => Self::of_model(dir, model),
            other => Err(InferenceError::WrongKind {
                path: dir.to_path_buf(),
                model_type: other.config().model_type().to_owned(),
                ability: "make a text of another",
            }),
        }
    }

    pub(crate) fn of_model(dir: &Path, model: Seq2SeqLm) -> Result<Self, InferenceError> {
        let config = model.config();
        let mut suppressed = suppressed_ids(dir)?;
        // Marian begins with the padding and, without being told, would go on with it.
        if config.model_type() == "marian" {
            suppressed.extend(config.token_id("pad_token_id"));
        }
        let ends = config.eos_token_ids();
        let start = Some(model.decoder_start_token_id());
        Self::of_parts(dir, model, start, ends, suppressed)
    }
}

impl Translator<RecurrentSeq2Seq> {
    /// Loads a directory of a recurrent encoder–decoder; see [`Translator::load`].
    ///
    /// # Errors
    /// As [`Translator::load`].
    pub fn load_recurrent(dir: &Path, device: &Device) -> Result<Self, InferenceError> {
        Self::of_recurrent(dir, RecurrentSeq2Seq::from_dir(dir, device)?)
    }

    pub(crate) fn of_recurrent(
        dir: &Path,
        model: RecurrentSeq2Seq,
    ) -> Result<Self, InferenceError> {
        let id = |key: &str| {
            let id = model.config().extra.get(key).and_then(Value::as_u64);
            id.and_then(|id| u32::try_from(id).ok())
        };
        let start = id("decoder_start_token_id").or(id("bos_token_id"));
        let ends = id("eos_token_id").into_iter().collect();
        let suppressed = suppressed_ids(dir)?;
        Self::of_parts(dir, model, start, ends, suppressed)
    }
}

impl<M: ConditionalModel> Translator<M> {
    fn of_parts(
        dir: &Path,
        model: M,
        start: Option<u32>,
        ends: Vec<u32>,
        mut suppressed: Vec<u32>,
    ) -> Result<Self, InferenceError> {
        let (source, target) = tokenizers(dir)?;
        let sides = [(&source, model.source_vocab_size()), (&target, model.target_vocab_size())];
        for (tokenizer, vocab_size) in sides {
            let tokenizer_size = tokenizer.vocab_size();
            if tokenizer_size > vocab_size {
                let path = dir.to_path_buf();
                return Err(InferenceError::TokenizerMismatch { path, tokenizer_size, vocab_size });
            }
        }
        let start = start.or(target.bos_token_id()).ok_or(InferenceError::NoStartToken)?;
        let ends = eos_token_ids(dir)?.unwrap_or(ends);
        let end = if ends.is_empty() { target.eos_token_id().into_iter().collect() } else { ends };
        // Where the padding is also the end, it must stay possible.
        suppressed.retain(|id| !end.contains(id));
        Ok(Self::new(model, source, target, TargetTokens { start, end, suppressed }))
    }
}

/// A token as text; one that is only a part of a character, as the vocabulary spells it.
fn readable(tokenizer: &Tokenizer, id: u32) -> String {
    let text = tokenizer.decode(&[id], false).unwrap_or_default();
    if !text.is_empty() && !text.contains('\u{fffd}') {
        return text;
    }
    tokenizer.id_to_token(id).unwrap_or_else(|| id.to_string())
}

/// The tokenizers of both sides.
fn tokenizers(dir: &Path) -> Result<(Tokenizer, Tokenizer), InferenceError> {
    let of = |side: &str| -> PathBuf { dir.join(format!("{side}_tokenizer")) };
    if of("source").is_dir() && of("target").is_dir() {
        return Ok((Tokenizer::load(&of("source"))?, Tokenizer::load(&of("target"))?));
    }
    let shared = Tokenizer::load(dir)?;
    Ok((shared.clone(), shared))
}
