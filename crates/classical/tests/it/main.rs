//! The n-gram models against hand computations, a slow implementation, golden numbers and a text.

mod arpa;
mod golden;
mod hmm;
mod linear;
mod naive;
mod naive_smoothing;
mod properties;
mod prune;
mod shared;
mod small;
mod smoothing;
mod text_model;
mod texts;
mod tinyshakespeare;
