//! Tokens in, BIO tags out.

use std::collections::HashMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::templates::Token;
use super::{Crf, CrfOptions, LinearChain, TagScheme, TaggedSpan, Template, spans};
use crate::interner::Interner;
use crate::{ClassicalError, SparseMatrix};

/// What a tagger looks at and how it learns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TaggerConfig {
    /// Which features a position has.
    pub templates: Vec<Template>,
    /// Positions that must have a feature for it to count.
    pub min_positions: usize,
    /// How spans are written for learning.
    pub scheme: TagScheme,
    /// Whether only tags are given that can follow each other; without it the best path is as learnt.
    pub constrained: bool,
    /// How the weights are fitted.
    pub crf: CrfOptions,
}

impl Default for TaggerConfig {
    fn default() -> Self {
        Self {
            templates: Template::entities(),
            min_positions: 1,
            scheme: TagScheme::default(),
            constrained: true,
            crf: CrfOptions::default(),
        }
    }
}

/// A sentence to learn from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaggedSentence {
    /// Tokens.
    pub tokens: Vec<String>,
    /// A BIO tag for each.
    pub tags: Vec<String>,
}

/// A trained tagger of spans.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tagger {
    config: TaggerConfig,
    features: Interner,
    /// Tags of the scheme.
    tags: Interner,
    crf: Crf,
}

impl Tagger {
    /// Learns from tagged sentences. Empty ones do not count.
    ///
    /// # Errors
    /// No sentence, fewer than two tags, tags that are not BIO or not one per token.
    pub fn train(
        config: &TaggerConfig,
        sentences: &[TaggedSentence],
    ) -> Result<Self, ClassicalError> {
        let sentences: Vec<&TaggedSentence> =
            sentences.iter().filter(|sentence| !sentence.tokens.is_empty()).collect();
        let labels: Vec<Vec<String>> = sentences
            .iter()
            .map(|sentence| labels(config.scheme, sentence))
            .collect::<Result<_, _>>()?;
        let tags = Interner::sorted(labels.concat());
        let labels: Vec<usize> = labels
            .iter()
            .flatten()
            .filter_map(|tag| tags.number(tag))
            .map(|tag| tag as usize)
            .collect();
        let features = frequent_features(config, &sentences);
        let rows: Vec<Vec<Vec<(u32, f32)>>> = sentences
            .par_iter()
            .map(|sentence| rows(config, &features, &sentence.tokens))
            .collect();
        let lengths: Vec<usize> = rows.iter().map(Vec::len).collect();
        let rows = SparseMatrix::from_rows(features.len(), rows.into_iter().flatten());
        let crf = Crf::fit(&rows, &lengths, &labels, tags.len(), &config.crf)?;
        Ok(Self { config: config.clone(), features, tags, crf })
    }

    /// The weights behind it.
    pub fn crf(&self) -> &Crf {
        &self.crf
    }

    /// The tags that it knows, as its scheme writes them, in the order of the weights.
    pub fn labels(&self) -> &[String] {
        self.tags.names()
    }

    /// The features that it knows, in the order of the weights.
    pub fn features(&self) -> &[String] {
        self.features.names()
    }

    /// The BIO tags of a sentence.
    pub fn tag<T: AsRef<str>>(&self, tokens: &[T]) -> Vec<String> {
        self.tag_with(&self.decoder(), tokens)
    }

    /// The BIO tags of many sentences, in parallel.
    pub fn tag_all<T: AsRef<str> + Sync>(&self, sentences: &[Vec<T>]) -> Vec<Vec<String>> {
        let decoder = self.decoder();
        sentences.par_iter().map(|tokens| self.tag_with(&decoder, tokens)).collect()
    }

    /// Probability of each of the [`labels`](Self::labels) for each token, whether or not they can
    /// follow each other.
    pub fn marginals<T: AsRef<str>>(&self, tokens: &[T]) -> Vec<Vec<f64>> {
        let posterior = self.crf.chain().posterior(&self.emissions(tokens));
        let labels = posterior.map(|posterior| posterior.labels).unwrap_or_default();
        labels.chunks_exact(self.tags.len()).map(<[f64]>::to_vec).collect()
    }

