//! What the documents tell a reader to type is what the command understands.

use std::fs;
use std::path::{Path, PathBuf};

use crate::command::Wuji;

/// Verbs of `cargo xtask` that are not verbs of `wuji`.
const XTASK_ONLY: [&str; 6] = ["check", "test", "tidy", "docs", "golden", "ci"];

/// A fenced block of a document.
struct Fence {
    file: PathBuf,
    language: String,
    lines: Vec<String>,
}

fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = vec![root.join("README.md"), root.join("README.zh-CN.md")];
    let mut folders = vec![root.join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension() {
                None if path.is_dir() => folders.push(path),
                Some(extension) if extension == "md" => files.push(path),
                _ => {}
            }
        }
    }
    files
}

fn fences() -> Vec<Fence> {
    let mut fences = Vec::new();
    for file in documents() {
        let mut open: Option<Fence> = None;
        for line in fs::read_to_string(&file).unwrap().lines() {
            match (line.trim_start().strip_prefix("```"), &mut open) {
                (Some(_), Some(_)) => fences.extend(open.take()),
                (Some(language), None) => {
                    let language = language.to_string();
                    open = Some(Fence { file: file.clone(), language, lines: Vec::new() });
                }
                (None, Some(fence)) => fence.lines.push(line.to_string()),
                (None, None) => {}
            }
        }
    }
    fences
}

/// The words after `wuji` or `cargo xtask` of each command in the documents, and where it stands.
fn commands() -> Vec<(PathBuf, Vec<String>)> {
    let mut commands = Vec::new();
    for Fence { file, language, lines } in fences() {
        if !["sh", "console"].contains(&language.as_str()) {
            continue;
        }
        for line in lines.join("\n").replace("\\\n", " ").lines() {
            let line = line.trim().trim_start_matches("$ ");
            let rest = line.strip_prefix("cargo xtask ").or_else(|| line.strip_prefix("wuji "));
            // `shlex` knows quotes and leaves comments out.
            let words: Vec<String> =
                rest.map(|rest| shlex::split(rest).unwrap()).unwrap_or_default();
            if !words.is_empty() && !is_chore(&words) {
                commands.push((file.clone(), words));
            }
        }
    }
    commands
}

/// Whether the words are for `cargo xtask` itself: a chore, or those of its benchmarks.
fn is_chore(words: &[String]) -> bool {
    let own = ["--", "--vs-torch"];
    let is_benchmark =
        words[0] == "bench" && words.get(1).is_some_and(|w| own.contains(&w.as_str()));
    is_benchmark || XTASK_ONLY.contains(&words[0].as_str())
}

#[test]
fn every_command_in_the_documents_is_understood() {
    let commands = commands();
    assert!(commands.len() >= 20, "only {} commands were found", commands.len());
    for (file, words) in commands {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        // Arguments before it are still checked.
        let finished = Wuji::new(words[0]).args(&words[1..]).arg("--help").run();
        assert!(finished.status.success(), "{}: {words:?}\n{finished}", file.display());
    }
}

#[test]
fn every_training_in_the_documents_has_a_config_that_works() {
    let mut checked = 0;
    for (file, words) in commands() {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let not_there = |word: &&str| ["--resume", "--config", "--list-presets"].contains(word);
        if words[0] != "train" || words.iter().any(not_there) {
            continue;
        }
        let finished = Wuji::new("train").args(&words[1..]).arg("--print-config").run();
        assert!(finished.status.success(), "{}: {words:?}\n{finished}", file.display());
        checked += 1;
    }
    assert!(checked >= 4, "only {checked} were found");
}

/// Pages whose TOML is something else: templates of a tagger, tasks, and spaces of a search.
const OTHER_TOML: [&str; 3] = ["classical.md", "evaluation.md", "search.md"];

fn toml_of(is_wanted: impl Fn(&Path) -> bool) -> Vec<Fence> {
    let is_toml = |fence: &Fence| fence.language == "toml" && is_wanted(&fence.file);
    fences().into_iter().filter(is_toml).collect()
}

#[test]
fn every_task_in_the_documents_is_one() {
    let dir = tempfile::tempdir().unwrap();
    let fences = toml_of(|file| file.ends_with("evaluation.md"));
    assert!(!fences.is_empty());
    for fence in fences {
        let id = fence.lines[0].split('"').nth(1).unwrap();
        let path = dir.path().join(format!("{id}.toml"));
        fs::write(&path, fence.lines.join("\n")).unwrap();
        wuji::evaluation::harness::Library::read(&path).unwrap();
    }
}

#[test]
fn every_config_in_the_documents_is_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("snippet.toml");
    let fences = toml_of(|file| !OTHER_TOML.iter().any(|other| file.ends_with(other)));
    assert!(fences.len() >= 4, "only {} were found", fences.len());
    for fence in fences {
        fs::write(&path, fence.lines.join("\n")).unwrap();
        let finished = Wuji::new("train").arg("--config").arg(&path).arg("--print-config").run();
        assert!(finished.status.success(), "{}\n{finished}", fence.file.display());
    }
}

/// The page whose commands are all run here, each for a few steps on a little text of its own.
const LADDER: &str = "from-ngram-to-transformer.md";

#[test]
fn the_ladder_can_be_climbed() {
    let dir = tempfile::tempdir().unwrap();
    let text = dir.path().join("input.txt");
    let line = |number: usize| format!("CITIZEN {}:\nWhat is {number} to me?\n\n", number % 7);
    fs::write(&text, (0..2000).map(line).collect::<String>()).unwrap();
    let commands = commands();
    let rungs: Vec<&Vec<String>> = commands
        .iter()
        .filter(|(file, _)| file.ends_with(LADDER))
        .map(|(_, words)| words)
        .collect();
    assert!(rungs.len() >= 6, "only {} commands were found", rungs.len());
    for (number, words) in rungs.into_iter().enumerate() {
        let words: Vec<&str> = words
            .iter()
            .map(|word| if word == "input.txt" { text.to_str().unwrap() } else { word })
            .collect();
        assert_eq!(words[0], "train", "{words:?}");
        let run = Wuji::new("train").args(&words[1..]).args(&["--json", "--quiet", "--out"]);
        let run = run.arg(dir.path().join(format!("run-{number}")));
        let run = run.set("training.max_steps=3").set("evaluation.ngram_max_order=3");
        let summary = run.set("evaluation.samples.max_new_tokens=8").succeed().json();
        assert_eq!(summary["steps"], 3, "{words:?}");
        assert!(summary["validation_loss"].as_f64().is_some_and(|loss| loss > 0.0), "{words:?}");
    }
}
