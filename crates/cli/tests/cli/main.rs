//! The real command, verb by verb: what it prints, what it writes, how it fails.
#![expect(clippy::print_stderr, reason = "a skipped comparison must be seen")]

mod support;

mod bench;
mod data;
mod embed;
mod failures;
mod formats;
mod forward;
mod instructions;
mod models;
mod tokenizers;
mod training;
mod usage;
