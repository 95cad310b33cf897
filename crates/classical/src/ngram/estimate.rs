//! From the counts after one context to probabilities, one smoothing after the other.
//!
//! Interpolated smoothings take something off every count and add the shorter context's probability,
//! weighted with what was taken: p(w | h) = (c(hw) - taken(c(hw))) / total + backoff p(w | h').
//! Back-off smoothings use the shorter context only for tokens that were not seen after h.

use std::collections::BTreeMap;

use super::discounts::Discounts;
use super::good_turing::GoodTuring;
use super::smoothing::Smoothing;

/// A successor of a context: its count goes in, its probability comes out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    /// How often it followed, as the smoothing counts.
    pub count: u32,
    /// Whether the model keeps the n-gram; the count of one left out goes to the shorter context.
    pub kept: bool,
    /// First the probability after the shorter context, then the finished one.
    pub probability: f64,
}

/// How many n-grams of one order have each count.
pub(super) type Histogram = BTreeMap<u32, u64>;

/// A smoothing with what it learnt from the counts of one order.
#[derive(Debug, Clone)]
pub(super) enum Estimate {
    /// Absolute discounts, interpolated.
    Discounted(Discounts),
    /// As much for the shorter context as there are different successors.
    WittenBell,
    /// The share of itself that each count up to the threshold keeps (index = count - 1).
    Katz(Vec<f64>),
    /// Relative frequencies, with this factor for what was not seen: no probabilities.
    Relative {
        /// The factor.
        backoff: f64,
    },
}

impl Estimate {
    /// Learns from the counts of one order.
    pub fn learn(smoothing: Smoothing, histogram: &Histogram) -> Self {
        let of = |count| histogram.get(&count).copied().unwrap_or(0);
        match smoothing {
            Smoothing::KneserNey => Self::Discounted(Discounts::estimate([1, 2, 3, 4].map(of))),
            Smoothing::AbsoluteDiscounting => Self::Discounted(Discounts::single(of(1), of(2))),
            Smoothing::WittenBell => Self::WittenBell,
            Smoothing::Katz { threshold } => Self::Katz(katz_ratios(threshold.into(), histogram)),
        }
    }

    /// Turns the probabilities after the shorter context into those after this one, and returns
    /// the weight of the shorter context for all other tokens. `predicted` is how many tokens there are
    /// in all.
    pub fn finish(&self, shares: &mut [Share], predicted: usize) -> f64 {
        match self {
            Self::Discounted(discounts) => interpolate(shares, 0.0, |count| discounts.of(count)),
            Self::WittenBell => interpolate(shares, shares.len() as f64, |_| 0.0),
            Self::Katz(ratios) => {
                let keeps = |count: u32| ratios.get(count as usize - 1).copied().unwrap_or(1.0);
                back_off(shares, predicted, keeps)
            }
            Self::Relative { backoff } => {
                let total = total(shares);
                for share in shares {
                    share.probability = f64::from(share.count) / total;
                }
                *backoff
            }
        }
    }
}

fn total(shares: &[Share]) -> f64 {
    shares.iter().map(|share| u64::from(share.count)).sum::<u64>() as f64
}

/// `reserved` counts are given to the shorter context beside what `discount` takes.
fn interpolate(shares: &mut [Share], reserved: f64, discount: impl Fn(u32) -> f64) -> f64 {
    let total = total(shares) + reserved;
    let taken = |share: &Share| {
        if share.kept { discount(share.count) } else { f64::from(share.count) }
    };
    let backoff = (reserved + shares.iter().map(taken).sum::<f64>()) / total;
    for share in shares {
        let seen = (f64::from(share.count) - discount(share.count)) / total;
        share.probability = seen + backoff * share.probability;
    }
    backoff
}

/// Katz: what counts lose by `keeps` is shared out among the tokens that are not kept here, in
/// proportion to their probability after the shorter context.
fn back_off(shares: &mut [Share], predicted: usize, keeps: impl Fn(u32) -> f64) -> f64 {
    let total = total(shares);
    let (mut seen, mut seen_shorter, mut kept) = (0.0, 0.0, 0);
    for share in shares.iter_mut() {
        let probability = keeps(share.count) * f64::from(share.count) / total;
        if share.kept {
            seen += probability;
            seen_shorter += share.probability;
            kept += 1;
        }
        share.probability = probability;
    }
    // With nothing left to share out there must be nobody to share it with. Otherwise the total
    // grows by one count for the unseen, as in the CMU and SRI toolkits (after Doug Paul).
    let scale = if kept == predicted {
        1.0 / seen
    } else if 1.0 - seen < 1e-9 {
        total / (total + 1.0)
    } else {
        1.0
    };
    for share in shares {
        share.probability *= scale;
    }
    if kept == predicted { 0.0 } else { (1.0 - scale * seen) / (1.0 - seen_shorter) }
}

/// A ratio below this is a zero that was rounded: it always is at a threshold of 1, where counts of one
/// would pay for all of the unseen. What was seen would be as good as impossible.
const SMALLEST_RATIO: f64 = 1e-6;

