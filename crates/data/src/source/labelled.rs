//! Texts with a label each, as classification reads them: tables and JSON Lines, whole in memory.
//!
//! Labels are the words of the file; which of them are classes, and in which order, is for the caller.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csv::{ReaderBuilder, StringRecord};
use serde_json::{Map, Value};

use super::csv::table_error;
use super::input::open_text;
use super::options::FileFormat;
use super::{Origin, Place};
use crate::error::{DataError, Result};

/// A file of labelled texts, plain or `.gz`, and where in a record text and label are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelledFile {
    /// The file; its name says whether it is CSV, TSV or JSON Lines.
    pub path: PathBuf,
    /// Where text and label are.
    pub columns: LabelledColumns,
}

/// Where a record has its text and its label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelledColumns {
    /// In fields of these names: those of the header, or of each JSON object.
    Named {
        /// The text's field.
        text: String,
        /// The label's field.
        label: String,
    },
    /// In columns of these numbers, from 0, of a table without a header.
    Numbered {
        /// The text's column.
        text: usize,
        /// The label's column.
        label: usize,
    },
}

/// A text and its label, as the file spells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelledRecord {
    /// The text.
    pub text: String,
    /// The label; of a number in JSON, its digits.
    pub label: String,
    /// Where it was read.
    pub origin: Origin,
}

impl LabelledFile {
    /// A file with named fields.
    pub fn named(path: impl Into<PathBuf>, text: &str, label: &str) -> Self {
        let columns = LabelledColumns::Named { text: text.to_owned(), label: label.to_owned() };
        Self { path: path.into(), columns }
    }

    /// A table without a header, with columns counted from 0.
    pub fn numbered(path: impl Into<PathBuf>, text: usize, label: usize) -> Self {
        Self { path: path.into(), columns: LabelledColumns::Numbered { text, label } }
    }

    /// All records, in the order of the file.
    ///
    /// TSV is read without quotes, as the field writes it: a quote in it is a quote.
    ///
    /// # Errors
    /// A file that cannot be read, is of another format, or has a record without text or label.
    pub fn read(&self) -> Result<Vec<LabelledRecord>> {
        match FileFormat::choose(&self.path, None)? {
            FileFormat::Jsonl => self.json_lines(),
            FileFormat::Csv => self.table(b',', true),
            FileFormat::Tsv => self.table(b'\t', false),
            FileFormat::Text | FileFormat::Parquet => Err(DataError::UnknownFormat {
                path: self.path.clone(),
                supported: ".csv, .tsv, .jsonl, .ndjson",
            }),
        }
    }

    fn table(&self, delimiter: u8, quoting: bool) -> Result<Vec<LabelledRecord>> {
        let path: Arc<Path> = Arc::from(self.path.as_path());
        let has_headers = matches!(self.columns, LabelledColumns::Named { .. });
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .quoting(quoting)
            .has_headers(has_headers)
            .from_reader(open_text(&path)?.reader);
        let [text, label] = match &self.columns {
            LabelledColumns::Numbered { text, label } => [*text, *label],
            LabelledColumns::Named { text, label } => {
                let header = reader.headers().map_err(|error| table_error(error, &path))?;
                [column(header, text, &path)?, column(header, label, &path)?]
            }
        };
        let mut records = Vec::new();
        for record in reader.into_records() {
            let record = record.map_err(|error| table_error(error, &path))?;
            let line = record.position().map_or(0, csv::Position::line);
            let origin = Origin::new(path.clone(), Place::Line(line));
            let cell = |index: usize| cell(&record, index, &origin);
            let (text, label) = (cell(text)?, cell(label)?);
            records.push(LabelledRecord { text, label, origin });
        }
        Ok(records)
    }

