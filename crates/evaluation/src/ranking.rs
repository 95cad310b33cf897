//! Metrics of ranked answers to a query (Järvelin and Kekäläinen, "Cumulated gain-based evaluation
//! of IR techniques", 2002; Manning, Raghavan and Schütze, chapter 8).
//!
//! A [`Ranking`] is one query; the figure of several is the mean, which
//! [`DocumentMean`](crate::DocumentMean) makes resamplable. A query without a relevant item counts
//! 0 in everything.

use serde::{Deserialize, Serialize};

use crate::error::{EvaluationError, Result, all_finite, not_empty, same_length};

/// What an item of some relevance is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gain {
    /// Its relevance.
    #[default]
    Linear,
    /// 2 to the power of its relevance, less 1.
    Exponential,
}

impl Gain {
    fn of(self, relevance: f64) -> f64 {
        match self {
            Self::Linear => relevance,
            Self::Exponential => relevance.exp2() - 1.0,
        }
    }
}

/// The relevances of a query's items in the order in which they were ranked.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    relevances: Vec<f64>,
}

impl Ranking {
    /// Items ranked by their score, the highest first; equal scores stay in the given order.
    /// Relevances are at least 0, and what is above 0 is relevant.
    pub fn new(relevances: &[f64], scores: &[f64]) -> Result<Self> {
        not_empty("items", relevances.len())?;
        same_length("scores", relevances.len(), scores.len())?;
        all_finite("score", scores)?;
        all_finite("relevance", relevances)?;
        if let Some(position) = relevances.iter().position(|relevance| *relevance < 0.0) {
            return Err(EvaluationError::InvalidValue {
                what: "relevance",
                position,
                expected: "a number that is not negative",
                found: relevances[position],
            });
        }
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        Ok(Self { relevances: order.into_iter().map(|at| relevances[at]).collect() })
    }

    /// Normalised discounted cumulative gain of the first `k` items: their gains, each divided by
    /// log₂(rank + 1), as a share of the best possible.
    pub fn ndcg_at(&self, k: usize, gain: Gain) -> f64 {
        let mut best = self.relevances.clone();
        best.sort_by(|a, b| b.total_cmp(a));
        let ideal = discounted(&best, k, gain);
        if ideal == 0.0 { 0.0 } else { discounted(&self.relevances, k, gain) / ideal }
    }

    /// The share of relevant items among the first `k`, also where there are fewer items.
    pub fn precision_at(&self, k: usize) -> f64 {
        if k == 0 { 0.0 } else { self.relevant_in(k) as f64 / k as f64 }
    }

    /// The share of the relevant items that is among the first `k`.
    pub fn recall_at(&self, k: usize) -> f64 {
        let all = self.relevant_in(self.relevances.len());
        if all == 0 { 0.0 } else { self.relevant_in(k) as f64 / all as f64 }
    }

    /// 1 if a relevant item is among the first `k`.
    pub fn hit_at(&self, k: usize) -> f64 {
        f64::from(u8::from(self.relevant_in(k) > 0))
    }

    /// The mean of the precisions at the ranks of the relevant items. Its mean over queries is
    /// MAP.
    pub fn average_precision(&self) -> f64 {
        let relevant = self.ranks_of_relevant();
        let precisions =
            relevant.iter().enumerate().map(|(at, rank)| (at + 1) as f64 / *rank as f64);
        precisions.sum::<f64>() / relevant.len().max(1) as f64
    }

    /// One by the rank of the first relevant item. Its mean over queries is MRR.
    pub fn reciprocal_rank(&self) -> f64 {
        self.ranks_of_relevant().first().map_or(0.0, |rank| 1.0 / *rank as f64)
    }

    fn relevant_in(&self, k: usize) -> usize {
        self.relevances.iter().take(k).filter(|relevance| **relevance > 0.0).count()
    }

    /// Ranks from 1.
    fn ranks_of_relevant(&self) -> Vec<usize> {
        let ranks = self.relevances.iter().zip(1..);
        ranks.filter(|(relevance, _)| **relevance > 0.0).map(|(_, rank)| rank).collect()
    }
}

fn discounted(relevances: &[f64], k: usize, gain: Gain) -> f64 {
    let gains = relevances.iter().take(k).zip(1..);
    gains.map(|(relevance, rank)| gain.of(*relevance) / f64::from(rank + 1).log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ranking_by_hand() {
        // Ranked: 0, 2, 1.
        let ranking = Ranking::new(&[1.0, 0.0, 2.0], &[0.1, 0.9, 0.5]).unwrap();
        assert_eq!(ranking.reciprocal_rank(), 0.5);
        assert!((ranking.average_precision() - 7.0 / 12.0).abs() < 1e-12);
        assert_eq!(
            (ranking.precision_at(2), ranking.recall_at(2), ranking.hit_at(1)),
            (0.5, 0.5, 0.0)
        );
        let (second, third) = (3_f64.log2(), 2.0);
        let expected = (3.0 / second + 1.0 / third) / (3.0 + 1.0 / second);
        assert!((ranking.ndcg_at(3, Gain::Exponential) - expected).abs() < 1e-12);
        assert_eq!(ranking.precision_at(10), 0.2);
    }

    #[test]
    fn a_query_without_relevant_items_counts_nothing() {
        let ranking = Ranking::new(&[0.0, 0.0], &[0.1, 0.2]).unwrap();
        let figures = [
            ranking.ndcg_at(2, Gain::Linear),
            ranking.precision_at(2),
            ranking.recall_at(2),
            ranking.average_precision(),
            ranking.reciprocal_rank(),
        ];
        assert_eq!(figures, [0.0; 5]);
        assert!(Ranking::new(&[-1.0], &[0.0]).is_err() && Ranking::new(&[], &[]).is_err());
    }
}
