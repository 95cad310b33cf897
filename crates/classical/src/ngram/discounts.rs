//! The three absolute discounts of modified Kneser–Ney (Chen & Goodman 1998, section 4.3 eq. 26),
//! and the single one of absolute discounting.

/// What is taken off the counts of one order, to be given to what was never seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Discounts {
    /// D1, off a count of one.
    pub one: f64,
    /// D2, off a count of two.
    pub two: f64,
    /// D3+, off a count of three or more.
    pub three_plus: f64,
    /// Whether they were estimated from the data; `false` means that the counts-of-counts were
    /// degenerate and the fixed discounts 0.5, 1.0 and 1.5 stand in.
    pub estimated: bool,
}

impl Discounts {
    /// Used when a text is too small or too regular for an estimate, as it is in the unigrams of a
    /// character vocabulary: half a count for each occurrence up to three.
    pub(crate) const FALLBACK: Self =
        Self { one: 0.5, two: 1.0, three_plus: 1.5, estimated: false };

    /// The one discount n1 / (n1 + 2 n2) of absolute discounting (Ney, Essen & Kneser 1994), off
    /// every count; a half where one of the two is zero.
    pub(crate) fn single(n1: u64, n2: u64) -> Self {
        let estimated = n1 > 0 && n2 > 0;
        let discount = if estimated { n1 as f64 / (n1 as f64 + 2.0 * n2 as f64) } else { 0.5 };
        Self { one: discount, two: discount, three_plus: discount, estimated }
    }

    /// Estimates from how many n-grams have (adjusted) count 1, 2, 3 and 4: with
    /// Y = n1 / (n1 + 2 n2), Dk = k - (k + 1) Y n(k+1) / nk.
    ///
    /// Falls back to 0.5, 1.0, 1.5 when one of n1, n2, n3 is zero or when a Dk is outside
    /// (0, k): a discount below zero would punish seen n-grams and one above the count would
    /// give a negative probability.
    pub(crate) fn estimate([n1, n2, n3, n4]: [u64; 4]) -> Self {
        if n1 == 0 || n2 == 0 || n3 == 0 {
            return Self::FALLBACK;
        }
        let [n1, n2, n3, n4] = [n1, n2, n3, n4].map(|n| n as f64);
        let y = n1 / (n1 + 2.0 * n2);
        let one = 1.0 - 2.0 * y * n2 / n1;
        let two = 2.0 - 3.0 * y * n3 / n2;
        let three_plus = 3.0 - 4.0 * y * n4 / n3;
        let inside = |discount: f64, count: f64| discount > 0.0 && discount < count;
        if inside(one, 1.0) && inside(two, 2.0) && inside(three_plus, 3.0) {
            Self { one, two, three_plus, estimated: true }
        } else {
            Self::FALLBACK
        }
    }

    /// The discount of `count`, which is at least one.
    pub(crate) fn of(&self, count: u32) -> f64 {
        match count {
            1 => self.one,
            2 => self.two,
            _ => self.three_plus,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_follow_the_formula() {
        // Y = 100 / (100 + 2 * 40) = 5/9
        let discounts = Discounts::estimate([100, 40, 20, 10]);
        assert!(discounts.estimated);
        assert!((discounts.one - (1.0 - 2.0 * 5.0 / 9.0 * 0.4)).abs() < 1e-15);
        assert!((discounts.two - (2.0 - 3.0 * 5.0 / 9.0 * 0.5)).abs() < 1e-15);
        assert!((discounts.three_plus - (3.0 - 4.0 * 5.0 / 9.0 * 0.5)).abs() < 1e-15);
    }

    #[test]
    fn a_single_discount_follows_from_two_numbers() {
        let discounts = Discounts::single(100, 40);
        assert_eq!([1, 2, 9].map(|count| discounts.of(count)), [100.0 / 180.0; 3]);
        assert!(!Discounts::single(0, 3).estimated);
        assert_eq!(Discounts::single(3, 0).of(1), 0.5);
    }

    #[test]
    fn degenerate_counts_of_counts_fall_back() {
        // In turn: a zero among n1..n3; n4 = 0 (D3+ would be 3); D2 below zero; D3+ below zero.
        for counts in [
            [0, 1, 1, 1],
            [5, 0, 1, 1],
            [5, 3, 0, 1],
            [50, 20, 10, 0],
            [9, 1, 9, 1],
            [50, 20, 10, 90],
        ] {
            assert_eq!(Discounts::estimate(counts), Discounts::FALLBACK, "{counts:?}");
        }
    }
}