/// Katz's ratios d_r for counts up to `threshold`: 1 - d_r is proportional to 1 - r*/r, and all
/// together they take n1 counts, which is what Good and Turing say the unseen has.
///
/// Where that has no solution in (0, 1], as in texts that are tiny or too regular for Good–Turing,
/// Kneser–Ney's fallback discounts of 0.5, 1.0 and 1.5 stand in.
fn katz_ratios(threshold: u32, histogram: &Histogram) -> Vec<f64> {
    let fallback = || {
        let ratio = |count: u32| 1.0 - Discounts::FALLBACK.of(count) / f64::from(count);
        (1..=threshold).map(ratio).collect()
    };
    let Some(good_turing) = GoodTuring::fit(histogram.iter().map(|(&r, &n)| (u64::from(r), n)))
    else {
        return fallback();
    };
    let loss = |r: u32| f64::from(r) - good_turing.adjusted_count(u64::from(r));
    let up_to = histogram.range(1..=threshold);
    let lost: f64 = up_to.map(|(&r, &n)| n as f64 * loss(r)).sum();
    let scale = histogram[&1] as f64 / lost;
    let ratios: Vec<f64> = (1..=threshold).map(|r| 1.0 - scale * loss(r) / f64::from(r)).collect();
    if ratios.iter().all(|&ratio| ratio > SMALLEST_RATIO && ratio <= 1.0) {
        ratios
    } else {
        fallback()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(of: &[(u32, bool, f64)]) -> Vec<Share> {
        of.iter().map(|&(count, kept, probability)| Share { count, kept, probability }).collect()
    }

    /// The finished probabilities of the kept and the weight of the rest.
    fn finish(estimate: &Estimate, of: &[(u32, bool, f64)]) -> (Vec<f64>, f64) {
        let mut shares = shares(of);
        let backoff = estimate.finish(&mut shares, 4);
        let kept = shares.iter().filter(|share| share.kept);
        (kept.map(|share| share.probability).collect(), backoff)
    }

    #[track_caller]
    fn check(estimate: &Estimate, of: &[(u32, bool, f64)], probabilities: &[f64], backoff: f64) {
        let found = finish(estimate, of);
        assert!((found.1 - backoff).abs() < 1e-12, "{found:?}");
        assert_eq!(found.0.len(), probabilities.len());
        for (found, expected) in found.0.iter().zip(probabilities) {
            assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
        }
    }

    #[test]
    fn contexts_by_hand() {
        let quarter = [(3, true, 0.25), (1, true, 0.25)];
        // 4 counts and 2 kinds: (3 + 2/4) / 6, (1 + 2/4) / 6, and a third for the rest.
        check(&Estimate::WittenBell, &quarter, &[3.5 / 6.0, 1.5 / 6.0], 1.0 / 3.0);
        // A half off both: 2.5/4 + 1/4 * 1/4, 0.5/4 + 1/16.
        let half = Estimate::Discounted(Discounts::single(2, 1));
        check(&half, &quarter, &[2.5 / 4.0 + 1.0 / 16.0, 0.5 / 4.0 + 1.0 / 16.0], 0.25);
        // Katz: 3/4 as it is, 0.4 * 1/4; the remaining 0.15 goes to a half.
        check(&Estimate::Katz(vec![0.4]), &quarter, &[0.75, 0.1], 0.3);
        // No count is discounted: one more in the total, 1/5 for the rest.
        check(&Estimate::Katz(vec![1.0]), &quarter, &[0.6, 0.2], 0.4);
        check(&Estimate::Relative { backoff: 0.4 }, &quarter, &[0.75, 0.25], 0.4);
    }

    #[test]
    fn what_is_left_out_goes_to_the_shorter_context() {
        let cut = [(3, true, 0.25), (1, false, 0.25)];
        // (2 + 1) / 6 for the rest.
        check(&Estimate::WittenBell, &cut, &[0.5 + 0.125], 0.5);
        // 1/4 for three quarters.
        check(&Estimate::Katz(vec![0.4]), &cut, &[0.75], 1.0 / 3.0);
    }

    #[test]
    fn a_context_that_saw_everything_keeps_everything() {
        let all = [(1, true, 0.25), (1, true, 0.25), (1, true, 0.25), (1, true, 0.25)];
        check(&Estimate::Katz(vec![0.4]), &all, &[0.25; 4], 0.0);
    }

    #[test]
    fn the_ratios_of_katz_take_what_good_and_turing_give_the_unseen() {
        let histogram =
            Histogram::from([(1, 1000), (2, 300), (3, 140), (4, 80), (5, 50), (6, 35), (9, 12)]);
        let ratios = katz_ratios(5, &histogram);
        let taken = |(index, ratio): (usize, &f64)| {
            let r = index as u32 + 1;
            histogram[&r] as f64 * f64::from(r) * (1.0 - ratio)
        };
        let taken: f64 = ratios.iter().enumerate().map(taken).sum();
        assert!((taken - 1000.0).abs() < 1e-9, "{taken}");
        assert!(ratios.iter().all(|ratio| (0.4..0.8).contains(ratio)), "{ratios:?}");
        assert_eq!(katz_ratios(1, &histogram), [0.5]);
        assert_eq!(katz_ratios(4, &Histogram::from([(7, 2)])), [0.5, 0.5, 0.5, 1.0 - 1.5 / 4.0]);
    }
}
