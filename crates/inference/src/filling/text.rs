//! Filling in texts: a model, its tokenizer and its special tokens.

use std::path::Path;

use wuji_model::{CausalLm, EncoderModel, ModelConfig};
use wuji_protocol::GenerateOptions;
use wuji_tokenizer::Tokenizer;

use super::{BlankTokens, FilledMask, fill_blanks, fill_mask, filled};
use crate::InferenceError;

/// A token that may stand where a mask is.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct TokenGuess {
    /// The token as text.
    pub token: String,
    /// Its id.
    pub id: u32,
    /// Its probability among all tokens.
    pub probability: f64,
}

/// What may stand where a mask is.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct MaskGuesses {
    /// The mask's place among the tokens.
    pub position: usize,
    /// The most likely tokens, best first.
    pub candidates: Vec<TokenGuess>,
}

/// A text whose masks have been filled.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct FilledText {
    /// The text with the likeliest token for every mask, each chosen for itself.
    pub text: String,
    /// The guesses for each mask, in the order of the text.
    pub masks: Vec<MaskGuesses>,
}

/// An encoder that guesses masked tokens of texts.
#[derive(Debug, Clone)]
pub struct MaskFiller {
    model: EncoderModel,
    tokenizer: Tokenizer,
    mask_id: u32,
}

impl MaskFiller {
    /// Puts an encoder and its tokenizer together; `dir` is where they come from, for messages.
    ///
    /// # Errors
    /// [`InferenceError::WrongKind`] without a masked-language-model head,
    /// [`InferenceError::MissingToken`] without a mask token.
    pub fn new(
        dir: &Path,
        model: EncoderModel,
        tokenizer: Tokenizer,
    ) -> Result<Self, InferenceError> {
        if model.masked_lm.is_none() {
            return Err(InferenceError::WrongKind {
                path: dir.to_path_buf(),
                model_type: model.config().class_name(),
                ability: "fill masks: it has no masked-language-model head",
            });
        }
        let mask_id = special(model.config(), &tokenizer, "mask_token_id", &["[MASK]", "<mask>"])
            .or(tokenizer.mask_token_id())
            .ok_or_else(|| missing(dir, "mask_token_id ([MASK], <mask>)"))?;
        Ok(Self { model, tokenizer, mask_id })
    }

    /// The token that marks what is to be guessed, as it is written in a text.
    pub fn mask_token(&self) -> String {
        token_text(&self.tokenizer, self.mask_id)
    }

    /// Guesses the masked tokens of `text`, `top_k` candidates for each.
    ///
    /// # Errors
    /// As [`fill_mask`].
    pub fn fill(&self, text: &str, top_k: usize) -> Result<FilledText, InferenceError> {
        let mut ids = self.tokenizer.encode(text, true)?.ids;
        let masks = fill_mask(&self.model, &ids, self.mask_id, top_k)
            .map_err(|error| name_masks(error, || self.mask_token()))?;
        for mask in &masks {
            if let Some(best) = mask.candidates.first() {
                ids[mask.position] = best.id;
            }
        }
        let text = self.tokenizer.decode(&ids, true)?;
        let masks = masks.into_iter().map(|mask| self.guesses(mask)).collect::<Result<_, _>>()?;
        Ok(FilledText { text, masks })
    }

    fn guesses(&self, mask: FilledMask) -> Result<MaskGuesses, InferenceError> {
        let guess = |candidate: super::Candidate| {
            let token = self.tokenizer.decode(&[candidate.id], false)?;
            Ok(TokenGuess { token, id: candidate.id, probability: candidate.probability })
        };
        let candidates =
            mask.candidates.into_iter().map(guess).collect::<Result<_, InferenceError>>()?;
        Ok(MaskGuesses { position: mask.position, candidates })
    }
}

/// A text whose blanks have been filled.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FilledBlanks {
    /// The text with everything in its place.
    pub text: String,
    /// What was written into each blank, in the order of the text.
    pub blanks: Vec<String>,
}

