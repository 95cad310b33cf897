//! Sources put together, with the weights by which training samples are drawn from them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{DataError, Result};
use crate::shard::check_weights;
use crate::source::{DocumentSource, FileSource, SourceOptions};

/// What a user can say about a corpus.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CorpusOptions {
    /// The sources.
    pub sources: Vec<SourceOptions>,
}

/// A source and its share.
#[derive(Clone)]
pub struct WeightedSource {
    /// The documents.
    pub source: Arc<dyn DocumentSource>,
    /// Share of the training samples; see [`SourceOptions::weight`].
    pub weight: Option<f64>,
}

/// One or more sources.
///
/// Invariants: there is at least one; names are unique; either all have a weight or none has.
#[derive(Clone)]
pub struct Corpus {
    sources: Vec<WeightedSource>,
}

impl Corpus {
    /// Finds the files of all sources.
    pub fn open(options: &CorpusOptions) -> Result<Self> {
        let sources = options.sources.iter().map(|options| {
            let source = Arc::new(FileSource::open(options)?);
            Ok(WeightedSource { source, weight: options.weight })
        });
        Self::new(sources.collect::<Result<_>>()?)
    }

    /// A corpus of one source.
    pub fn single(source: impl DocumentSource + 'static) -> Self {
        Self { sources: vec![WeightedSource { source: Arc::new(source), weight: None }] }
    }

    /// Puts sources together.
    pub fn new(sources: Vec<WeightedSource>) -> Result<Self> {
        if sources.is_empty() {
            return Err(DataError::InvalidOption {
                key: "sources".to_owned(),
                reason: "expected at least one, got none".to_owned(),
            });
        }
        let mut names: Vec<&str> = sources.iter().map(|source| source.source.name()).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(DataError::InvalidOption {
                key: "sources".to_owned(),
                reason: format!("two are named {:?}; give each its own `name`", pair[0]),
            });
        }
        check_weights(sources.iter().map(|source| (source.source.name(), source.weight)))?;
        Ok(Self { sources })
    }

    /// The sources, in order.
    pub fn sources(&self) -> &[WeightedSource] {
        &self.sources
    }

    pub(crate) fn names(&self) -> String {
        let names: Vec<&str> = self.sources.iter().map(|source| source.source.name()).collect();
        names.join(", ")
    }
}
