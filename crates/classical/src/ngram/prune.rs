//! Relative-entropy pruning (Stolcke 1998, "Entropy-based pruning of backoff language models").
//!
//! An n-gram is dropped when the model hardly changes without it: when the perplexity over
//! the model's own distribution rises by less than a threshold. Each n-gram is weighed by itself
//! against the full model, longest first; one that begins a kept n-gram stays.

use std::ops::Range;

use super::automaton::ROOT;
use super::model::NgramModel;
use super::table::{NgramTable, Rows};
use crate::ClassicalError;

impl NgramModel {
    /// The model without the n-grams whose loss raises its perplexity by a share of less than
    /// `threshold`, such as 1e-8 to 1e-6. Zero keeps all that make any difference. Distributions
    /// still sum to one: back-off weights are computed anew.
    ///
    /// The weight of a context is its probability under the model itself. Kneser–Ney's short
    /// contexts are made for other ends and misjudge it, so a pruned Katz or Witten–Bell model may
    /// be the better one of the same size (Chelba et al. 2010).
    ///
    /// # Errors
    /// [`ClassicalError::PruneThreshold`] for a threshold below zero or not finite.
    pub fn prune(&self, threshold: f64) -> Result<Self, ClassicalError> {
        if !(threshold >= 0.0 && threshold.is_finite()) {
            return Err(ClassicalError::PruneThreshold { threshold });
        }
        let mut table = NgramTable::of(self);
        let context_mass = self.context_mass(&table);
        for order in (2..=table.orders.len()).rev() {
            let keep = self.worth_keeping(&table, order, &context_mass[order - 2], threshold);
            table.orders[order - 1] = keep_rows(&table.orders[order - 1], &keep);
        }
        renormalise(&mut table);
        let mut pruned = table.into_model();
        pruned.ngrams[0] = self.ngrams[0]; // single tokens all stay
        tracing::info!(before = ?self.ngrams, after = ?pruned.ngrams, threshold, "pruned");
        Ok(pruned)
    }

    /// The probability of every n-gram as a context, by order - 1 and row: of its tokens one after
    /// the other. A document starts as often as one ends; without an end, starts count fully.
    fn context_mass(&self, table: &NgramTable) -> Vec<Vec<f64>> {
        let bos = self.config.boundary();
        let starts = self.config.eos().map_or(1.0, |eos| self.log_prob(&[], eos).exp());
        let mut mass: Vec<Vec<f64>> = Vec::new();
        for rows in &table.orders {
            let mut row_mass = Vec::with_capacity(rows.len());
            for (group, context) in groups_with_contexts(table, rows) {
                let before = context.map_or(1.0, |context| mass[rows.order - 2][context]);
                row_mass.extend(group.map(|index| match rows.ngram(index) {
                    [token] if *token == bos => starts,
                    _ => before * rows.probability[index],
                }));
            }
            mass.push(row_mass);
        }
        mass
    }

    /// Which n-grams of `order` stay.
    fn worth_keeping(
        &self,
        table: &NgramTable,
        order: usize,
        context_mass: &[f64],
        threshold: f64,
    ) -> Vec<bool> {
        let rows = &table.orders[order - 1];
        let predicted = self.config.predicted_vocab_size();
        let mut keep = vec![false; rows.len()];
        for (group, context) in groups_with_contexts(table, rows) {
            let shorter = self.automaton.walk(ROOT, &rows.context(group.start)[1..]);
            let lower = |index: usize| {
                let token = rows.ngram(index)[order - 1];
                self.automaton.step(shorter, token).0
            };
            let mass = context.map_or(1.0, |context| context_mass[context]);
            let weighed = Context::of(mass, rows, group.clone(), lower, predicted);
            for index in group {
                let rise = weighed.perplexity_rise(rows.probability[index], lower(index));
                keep[index] = rise >= threshold && weighed.spare != Some(index);
            }
        }
        // What begins a longer n-gram, or is only a context, stays.
        if let Some(longer) = table.orders.get(order) {
            for (_, context) in groups_with_contexts(table, longer) {
                keep[context.expect("longer than a single token")] = true;
            }
        }
        keep
    }
}

/// A context while its n-grams are weighed.
struct Context {
    /// Its probability.
    mass: f64,
    /// What its n-grams leave to the shorter context.
    left: f64,
    /// What their tokens leave of the shorter context's distribution.
    lower_left: f64,
    /// In a context with an n-gram for every token: the least probable one. Any one of them can go for
    /// nothing, as the others leave just its probability, but not all: so this one goes, and the
    /// others are weighed without it.
    spare: Option<usize>,
}

