//! Which files of a repository make a model.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::convert::TAKEN_ALONG;

/// Weights in the order of preference, whole or as an index of shards.
const WEIGHTS: [(&str, &str); 2] = [
    ("model.safetensors", "model.safetensors.index.json"),
    ("pytorch_model.bin", "pytorch_model.bin.index.json"),
];

/// Those of the listed files that belong to a model beside its weights.
pub(super) fn beside_weights(listed: &[String]) -> Vec<&str> {
    let wanted = |file: &&str| {
        *file == "config.json" || TAKEN_ALONG.contains(file) || is_module_config(file)
    };
    listed.iter().map(String::as_str).filter(wanted).collect()
}

/// Whether a file describes a module of sentence-transformers: `1_Pooling/config.json`.
fn is_module_config(file: &str) -> bool {
    let module = file.strip_suffix("/config.json").and_then(|folder| folder.split_once('_'));
    module.is_some_and(|(number, name)| {
        number.parse::<u8>().is_ok() && name.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

/// The weights among the listed files; `index` gets an index of shards to where it can be read.
pub(super) fn weights(
    listed: &[String],
    index: impl Fn(&str) -> Result<PathBuf, String>,
) -> Result<Vec<String>, String> {
    let has = |name: &str| listed.iter().any(|file| file == name);
    if !has("config.json") {
        return only_gguf(listed).map(|file| vec![file.to_string()]);
    }
    for (whole, sharded) in WEIGHTS {
        if has(whole) {
            return Ok(vec![whole.to_string()]);
        }
        if has(sharded) {
            return shards(&index(sharded)?);
        }
    }
    Err(format!(
        "the repository has a config.json, but none of {}",
        WEIGHTS.map(|(whole, sharded)| format!("{whole}, {sharded}")).join(", ")
    ))
}

/// The GGUF file of a repository that has one.
fn only_gguf(listed: &[String]) -> Result<&str, String> {
    let found: Vec<&str> =
        listed.iter().map(String::as_str).filter(|file| file.ends_with(".gguf")).collect();
    match found.as_slice() {
        [file] if is_plain(file) => Ok(file),
        [] | [_] => Err("the repository has neither a config.json nor one .gguf file".to_string()),
        several => Err(format!(
            "the repository has several GGUF files ({}): download one of them and give its path",
            several.join(", ")
        )),
    }
}

/// The files that the index at `path` names.
fn shards(path: &Path) -> Result<Vec<String>, String> {
    let damaged = |reason: String| format!("{}: {reason}", path.display());
    let text = std::fs::read(path).map_err(|error| damaged(error.to_string()))?;
    let index: Value = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
    let map = index["weight_map"].as_object().ok_or_else(|| damaged("no weight_map".into()))?;
    let files: BTreeSet<&str> = map.values().filter_map(Value::as_str).collect();
    match files.iter().find(|file| !is_plain(file)) {
        // A name from the network must not lead out of the cache.
        Some(file) => Err(damaged(format!("{file:?} is no name of a shard"))),
        None => Ok(files.into_iter().map(str::to_string).collect()),
    }
}

fn is_plain(file: &str) -> bool {
    let is_known = |c: char| c.is_ascii_alphanumeric() || ['-', '_', '.'].contains(&c);
    !file.starts_with('.') && file.chars().all(is_known)
}

/// The model in a snapshot's directory, or what it lacks.
pub(super) fn model_in(dir: &Path) -> Result<PathBuf, String> {
    let entries = std::fs::read_dir(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let listed: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.path().is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    let lacking = |reason: String| format!("{}: {reason}", dir.display());
    let weights = weights(&listed, |file| Ok(dir.join(file))).map_err(lacking)?;
    if let Some(absent) = weights.iter().find(|file| !listed.contains(*file)) {
        return Err(lacking(format!("no {absent}")));
    }
    match weights.as_slice() {
        [file] if file.ends_with(".gguf") => Ok(dir.join(file)),
        _ => Ok(dir.to_path_buf()),
    }
}
