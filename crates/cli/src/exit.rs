//! From an error to an exit code and one clear message.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use anyhow::Error;
use wuji::WujiError;
use wuji::data::DataError;
use wuji::data::catalogue::CatalogueError;
use wuji::device::DeviceError;
use wuji::evaluation::harness::HarnessError;
use wuji::inference::InferenceError;
use wuji::model::ModelError;
use wuji::protocol::TextModelError;
use wuji::tokenizer::TokenizerError;
use wuji::training::TrainingError;
use wuji::training::search::SearchError;

/// Marks an error as the user's: wrong usage, config or data.
#[derive(Debug)]
pub struct Wrong(pub String);

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}

/// 0 for success; otherwise prints the error and gives 1 (failed) or 2 (wrong usage, config, data).
pub fn code(result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    if is_closed_output(&error) {
        return ExitCode::SUCCESS;
    }
    // `{:#}` would repeat the sources that our messages already contain.
    say(&format!("error: {error}"));
    ExitCode::from(if is_wrong_input(&error) { 2 } else { 1 })
}

/// Prints that this program has a bug, and gives 1.
pub fn panicked(panic: &str) -> ExitCode {
    say(&format!("internal error: {panic}; please report it with the command that you ran"));
    ExitCode::FAILURE
}

/// To standard error, where there is one.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Whoever read our output has seen enough (`wuji … | head`).
fn is_closed_output(error: &Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == ErrorKind::BrokenPipe)
}

/// Whether trying again with the same input must fail again.
fn is_wrong_input(error: &Error) -> bool {
    fn ask<E: std::error::Error + Send + Sync + 'static>(
        error: &Error,
        judge: fn(&E) -> bool,
    ) -> Option<bool> {
        error.downcast_ref::<E>().map(judge)
    }
    let verdicts = [
        ask(error, |_: &Wrong| true),
        ask(error, wuji),
        ask(error, data),
        ask(error, tokenizer),
        ask(error, model),
        ask(error, training),
        ask(error, search),
        ask(error, inference),
        ask(error, text_model),
        ask(error, catalogue),
        ask(error, device),
        ask(error, harness),
        ask(error, about_the_path),
    ];
    verdicts.into_iter().flatten().next().unwrap_or(false)
}

fn wuji(error: &WujiError) -> bool {
    match error {
        WujiError::Io { source, .. } => about_the_path(source),
        WujiError::Data(error) => data(error),
        WujiError::Tokenizer(error) => tokenizer(error),
        WujiError::Model(error) => model(error),
        WujiError::Training(error) => training(error),
        WujiError::Search(error) => search(error),
        WujiError::Inference(error) => inference(error),
        WujiError::TextModel(error) => text_model(error),
        WujiError::Catalogue(error) => catalogue(error),
        WujiError::Device(error) => device(error),
        // The network's fault, mostly.
        WujiError::NotDownloaded { .. } => false,
        WujiError::Render { .. } | WujiError::Execution(_) => false,
        _ => true,
    }
}

fn harness(error: &HarnessError) -> bool {
    match error {
        HarnessError::Io { source, .. } => about_the_path(source),
        HarnessError::Data(error) => data(error),
        HarnessError::Model(error) => text_model(error),
        HarnessError::Score { .. } | HarnessError::Floor { .. } => false,
        _ => true,
    }
}

fn data(error: &DataError) -> bool {
    match error {
        DataError::Io { source, .. } => about_the_path(source),
        DataError::Prefetch { .. } => false,
        _ => true,
    }
}

fn tokenizer(error: &TokenizerError) -> bool {
    match error {
        TokenizerError::Read { source, .. } | TokenizerError::Write { source, .. } => {
            about_the_path(source)
        }
        _ => true,
    }
}

fn model(error: &ModelError) -> bool {
    match error {
        ModelError::Io { source, .. } => about_the_path(source),
        _ => true,
    }
}

fn training(error: &TrainingError) -> bool {
    match error {
        TrainingError::Io { source, .. } => about_the_path(source),
        TrainingError::Model(error) => model(error),
        TrainingError::Data(error) => data(error),
        TrainingError::InvalidConfig { .. }
        | TrainingError::BadCheckpoint { .. }
        | TrainingError::OtherOptimizer { .. }
        | TrainingError::RunInUse { .. } => true,
        _ => false,
    }
}

fn search(error: &SearchError) -> bool {
    match error {
        SearchError::Io { source, .. } => about_the_path(source),
        SearchError::WrongState { .. } => false,
        _ => true,
    }
}

fn inference(error: &InferenceError) -> bool {
    match error {
        InferenceError::Io { source, .. } => about_the_path(source),
        InferenceError::Model(error) => model(error),
        InferenceError::Tokenizer(error) => tokenizer(error),
        InferenceError::NonFiniteLogits { .. } | InferenceError::Device(_) => false,
        _ => true,
    }
}

fn text_model(error: &TextModelError) -> bool {
    !matches!(error, TextModelError::Model(_))
}

fn catalogue(error: &CatalogueError) -> bool {
    match error {
        CatalogueError::Io { source, .. } => about_the_path(source),
        CatalogueError::Read(error) => data(error),
        // The network's and the source's fault.
        CatalogueError::Offline { .. }
        | CatalogueError::Interrupted { .. }
        | CatalogueError::Status { .. }
        | CatalogueError::WrongContent { .. } => false,
        _ => true,
    }
}

fn device(error: &DeviceError) -> bool {
    !matches!(error, DeviceError::Unavailable { .. })
}

/// A path that is not there or not what it should be is wrong input; a full disk is a failure.
fn about_the_path(error: &std::io::Error) -> bool {
    use ErrorKind::{
        AlreadyExists, InvalidData, InvalidInput, IsADirectory, NotADirectory, NotFound,
        UnexpectedEof,
    };
    let kind = error.kind();
    matches!(kind, NotFound | NotADirectory | IsADirectory | AlreadyExists)
        || matches!(kind, InvalidInput | InvalidData | UnexpectedEof)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn io(kind: ErrorKind) -> std::io::Error {
        kind.into()
    }

    #[test]
    fn wrong_input_is_told_from_failure_wherever_the_error_comes_from() {
        let path = || std::path::PathBuf::from("x");
        let cases: [(Error, bool); 8] = [
            (Wrong("no".into()).into(), true),
            (io(ErrorKind::NotFound).into(), true),
            (io(ErrorKind::StorageFull).into(), false),
            (DataError::EmptyFile { path: path() }.into(), true),
            (
                TokenizerError::Write { path: path(), source: io(ErrorKind::StorageFull) }.into(),
                false,
            ),
            (WujiError::RunExists { path: path() }.into(), true),
            (WujiError::Data(DataError::NotFound { path: path() }).into(), true),
            (anyhow::anyhow!("interrupted"), false),
        ];
        for (error, expected) in cases {
            assert_eq!(is_wrong_input(&error), expected, "{error}");
        }
    }

    #[test]
    fn a_reader_that_has_seen_enough_is_no_failure() {
        assert!(is_closed_output(&io(ErrorKind::BrokenPipe).into()));
        assert!(!is_closed_output(&io(ErrorKind::StorageFull).into()));
    }
}
