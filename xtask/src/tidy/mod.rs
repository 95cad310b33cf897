//! `cargo xtask tidy`: the workspace's invariants, checked from the manifests, `cargo metadata` and the source.
//!
//! Every rule reads strings and returns [`problem::Problem`]s, so each has unit tests that hold a violation against it; only
//! this file touches the disk. All problems are reported, never just the first.

mod burn_tree;
mod documents;
mod layers;
mod machine_paths;
mod manifest;
mod manifests;
mod picture;
mod problem;
mod rust;
mod shared_features;
mod sources;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Context;

use crate::cargo::{self, Workspace};
use crate::chores;

/// A file longer than this may hold a second idea; it is named, not refused.
const LONG_FILE_LINES: usize = 700;

/// The texts of the repository by path from its root, `/` between folders on every system.
type Files = BTreeMap<String, String>;

/// The verb: checks and says so.
pub fn run(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<ExitCode> {
    chores::refuse_arguments("tidy", arguments)?;
    Ok(if check(workspace)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints every problem of the working tree; true if there is none.
pub fn check(workspace: &Workspace) -> anyhow::Result<bool> {
    let (files, others) = read_files(workspace)?;
    for (path, lines) in long_files(&files) {
        println!("{path}: warning: {lines} lines; is there a second idea in it?");
    }
    let mut problems = manifests::check(&files);
    problems.extend(burn_tree::check(&metadata(workspace)?)?);
    let [product, development] = feature_listings(workspace)?;
    problems.extend(shared_features::check(&product, &development));
    problems.extend(sources::check(&files));
    problems.extend(documents::check(&files, &others));
    problems.extend(picture::check(&files));
    problems.extend(machine_paths::check(&files));
    problems.sort();
    for problem in &problems {
        println!("{problem}");
    }
    match problems.len() {
        0 => println!("tidy: {} files, no problem", files.len()),
        count => println!("tidy: {} files, {count} problems", files.len()),
    }
    Ok(problems.is_empty())
}

/// The dependency graph of a default build on this machine's platform.
fn metadata(workspace: &Workspace) -> anyhow::Result<String> {
    let mut rustc = Command::new("rustc");
    rustc.arg("-vV").current_dir(workspace.root());
    let version = cargo::output(rustc)?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("`rustc -vV` names no host")?;
    // For one platform, so that crates of other systems need not be fetched to be judged.
    workspace.cargo_output(&["metadata", "--format-version=1", "--filter-platform", host])
}

/// The packages and features of a build without and with development dependencies.
fn feature_listings(workspace: &Workspace) -> anyhow::Result<[String; 2]> {
    let [product, development] = shared_features::EDGES.map(|edges| {
        let words = [&shared_features::LISTING[..], &[edges]].concat();
        workspace.cargo_output(&words)
    });
    Ok([product?, development?])
}

/// Every file that is, or would be, committed: the texts, and the paths of what is not UTF-8.
fn read_files(workspace: &Workspace) -> anyhow::Result<(Files, Vec<String>)> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(workspace.root());
    let listing = cargo::output(git)?;
    let mut files = Files::new();
    let mut others = Vec::new();
    for path in listing.split('\0').filter(|path| !path.is_empty()) {
        let file: PathBuf = workspace.root().join(path);
        // A file removed from the working tree but not yet from the index is no longer part of it.
        let Ok(bytes) = std::fs::read(&file) else { continue };
        match String::from_utf8(bytes) {
            Ok(text) => {
                files.insert(path.to_owned(), text);
            }
            Err(_) => others.push(path.to_owned()),
        }
    }
    Ok((files, others))
}

fn long_files(files: &Files) -> Vec<(&str, usize)> {
    let rust = files.iter().filter(|(path, _)| path.ends_with(".rs"));
    let lengths = rust.map(|(path, text)| (path.as_str(), text.lines().count()));
    lengths.filter(|(_, lines)| *lines > LONG_FILE_LINES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_rust_files_are_named() {
        let long = "x\n".repeat(LONG_FILE_LINES + 1);
        let files = Files::from([
            ("a.rs".into(), long.clone()),
            ("b.rs".into(), "x\n".repeat(LONG_FILE_LINES)),
            ("c.md".into(), long),
        ]);
        assert_eq!(long_files(&files), [("a.rs", LONG_FILE_LINES + 1)]);
    }
}
