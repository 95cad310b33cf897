//! What a run learns from: running text in shards, or pairs of texts in memory.

use wuji_data::{PreparedCorpus, TokenShards};

use super::DataSummary;
use super::pairs::PairedText;
use crate::WujiError;

/// Tokenized text of either kind.
pub(super) enum Material {
    /// One token after another.
    Running(PreparedCorpus),
    /// Sources and targets.
    Pairs(PairedText),
}

impl Material {
    /// The shards of running text.
    pub(super) fn running(&self) -> Result<&PreparedCorpus, WujiError> {
        match self {
            Self::Running(prepared) => Ok(prepared),
            Self::Pairs(_) => Err(wrong("running text", "pairs")),
        }
    }

    /// The pairs.
    pub(super) fn pairs(&self) -> Result<&PairedText, WujiError> {
        match self {
            Self::Pairs(pairs) => Ok(pairs),
            Self::Running(_) => Err(wrong("pairs", "running text")),
        }
    }

    /// Fingerprints of what trains and of what is held out.
    pub(super) fn fingerprints(&self) -> [String; 2] {
        match self {
            Self::Running(prepared) => [&prepared.train, &prepared.validation]
                .map(|shards| shards.fingerprint().to_string()),
            Self::Pairs(pairs) => [&pairs.train, &pairs.validation].map(|side| side.fingerprint()),
        }
    }

    /// The tokens that are to be predicted, for the n-gram beside the model: at most `limit` to
    /// learn from, and all that are held out.
    pub(super) fn predicted_tokens(&self, limit: u64) -> [Vec<u32>; 2] {
        match self {
            Self::Running(prepared) => {
                [read(&prepared.train, limit), read(&prepared.validation, u64::MAX)]
            }
            Self::Pairs(pairs) => {
                let limit = usize::try_from(limit).unwrap_or(usize::MAX);
                [pairs.train.target_tokens(limit), pairs.validation.target_tokens(usize::MAX)]
            }
        }
    }

    /// Bytes of the held-out text that is to be predicted.
    pub(super) fn held_out_bytes(&self) -> u64 {
        match self {
            Self::Running(prepared) => prepared.validation.source_bytes(),
            Self::Pairs(pairs) => pairs.validation.target_bytes,
        }
    }

    /// Nats per held-out token as bits per byte.
    pub(super) fn bits_per_byte(&self, nats_per_token: f64) -> f64 {
        match self {
            Self::Running(prepared) => prepared.validation.bits_per_byte(nats_per_token),
            Self::Pairs(pairs) => {
                let nats = nats_per_token * pairs.validation.target_count() as f64;
                nats / (std::f64::consts::LN_2 * pairs.validation.target_bytes.max(1) as f64)
            }
        }
    }

    /// The sizes of both sides.
    pub(super) fn summary(&self, vocab_size: usize) -> DataSummary {
        match self {
            Self::Running(prepared) => DataSummary::of(prepared),
            Self::Pairs(pairs) => pairs.summary(vocab_size),
        }
    }
}

fn wrong(expected: &str, found: &str) -> WujiError {
    WujiError::config("[objective]", format!("kind: expected one of {expected}, got {found}"))
}

fn read(shards: &TokenShards, limit: u64) -> Vec<u32> {
    let mut tokens = vec![0; shards.token_count().min(limit) as usize];
    shards.read(0, &mut tokens);
    tokens
}
