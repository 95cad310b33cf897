//! The crate from the outside: files in, batches out.
#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a skipped test says so, a child reports"
)]

mod errors;
mod flat_memory;
mod formats;
mod full_disk;
mod golden;
mod loading;
mod objectives;
mod preparing;
mod shards;
mod support;
mod tokenizers;
