//! The other smoothings written down with maps and loops, from raw counts.

use std::collections::BTreeMap;

use wuji_classical::{Estimation, GoodTuring, KneserNeyConfig, Smoothing};

use super::naive::{occurrences, predicted};

/// Raw counts of the n-grams of order 1, 2, …
pub struct NaiveCounts {
    config: KneserNeyConfig,
    counts: Vec<BTreeMap<Vec<u32>, u64>>,
}

/// What followed one context.
struct Followers {
    /// Token, count, and whether the n-gram is kept.
    tokens: Vec<(u32, f64, bool)>,
    total: f64,
    kinds: f64,
}

impl NaiveCounts {
    pub fn of(config: KneserNeyConfig, documents: &[Vec<u32>]) -> Self {
        let count = |n| {
            let mut counts = BTreeMap::new();
            for (ngram, _) in occurrences(&config, documents, n) {
                *counts.entry(ngram).or_default() += 1;
            }
            counts
        };
        Self { config, counts: (1..=config.order).map(count).collect() }
    }

    /// How many n-grams of `order` occurred at least `min_count` times.
    pub fn kept(&self, order: usize, min_count: u64) -> usize {
        self.counts[order - 1].values().filter(|&&count| count >= min_count).count()
    }

    /// p(token | context) for a context of less than `order` tokens.
    pub fn probability(&self, estimation: &Estimation, context: &[u32], token: u32) -> f64 {
        let lower = |token| match context {
            [] => 1.0 / predicted(&self.config).count() as f64,
            [_, shorter @ ..] => self.probability(estimation, shorter, token),
        };
        let followers = self.followers(context, min_count(estimation, context.len() + 1));
        if !followers.tokens.iter().any(|&(_, _, kept)| kept) {
            return lower(token);
        }
        match estimation.smoothing {
            Smoothing::WittenBell => {
                followers.interpolated(token, followers.kinds, |_| 0.0, lower(token))
            }
            Smoothing::AbsoluteDiscounting => {
                let discount = self.discount(context.len());
                followers.interpolated(token, 0.0, |_| discount, lower(token))
            }
            Smoothing::Katz { threshold } => {
                let ratios = self.katz_ratios(context.len(), threshold.into());
                let ratio = |count: f64| ratios.get(count as usize - 1).copied().unwrap_or(1.0);
                let predicted: Vec<u32> = predicted(&self.config).collect();
                followers.backed_off(token, &predicted, ratio, lower)
            }
            Smoothing::KneserNey => unreachable!("has its own"),
        }
    }

    /// The score of stupid back-off.
    pub fn score(&self, factor: f64, context: &[u32], token: u32) -> f64 {
        let followers = self.followers(context, 1);
        match (followers.count(token), context) {
            (Some(count), _) => count / followers.total,
            (None, []) => 0.0,
            (None, [_, shorter @ ..]) if followers.total == 0.0 => {
                self.score(factor, shorter, token)
            }
            (None, [_, shorter @ ..]) => factor * self.score(factor, shorter, token),
        }
    }

    fn followers(&self, context: &[u32], min_count: u64) -> Followers {
        let counts = &self.counts[context.len()];
        let found = counts.iter().filter(|(ngram, _)| ngram.starts_with(context));
        let tokens: Vec<(u32, f64, bool)> = found
            .map(|(ngram, &count)| (*ngram.last().unwrap(), count as f64, count >= min_count))
            .collect();
        let total = tokens.iter().map(|&(_, count, _)| count).sum();
        let kinds = tokens.len() as f64;
        Followers { tokens, total, kinds }
    }

    fn counts_of_counts(&self, length: usize) -> BTreeMap<u64, u64> {
        let mut numbers = BTreeMap::new();
        for &count in self.counts[length].values() {
            *numbers.entry(count).or_default() += 1;
        }
        numbers
    }

    fn discount(&self, length: usize) -> f64 {
        let numbers = self.counts_of_counts(length);
        match (numbers.get(&1), numbers.get(&2)) {
            (Some(&n1), Some(&n2)) => n1 as f64 / (n1 + 2 * n2) as f64,
            _ => 0.5,
        }
    }

    fn katz_ratios(&self, length: usize, threshold: u64) -> Vec<f64> {
        let fallback: Vec<f64> =
            (1..=threshold).map(|r| 1.0 - (0.5 * r.min(3) as f64) / r as f64).collect();
        let numbers = self.counts_of_counts(length);
        let Some(fit) = GoodTuring::fit(numbers.iter().map(|(&r, &n)| (r, n))) else {
            return fallback;
        };
        let loss = |r: u64| r as f64 - fit.adjusted_count(r);
        let small = numbers.iter().filter(|(r, _)| **r <= threshold);
        let lost: f64 = small.map(|(&r, &n)| loss(r) * n as f64).sum();
        let ratios: Vec<f64> =
            (1..=threshold).map(|r| 1.0 - numbers[&1] as f64 / lost * loss(r) / r as f64).collect();
        if ratios.iter().all(|d| (1e-6..=1.0).contains(d)) { ratios } else { fallback }
    }
}

fn min_count(estimation: &Estimation, order: usize) -> u64 {
    let counts = &estimation.min_counts;
    let count = counts.get(order - 1).or(counts.last()).copied().unwrap_or(1);
    u64::from(count)
}

impl Followers {
    /// The count of `token`, if it is kept.
    fn count(&self, token: u32) -> Option<f64> {
        let found = self.tokens.iter().find(|&&(other, _, kept)| other == token && kept);
        found.map(|&(_, count, _)| count)
    }

    fn interpolated(
        &self,
        token: u32,
        reserved: f64,
        discount: impl Fn(f64) -> f64,
        lower: f64,
    ) -> f64 {
        let taken =
            |&(_, count, kept): &(u32, f64, bool)| if kept { discount(count) } else { count };
        let taken = reserved + self.tokens.iter().map(taken).sum::<f64>();
        let seen = self.count(token).map_or(0.0, |count| count - discount(count));
        (seen + taken * lower) / (self.total + reserved)
    }

    fn backed_off(
        &self,
        token: u32,
        predicted: &[u32],
        ratio: impl Fn(f64) -> f64,
        lower: impl Fn(u32) -> f64,
    ) -> f64 {
        let share = |token| self.count(token).map(|count| ratio(count) * count / self.total);
        let seen: f64 = predicted.iter().filter_map(|&token| share(token)).sum();
        let unseen: Vec<u32> =
            predicted.iter().copied().filter(|&token| share(token).is_none()).collect();
        let scale = if unseen.is_empty() {
            1.0 / seen
        } else if 1.0 - seen < 1e-9 {
            self.total / (self.total + 1.0)
        } else {
            1.0
        };
        let all_unseen: f64 = unseen.iter().map(|&token| lower(token)).sum();
        match share(token) {
            Some(share) => scale * share,
            None => (1.0 - scale * seen) * lower(token) / all_unseen,
        }
    }
}
