//! Simple Good–Turing estimation (Gale & Sampson 1995, "Good–Turing frequency estimation without
//! tears"): what a count would be in another text of the same size.

/// Adjusted counts from how many things were seen once, twice, …
///
/// Turing's estimate r* = (r + 1) n(r+1) / nr is used while it differs significantly from that of
/// a line through the smoothed log nr; from there on it is the line's.
///
/// ```
/// use wuji_classical::GoodTuring;
///
/// // 10 words seen once, 4 twice, 2 three times, one 5 times.
/// let estimate = GoodTuring::fit([(1, 10), (2, 4), (3, 2), (5, 1)]).expect("counts that fall");
/// assert!((estimate.unseen_mass() - 10.0 / 29.0).abs() < 1e-12);
/// assert!(estimate.adjusted_count(1) < 1.0);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct GoodTuring {
    /// Counts r that occur, with nr.
    counts: Vec<(u64, u64)>,
    /// Sum of r nr.
    total: f64,
    /// Sum of r* nr: what the adjusted counts of all that was seen add up to.
    adjusted_total: f64,
    /// The line log nr = intercept + slope log r, in natural logarithms.
    slope: f64,
    /// The first r for which the line is used.
    line_from: u64,
}

/// Standard deviations that Turing's estimate must be away from the line's to be preferred.
const SIGNIFICANCE: f64 = 1.65;

impl GoodTuring {
    /// Fits the pairs (r, nr): `nr` things were seen `r` times. Pairs may come in any order; those
    /// with a zero are passed over.
    ///
    /// `None` when the method does not apply: fewer than two different counts, nothing seen once,
    /// or numbers that do not fall with r at least like 1/r, so that the line would raise counts.
    pub fn fit(counts_of_counts: impl IntoIterator<Item = (u64, u64)>) -> Option<Self> {
        let mut counts: Vec<(u64, u64)> =
            counts_of_counts.into_iter().filter(|&(r, n)| r > 0 && n > 0).collect();
        counts.sort_unstable();
        if counts.len() < 2 || counts[0].0 != 1 {
            return None;
        }
        let slope = slope(&counts);
        if slope >= -1.0 {
            return None;
        }
        let total = counts.iter().map(|&(r, n)| r as f64 * n as f64).sum();
        let mut fit = Self { counts, total, adjusted_total: 0.0, slope, line_from: 0 };
        fit.line_from = fit.first_not_significant();
        fit.adjusted_total =
            fit.counts.iter().map(|&(r, n)| fit.adjusted_count(r) * n as f64).sum();
        Some(fit)
    }

    /// The probability of everything unseen together: n1 / N.
    pub fn unseen_mass(&self) -> f64 {
        self.counts[0].1 as f64 / self.total
    }

    /// r*, the adjusted count of what was seen `r` times (not zero).
    pub fn adjusted_count(&self, r: u64) -> f64 {
        if r < self.line_from { self.turing(r) } else { self.line(r) }
    }

    /// The probability of one thing seen `r` times, normalised so that all that was seen has one
    /// minus [`unseen_mass`](Self::unseen_mass).
    pub fn probability(&self, r: u64) -> f64 {
        (1.0 - self.unseen_mass()) * self.adjusted_count(r) / self.adjusted_total
    }

    /// The slope of log nr over log r.
    pub fn slope(&self) -> f64 {
        self.slope
    }

    /// How many things were seen `r` times.
    fn number(&self, r: u64) -> f64 {
        let found = self.counts.binary_search_by_key(&r, |&(r, _)| r);
        found.map_or(0.0, |index| self.counts[index].1 as f64)
    }

    fn turing(&self, r: u64) -> f64 {
        (r + 1) as f64 * self.number(r + 1) / self.number(r)
    }

    /// (r + 1) S(r + 1) / S(r), where the intercept cancels.
    fn line(&self, r: u64) -> f64 {
        let r = r as f64;
        r * (1.0 + 1.0 / r).powf(self.slope + 1.0)
    }

    fn first_not_significant(&self) -> u64 {
        let significant = |r: u64| {
            let (here, next) = (self.number(r), self.number(r + 1));
            if here == 0.0 || next == 0.0 {
                return false;
            }
            let variance = ((r + 1) as f64 / here).powi(2) * next * (1.0 + next / here);
            (self.turing(r) - self.line(r)).abs() > SIGNIFICANCE * variance.sqrt()
        };
        (1..).find(|&r| !significant(r)).expect("some count is the largest")
    }
}

