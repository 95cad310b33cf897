//! `cargo xtask <verb>`: builds what a verb needs and runs it.
//!
//! Verbs of this program are the development chores (`check`, `test`, `tidy`, …). Every other word belongs to the
//! `wuji` command: this program builds it in release with the features that `--device` asks for and then *becomes*
//! it, so arguments, exit code and signals are wuji's own. Whether a verb exists is therefore for wuji to say.
//!
//! Invariant: this package depends on no crate of the workspace; it knows them only through cargo.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program: results go to stdout, progress to stderr"
)]

mod cargo;
mod chores;
mod progress;
mod test;
mod tidy;
mod verbs;
mod versus;
mod wuji;

use std::process::ExitCode;

use crate::cargo::Workspace;
use crate::verbs::Chore;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let words: Vec<String> =
        arguments.iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let outcome = match verbs::parse(&words) {
        verbs::Call::Help => {
            print!("{}", verbs::help());
            return ExitCode::SUCCESS;
        }
        verbs::Call::Nothing => {
            eprint!("{}", verbs::help());
            return ExitCode::from(2);
        }
        verbs::Call::ChoreHelp(chore) => {
            print!("{}", verbs::chore_help(chore));
            return ExitCode::SUCCESS;
        }
        verbs::Call::Chore(chore) => {
            Workspace::find().and_then(|workspace| run(chore, &workspace, &words[1..]))
        }
        verbs::Call::Wuji => {
            Workspace::find().and_then(|workspace| wuji::build_and_become(&workspace, &arguments))
        }
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

/// Runs one development chore with the words that follow its name.
fn run(chore: Chore, workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    match chore {
        Chore::Check => chores::check(workspace, arguments),
        Chore::Test => test::run(workspace, arguments),
        Chore::Golden => test::golden(workspace, arguments),
        Chore::Tidy => tidy::run(workspace, arguments),
        Chore::Docs => chores::documentation(workspace, arguments),
        Chore::Bench => chores::bench(workspace, arguments),
        Chore::Ci => chores::ci(workspace, arguments),
    }
}
