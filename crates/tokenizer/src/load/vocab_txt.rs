//! BERT's `vocab.txt`: one WordPiece token per line, the line number is the id.

use std::collections::HashMap;
use std::path::Path;

use super::{Beside, Imported};
use crate::error::TokenizerError;
use crate::pipeline::{self, added_token, bert_roles, word_piece};

const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// Reads `text`, the content of `path`.
pub(super) fn import(text: &str, path: &Path, beside: &Beside) -> Result<Imported, TokenizerError> {
    let tokens: Vec<&str> = text.lines().collect();
    let lines = check(&tokens, path)?;
    if !lines.contains_key("[UNK]") {
        return Err(TokenizerError::UnrecognizedFormat {
            path: path.to_owned(),
            reason: format!("a vocabulary of {} lines without the token [UNK]", tokens.len()),
        });
    }
    let lowercase = beside.flag("do_lower_case").unwrap_or_else(|| is_lowercase(&tokens));
    let added = SPECIAL
        .iter()
        .filter_map(|token| Some(added_token(*lines.get(token)? as u32 - 1, token, true)))
        .collect();
    let vocab = pipeline::vocab(tokens.iter().copied());
    Ok(Imported {
        description: word_piece(vocab, "[UNK]", lowercase, added).into_json(),
        special_tokens: bert_roles(),
    })
}

/// The line of each token, from 1.
fn check<'text>(
    tokens: &[&'text str],
    path: &Path,
) -> Result<HashMap<&'text str, usize>, TokenizerError> {
    let mut lines = HashMap::with_capacity(tokens.len());
    for (line, token) in (1..).zip(tokens) {
        if token.is_empty() {
            return Err(TokenizerError::InvalidDescription {
                path: path.to_owned(),
                field: format!("line {line}"),
                message: "expected a token, got an empty line".to_owned(),
            });
        }
        if let Some(first_line) = lines.insert(*token, line) {
            return Err(TokenizerError::DuplicateToken {
                path: path.to_owned(),
                line,
                first_line,
                token: (*token).to_owned(),
            });
        }
    }
    Ok(lines)
}

/// Whether the vocabulary was made from text in lower case: no ordinary token has a capital Latin letter. (Others may
/// have: BERT's uncased vocabulary has `ℝ`, which has no lower case.)
pub(super) fn is_lowercase(tokens: &[impl AsRef<str>]) -> bool {
    let capital = |token: &str| {
        !token.starts_with(['[', '<']) && token.contains(|letter: char| letter.is_ascii_uppercase())
    };
    !tokens.iter().any(|token| capital(token.as_ref()))
}
