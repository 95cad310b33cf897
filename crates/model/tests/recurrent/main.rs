//! Recurrent and feed-forward models against loops over single `f64` numbers, and their properties.

mod feed_forward;
mod language_model;
mod reference;
mod seq2seq;
mod support;
