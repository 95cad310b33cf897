//! `wuji experiment`.

mod objectives;

use anyhow::Result;
use clap::Subcommand;

use crate::common::Common;

/// The verbs below `experiment`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Compare next tokens, masked tokens, spans and blanks at equal parameters.
    Objectives(objectives::Args),
}

/// Runs the verb.
pub fn run(verb: &Verb, common: &Common) -> Result<()> {
    match verb {
        Verb::Objectives(args) => objectives::run(args, common),
    }
}
