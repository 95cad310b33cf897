//! How numbers are written.

use serde::{Deserialize, Serialize};

/// How the figures of a table are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum NumberFormat {
    /// As they are.
    Plain {
        /// Digits after the point.
        decimals: usize,
    },
    /// A hundred times as large, with a per cent sign.
    Percent {
        /// Digits after the point.
        decimals: usize,
    },
}

impl NumberFormat {
    /// A number with its unit.
    pub(super) fn number(self, value: f64) -> String {
        format!("{}{}", self.digits(value), self.unit())
    }

    /// An interval, the unit once.
    pub(super) fn interval(self, (low, high): (f64, f64)) -> String {
        format!("{} to {}{}", self.digits(low), self.digits(high), self.unit())
    }

    /// A difference, with its sign; of percentages in points.
    pub(super) fn difference(self, value: f64) -> String {
        let digits = self.digits(value);
        let zero = digits.chars().all(|digit| matches!(digit, '0' | '.' | '−'));
        match digits.starts_with('−') {
            _ if zero => digits.trim_start_matches('−').to_owned(),
            true => digits,
            false => format!("+{digits}"),
        }
    }

    fn digits(self, value: f64) -> String {
        let (decimals, value) = match self {
            Self::Plain { decimals } => (decimals, value),
            Self::Percent { decimals } => (decimals, 100.0 * value),
        };
        format!("{value:.decimals$}").replace('-', "−")
    }

    fn unit(self) -> &'static str {
        match self {
            Self::Plain { .. } => "",
            Self::Percent { .. } => "\u{202f}%",
        }
    }

    /// What differences are in, for a heading.
    pub(super) fn difference_unit(self) -> &'static str {
        match self {
            Self::Plain { .. } => "",
            Self::Percent { .. } => ", points",
        }
    }
}

/// A p-value, no more exact than it can be.
pub(super) fn p_value(p: f64) -> String {
    if p < 0.001 { "&lt; 0.001".to_owned() } else { format!("{p:.3}") }
}

/// `1234567` as `1 234 567`, with narrow spaces.
pub(super) fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_unit_and_differences_their_sign() {
        let percent = NumberFormat::Percent { decimals: 1 };
        assert_eq!(percent.number(0.7125), "71.2\u{202f}%");
        assert_eq!(percent.interval((0.5, 0.75)), "50.0 to 75.0\u{202f}%");
        assert_eq!(percent.difference(-0.031), "−3.1");
        assert_eq!(percent.difference(0.031), "+3.1");
        assert_eq!(percent.difference(-0.0001), "0.0");
        assert_eq!(NumberFormat::Plain { decimals: 2 }.number(-1.5), "−1.50");
        assert_eq!((p_value(0.0004), p_value(0.0123)), ("&lt; 0.001".into(), "0.012".into()));
        assert_eq!(thousands(1_234_567), "1\u{202f}234\u{202f}567");
    }
}
