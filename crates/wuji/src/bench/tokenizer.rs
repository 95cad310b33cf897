//! How fast text becomes ids, and ids text.

use std::time::Instant;

use serde::Serialize;
use wuji_tokenizer::Tokenizer;

use super::median;
use crate::WujiError;

/// Repetitions, of which the median is reported.
const ROUNDS: usize = 3;

/// Rates of a tokenizer in megabytes (10⁶ bytes) of text per second.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TokenizerReport {
    /// Its kind or, where this program does not train such, its algorithm.
    pub kind: String,
    /// Its size.
    pub vocab_size: usize,
    /// Bytes of text.
    pub bytes: usize,
    /// Tokens they became.
    pub tokens: usize,
    /// Bytes per token.
    pub bytes_per_token: f64,
    /// Text to ids, one text after the other.
    pub encode_mb_per_second: f64,
    /// Text to ids, on all threads.
    pub encode_parallel_mb_per_second: f64,
    /// Text to tokens with byte offsets, one text after the other.
    pub encode_offsets_mb_per_second: f64,
    /// Ids to text, one text after the other.
    pub decode_mb_per_second: f64,
}

/// Times `tokenizer` on `texts`.
///
/// # Errors
/// Texts that it cannot encode.
pub fn bench_tokenizer(
    tokenizer: &Tokenizer,
    texts: &[String],
) -> Result<TokenizerReport, WujiError> {
    let bytes: usize = texts.iter().map(String::len).sum();
    let ids = tokenizer.encode_ids_batch(texts)?;
    let tokens: usize = ids.iter().map(Vec::len).sum();
    let info = tokenizer.info();
    let rate = |mut work: Box<dyn FnMut() -> Result<(), WujiError> + '_>| {
        let mut seconds = Vec::new();
        for _ in 0..ROUNDS {
            let start = Instant::now();
            work()?;
            seconds.push(start.elapsed().as_secs_f64());
        }
        Ok::<f64, WujiError>(bytes as f64 / 1e6 / median(seconds).max(1e-9))
    };
    Ok(TokenizerReport {
        kind: info.kind.map_or(info.model, |kind| kind.to_string()),
        vocab_size: info.vocab_size,
        bytes,
        tokens,
        bytes_per_token: bytes as f64 / tokens.max(1) as f64,
        encode_mb_per_second: rate(Box::new(|| {
            for text in texts {
                tokenizer.encode_ids(text)?;
            }
            Ok(())
        }))?,
        encode_parallel_mb_per_second: rate(Box::new(|| {
            tokenizer.encode_ids_batch(texts)?;
            Ok(())
        }))?,
        encode_offsets_mb_per_second: rate(Box::new(|| {
            for text in texts {
                tokenizer.encode(text, false)?;
            }
            Ok(())
        }))?,
        decode_mb_per_second: rate(Box::new(|| {
            for ids in &ids {
                tokenizer.decode(ids, false)?;
            }
            Ok(())
        }))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wuji_tokenizer::{TokenizerKind, TokenizerTrainerConfig};

    #[test]
    fn every_rate_is_measured() {
        let texts = vec!["abc abd".to_string(), "abc".to_string()];
        let config = TokenizerTrainerConfig::new(TokenizerKind::Char, 9);
        let tokenizer = Tokenizer::train(&config, texts.clone().into_iter()).unwrap();
        let report = bench_tokenizer(&tokenizer, &texts).unwrap();
        assert_eq!((report.bytes, report.tokens, report.bytes_per_token), (10, 10, 1.0));
        assert_eq!(report.kind, "char");
        let rates = [
            report.encode_mb_per_second,
            report.encode_parallel_mb_per_second,
            report.encode_offsets_mb_per_second,
            report.decode_mb_per_second,
        ];
        assert!(rates.iter().all(|rate| rate.is_finite() && *rate > 0.0), "{rates:?}");
    }
}
