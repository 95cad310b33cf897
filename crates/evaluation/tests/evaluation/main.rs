//! The metrics against the reference implementations' numbers (`shared/golden/metrics`).

mod classification;
mod cmrc;
mod entities;
mod generation;
mod golden;
mod harness;
mod perplexity;
mod ranking;
mod significance;
mod speed;
mod summaries;
