//! From the sums of a corpus to its BLEU.

use serde::{Deserialize, Serialize};

use super::{BleuOptions, Smoothing};

/// BLEU of a corpus or a sentence, and what it is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BleuScore {
    /// From 0 to 100.
    pub score: f64,
    /// Matching n-grams per order; with add-k smoothing, what was added is in them.
    pub counts: Vec<f64>,
    /// N-grams of the hypotheses per order; with add-k smoothing, what was added is in them.
    pub totals: Vec<f64>,
    /// Smoothed precision per order, from 0 to 100.
    pub precisions: Vec<f64>,
    /// The factor for brevity, from 0 to 1.
    pub brevity_penalty: f64,
    /// Words of the hypotheses.
    pub hypothesis_length: u64,
    /// Words of the references that are closest in length.
    pub reference_length: u64,
    /// What the score is made with, in sacreBLEU's notation.
    pub signature: String,
}

impl BleuScore {
    /// From the sums of a corpus' statistics.
    pub(super) fn new(sums: &[f64], options: &BleuOptions, signature: String) -> Self {
        let orders = options.max_ngram_order;
        let (hypothesis_length, reference_length) = (sums[0], sums[1]);
        let mut score = Self {
            score: 0.0,
            counts: sums[2..2 + orders].to_vec(),
            totals: sums[2 + orders..].to_vec(),
            precisions: vec![0.0; orders],
            brevity_penalty: brevity_penalty(hypothesis_length, reference_length),
            hypothesis_length: hypothesis_length as u64,
            reference_length: reference_length as u64,
            signature,
        };
        // Without a single match no smoothing makes a score.
        if score.counts.iter().any(|count| *count > 0.0) {
            let orders = score.smooth(options);
            score.score = score.brevity_penalty * geometric_mean(&score.precisions[..orders]);
        }
        score
    }

    /// Fills in the precisions; returns the number of orders that the mean is over.
    fn smooth(&mut self, options: &BleuOptions) -> usize {
        let orders = options.max_ngram_order;
        let mut effective = orders;
        let mut halves = 1.0;
        for at in 0..orders {
            if let Smoothing::AddK { value } = options.smoothing
                && at > 0
            {
                self.counts[at] += value;
                self.totals[at] += value;
            }
            let (count, total) = (self.counts[at], self.totals[at]);
            if total == 0.0 {
                break;
            }
            if options.effective_order {
                effective = at + 1;
            }
            self.precisions[at] = match options.smoothing {
                _ if count > 0.0 => 100.0 * count / total,
                Smoothing::Exp => {
                    halves *= 2.0;
                    100.0 / (halves * total)
                }
                Smoothing::Floor { value } => 100.0 * value / total,
                Smoothing::None | Smoothing::AddK { .. } => 0.0,
            };
        }
        effective
    }
}

fn brevity_penalty(hypothesis_length: f64, reference_length: f64) -> f64 {
    if hypothesis_length >= reference_length {
        1.0
    } else if hypothesis_length > 0.0 {
        (1.0 - reference_length / hypothesis_length).exp()
    } else {
        0.0
    }
}

fn geometric_mean(precisions: &[f64]) -> f64 {
    let logarithms = precisions.iter().map(|precision| precision.ln());
    (logarithms.sum::<f64>() / precisions.len() as f64).exp()
}
