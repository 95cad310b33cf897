//! The textbook definition written down with hash maps and loops, to compare with.

use std::collections::{BTreeMap, BTreeSet};

use wuji_classical::{Boundaries, KneserNeyConfig};

type Counts = BTreeMap<Vec<u32>, u64>;

/// Modified Kneser–Ney, slow and plain.
pub struct Naive {
    config: KneserNeyConfig,
    /// Adjusted counts of the n-grams of order 1, 2, …
    counts: Vec<Counts>,
    discounts: Vec<[f64; 3]>,
}

impl Naive {
    pub fn train(config: KneserNeyConfig, documents: &[Vec<u32>]) -> Self {
        let counts: Vec<Counts> =
            (1..=config.order).map(|n| adjusted(&config, documents, n)).collect();
        let discounts = counts.iter().map(discounts).collect();
        Self { config, counts, discounts }
    }

    /// p(token | context) by the recursion, for a context of less than `order` tokens.
    pub fn probability(&self, context: &[u32], token: u32) -> f64 {
        let counts = &self.counts[context.len()];
        let lower = match context {
            [] => 1.0 / predicted(&self.config).count() as f64,
            [_, shorter @ ..] => self.probability(shorter, token),
        };
        let ngram = |token| counts.get(&[context, &[token]].concat()).copied().unwrap_or(0);
        let all: Vec<u64> = predicted(&self.config).map(ngram).collect();
        let total = all.iter().sum::<u64>() as f64;
        if total == 0.0 {
            return lower;
        }
        let discount = |count: u64| match count {
            0 => 0.0,
            _ => self.discounts[context.len()][count.min(3) as usize - 1],
        };
        let taken: f64 = all.iter().map(|&count| discount(count)).sum();
        let count = ngram(token);
        (count as f64 - discount(count)) / total + taken / total * lower
    }
}

/// The tokens that can be predicted.
pub fn predicted(config: &KneserNeyConfig) -> impl Iterator<Item = u32> + use<> {
    let bos = match config.boundaries {
        Boundaries::Sentences { bos, .. } => Some(bos),
        _ => None,
    };
    (0..config.vocab_size as u32).filter(move |&token| Some(token) != bos)
}

/// Raw counts at the model's order and behind `bos`; otherwise the number of left neighbours.
fn adjusted(config: &KneserNeyConfig, documents: &[Vec<u32>], n: usize) -> Counts {
    let mut raw = Counts::new();
    let mut left: BTreeMap<Vec<u32>, BTreeSet<Option<u32>>> = BTreeMap::new();
    for (ngram, neighbour) in occurrences(config, documents, n) {
        *raw.entry(ngram.clone()).or_default() += 1;
        left.entry(ngram).or_default().insert(neighbour);
    }
    let starts_with_bos = |ngram: &[u32]| match config.boundaries {
        Boundaries::Sentences { bos, .. } => ngram[0] == bos,
        _ => false,
    };
    let adjust = |(ngram, count): (Vec<u32>, u64)| {
        let keep = n == config.order || starts_with_bos(&ngram);
        let count = if keep { count } else { left[&ngram].len() as u64 };
        (ngram, count)
    };
    raw.into_iter().map(adjust).collect()
}

/// Every n-gram of the documents where it stands, with the token before it; `None` stands for the start
/// of a document.
pub fn occurrences(
    config: &KneserNeyConfig,
    documents: &[Vec<u32>],
    n: usize,
) -> Vec<(Vec<u32>, Option<u32>)> {
    let mut found = Vec::new();
    for document in documents {
        let (padded, padding) = pad(config, document);
        for end in padding..padded.len() {
            let Some(start) = (end + 1).checked_sub(n) else {
                continue;
            };
            let neighbour = start.checked_sub(1).map(|before| padded[before]);
            found.push((padded[start..=end].to_vec(), neighbour));
        }
    }
    found
}

/// The document with its boundaries, and how many tokens in front are not predicted.
fn pad(config: &KneserNeyConfig, document: &[u32]) -> (Vec<u32>, usize) {
    let mut padded = Vec::new();
    if let Boundaries::Sentences { bos, .. } = config.boundaries {
        padded.resize(config.order - 1, bos);
    }
    let padding = padded.len();
    padded.extend(document);
    if let Boundaries::Sentences { eos, .. } = config.boundaries {
        padded.extend(eos);
    }
    (padded, padding)
}

fn discounts(counts: &Counts) -> [f64; 3] {
    let of = |n: u64| counts.values().filter(|&&count| count == n).count() as f64;
    let (n1, n2, n3, n4) = (of(1), of(2), of(3), of(4));
    let y = n1 / (n1 + 2.0 * n2);
    let estimated = [1.0 - 2.0 * y * n2 / n1, 2.0 - 3.0 * y * n3 / n2, 3.0 - 4.0 * y * n4 / n3];
    let sane = |(index, &discount): (usize, &f64)| 0.0 < discount && discount < index as f64 + 1.0;
    if n1 * n2 * n3 > 0.0 && estimated.iter().enumerate().all(sane) {
        estimated
    } else {
        [0.5, 1.0, 1.5]
    }
}
