//! The metrics against the reference implementations' numbers (`shared/golden/metrics`).

mod generation;
mod golden;
mod significance;
mod speed;
