//! The tests of the public API, in one binary so that it is linked once.

mod common;

mod data_sets;
mod errors;
mod gguf;
mod golden;
mod properties;
mod training;
