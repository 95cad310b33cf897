//! From an error to an exit code and one clear message.

use std::process::ExitCode;

use wuji::WujiError;
use wuji::training::TrainingError;

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
    // `{:#}` would repeat the sources that our messages already contain.
    eprintln!("error: {error}");
    ExitCode::from(if is_wrong_input(&error) { 2 } else { 1 })
}

/// Whether trying again with the same input must fail again.
fn is_wrong_input(error: &anyhow::Error) -> bool {
    if error.downcast_ref::<Wrong>().is_some() {
        return true;
    }
    match error.downcast_ref::<WujiError>() {
        Some(WujiError::Training(error)) => matches!(
            error,
            TrainingError::InvalidConfig { .. }
                | TrainingError::BadCheckpoint { .. }
                | TrainingError::Model(_)
                | TrainingError::Data(_)
        ),
        Some(WujiError::Io { source, .. }) => is_about_the_path(source),
        Some(WujiError::Inference(_) | WujiError::TextModel(_) | WujiError::Render { .. }) => false,
        Some(_) => true,
        None => false,
    }
}

/// A path that is not there or not what it should be is wrong input; a full disk is a failure.
fn is_about_the_path(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{InvalidInput, IsADirectory, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | IsADirectory | InvalidInput)
}
