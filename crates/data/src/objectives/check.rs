//! Checks of option values, each error with the key and what was expected.

use crate::error::{DataError, Result};

/// A share between 0 and 1, both included.
pub(super) fn probability(key: &str, value: f64) -> Result<()> {
    within(key, value, (0.0..=1.0).contains(&value), "a number from 0 to 1")
}

/// A share strictly between 0 and 1.
pub(super) fn exclusive_fraction(key: &str, value: f64) -> Result<()> {
    within(key, value, value > 0.0 && value < 1.0, "a number between 0 and 1, neither included")
}

/// A mean length: at least 1.
pub(super) fn mean_length(key: &str, value: f64) -> Result<()> {
    // Beyond this a Poisson draw would underflow, and no window holds such spans.
    within(key, value, (1.0..=500.0).contains(&value), "a number from 1 to 500")
}

fn within(key: &str, value: f64, valid: bool, expected: &str) -> Result<()> {
    if valid {
        return Ok(());
    }
    let reason = format!("expected {expected}, got {value}");
    Err(DataError::InvalidOption { key: key.to_owned(), reason })
}
