//! Several shards as one long sequence of tokens, with the weights by which they are mixed.

use std::sync::Arc;

use super::reader::TokenShard;
use crate::error::{DataError, Result};
use crate::fingerprint::Fingerprint;

/// A shard and the source that it came from.
#[derive(Debug)]
pub struct NamedShard {
    /// Name of the source.
    pub name: String,
    /// The source's share when sources are mixed by weight; all shards of a set have one or none.
    pub weight: Option<f64>,
    /// The tokens.
    pub shard: TokenShard,
}

/// A stretch of the sequence that is sampled as one population.
#[derive(Clone, Debug, PartialEq)]
pub struct ShardRegion {
    /// What it is, for messages.
    pub name: String,
    /// Index of its first token.
    pub start: u64,
    /// Number of tokens.
    pub len: u64,
    /// Its share of all samples; shares need not sum to 1.
    pub weight: f64,
}

/// All tokens of one split: the shards of its sources, one after the other. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TokenShards {
    shards: Arc<[NamedShard]>,
    /// Index of the first token of each shard, then the number of all tokens.
    token_starts: Arc<[u64]>,
    /// Index of the first document of each shard, then the number of all documents.
    document_starts: Arc<[u64]>,
}

impl TokenShards {
    /// Puts shards in a row. They must share one tokenizer, and either all have a weight or none.
    pub fn new(shards: Vec<NamedShard>) -> Result<Self> {
        if let [first, rest @ ..] = shards.as_slice() {
            let expected = &first.shard.header().tokenizer_fingerprint;
            for other in rest {
                let found = &other.shard.header().tokenizer_fingerprint;
                if found != expected {
                    return Err(DataError::WrongTokenizer {
                        path: other.shard.path().to_path_buf(),
                        expected: expected.clone(),
                        found: found.clone(),
                    });
                }
            }
            check_weights(shards.iter().map(|shard| (shard.name.as_str(), shard.weight)))?;
        }
        let starts = |count: fn(&TokenShard) -> u64| -> Arc<[u64]> {
            let mut total = 0;
            let mut starts = vec![0];
            starts.extend(shards.iter().map(|shard| {
                total += count(&shard.shard);
                total
            }));
            starts.into()
        };
        Ok(Self {
            token_starts: starts(|shard| shard.header().token_count),
            document_starts: starts(|shard| shard.header().document_count),
            shards: shards.into(),
        })
    }

    /// One shard without a weight.
    pub fn single(name: &str, shard: TokenShard) -> Self {
        Self {
            token_starts: [0, shard.header().token_count].into(),
            document_starts: [0, shard.header().document_count].into(),
            shards: [NamedShard { name: name.to_owned(), weight: None, shard }].into(),
        }
    }

    /// The shards in order.
    pub fn shards(&self) -> &[NamedShard] {
        &self.shards
    }

    /// Number of tokens, separators included.
    pub fn token_count(&self) -> u64 {
        self.token_starts[self.shards.len()]
    }

    /// Number of documents.
    pub fn document_count(&self) -> u64 {
        self.document_starts[self.shards.len()]
    }

    /// Bytes of the text that the tokens stand for.
    pub fn source_bytes(&self) -> u64 {
        self.shards.iter().map(|shard| shard.shard.header().source_bytes).sum()
    }

    /// Vocabulary size of the tokenizer; 0 for an empty set.
    pub fn vocab_size(&self) -> usize {
        self.shards.first().map_or(0, |shard| shard.shard.header().vocab_size as usize)
    }

    /// Turns a mean loss in nats per token over this split into bits per byte of its text, the
    /// figure that compares models with different vocabularies.
    pub fn bits_per_byte(&self, nats_per_token: f64) -> f64 {
        nats_per_token * self.token_count() as f64
            / (std::f64::consts::LN_2 * self.source_bytes() as f64)
    }

    /// Identifies the content: tokens, boundaries, tokenizer, order and weights.
    pub fn fingerprint(&self) -> Fingerprint {
        use crate::dataset::DataSource;
        Fingerprint::of_parts(self.shards.iter().map(|shard| {
            let weight = shard.weight.unwrap_or(0.0).to_bits().to_le_bytes();
            Fingerprint::of_parts([shard.shard.fingerprint().as_ref(), &weight])
        }))
    }

    /// Copies the tokens from index `start` on into `tokens`, across shards.
    ///
    /// # Panics
    /// If the range does not lie inside the sequence.
    pub fn read(&self, start: u64, tokens: &mut [u32]) {
        assert!(
            start + tokens.len() as u64 <= self.token_count(),
            "tokens {start}..+{} of {}",
            tokens.len(),
            self.token_count()
        );
        let (mut at, mut rest) = (start, tokens);
        while !rest.is_empty() {
            let index = position(&self.token_starts, at);
            let inside = (self.token_starts[index + 1] - at).min(rest.len() as u64) as usize;
            let (head, tail) = rest.split_at_mut(inside);
            self.shards[index].shard.read(at - self.token_starts[index], head);
            at += inside as u64;
            rest = tail;
        }
    }

    /// The document that holds token `token`, counted over all shards.
    pub fn document_of(&self, token: u64) -> u64 {
        if self.shards.is_empty() {
            return 0;
        }
        let index = position(&self.token_starts, token);
        let inside = self.shards[index].shard.document_of(token - self.token_starts[index]);
        self.document_starts[index] + inside
    }

    /// Index of the first token of a document; the number of tokens for one past the last.
    pub fn document_start(&self, document: u64) -> u64 {
        if document >= self.document_count() {
            return self.token_count();
        }
        let index = position(&self.document_starts, document);
        let inside = document - self.document_starts[index];
        self.token_starts[index] + self.shards[index].shard.document_start(inside)
    }

    /// The populations to sample from: each shard by its weight, or the whole sequence as one
    /// when there are no weights.
    pub fn regions(&self) -> Vec<ShardRegion> {
        let weighted = self.shards.iter().any(|shard| shard.weight.is_some());
        if !weighted {
            let names: Vec<&str> = self.shards.iter().map(|shard| shard.name.as_str()).collect();
            return vec![ShardRegion {
                name: names.join(" + "),
                start: 0,
                len: self.token_count(),
                weight: 1.0,
            }];
        }
        let starts = self.token_starts.iter().zip(self.shards.iter());
        starts
            .map(|(&start, shard)| ShardRegion {
                name: shard.name.clone(),
                start,
                len: shard.shard.header().token_count,
                weight: shard.weight.unwrap_or(0.0),
            })
            .collect()
    }
}

/// Index of the last interval that begins at or before `value`; empty intervals are passed over.
fn position(starts: &[u64], value: u64) -> usize {
    let intervals = &starts[..starts.len() - 1];
    intervals.partition_point(|&start| start <= value).saturating_sub(1)
}

/// Weights are positive numbers, and every source has one or none has.
pub(crate) fn check_weights<'a>(
    sources: impl Iterator<Item = (&'a str, Option<f64>)> + Clone,
) -> Result<()> {
    let key = |name: &str| format!("weight of source {name:?}");
    let any = sources.clone().any(|(_, weight)| weight.is_some());
    for (name, weight) in sources {
        let reason = match weight {
            Some(weight) if weight > 0.0 && weight.is_finite() => continue,
            Some(weight) => format!("expected a positive number, got {weight}"),
            None if !any => continue,
            None => "missing; give every source a weight, or none".to_owned(),
        };
        return Err(DataError::InvalidOption { key: key(name), reason });
    }
    Ok(())
}
