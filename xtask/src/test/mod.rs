//! `cargo xtask test` and `cargo xtask golden`: cargo's tests, with skips that are never silent and one total.
//!
//! Tests that lack their data print `SKIPPED: …` and pass, as libtest has no other way. libtest shows what passing
//! tests print only when asked, and then all of it; this module asks for all and shows only the skips.

mod report;

use std::io::{self, BufRead, BufReader};
use std::process::{Command, ExitCode};

use anyhow::{Context, bail, ensure};

use self::report::{Report, Totals};
use crate::cargo::Workspace;
use crate::{progress, wuji};

/// Runs the test suite, or what further `cargo test` arguments select of it.
pub fn run(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let selection = Selection::of(arguments);
    // Integration tests run the real command, which `cargo test` alone does not build.
    let wuji = if selection.starts_wuji() {
        Some(wuji::build(workspace, &selection.features())?)
    } else {
        None
    };
    let prepare = |mut command: Command| {
        if let Some(wuji) = &wuji {
            command.env(wuji::test_variable(), wuji);
        }
        if let Some(shared) = workspace.shared() {
            command.env("WUJI_SHARED", &shared);
            if std::env::var_os("WUJI_DATA").is_none() {
                command.env("WUJI_DATA", shared.join("data"));
            }
        }
        command
    };
    // Built first, with cargo's own progress on the terminal; what is read afterwards is then only the tests.
    let mut build = prepare(workspace.cargo(&["test", "--release", "--no-run"]));
    build.args(&selection.for_cargo);
    let (built, _) = progress::build(build)?;
    ensure!(built, "the tests could not be built");
    let mut tests = prepare(workspace.cargo(&["test", "--release", "--no-fail-fast"]));
    tests.args(&selection.for_cargo).args(["--", "--show-output"]).args(&selection.for_tests);
    let (totals, succeeded) = watch(tests)?;
    Ok(if succeeded && totals.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the tests whose names say `golden`, which need the reference outputs beside the root.
pub fn golden(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    let found = workspace.shared().map(|shared| shared.join("golden"));
    if !found.is_some_and(|golden| golden.is_dir()) {
        bail!(
            "the reference outputs are not there: expected ../shared/golden, or WUJI_SHARED to name its parent"
        );
    }
    let words: Vec<String> =
        std::iter::once("golden".to_owned()).chain(arguments.iter().cloned()).collect();
    run(workspace, &words)
}

/// Which tests to run, in cargo's words and in the test binaries'.
struct Selection {
    for_cargo: Vec<String>,
    for_tests: Vec<String>,
}

impl Selection {
    fn of(arguments: &[String]) -> Self {
        let split = arguments.iter().position(|word| word == "--");
        let (for_cargo, for_tests) = arguments.split_at(split.unwrap_or(arguments.len()));
        let mut for_cargo = for_cargo.to_vec();
        if !for_cargo.iter().any(|word| selects_packages(word)) {
            for_cargo.insert(0, "--workspace".into());
        }
        Self { for_cargo, for_tests: for_tests.iter().skip(1).cloned().collect() }
    }

    /// Whether the tests of the real command are among the selected ones.
    fn starts_wuji(&self) -> bool {
        let mut words = self.for_cargo.iter();
        words.any(|word| {
            matches!(word.as_str(), "--workspace" | "--all") || word.contains("wuji-tests")
        })
    }

    /// The words that choose features, for the command that the tests will start.
    fn features(&self) -> Vec<String> {
        let mut features = Vec::new();
        let mut words = self.for_cargo.iter();
        while let Some(word) = words.next() {
            if matches!(word.as_str(), "--features" | "-F") {
                features.extend(words.next().map(|names| format!("--features={names}")));
            } else if word.starts_with("--features=") || word == "--all-features" {
                features.push(word.clone());
            }
        }
        features
    }
}

fn selects_packages(word: &str) -> bool {
    let flag = word.split('=').next().unwrap_or(word);
    matches!(flag, "--package" | "--workspace" | "--all") || word.starts_with("-p")
}

/// Runs the tests, showing what matters of their output, and returns the sum and whether cargo succeeded.
fn watch(mut command: Command) -> anyhow::Result<(Totals, bool)> {
    // One pipe for both streams keeps cargo's headings and libtest's lines in their order.
    let (reader, writer) = io::pipe().context("no pipe for the tests' output")?;
    let errors = writer.try_clone().context("no pipe for the tests' errors")?;
    let mut child = command
        .env("CARGO_TERM_COLOR", "never")
        .stdout(writer)
        .stderr(errors)
        .spawn()
        .context("cargo could not be started")?;
    // The command keeps the pipe's writing ends open; the reader ends only when they are gone.
    drop(command);
    let mut report = Report::new(io::stdout());
    let mut lines = BufReader::new(reader);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).context("reading the tests' output")? > 0 {
        let text = String::from_utf8_lossy(&line);
        report.line(text.trim_end_matches(['\n', '\r']))?;
        line.clear();
    }
    let succeeded = child.wait().context("cargo could not be waited for")?.success();
    Ok((report.finish()?, succeeded))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(line: &str) -> (Vec<String>, Vec<String>) {
        let words: Vec<_> = line.split_whitespace().map(String::from).collect();
        let selection = Selection::of(&words);
        (selection.for_cargo, selection.for_tests)
    }

    #[test]
    fn without_a_package_the_whole_workspace_is_tested() {
        assert_eq!(selection("").0, ["--workspace"]);
        assert_eq!(selection("packing --lib").0, ["--workspace", "packing", "--lib"]);
    }

    #[test]
    fn a_named_package_is_tested_alone() {
        for line in ["-p wuji-data", "--package=wuji-data x", "--package wuji-data", "-pwuji-data"]
        {
            assert!(!selection(line).0.contains(&"--workspace".to_owned()), "{line}");
        }
        assert_eq!(selection("--workspace x").0, ["--workspace", "x"]);
    }

    #[test]
    fn the_features_of_the_tests_are_those_of_the_command_they_start() {
        let words = "-p wuji-tests --features wgpu wgpu -F a,b --features=wuji/ndarray --all-features -- --features x";
        let words: Vec<_> = words.split_whitespace().map(String::from).collect();
        let features = Selection::of(&words).features();
        assert_eq!(
            features,
            ["--features=wgpu", "--features=a,b", "--features=wuji/ndarray", "--all-features"]
        );
        assert!(Selection::of(&["features".into()]).features().is_empty());
    }

    #[test]
    fn the_command_is_built_only_for_the_tests_that_start_it() {
        let starts = |line: &str| {
            let words: Vec<_> = line.split_whitespace().map(String::from).collect();
            Selection::of(&words).starts_wuji()
        };
        for line in ["", "packing", "-p wuji-tests", "--package=wuji-tests resume", "--workspace"] {
            assert!(starts(line), "{line:?}");
        }
        assert!(!starts("-p wuji-data") && !starts("--package wuji-tokenizer golden"));
    }

    #[test]
    fn words_after_two_dashes_go_to_the_test_binaries() {
        let (for_cargo, for_tests) = selection("-p a -- --ignored --test-threads=1");
        assert_eq!(for_cargo, ["-p", "a"]);
        assert_eq!(for_tests, ["--ignored", "--test-threads=1"]);
    }
}
