//! A tokenizer's fingerprint: the SHA-256 of its canonical `tokenizer.json`.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// The fingerprint of a tokenizer that `description` (its `tokenizer.json`) describes, as 64 hexadecimal digits.
///
/// The `tokenizers` crate writes vocabularies and added tokens in the order of their ids and merges in the order of
/// their ranks, so that the same content always gives the same bytes.
pub(crate) fn of(description: &Value) -> String {
    let digest = Sha256::digest(description.to_string());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
