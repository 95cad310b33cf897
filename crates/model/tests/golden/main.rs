//! Models against transformers' own numbers (`shared/golden`).
#![expect(clippy::print_stderr, reason = "a skipped comparison must be seen")]

mod causal;
mod encoders;
mod glm;
mod seq2seq;
mod support;
