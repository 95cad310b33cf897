//! Everything that needs a tokenizer, a real model or reference data.
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

mod cache;
mod engine;
mod logits_processors;
mod pretrained;
mod reference_models;
mod support;
mod text_generation;
