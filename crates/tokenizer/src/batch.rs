//! Rectangular batches: truncation, padding and attention masks.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tokenizers::{
    PaddingDirection, PaddingParams, PaddingStrategy, PostProcessor, TruncationDirection,
    TruncationParams, TruncationStrategy, pad_encodings,
};

use crate::error::TokenizerError;
use crate::tokenizer::{Pipeline, Tokenizer};

/// One end of a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The beginning; generation pads here, so that the last position is the last token.
    Left,
    /// The end.
    #[default]
    Right,
}

/// How to make texts into a rectangle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchConfig {
    /// Longest sequence with the template's tokens; longer ones are cut, of a pair the longer side first.
    pub max_length: Option<usize>,
    /// Pads every row to `max_length` rather than to the longest row.
    pub pad_to_max_length: bool,
    /// Rounds the padded length up to a multiple of this.
    pub pad_to_multiple_of: Option<usize>,
    /// Where padding goes.
    pub padding_side: Side,
    /// Where text is cut off.
    pub truncation_side: Side,
    /// Padding id; the tokenizer's padding token if not given, or else its end token.
    pub pad_token_id: Option<u32>,
    /// Whether to apply the template.
    pub add_special_tokens: bool,
}

impl Default for BatchConfig {
    fn default() -> Self {
        Self {
            max_length: None,
            pad_to_max_length: false,
            pad_to_multiple_of: None,
            padding_side: Side::Right,
            truncation_side: Side::Right,
            pad_token_id: None,
            add_special_tokens: true,
        }
    }
}

/// A rectangle of ids: rows have the same length, 0 where there are no rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PaddedBatch {
    /// Token ids, `[batch, length]`.
    pub ids: Vec<Vec<u32>>,
    /// 1 for tokens, 0 for padding, `[batch, length]`.
    pub attention_mask: Vec<Vec<u32>>,
    /// Segments, `[batch, length]`.
    pub type_ids: Vec<Vec<u32>>,
}

/// Encodes texts into [`PaddedBatch`]es; made by [`Tokenizer::batch_encoder`].
pub struct BatchEncoder {
    tokenizer: Tokenizer,
    /// The tokenizer's pipeline with truncation.
    pipeline: Pipeline,
    padding: PaddingParams,
    add_special_tokens: bool,
}

impl BatchEncoder {
    pub(crate) fn new(tokenizer: &Tokenizer, config: &BatchConfig) -> Result<Self, TokenizerError> {
        let mut pipeline = tokenizer.pipeline().clone();
        if let Some(max_length) = config.max_length {
            check_room_for_template(&pipeline, max_length, config.add_special_tokens)?;
            let truncation = TruncationParams {
                max_length,
                direction: match config.truncation_side {
                    Side::Left => TruncationDirection::Left,
                    Side::Right => TruncationDirection::Right,
                },
                strategy: TruncationStrategy::LongestFirst,
                stride: 0,
            };
            pipeline
                .with_truncation(Some(truncation))
                .map_err(|error| TokenizerError::InvalidBatch { message: error.to_string() })?;
        }
        let padding = padding(tokenizer, config)?;
        Ok(Self {
            tokenizer: tokenizer.clone(),
            pipeline,
            padding,
            add_special_tokens: config.add_special_tokens,
        })
    }

    /// Encodes single texts.
    pub fn encode<S: AsRef<str> + Sync>(&self, texts: &[S]) -> Result<PaddedBatch, TokenizerError> {
        let encode = |text: &S| {
            let prepared = self.tokenizer.prepare(text.as_ref());
            self.pipeline.encode(prepared.text(), self.add_special_tokens)
        };
        self.pad(texts.par_iter().map(encode).collect())
    }

    /// Encodes pairs of texts.
    pub fn encode_pairs<S: AsRef<str> + Sync>(
        &self,
        pairs: &[(S, S)],
    ) -> Result<PaddedBatch, TokenizerError> {
        let encode = |(first, second): &(S, S)| {
            let first = self.tokenizer.prepare(first.as_ref());
            let second = self.tokenizer.prepare(second.as_ref());
            self.pipeline.encode((first.text(), second.text()), self.add_special_tokens)
        };
        self.pad(pairs.par_iter().map(encode).collect())
    }

    fn pad(
        &self,
        encodings: tokenizers::Result<Vec<tokenizers::Encoding>>,
    ) -> Result<PaddedBatch, TokenizerError> {
        let mut encodings = encodings.map_err(|source| TokenizerError::Encode { source })?;
        pad_encodings(&mut encodings, &self.padding)
            .map_err(|source| TokenizerError::Encode { source })?;
        Ok(PaddedBatch {
            ids: encodings.iter().map(|encoding| encoding.get_ids().to_vec()).collect(),
            attention_mask: encodings
                .iter()
                .map(|encoding| encoding.get_attention_mask().to_vec())
                .collect(),
            type_ids: encodings.iter().map(|encoding| encoding.get_type_ids().to_vec()).collect(),
        })
    }
}

impl std::fmt::Debug for BatchEncoder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("BatchEncoder")
            .field("truncation", &self.pipeline.get_truncation())
            .field("padding", &self.padding)
            .field("add_special_tokens", &self.add_special_tokens)
            .finish()
    }
}

/// The crate subtracts the template's tokens from `max_length` without looking, so the caller must.
fn check_room_for_template(
    pipeline: &Pipeline,
    max_length: usize,
    add_special_tokens: bool,
) -> Result<(), TokenizerError> {
    let template = pipeline.get_post_processor().map_or(0, |template| template.added_tokens(true));
    let needed = if add_special_tokens { template + 1 } else { template.max(1) };
    if max_length < needed {
        return Err(TokenizerError::InvalidBatch {
            message: format!(
                "max_length is {max_length}: expected at least {needed} (the template adds {template})"
            ),
        });
    }
    Ok(())
}

fn padding(tokenizer: &Tokenizer, config: &BatchConfig) -> Result<PaddingParams, TokenizerError> {
    let invalid = |message: String| TokenizerError::InvalidBatch { message };
    let stated = config.pad_token_id.or(tokenizer.pad_token_id()).or(tokenizer.eos_token_id());
    let pad_id = stated.ok_or_else(|| {
        invalid(
            "the tokenizer has neither a padding nor an end token: expected pad_token_id"
                .to_owned(),
        )
    })?;
    let pad_token = tokenizer.id_to_token(pad_id).ok_or_else(|| {
        invalid(format!(
            "pad_token_id {pad_id} is not in the vocabulary of {} ids",
            tokenizer.vocab_size()
        ))
    })?;
    let strategy = match (config.pad_to_max_length, config.max_length) {
        (true, Some(max_length)) => PaddingStrategy::Fixed(max_length),
        (true, None) => return Err(invalid("pad_to_max_length needs max_length".to_owned())),
        (false, _) => PaddingStrategy::BatchLongest,
    };
    Ok(PaddingParams {
        strategy,
        direction: match config.padding_side {
            Side::Left => PaddingDirection::Left,
            Side::Right => PaddingDirection::Right,
        },
        pad_to_multiple_of: config.pad_to_multiple_of,
        pad_id,
        pad_type_id: 0,
        pad_token,
    })
}