/// An original GLM that fills blanks of texts.
#[derive(Debug, Clone)]
pub struct BlankFiller {
    model: CausalLm,
    tokenizer: Tokenizer,
    tokens: BlankTokens,
}

impl BlankFiller {
    /// Puts a model and its tokenizer together; `dir` is where they come from, for messages.
    ///
    /// # Errors
    /// [`InferenceError::WrongKind`] for a model without positions within blanks,
    /// [`InferenceError::MissingToken`] without the tokens for masks and pieces.
    pub fn new(dir: &Path, model: CausalLm, tokenizer: Tokenizer) -> Result<Self, InferenceError> {
        if model.decoder.block_position_embedding.is_none() {
            return Err(InferenceError::WrongKind {
                path: dir.to_path_buf(),
                model_type: model.config().model_type().to_owned(),
                ability: "fill blanks: it has no positions within them",
            });
        }
        let find = |key, names: &[&str]| special(model.config(), &tokenizer, key, names);
        let masks = [
            find("mask_token_id", &["[MASK]", "<mask>"]),
            find("smask_token_id", &["[sMASK]"]),
            find("gmask_token_id", &["[gMASK]"]),
        ];
        let masks: Vec<u32> = masks.into_iter().flatten().collect();
        if masks.is_empty() {
            return Err(missing(dir, "mask_token_id ([MASK], [sMASK], [gMASK])"));
        }
        let start = find("sop_token_id", &["<|startofpiece|>", "<sop>"]);
        let end = find("eop_token_id", &["<|endofpiece|>", "<eop>"]);
        let tokens = BlankTokens {
            masks,
            start_of_piece: start.ok_or_else(|| missing(dir, "sop_token_id (<|startofpiece|>)"))?,
            end_of_piece: end.ok_or_else(|| missing(dir, "eop_token_id (<|endofpiece|>)"))?,
        };
        Ok(Self { model, tokenizer, tokens })
    }

    /// The tokens that mark blanks, as they are written in a text.
    pub fn mask_tokens(&self) -> Vec<String> {
        self.tokens.masks.iter().map(|&id| token_text(&self.tokenizer, id)).collect()
    }

    /// Fills the blanks of `text`, each with at most `options.max_new_tokens` tokens.
    ///
    /// # Errors
    /// As [`fill_blanks`].
    pub fn fill(
        &self,
        text: &str,
        options: &GenerateOptions,
    ) -> Result<FilledBlanks, InferenceError> {
        let ids = self.tokenizer.encode(text, true)?.ids;
        let blanks = fill_blanks(&self.model, &ids, &self.tokens, options)
            .map_err(|error| name_masks(error, || self.mask_tokens().join(", ")))?;
        let text = self.tokenizer.decode(&filled(&ids, &blanks), true)?;
        let pieces = blanks.iter().map(|blank| self.tokenizer.decode(&blank.ids, true));
        Ok(FilledBlanks { text, blanks: pieces.collect::<Result<_, _>>()? })
    }
}

/// A special token by its key in `config.json`, or else by one of its usual names.
fn special(config: &ModelConfig, tokenizer: &Tokenizer, key: &str, names: &[&str]) -> Option<u32> {
    let named = || names.iter().find_map(|name| tokenizer.token_to_id(name));
    config.token_id(key).or_else(named)
}

fn missing(dir: &Path, token: &'static str) -> InferenceError {
    InferenceError::MissingToken { path: dir.to_path_buf(), token }
}

fn token_text(tokenizer: &Tokenizer, id: u32) -> String {
    tokenizer.id_to_token(id).unwrap_or_else(|| id.to_string())
}

/// Says the masks that were looked for as a user writes them.
fn name_masks(error: InferenceError, masks: impl FnOnce() -> String) -> InferenceError {
    match error {
        InferenceError::NothingToFill { .. } => InferenceError::NothingToFill { masks: masks() },
        other => other,
    }
}
