//! A record on each line, of one file or of several side by side.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Record, read_text, with_text};
use crate::error::{DataError, Result};

pub(super) fn lines(text: &str) -> Vec<Record> {
    text.lines().map(with_text).collect()
}

/// Articles of WikiText, each beginning with a line ` = Title = `.
pub(super) fn articles(text: &str) -> Vec<Record> {
    let is_title = |line: &str| {
        let line = line.trim();
        let inner = line.strip_prefix("= ").and_then(|line| line.strip_suffix(" ="));
        inner.is_some_and(|title| !title.starts_with('=') && !title.ends_with('='))
    };
    let mut articles: Vec<String> = Vec::new();
    for line in text.split_inclusive('\n') {
        if articles.is_empty() || is_title(line) {
            articles.push(String::new());
        }
        articles.last_mut().expect("there is one").push_str(line);
    }
    articles.retain(|article| !article.trim().is_empty());
    articles.into_iter().map(with_text).collect()
}

/// One column of each file.
pub(super) fn parallel(files: &BTreeMap<String, PathBuf>, root: &Path) -> Result<Vec<Record>> {
    let mut records: Vec<Record> = Vec::new();
    let mut first: Option<&Path> = None;
    for (column, file) in files {
        let text = read_text(&root.join(file))?;
        let lines: Vec<&str> = text.lines().collect();
        match first {
            None => {
                records = vec![Record::new(); lines.len()];
                first = Some(file);
            }
            Some(first) if lines.len() != records.len() => {
                return Err(DataError::Unaligned {
                    source_paths: first.display().to_string(),
                    sources: records.len(),
                    target_paths: file.display().to_string(),
                    targets: lines.len(),
                });
            }
            Some(_) => {}
        }
        for (record, line) in records.iter_mut().zip(lines) {
            record.insert(column.clone(), Value::from(line));
        }
    }
    Ok(records)
}