/// The least-squares slope of log Zr over log r. Zr spreads nr over the gap to the neighbours, since
/// most large counts do not occur at all.
fn slope(counts: &[(u64, u64)]) -> f64 {
    let points: Vec<(f64, f64)> = counts
        .iter()
        .enumerate()
        .map(|(index, &(r, n))| {
            let before = if index == 0 { 0 } else { counts[index - 1].0 };
            let after = counts.get(index + 1).map_or(2 * r - before, |&(next, _)| next);
            let spread = n as f64 / (0.5 * (after - before) as f64);
            ((r as f64).ln(), spread.ln())
        })
        .collect();
    let mean =
        |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / points.len() as f64;
    let (mean_x, mean_y) = (mean(|point| point.0), mean(|point| point.1));
    let covariance: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let variance: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    covariance / variance
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The "prosody" counts of the paper.
    const PROSODY: &[(u64, u64)] = &[
        (1, 120),
        (2, 40),
        (3, 24),
        (4, 13),
        (5, 15),
        (6, 5),
        (7, 11),
        (8, 2),
        (9, 2),
        (10, 1),
        (12, 3),
        (14, 2),
        (15, 1),
        (16, 1),
        (17, 3),
        (19, 1),
        (20, 3),
        (21, 2),
        (23, 3),
        (24, 3),
        (25, 3),
        (26, 2),
        (27, 2),
        (28, 1),
        (31, 2),
        (32, 2),
        (33, 1),
        (34, 2),
        (36, 2),
        (41, 3),
        (43, 1),
        (45, 3),
        (46, 1),
        (47, 1),
        (50, 1),
        (71, 1),
        (84, 1),
        (101, 1),
        (105, 1),
        (121, 1),
        (124, 1),
        (146, 1),
        (162, 1),
        (193, 1),
        (199, 1),
        (224, 1),
        (226, 1),
        (254, 1),
        (257, 1),
        (339, 1),
        (421, 1),
        (456, 1),
        (481, 1),
        (483, 1),
        (1140, 1),
        (1256, 1),
        (1322, 1),
        (1530, 1),
        (2131, 1),
        (2395, 1),
        (6925, 1),
        (7846, 1),
    ];

    #[test]
    fn the_figures_of_the_paper() {
        let fit = GoodTuring::fit(PROSODY.iter().copied()).unwrap();
        let check = |actual: f64, expected: f64, tolerance: f64| {
            assert!((actual - expected).abs() <= tolerance, "{actual} is not {expected}");
        };
        assert_eq!(fit.total, 30902.0);
        check(fit.slope(), -1.389, 5e-4);
        check(fit.unseen_mass(), 0.003883, 5e-7);
        // The paper prints normalised counts, N times the probability.
        check(fit.total * fit.probability(1), 0.7628, 5e-5);
        check(fit.total * fit.probability(2), 1.706, 5e-4);
        check(fit.total * fit.probability(3), 2.680, 5e-4);
        check(fit.probability(1), 2.468e-5, 5e-9);
        let seen: f64 = PROSODY.iter().map(|&(r, n)| fit.probability(r) * n as f64).sum();
        check(seen + fit.unseen_mass(), 1.0, 1e-12);
    }

    #[test]
    fn a_significant_turing_estimate_is_preferred() {
        // n1 = 1000 and n2 = 700: Turing says 1.4 with a small error, the line says below 1.
        let fit = GoodTuring::fit([(1, 1000), (2, 700), (3, 5), (4, 2), (8, 1)]).unwrap();
        assert!((fit.adjusted_count(1) - 1.4).abs() < 1e-12);
    }

    #[test]
    fn counts_that_do_not_fall_have_no_fit() {
        assert_eq!(GoodTuring::fit([]), None);
        assert_eq!(GoodTuring::fit([(1, 5)]), None);
        assert_eq!(GoodTuring::fit([(2, 5), (3, 2)]), None);
        assert_eq!(GoodTuring::fit([(1, 5), (2, 5), (3, 5)]), None);
    }
}
