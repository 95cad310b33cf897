//! The crate from the outside: files in, batches out.
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

mod errors;
mod flat_memory;
mod formats;
mod golden;
mod loading;
mod preparing;
mod shards;
mod support;
mod tokenizers;
