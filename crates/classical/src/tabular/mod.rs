//! Tables of numbers and categories: how they become rows of features, and gradient-boosted trees over
//! such rows. Linear models over the same rows are those of the rest of the crate.

mod boosting;
mod encoder;

pub use boosting::{BoostingOptions, GradientBoosting};
pub use encoder::{Column, ColumnKind, TableConfig, TableEncoder};
