//! Everything that needs a tokenizer, a real model or reference data.
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

mod cache;
mod conditional;
mod engine;
mod filling;
mod loaded_models;
mod logits_processors;
mod prefix_lm;
mod pretrained;
mod recurrent;
mod reference_models;
mod support;
mod text_generation;
mod tiny;
mod translator;
