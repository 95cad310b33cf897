//! Files of labelled data as records: objects with named fields, whatever the format, for evaluation
//! and for the classical models.
//!
//! A record keeps all columns of its row. Benchmarks are small, so all of them are read at once.

mod conll;
mod json;
mod lines;
mod squad;
mod table;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::input::open_text;
use super::{Origin, Place};
use crate::error::{DataError, Result};

/// One record: its columns by name.
pub type Record = Map<String, Value>;

/// The most bytes of a file of records after decompression; more is no benchmark.
const MAX_BYTES: u64 = 1 << 30;

/// How the rows of a file become records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordFormat {
    /// An object of JSON on each line. Also understood: single quotes, as Python prints dictionaries.
    Jsonl,
    /// A JSON document: a list of objects, a list of lists for `columns`, or an object of objects,
    /// whose keys become the column `key`.
    Json,
    /// Comma-separated values; the first row names the columns unless `columns` does.
    Csv,
    /// The same with tabs, and without quotes.
    Tsv,
    /// The whole file as column `text`.
    Text,
    /// Each line as column `text`; empty ones too, so that files of translations stay aligned.
    Lines,
    /// Tokens and tags, one pair a line, sentences apart by empty lines: columns `tokens`, `tags`.
    Conll,
    /// WikiText: each article as column `text`, from its title to the next one.
    Wikitext,
    /// SQuAD: one record per question, with `id`, `title`, `context`, `question` and `answers`.
    Squad,
}

/// Where records lie and how they are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordSource {
    /// The file, below a data root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Instead of one file, several of one kind, one after the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<PathBuf>,
    /// Instead of one file, several with a line for each record: the columns by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parallel: BTreeMap<String, PathBuf>,
    /// The format; the file's name says it where this is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<RecordFormat>,
    /// Names of columns where the file has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Where in a JSON document the records are, as `/test`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
}

impl RecordSource {
    /// Paths of the files below the data root.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        let files = self.file.iter().chain(&self.files).chain(self.parallel.values());
        files.map(PathBuf::as_path)
    }

    /// Reads all records, in the order of the file.
    ///
    /// # Errors
    /// A source with none or several of `file`, `files` and `parallel`, a file that cannot be read, that is
    /// not of its format, or whose rows do not fit their columns: with the line or row.
    pub fn read(&self, root: &Path) -> Result<Vec<Record>> {
        match (&self.file, self.files.as_slice(), self.parallel.is_empty()) {
            (Some(file), [], true) => self.read_file(&root.join(file)),
            (None, [], false) => lines::parallel(&self.parallel, root),
            (None, [_, ..], true) => {
                let records = self.files.iter().map(|file| self.read_file(&root.join(file)));
                Ok(records.collect::<Result<Vec<_>>>()?.concat())
            }
            _ => Err(DataError::InvalidOption {
                key: "file".to_owned(),
                reason: "expected one of `file`, `files` and `parallel`".to_owned(),
            }),
        }
    }

    fn read_file(&self, path: &Path) -> Result<Vec<Record>> {
        let format = self.format.or_else(|| format_of(path));
        let format = format.ok_or_else(|| DataError::UnknownFormat {
            path: path.to_path_buf(),
            supported: ".jsonl, .json, .csv, .tsv, .txt, .conll",
        })?;
        let text = read_text(path)?;
        match format {
            RecordFormat::Jsonl => json::lines(&text, path),
            RecordFormat::Json => {
                json::document(&text, path, self.pointer.as_deref(), &self.columns)
            }
            RecordFormat::Csv => table::read(&text, path, b',', &self.columns),
            RecordFormat::Tsv => table::read(&text, path, b'\t', &self.columns),
            RecordFormat::Text => Ok(vec![with_text(text)]),
            RecordFormat::Lines => Ok(lines::lines(&text)),
            RecordFormat::Conll => conll::sentences(&text, path),
            RecordFormat::Wikitext => Ok(lines::articles(&text)),
            RecordFormat::Squad => squad::questions(&text, path),
        }
    }
}

/// The format that a file's name says.
fn format_of(path: &Path) -> Option<RecordFormat> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    match name.rsplit_once('.')?.1 {
        "jsonl" => Some(RecordFormat::Jsonl),
        "json" => Some(RecordFormat::Json),
        "csv" => Some(RecordFormat::Csv),
        "tsv" => Some(RecordFormat::Tsv),
        "txt" => Some(RecordFormat::Lines),
        "conll" => Some(RecordFormat::Conll),
        _ => None,
    }
}

fn read_text(path: &Path) -> Result<String> {
    let input = open_text(path)?;
    let mut bytes = Vec::new();
    let read = input.reader.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|source| DataError::io("read", path, source))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(invalid(path, Place::Whole, format!("more than {} MiB", MAX_BYTES >> 20)));
    }
    String::from_utf8(bytes).map_err(|error| DataError::InvalidUtf8 {
        path: path.to_path_buf(),
        offset: input.offset + error.utf8_error().valid_up_to() as u64,
    })
}

fn with_text(text: impl Into<String>) -> Record {
    Record::from_iter([("text".to_owned(), Value::String(text.into()))])
}

fn invalid(path: &Path, place: Place, reason: impl Into<String>) -> DataError {
    DataError::InvalidRecord { origin: Origin::new(path, place), reason: reason.into() }
}

/// The record of a row whose fields have these names.
fn named(columns: &[String], fields: Vec<Value>, path: &Path, place: Place) -> Result<Record> {
    if columns.len() != fields.len() {
        let reason =
            format!("{} fields; expected {}: {}", fields.len(), columns.len(), columns.join(", "));
        return Err(invalid(path, place, reason));
    }
    Ok(columns.iter().cloned().zip(fields).collect())
}

#[cfg(test)]
mod tests;
