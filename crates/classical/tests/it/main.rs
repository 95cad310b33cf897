//! The n-gram models against hand computations, a slow implementation, golden numbers and a text.

mod embeddings;
mod golden;
mod hmm;
mod linear;
mod naive;
mod properties;
mod retrieval;
mod shared;
mod small;
mod tinyshakespeare;
