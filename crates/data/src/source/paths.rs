//! Files, directories and glob patterns to a sorted list of files.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::options::{FileFormat, SUPPORTED};
use crate::error::{DataError, Result};

/// Every file that `patterns` name, sorted and without repetition. `any_format`: whether files
/// with an unknown extension count, because the format was stated.
pub(super) fn expand(patterns: &[String], any_format: bool) -> Result<Vec<PathBuf>> {
    let mut files = BTreeSet::new();
    for pattern in patterns {
        let path = Path::new(pattern);
        if path.is_dir() {
            let found = collect(path, any_format, &mut files)?;
            require(found, pattern)?;
        } else if path.exists() || !is_pattern(pattern) {
            // A missing file is reported by whoever opens it, but before any work is done.
            fs::metadata(path).map_err(|source| DataError::io("open", path, source))?;
            files.insert(path.to_path_buf());
        } else {
            let found = expand_pattern(pattern, any_format, &mut files)?;
            require(found, pattern)?;
        }
    }
    // The same file under two paths, `a.txt` and `./a.txt`, is still one text.
    let mut met = HashSet::new();
    files.retain(|path| met.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone())));
    Ok(files.into_iter().collect())
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

fn require(found: usize, pattern: &str) -> Result<()> {
    if found > 0 {
        return Ok(());
    }
    Err(DataError::NoFiles { pattern: pattern.to_owned(), supported: SUPPORTED })
}

fn expand_pattern(pattern: &str, any_format: bool, files: &mut BTreeSet<PathBuf>) -> Result<usize> {
    // As in a shell, `*` does not match hidden files.
    let rules = glob::MatchOptions { require_literal_leading_dot: true, ..Default::default() };
    let matches = glob::glob_with(pattern, rules).map_err(|error| DataError::InvalidOption {
        key: "paths".to_owned(),
        reason: format!("{pattern:?} is not a glob pattern: {error}"),
    })?;
    let mut found = 0;
    for entry in matches {
        let path = entry.map_err(|error| {
            let path = error.path().to_path_buf();
            DataError::io("read", path, error.into())
        })?;
        if path.is_dir() {
            found += collect(&path, any_format, files)?;
        } else if path.is_file() && (any_format || FileFormat::of(&path).is_some()) {
            files.insert(path);
            found += 1;
        }
    }
    Ok(found)
}

/// Adds the files of known format below a directory. Hidden entries are passed over, and so are
/// links to directories, which may lead back up.
fn collect(directory: &Path, any_format: bool, files: &mut BTreeSet<PathBuf>) -> Result<usize> {
    let failed = |source| DataError::io("read", directory, source);
    let mut found = 0;
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if entry.file_type().map_err(failed)?.is_dir() {
            found += collect(&path, any_format, files)?;
        } else if path.is_file() && (any_format || FileFormat::of(&path).is_some()) {
            files.insert(path);
            found += 1;
        }
    }
    Ok(found)
}
