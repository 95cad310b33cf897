//! What holds of every pre-training objective on every device.

mod batches;
mod cases;
mod labels;
mod learning;
mod sentence_pairs;
