//! The chores that are one or a few cargo commands: `check`, `docs`, `bench`, `ci`.
//!
//! All of them build the release profile, the only one in use, so that they share its artefacts.

use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::cargo::{self, Workspace};
use crate::verbs::VS_TORCH;
use crate::{tidy, versus, wuji};

/// Formatting, tidy, clippy and docs, cheapest first, stopping at the first that fails.
pub fn check(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    refuse_arguments("check", arguments)?;
    step("formatting");
    if !succeeds(workspace.cargo(&["fmt", "--all", "--check"]))? {
        bail!("the formatting differs; `cargo fmt --all` puts it right");
    }
    step("tidy");
    if !tidy::check(workspace)? {
        return Ok(ExitCode::FAILURE);
    }
    step("clippy");
    let mut clippy = workspace.cargo(&["clippy", "--release", "--workspace", "--all-targets"]);
    clippy.args(["--", "-D", "warnings"]);
    if !succeeds(clippy)? {
        return Ok(ExitCode::FAILURE);
    }
    step("docs");
    docs(workspace, &[])
}

/// The generated pages, brought up to date, and the documentation of every library.
pub fn documentation(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    write_configuration_reference(workspace)?;
    docs(workspace, arguments)
}

/// `docs/configuration.md`, which the command knows; a test of its own compares the two.
fn write_configuration_reference(workspace: &Workspace) -> anyhow::Result<()> {
    let mut command = Command::new(wuji::build(workspace, &[])?);
    cargo::forget_this_package(&mut command);
    let output = command.args(["train", "--config-reference"]).output();
    let output = output.context("the wuji command could not be started")?;
    if !output.status.success() {
        bail!("wuji train --config-reference failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let path = workspace.root().join("docs/configuration.md");
    let is_current = std::fs::read(&path).is_ok_and(|page| page == output.stdout);
    if !is_current {
        step("docs/configuration.md");
        std::fs::write(&path, output.stdout)
            .with_context(|| format!("{} could not be written", path.display()))?;
    }
    Ok(())
}

/// The documentation of every library, with rustdoc's warnings as errors.
///
/// Only libraries: the binary `wuji` would be written over the library of the same name.
pub fn docs(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let mut command = workspace.cargo(&["doc", "--release", "--no-deps", "--workspace", "--lib"]);
    let flags = std::env::var("RUSTDOCFLAGS").unwrap_or_default();
    command.env("RUSTDOCFLAGS", format!("{flags} -D warnings").trim_start()).args(arguments);
    exit_code(command)
}

/// The criterion benchmarks, wherever a crate has some; or a comparison with PyTorch.
pub fn bench(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    if let Some((first, rest)) = arguments.split_first()
        && first == VS_TORCH
    {
        return versus::run(workspace, rest);
    }
    // Naming each benchmark keeps the unit-test harnesses out, which do not know criterion's flags.
    let names = bench_targets(&workspace.cargo_output(&[
        "metadata",
        "--no-deps",
        "--format-version=1",
    ])?)?;
    if names.is_empty() {
        bail!("no crate has a criterion benchmark; `cargo xtask bench train` times training");
    }
    let mut command = workspace.cargo(&["bench", "--workspace"]);
    for name in names {
        command.args(["--bench", &name]);
    }
    command.args(arguments);
    exit_code(command)
}

/// What continuous integration runs: the script itself.
pub fn ci(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    refuse_arguments("ci", arguments)?;
    let mut command = Command::new("bash");
    command.arg(".ci/run").current_dir(workspace.root());
    cargo::forget_this_package(&mut command);
    exit_code(command)
}

/// Stops a chore that takes no further words from ignoring some.
pub fn refuse_arguments(chore: &str, arguments: &[String]) -> anyhow::Result<()> {
    match arguments.first() {
        Some(word) => bail!("`{chore}` takes no further words, got {word:?}"),
        None => Ok(()),
    }
}

fn bench_targets(metadata: &str) -> anyhow::Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        targets: Vec<Target>,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
        kind: Vec<String>,
    }
    let metadata: Metadata =
        serde_json::from_str(metadata).context("cargo metadata could not be read")?;
    let targets = metadata.packages.into_iter().flat_map(|package| package.targets);
    Ok(targets
        .filter(|target| target.kind.iter().any(|kind| kind == "bench"))
        .map(|target| target.name)
        .collect())
}

fn step(name: &str) {
    eprintln!("== {name}");
}

fn succeeds(command: Command) -> anyhow::Result<bool> {
    Ok(cargo::status(command)?.success())
}

fn exit_code(command: Command) -> anyhow::Result<ExitCode> {
    Ok(if succeeds(command)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn benchmarks_are_the_targets_of_kind_bench() {
        let metadata = r#"{"packages":[
            {"targets":[{"name":"a","kind":["lib"]},{"name":"attention","kind":["bench"]}]},
            {"targets":[{"name":"loss","kind":["bench"]},{"name":"it","kind":["test"]}]}]}"#;
        assert_eq!(bench_targets(metadata).expect("valid"), ["attention", "loss"]);
    }

    #[test]
    fn a_word_that_would_be_ignored_is_refused() {
        assert!(refuse_arguments("check", &[]).is_ok());
        let error = refuse_arguments("check", &["--fast".into()]).expect_err("refused");
        assert!(error.to_string().contains("--fast"));
    }
}
