//! The n-gram models against hand computations, a slow implementation, golden numbers and a text.

mod crf;
mod golden;
mod hmm;
mod linear;
mod naive;
mod properties;
mod shared;
mod small;
mod tabular;
mod tinyshakespeare;
