//! The classical models against hand computations, slow implementations, golden numbers and texts.

mod arpa;
mod crf;
mod embeddings;
mod golden;
mod grammar;
mod hmm;
mod linear;
mod naive;
mod naive_smoothing;
mod properties;
mod prune;
mod retrieval;
mod rules;
mod shared;
mod small;
mod smoothing;
mod tabular;
mod text_model;
mod texts;
mod tinyshakespeare;
