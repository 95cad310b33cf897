//! Cross-validation: which items train and which test, in every fold, and what the folds' scores
//! say together.
//!
//! [`KFold`] splits plainly, stratified by label, grouped, or both at once, and repeatedly;
//! [`TimeOrdered`] tests on what comes after the training items. Whom an item falls to depends on
//! a seed and on what the item says, never on its place in the list, and copies of one text always
//! fall together: otherwise a model is tested on what it was trained on.
//!
//! [`cross_validate`] runs something on every fold; [`nested`] also tunes it, on folds of the
//! training items alone, so that the score is that of the tuning as a whole (Varma and Simon, "Bias
//! in error estimation when using cross-validation for model selection", 2006). Scores of folds are
//! not independent, because they share training items; [`corrected_mean`] and
//! [`corrected_t_test`] allow for it.
//!
//! ```
//! use wuji_evaluation::EvaluationError;
//! use wuji_evaluation::cross_validation::{KFold, cross_validate};
//!
//! # fn main() -> Result<(), EvaluationError> {
//! let texts: Vec<String> = (0..60).map(|at| format!("document {at}")).collect();
//! let labels: Vec<usize> = (0..60).map(|at| usize::from(at % 3 == 0)).collect();
//!
//! let folds = KFold { folds: 5, repeats: 2, seed: 7 }.stratified(&texts, &labels)?;
//! let result = cross_validate(&folds, 0.95, |fold| {
//!     // Always say 0: right for two of three.
//!     let right = fold.test.iter().filter(|at| labels[**at] == 0).count();
//!     Ok::<_, EvaluationError>(right as f64 / fold.test.len() as f64)
//! })?;
//! assert_eq!((result.scores.len(), result.estimate.n), (10, 10));
//! assert!((result.estimate.value - 2.0 / 3.0).abs() < 1e-12);
//! # Ok(())
//! # }
//! ```

mod assign;
mod driver;
mod estimate;
mod k_fold;
mod time_ordered;

use serde::{Deserialize, Serialize};

pub use driver::{CrossValidation, NestedCrossValidation, NestedFold, cross_validate, nested};
pub use estimate::{corrected_mean, corrected_t_test};
pub use k_fold::KFold;
pub use time_ordered::TimeOrdered;

/// Which items train and which test, as ascending positions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fold {
    /// Which repetition it belongs to, from 0.
    pub repeat: usize,
    /// Items that a model may learn from.
    pub train: Vec<usize>,
    /// Items that it is tested on.
    pub test: Vec<usize>,
}

impl Fold {
    /// The same fold where its positions are those of a list of positions, as of an outer fold's
    /// training items.
    fn within(&self, positions: &[usize]) -> Self {
        let map = |list: &[usize]| list.iter().map(|at| positions[*at]).collect();
        Self { repeat: self.repeat, train: map(&self.train), test: map(&self.test) }
    }
}