    /// The spans of a sentence.
    pub fn spans<T: AsRef<str>>(&self, tokens: &[T]) -> Vec<TaggedSpan> {
        spans(&self.tag(tokens)).unwrap_or_default()
    }

    fn tag_with<T: AsRef<str>>(&self, decoder: &LinearChain, tokens: &[T]) -> Vec<String> {
        let path = decoder.best_path(&self.emissions(tokens));
        let labels = path.map(|path| path.labels).unwrap_or_default();
        labels.into_iter().map(|label| TagScheme::to_bio(&self.tags.names()[label])).collect()
    }

    /// The chain whose best path is given.
    fn decoder(&self) -> LinearChain {
        let chain = self.crf.chain();
        if !self.config.constrained {
            return chain.clone();
        }
        let name = |label: Option<usize>| label.map(|label| self.tags.names()[label].as_str());
        chain.constrained(|from, to| self.config.scheme.allows(name(from), name(to)))
    }

    fn emissions<T: AsRef<str>>(&self, tokens: &[T]) -> Vec<f64> {
        let rows = rows(&self.config, &self.features, tokens);
        self.crf.emissions(&SparseMatrix::from_rows(self.features.len(), rows))
    }
}

/// The tags of a sentence in a scheme.
fn labels(scheme: TagScheme, sentence: &TaggedSentence) -> Result<Vec<String>, ClassicalError> {
    let (rows, labels) = (sentence.tokens.len(), sentence.tags.len());
    if rows != labels {
        return Err(ClassicalError::Labels { rows, labels });
    }
    Ok(scheme.write(&spans(&sentence.tags)?, rows))
}

/// Features of at least so many positions.
fn frequent_features(config: &TaggerConfig, sentences: &[&TaggedSentence]) -> Interner {
    let counts =
        sentences.par_iter().fold(HashMap::<String, usize>::new, |mut counts, sentence| {
            each_feature(&config.templates, &sentence.tokens, &mut |_, feature| match counts
                .get_mut(feature)
            {
                Some(count) => *count += 1,
                None => {
                    counts.insert(feature.to_owned(), 1);
                }
            });
            counts
        });
    let counts = counts.reduce(HashMap::new, |mut all, some| {
        for (feature, count) in some {
            *all.entry(feature).or_default() += count;
        }
        all
    });
    let mut frequent: Vec<(String, usize)> =
        counts.into_iter().filter(|(_, count)| *count >= config.min_positions).collect();
    // The most frequent first, so that most weights of a step are near each other in memory.
    frequent.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Interner::from(frequent.into_iter().map(|(feature, _)| feature).collect::<Vec<_>>())
}

/// The known features of each token, ascending.
fn rows<T: AsRef<str>>(
    config: &TaggerConfig,
    features: &Interner,
    tokens: &[T],
) -> Vec<Vec<(u32, f32)>> {
    let mut rows = vec![Vec::new(); tokens.len()];
    each_feature(&config.templates, tokens, &mut |position, feature| {
        rows[position].extend(features.number(feature).map(|number| (number, 1.0)));
    });
    for row in &mut rows {
        row.sort_unstable_by_key(|(feature, _)| *feature);
        row.dedup_by_key(|(feature, _)| *feature);
    }
    rows
}

/// Calls `found` with each position and each of its features.
fn each_feature<T: AsRef<str>>(
    templates: &[Template],
    tokens: &[T],
    found: &mut dyn FnMut(usize, &str),
) {
    let tokens: Vec<Token> = tokens.iter().map(|token| Token::new(token.as_ref())).collect();
    for position in 0..tokens.len() {
        for template in templates {
            template.each(&tokens, position, &mut |feature| found(position, feature));
        }
    }
}
