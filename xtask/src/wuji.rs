//! Builds the `wuji` command and becomes it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::cargo::{Workspace, forget_this_package};
use crate::progress;

/// The devices that need a cargo feature of `wuji-cli`; `flex` is always compiled in.
const DEVICE_FEATURES: [&str; 3] = ["ndarray", "wgpu", "cuda"];

/// Builds wuji with what `--device` needs and replaces this process by it, arguments untouched.
pub fn build_and_become(workspace: &Workspace, arguments: &[OsString]) -> anyhow::Result<ExitCode> {
    let features: Vec<_> = device_features(arguments)
        .iter()
        .map(|feature| format!("--features=wuji-cli/{feature}"))
        .collect();
    let program = build(workspace, &features)?;
    let mut command = Command::new(&program);
    command.args(arguments);
    forget_this_package(&mut command);
    if let Some(revision) = revision(workspace) {
        command.env("WUJI_REVISION", revision);
    }
    become_command(command, &program)
}

/// The revision of the checkout, with `+` after it when files differ from it, for the record of a
/// run. It is passed when wuji starts rather than compiled in: a commit then rebuilds nothing.
fn revision(workspace: &Workspace) -> Option<String> {
    let git = |arguments: &[&str]| {
        let output =
            Command::new("git").args(arguments).current_dir(workspace.root()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = !git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    Some(if changed { format!("{commit}+") } else { commit })
}

/// The features that the devices named in the arguments need (`--device wgpu:1`, `--device=cuda`).
fn device_features(arguments: &[OsString]) -> Vec<&'static str> {
    let words: Vec<_> = arguments.iter().map(|word| word.to_string_lossy()).collect();
    let after_flag = words.iter().zip(words.iter().skip(1)).filter(|(flag, _)| *flag == "--device");
    let devices = after_flag
        .map(|(_, device)| device.as_ref())
        .chain(words.iter().filter_map(|word| word.strip_prefix("--device=")));
    let mut features: Vec<_> = devices
        .map(|device| device.split(':').next().unwrap_or(device))
        .filter_map(|name| DEVICE_FEATURES.into_iter().find(|feature| *feature == name))
        .collect();
    features.sort_unstable();
    features.dedup();
    features
}

/// Builds the `wuji` binary, with cargo's flags for features, and returns its path.
///
/// The whole workspace is selected and only the one binary built: cargo then settles the features of shared
/// dependencies as it does for `cargo test --workspace`, so one set of artefacts serves both.
pub fn build(workspace: &Workspace, features: &[String]) -> anyhow::Result<PathBuf> {
    let mut command = workspace.cargo(&[
        "build",
        "--release",
        "--workspace",
        "--bin",
        "wuji",
        "--message-format=json-render-diagnostics",
    ]);
    command.args(features);
    let (succeeded, messages) = progress::build(command)?;
    ensure!(succeeded, "the wuji command could not be built");
    let program = messages.lines().filter_map(executable).next_back();
    program.context("cargo built the wuji command but did not name its file")
}

/// The path of the `wuji` binary if this message of cargo's is the one that names it.
fn executable(line: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let target = message.get("target")?;
    let is_binary = target["kind"].as_array()?.iter().any(|kind| kind == "bin");
    (is_binary && target["name"] == "wuji")
        .then(|| message["executable"].as_str().map(PathBuf::from))
        .flatten()
}

#[cfg(unix)]
fn become_command(mut command: Command, program: &Path) -> anyhow::Result<ExitCode> {
    use std::os::unix::process::CommandExt;

    // Replacing the process rather than waiting for a child gives signals and exit codes to wuji itself.
    let error = command.exec();
    Err(error).with_context(|| format!("{} could not be started", program.display()))
}

#[cfg(not(unix))]
fn become_command(mut command: Command, program: &Path) -> anyhow::Result<ExitCode> {
    let status =
        command.status().with_context(|| format!("{} could not be started", program.display()))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}

/// The variable by which integration tests find the command; cargo itself sets it only inside wuji's own package.
pub fn test_variable() -> &'static OsStr {
    OsStr::new("CARGO_BIN_EXE_wuji")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(line: &str) -> Vec<&'static str> {
        let words: Vec<_> = line.split_whitespace().map(OsString::from).collect();
        device_features(&words)
    }

    #[test]
    fn a_device_anywhere_in_the_arguments_asks_for_its_feature() {
        let cases: [(&str, &[&str]); 8] = [
            ("train", &[]),
            ("train --device flex", &[]),
            ("train --device wgpu", &["wgpu"]),
            ("--device=ndarray train", &["ndarray"]),
            ("train --preset x --device wgpu:1 --json", &["wgpu"]),
            ("train --device=cuda:0", &["cuda"]),
            ("bench train --device wgpu --device=ndarray --device wgpu", &["ndarray", "wgpu"]),
            ("train --device", &[]),
        ];
        for (line, expected) in cases {
            assert_eq!(features(line), expected, "{line}");
        }
    }

    #[test]
    fn an_unknown_device_is_left_for_wuji_to_refuse() {
        assert!(features("train --device tpu").is_empty());
        assert!(features("train wgpu").is_empty());
    }

    #[test]
    fn the_binary_is_found_among_cargos_messages() {
        let library = r#"{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"wuji"},"executable":null}"#;
        let binary = r#"{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"wuji"},"executable":"/t/wuji"}"#;
        let finished = r#"{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(library), None);
        assert_eq!(executable(finished), None);
        assert_eq!(executable("not json"), None);
        assert_eq!(executable(binary), Some(PathBuf::from("/t/wuji")));
    }
}
