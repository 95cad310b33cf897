//! The metrics against the reference implementations' numbers (`shared/golden/metrics`).

mod classification;
mod entities;
mod generation;
mod golden;
mod ranking;
mod significance;
mod speed;
mod summaries;
