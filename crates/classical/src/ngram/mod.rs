//! Modified, interpolated Kneser–Ney n-grams: from documents of token ids to a scored stream.

mod automaton;
mod config;
mod construction;
mod corpus;
mod counts;
mod discounts;
mod generate;
mod kneser_ney;
mod level;
mod score;
mod select;
mod sort;

pub use config::{Boundaries, KneserNeyConfig, MAX_ORDER, MAX_VOCAB_SIZE};
pub use counts::NgramCounts;
pub use discounts::Discounts;
pub use kneser_ney::KneserNey;
pub use score::Score;
pub use select::{OrderSelection, select_order, select_order_documents};
