//! Texts as weighted counts of their terms (Spärck Jones 1972), with scikit-learn's formulas.

mod terms;

use std::collections::HashMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use terms::Terms;

use crate::SparseMatrix;

/// How texts become vectors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TfIdfConfig {
    /// Kinds of terms; each kind is a block of columns, and scaled to length 1 by itself.
    pub terms: Vec<Terms>,
    /// Texts that must have a term for it to count.
    pub min_texts: usize,
    /// `1 + ln(count)` in the place of the count.
    pub sublinear: bool,
}

impl Default for TfIdfConfig {
    fn default() -> Self {
        Self { terms: vec![Terms::WORDS], min_texts: 1, sublinear: false }
    }
}

impl TfIdfConfig {
    /// Words and pairs of words, and runs of two to five characters: a good floor for short texts.
    pub fn words_and_characters() -> Self {
        Self {
            terms: vec![
                Terms::Words { shortest: 1, longest: 2, min_length: 1 },
                Terms::Characters { shortest: 2, longest: 5 },
            ],
            min_texts: 1,
            sublinear: true,
        }
    }
}

/// The terms of a set of texts and how rare they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TfIdf {
    config: TfIdfConfig,
    blocks: Vec<Block>,
}

/// The terms of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Block {
    terms: Terms,
    /// Column of each term within the block, in the order of the terms.
    columns: HashMap<String, u32>,
    /// `ln((1 + texts) / (1 + texts with the term)) + 1`.
    rarity: Vec<f64>,
}

impl TfIdf {
    /// Learns the terms of `texts` and how rare they are.
    pub fn fit<T: AsRef<str> + Sync>(config: &TfIdfConfig, texts: &[T]) -> Self {
        let blocks = config.terms.iter().map(|&terms| Block::fit(terms, config.min_texts, texts));
        Self { config: config.clone(), blocks: blocks.collect() }
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.blocks.iter().map(|block| block.rarity.len()).sum()
    }

    /// The terms in the order of the columns.
    pub fn vocabulary(&self) -> Vec<&str> {
        let mut all = Vec::with_capacity(self.width());
        for block in &self.blocks {
            let mut terms: Vec<(&u32, &String)> =
                block.columns.iter().map(|(t, c)| (c, t)).collect();
            terms.sort_unstable();
            all.extend(terms.into_iter().map(|(_, term)| term.as_str()));
        }
        all
    }

    /// A row per text. Terms that were not learnt do not count.
    pub fn transform<T: AsRef<str> + Sync>(&self, texts: &[T]) -> SparseMatrix {
        let rows: Vec<_> = texts.par_iter().map(|text| self.row(text.as_ref())).collect();
        SparseMatrix::from_rows(self.width(), rows)
    }

    fn row(&self, text: &str) -> Vec<(u32, f32)> {
        let (mut row, mut first) = (Vec::new(), 0);
        for block in &self.blocks {
            let mut counts: HashMap<u32, f64> = HashMap::new();
            block.terms.each(text, &mut |term| {
                if let Some(&column) = block.columns.get(term) {
                    *counts.entry(column).or_default() += 1.0;
                }
            });
            let mut weights: Vec<(u32, f64)> = counts.into_iter().collect();
            weights.sort_unstable_by_key(|(column, _)| *column);
            for (column, weight) in &mut weights {
                let frequency = if self.config.sublinear { 1.0 + weight.ln() } else { *weight };
                *weight = frequency * block.rarity[*column as usize];
            }
            let length = weights.iter().map(|(_, weight)| weight * weight).sum::<f64>().sqrt();
            let scaled =
                weights.iter().map(|(column, weight)| (first + column, (weight / length) as f32));
            row.extend(scaled);
            first += block.rarity.len() as u32;
        }
        row
    }
}

impl Block {
    fn fit<T: AsRef<str> + Sync>(terms: Terms, min_texts: usize, texts: &[T]) -> Self {
        let seen = texts.par_iter().fold(HashMap::<String, usize>::new, |mut counts, text| {
            let mut here: Vec<String> = Vec::new();
            terms.each(text.as_ref(), &mut |term| here.push(term.to_owned()));
            here.sort_unstable();
            here.dedup();
            for term in here {
                *counts.entry(term).or_default() += 1;
            }
            counts
        });
        let counts = seen.reduce(HashMap::new, |mut all, some| {
            for (term, count) in some {
                *all.entry(term).or_default() += count;
            }
            all
        });
        let mut kept: Vec<(String, usize)> =
            counts.into_iter().filter(|(_, count)| *count >= min_texts.max(1)).collect();
        kept.sort_unstable();
        let rarity = |count: usize| ((1 + texts.len()) as f64 / (1 + count) as f64).ln() + 1.0;
        Self {
            terms,
            rarity: kept.iter().map(|(_, count)| rarity(*count)).collect(),
            columns: kept.into_iter().zip(0..).map(|((term, _), column)| (term, column)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_length_one_each_and_unknown_terms_do_not_count() {
        let config = TfIdfConfig {
            terms: vec![Terms::WORDS, Terms::Characters { shortest: 1, longest: 1 }],
            ..Default::default()
        };
        let texts = ["the cat", "the dog"];
        let model = TfIdf::fit(&config, &texts);
        assert_eq!(model.vocabulary()[..3], ["cat", "dog", "the"]);
        let row = model.transform(&["cat cat"]);
        let length = |from: u32, to: u32| -> f32 {
            let row = row.row(0);
            row.columns
                .iter()
                .zip(row.values)
                .filter(|(c, _)| (from..to).contains(c))
                .map(|(_, v)| v * v)
                .sum()
        };
        assert!((length(0, 3) - 1.0).abs() < 1e-6 && (length(3, 99) - 1.0).abs() < 1e-6);
        assert!(model.transform(&["xyzzy!"]).row(0).columns.iter().all(|&column| column >= 3));
        assert_eq!(model.transform(&[""]).row(0).columns.len(), 0);
    }

    #[test]
    fn rare_terms_can_be_left_out() {
        let config = TfIdfConfig { min_texts: 2, ..TfIdfConfig::default() };
        assert_eq!(TfIdf::fit(&config, &["one two", "two three"]).vocabulary(), ["two"]);
    }
}
