//! The facade against numbers of reference implementations (`shared/golden`).
#![expect(clippy::print_stderr, reason = "a skipped comparison must be seen")]

mod embed;
mod forward;
mod models;
mod support;
mod table;
#[path = "../../../model/tests/formats/torch_file.rs"]
mod torch_file;
