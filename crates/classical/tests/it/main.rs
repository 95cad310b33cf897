//! The classical models against hand computations, slow implementations, golden numbers and texts.

mod golden;
mod grammar;
mod hmm;
mod linear;
mod naive;
mod properties;
mod rules;
mod shared;
mod small;
mod tinyshakespeare;
