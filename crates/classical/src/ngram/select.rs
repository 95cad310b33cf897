//! Which order to use: the best on a held-out part of the training text.

use std::ops::RangeInclusive;

use super::config::{Boundaries, MAX_ORDER, NgramConfig};
use super::counts::NgramCounts;
use super::kneser_ney::KneserNey;
use crate::ClassicalError;

/// The chosen model and how the orders compared.
#[derive(Debug)]
pub struct OrderSelection {
    /// The model of the chosen order, trained on all training tokens.
    pub best: KneserNey,
    /// The chosen order: the least nats per held-out token, the lowest order among equals.
    pub order: usize,
    /// Nats per token on the held-out part, by order.
    pub per_order: Vec<(usize, f64)>,
}

/// Picks the order for a running stream of training tokens: holds out the last
/// `heldout_fraction` of them, trains every order on the rest, and trains the best one again on all.
///
/// Validation text is no argument, so it cannot have a part in the choice.
///
/// # Errors
/// As for [`KneserNey::train`], and if the range of orders is empty, the fraction is not between
/// zero and one, or leaves nothing on one side.
pub fn select_order(
    train_tokens: &[u32],
    vocab_size: usize,
    orders: RangeInclusive<usize>,
    heldout_fraction: f64,
) -> Result<OrderSelection, ClassicalError> {
    select_order_documents(
        &[train_tokens],
        vocab_size,
        Boundaries::Stream,
        orders,
        heldout_fraction,
    )
}

/// Picks the order for separate documents, as [`select_order`] does for a stream: whole
/// documents at the end are held out, as many as come closest to `heldout_fraction` of the tokens.
/// A single document is cut in two instead.
///
/// # Errors
/// As for [`select_order`].
pub fn select_order_documents(
    documents: &[&[u32]],
    vocab_size: usize,
    boundaries: Boundaries,
    orders: RangeInclusive<usize>,
    heldout_fraction: f64,
) -> Result<OrderSelection, ClassicalError> {
    let config = NgramConfig { order: *orders.end(), vocab_size, boundaries };
    config.validate()?;
    if *orders.start() == 0 {
        return Err(ClassicalError::Order { order: 0, max: MAX_ORDER });
    }
    if orders.is_empty() {
        let (start, end) = orders.into_inner();
        return Err(ClassicalError::EmptyOrderRange { start, end });
    }
    let (training, heldout) = split(documents, heldout_fraction)?;
    let counts = NgramCounts::collect(config, training)?;
    let mut per_order = Vec::new();
    for order in orders {
        let score = counts.model(order)?.score_documents(&heldout);
        per_order.push((order, score.nats_per_token()));
    }
    drop(counts); // not held beside those of the whole text
    let order = least(&per_order);
    tracing::info!(order, ?per_order, "picked the n-gram order on held-out training tokens");
    let config = NgramConfig { order, ..config };
    let best = KneserNey::train(config, documents.iter().copied())?;
    Ok(OrderSelection { best, order, per_order })
}

fn least(per_order: &[(usize, f64)]) -> usize {
    let mut best = per_order[0];
    for &candidate in per_order {
        if candidate.1 < best.1 {
            best = candidate;
        }
    }
    best.0
}

/// The documents for training and those held out, both with tokens in them.
type Split<'a> = (Vec<&'a [u32]>, Vec<&'a [u32]>);

fn split<'a>(documents: &[&'a [u32]], fraction: f64) -> Result<Split<'a>, ClassicalError> {
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(ClassicalError::HeldoutFraction { fraction });
    }
    let tokens = documents.iter().map(|document| document.len()).sum::<usize>();
    let cut = tokens - (tokens as f64 * fraction).round() as usize;
    let (training, heldout) = match *documents {
        [document] => (vec![&document[..cut]], vec![&document[cut..]]),
        _ => {
            let (training, heldout) = documents.split_at(nearest_end(documents, cut));
            (training.to_vec(), heldout.to_vec())
        }
    };
    let is_empty = |side: &[&[u32]]| side.iter().all(|document| document.is_empty());
    if is_empty(&training) || is_empty(&heldout) {
        return Err(ClassicalError::HeldoutSplit { fraction, tokens, documents: documents.len() });
    }
    Ok((training, heldout))
}

/// How many documents end nearest to the token number `cut`.
fn nearest_end(documents: &[&[u32]], cut: usize) -> usize {
    let mut end = 0;
    let mut nearest = (0, cut);
    for (index, document) in documents.iter().enumerate() {
        end += document.len();
        if end.abs_diff(cut) < nearest.1 {
            nearest = (index + 1, end.abs_diff(cut));
        }
    }
    nearest.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_split_keeps_documents_whole() {
        let check = |documents: &[&[u32]], fraction, training: &[&[u32]], heldout: &[&[u32]]| {
            let split = split(documents, fraction).unwrap();
            assert_eq!(split, (training.to_vec(), heldout.to_vec()));
        };
        check(&[&[1, 2, 3, 4]], 0.25, &[&[1, 2, 3]], &[&[4]]);
        check(&[&[1, 2], &[], &[3, 4]], 0.4, &[&[1, 2]], &[&[], &[3, 4]]);
        check(&[&[1], &[2], &[3], &[4]], 0.25, &[&[1], &[2], &[3]], &[&[4]]);
        check(&[&[1], &[2, 3, 4], &[5]], 0.5, &[&[1]], &[&[2, 3, 4], &[5]]);
    }

    #[test]
    fn a_split_without_two_sides_is_refused() {
        for fraction in [0.0, 1.0, -0.1, f64::NAN] {
            assert!(matches!(
                split(&[&[1, 2]], fraction),
                Err(ClassicalError::HeldoutFraction { .. })
            ));
        }
        let error = split(&[&[1, 2, 3]], 0.01).unwrap_err();
        assert_eq!(error, ClassicalError::HeldoutSplit { fraction: 0.01, tokens: 3, documents: 1 });
    }
}
