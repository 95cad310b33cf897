//! Finding the tokenizer in a directory.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{Beside, read};
use crate::error::TokenizerError;

/// File names in the order of precedence; `*` stands for anything. A group is taken if exactly one file matches.
const CANDIDATES: [&str; 12] = [
    "tokenizer.json",
    "tokenizer.model",
    "spiece.model",
    "*.model",
    "vocab.json",
    "encoder.json",
    "*-vocab.json",
    "vocab.txt",
    "*vocab.txt",
    "tokenizer.bin",
    "tok*.bin",
    "*.gguf",
];

/// The file in `directory` to load.
pub(super) fn find(directory: &Path) -> Result<PathBuf, TokenizerError> {
    let names = file_names(directory)?;
    for pattern in CANDIDATES.into_iter().chain(["bpe_simple_vocab_16e6.txt"]) {
        let mut matching: Vec<&String> =
            names.iter().filter(|name| matches(pattern, without_gz(name))).collect();
        // The plain file beside its own compressed copy is one tokenizer, not two.
        matching.dedup_by_key(|name| without_gz(name).to_owned());
        match matching.as_slice() {
            [] => {}
            [name] => return Ok(directory.join(name)),
            several => {
                return Err(TokenizerError::AmbiguousDirectory {
                    path: directory.to_owned(),
                    candidates: several.iter().map(|name| (*name).clone()).collect(),
                });
            }
        }
    }
    Err(TokenizerError::NoTokenizerInDirectory {
        path: directory.to_owned(),
        looked_for: "tokenizer.json, *.model, vocab.json, encoder.json, *vocab.txt, tok*.bin, *.gguf",
    })
}

/// The JSON files beside `file` that say more about the tokenizer.
pub(super) fn read_beside(file: &Path) -> Result<Beside, TokenizerError> {
    let object = |name: &str| -> Result<Map<String, Value>, TokenizerError> {
        match existing(&file.with_file_name(name)) {
            Some(path) => read::json_object(&path),
            None => Ok(Map::new()),
        }
    };
    Ok(Beside {
        config: object("tokenizer_config.json")?,
        special_tokens_map: object("special_tokens_map.json")?,
    })
}

/// `path`, or else `path` with `.gz` appended, whichever is a file.
pub(super) fn existing(path: &Path) -> Option<PathBuf> {
    let mut gzipped = path.as_os_str().to_owned();
    gzipped.push(".gz");
    [path.to_owned(), PathBuf::from(gzipped)].into_iter().find(|path| path.is_file())
}

/// `name` without a final `.gz`.
pub(super) fn without_gz(name: &str) -> &str {
    name.strip_suffix(".gz").unwrap_or(name)
}

fn file_names(directory: &Path) -> Result<Vec<String>, TokenizerError> {
    let read = |source| TokenizerError::Read { path: directory.to_owned(), source };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(read)? {
        let entry = entry.map_err(read)?;
        if entry.path().is_file()
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        assert!(matches("*-vocab.json", "a-vocab.json"));
        assert!(matches("vocab.txt", "vocab.txt"));
        assert!(!matches("vocab.txt", "a-vocab.txt"));
        assert!(!matches("tok*.bin", "tok.bi"));
    }
}