impl Context {
    fn of(
        mass: f64,
        rows: &Rows,
        group: Range<usize>,
        lower: impl Fn(usize) -> f64,
        predicted: usize,
    ) -> Self {
        let probability = |&index: &usize| rows.probability[index];
        if group.len() == predicted {
            let least = |a: &usize, b: &usize| probability(a).total_cmp(&probability(b));
            let spare = group.min_by(least).expect("a group is not empty");
            let (left, lower_left) = (probability(&spare), lower(spare));
            return Self { mass, left, lower_left, spare: Some(spare) };
        }
        let left = 1.0 - group.clone().map(|index| probability(&index)).sum::<f64>();
        let lower_left = 1.0 - group.map(lower).sum::<f64>();
        Self { mass, left, lower_left, spare: None }
    }

    /// By which share the perplexity rises without an n-gram of this probability, whose token has
    /// probability `lower` after the shorter context.
    fn perplexity_rise(&self, probability: f64, lower: f64) -> f64 {
        if lower <= 0.0 || probability <= 0.0 {
            return f64::INFINITY; // the impossible would become possible, or the other way round
        }
        let left = self.left.max(0.0);
        let new_backoff = (left + probability) / (self.lower_left.max(0.0) + lower);
        let mut change = probability * ((lower * new_backoff).ln() - probability.ln());
        if left > 0.0 && self.lower_left > 0.0 {
            let backoff = left / self.lower_left;
            change += left * (new_backoff.ln() - backoff.ln());
        }
        (-self.mass * change).exp_m1()
    }
}

/// The runs of n-grams with the same context, each with the row of the context in the order below.
fn groups_with_contexts<'t>(
    table: &'t NgramTable,
    rows: &'t Rows,
) -> impl Iterator<Item = (Range<usize>, Option<usize>)> + 't {
    let contexts = rows.order.checked_sub(2).map(|shorter| &table.orders[shorter]);
    rows.groups().map(move |group| {
        let context = contexts.map(|contexts| {
            let found = contexts.find(rows.context(group.start));
            found.expect("the context of an n-gram is an n-gram")
        });
        (group, context)
    })
}

fn keep_rows(rows: &Rows, keep: &[bool]) -> Rows {
    let mut kept = Rows::new(rows.order);
    for index in (0..rows.len()).filter(|&index| keep[index]) {
        kept.push(rows.ngram(index), rows.probability[index], rows.backoff[index]);
    }
    kept
}

/// Computes every back-off weight anew, shortest contexts first, so that all distributions sum to
/// one.
fn renormalise(table: &mut NgramTable) {
    let predicted = table.config.predicted_vocab_size();
    for order in 2..=table.orders.len() {
        let rows = &table.orders[order - 1];
        let mut backoff = vec![1.0; table.orders[order - 2].len()];
        for (group, context) in groups_with_contexts(table, rows) {
            let shorter = &rows.context(group.start)[1..];
            let lower = |index: usize| table.probability(shorter, rows.ngram(index)[order - 1]);
            // With an n-gram for every token, the weight is never used.
            if group.len() < predicted {
                let left = 1.0 - group.clone().map(|index| rows.probability[index]).sum::<f64>();
                let lower_left = 1.0 - group.map(lower).sum::<f64>();
                let weight = if lower_left > 0.0 { left.max(0.0) / lower_left } else { 0.0 };
                backoff[context.expect("order is at least 2")] = weight;
            }
        }
        table.orders[order - 2].backoff = backoff;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rise_by_hand() {
        // p = 0.5 after h and 0.25 after h'; the rest 0.5 over 0.75. Without the n-gram everything is
        // as after h': 0.5 ln(0.25 / 0.5) + 0.5 ln(1 / (0.5 / 0.75)).
        let context = Context { mass: 0.1, left: 0.5, lower_left: 0.75, spare: None };
        let change = 0.5 * 0.5_f64.ln() + 0.5 * 1.5_f64.ln();
        let rise = context.perplexity_rise(0.5, 0.25);
        assert!((rise - ((-0.1 * change).exp() - 1.0)).abs() < 1e-15);
        assert!(rise > 0.0);
        // An n-gram that says what the shorter context says is worth nothing.
        let same = Context { mass: 1.0, left: 0.75, lower_left: 0.75, spare: None };
        assert!(same.perplexity_rise(0.25, 0.25).abs() < 1e-15);
        assert_eq!(context.perplexity_rise(0.5, 0.0), f64::INFINITY);
    }
}