    fn json_lines(&self) -> Result<Vec<LabelledRecord>> {
        let LabelledColumns::Named { text, label } = &self.columns else {
            return Err(DataError::InvalidOption {
                key: "columns".to_owned(),
                reason: format!("{}: expected names for JSON Lines", self.path.display()),
            });
        };
        let path: Arc<Path> = Arc::from(self.path.as_path());
        let reader: Box<dyn Read> = Box::new(open_text(&path)?.reader);
        let mut records = Vec::new();
        for (line, number) in BufReader::new(reader).lines().zip(1..) {
            let line = line.map_err(|source| DataError::io("read", &path, source))?;
            if line.trim().is_empty() {
                continue;
            }
            let origin = Origin::new(path.clone(), Place::Line(number));
            let object = serde_json::from_str(&line).map_err(|error| {
                let reason = format!("not a JSON object: {error}");
                DataError::InvalidRecord { origin: origin.clone(), reason }
            })?;
            let (text, label) = (word(&object, text, &origin)?, word(&object, label, &origin)?);
            records.push(LabelledRecord { text, label, origin });
        }
        Ok(records)
    }
}

/// The number of a column by its name in the header.
fn column(header: &StringRecord, name: &str, path: &Arc<Path>) -> Result<usize> {
    header.iter().position(|found| found == name).ok_or_else(|| DataError::MissingField {
        origin: Origin::new(path.clone(), Place::Line(1)),
        field: name.to_owned(),
        found: header.iter().map(str::to_owned).collect(),
    })
}

fn cell(record: &StringRecord, index: usize, origin: &Origin) -> Result<String> {
    let reason = || format!("expected a column {index} (from 0), got {} columns", record.len());
    let missing = || DataError::InvalidRecord { origin: origin.clone(), reason: reason() };
    record.get(index).map(str::to_owned).ok_or_else(missing)
}

/// A field of a JSON object that is a string or a number.
fn word(object: &Map<String, Value>, field: &str, origin: &Origin) -> Result<String> {
    match object.get(field) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(other) => Err(DataError::FieldNotText {
            origin: origin.clone(),
            field: field.to_owned(),
            found: other.to_string(),
        }),
        None => Err(DataError::MissingField {
            origin: origin.clone(),
            field: field.to_owned(),
            found: object.keys().cloned().collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, content: &str, columns: LabelledColumns) -> Result<Vec<[String; 2]>> {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(name);
        std::fs::write(&path, content).expect("written");
        let records = LabelledFile { path, columns }.read()?;
        Ok(records.into_iter().map(|record| [record.text, record.label]).collect())
    }

    fn named() -> LabelledColumns {
        LabelledColumns::Named { text: "sentence".to_owned(), label: "label".to_owned() }
    }

    #[test]
    fn tables_and_json_lines_give_the_same_records() {
        let numbered = LabelledColumns::Numbered { text: 1, label: 0 };
        let cases = [
            ("a.tsv", "sentence\tlabel\n\"so\" it is\t1\n", named()),
            ("a.csv", "sentence,label\n\"\"\"so\"\" it is\",1\n", named()),
            ("b.csv", "\"1\",\"\"\"so\"\" it is\"\n", numbered),
            ("a.jsonl", "{\"sentence\": \"\\\"so\\\" it is\", \"label\": 1}\n\n", named()),
        ];
        for (name, content, columns) in cases {
            let records = read(name, content, columns).expect(name);
            assert_eq!(records, [["\"so\" it is".to_owned(), "1".to_owned()]], "{name}");
        }
    }

    #[test]
    fn what_a_record_lacks_is_named_with_its_line() {
        let missing = read("a.jsonl", "\n{\"sentence\": \"x\"}", named()).expect_err("no label");
        assert!(missing.to_string().contains("a.jsonl:2: no field \"label\""), "{missing}");
        let numbered = LabelledColumns::Numbered { text: 5, label: 0 };
        let missing = read("a.csv", "1,x\n", numbered).expect_err("no column");
        assert!(missing.to_string().contains("expected a column 5"), "{missing}");
        let header = read("a.tsv", "text\tlabel\nx\t1\n", named()).expect_err("no such column");
        assert!(header.to_string().contains("no field \"sentence\""), "{header}");
    }
}
