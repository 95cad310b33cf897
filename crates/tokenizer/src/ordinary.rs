//! A copy of a pipeline in which special tokens are only characters.

use serde_json::Value;
use tokenizers::ModelWrapper;

use crate::error::TokenizerError;
use crate::tokenizer::Pipeline;

/// `pipeline` without its special tokens, with all ids unchanged.
///
/// Not recognising special tokens in the text is enough for most models, because they build tokens from smaller ones.
/// A Unigram model matches whole pieces, special ones too, so there the pieces get a name that no text contains.
pub(crate) fn without_special_tokens(pipeline: &Pipeline) -> Result<Pipeline, TokenizerError> {
    if !matches!(pipeline.get_model(), ModelWrapper::Unigram(_)) {
        let mut ordinary = pipeline.clone();
        ordinary.set_encode_special_tokens(true);
        return Ok(ordinary);
    }
    let added = pipeline.get_added_tokens_decoder();
    let special = |id: u32| added.get(&id).is_some_and(|token| token.special);
    let mut description = serde_json::to_value(pipeline)
        .map_err(|error| TokenizerError::Encode { source: error.into() })?;
    if let Some(tokens) = description.get_mut("added_tokens").and_then(Value::as_array_mut) {
        tokens.retain(|token| token["special"] != Value::Bool(true));
    }
    if let Some(pieces) = description.pointer_mut("/model/vocab").and_then(Value::as_array_mut) {
        for (id, piece) in pieces.iter_mut().enumerate().filter(|(id, _)| special(*id as u32)) {
            // Plane-16 private use: no normaliser makes it, no text holds it followed by a number.
            piece[0] = Value::String(format!("\u{10FFFD}{id}"));
        }
    }
    // A template would name tokens that are gone.
    description["post_processor"] = Value::Null;
    serde_json::from_str(&description.to_string())
        .map_err(|error| TokenizerError::Encode { source: error.into() })
}
