//! Metrics of labels and of probabilities of labels, with scikit-learn's definitions and numbers.
//!
//! Labels are numbers from 0 to the number of classes. Whatever is a ratio of hits and misses is a
//! method of [`BinaryCounts`]; a [`ConfusionMatrix`] gives the counts of each class, and
//! [`average`] makes one figure of them. Where a ratio has nothing below its line, it is 0.
//!
//! ```
//! use wuji_evaluation::classification::{Average, ConfusionMatrix};
//!
//! # fn main() -> wuji_evaluation::Result<()> {
//! let matrix = ConfusionMatrix::new(&[0, 0, 1, 2], &[0, 1, 1, 2], 3)?;
//! assert_eq!(matrix.accuracy(), 0.75);
//! let macro_f1 = matrix.average(Average::Macro, |class| class.f_beta(1.0));
//! assert!((macro_f1 - (2.0 / 3.0 + 2.0 / 3.0 + 1.0) / 3.0).abs() < 1e-12);
//! # Ok(())
//! # }
//! ```

mod calibration;
mod confusion;
mod counts;
mod multiclass_auc;
mod multilabel;
mod precision_recall;
mod probabilities;
mod reliability;
mod roc;

pub use calibration::{Calibration, CalibrationBin, calibration};
pub(crate) use confusion::matthews_of_margins;
pub use confusion::{ConfusionMatrix, ConfusionMetric, KappaWeights};
pub use counts::{Average, BinaryCounts, average};
pub use multiclass_auc::{roc_auc_one_vs_one, roc_auc_one_vs_rest};
pub use multilabel::MultiLabel;
pub use precision_recall::{PrecisionRecallCurve, average_precision, precision_recall_curve};
pub use probabilities::{
    binary_brier, binary_log_loss, brier, log_loss, most_probable, top_k_accuracy,
};
pub use reliability::ReliabilityBin;
pub use roc::{RocCurve, roc_auc, roc_curve};
