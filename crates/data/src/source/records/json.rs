//! Records in JSON, line by line or as one document.

use std::path::Path;

use serde_json::Value;

use super::{Place, Record, invalid, named};
use crate::error::Result;

/// An object on each line that is not empty.
pub(super) fn lines(text: &str, path: &Path) -> Result<Vec<Record>> {
    let numbered = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let record = |(index, line): (usize, &str)| {
        let place = Place::Line(index as u64 + 1);
        parse(line).map_err(|reason| invalid(path, place, reason))
    };
    numbered.map(record).collect()
}

/// An object, in JSON or as Python prints a dictionary.
fn parse(line: &str) -> Result<Record, String> {
    let error = match serde_json::from_str(line) {
        Ok(record) => return Ok(record),
        Err(error) => error,
    };
    let is_python = line.trim_start().starts_with("{'");
    let python = is_python.then(|| json5::from_str(line).ok()).flatten();
    python.ok_or_else(|| format!("not a JSON object: {error}"))
}

/// The records of a document, from `pointer` on.
pub(super) fn document(
    text: &str,
    path: &Path,
    pointer: Option<&str>,
    columns: &[String],
) -> Result<Vec<Record>> {
    let document: Value = serde_json::from_str(text)
        .map_err(|error| invalid(path, Place::Line(error.line() as u64), error.to_string()))?;
    let found = match pointer {
        None => Some(&document),
        Some(pointer) => document.pointer(pointer),
    };
    match found {
        Some(Value::Array(rows)) => {
            let numbered = rows.iter().enumerate();
            numbered
                .map(|(index, row)| record(row, columns, path, Place::Row(index as u64 + 1)))
                .collect()
        }
        Some(Value::Object(rows)) => {
            let numbered = rows.iter().enumerate();
            let keyed = |(index, (key, row)): (usize, (&String, &Value))| {
                let mut record = record(row, columns, path, Place::Row(index as u64 + 1))?;
                record.insert("key".to_owned(), Value::from(key.as_str()));
                Ok(record)
            };
            numbered.map(keyed).collect()
        }
        Some(_) => Err(invalid(path, Place::Whole, "expected a list or an object of records")),
        None => {
            let reason = format!("nothing at {:?}", pointer.unwrap_or_default());
            Err(invalid(path, Place::Whole, reason))
        }
    }
}

fn record(row: &Value, columns: &[String], path: &Path, place: Place) -> Result<Record> {
    match row {
        Value::Object(record) => Ok(record.clone()),
        Value::Array(fields) => named(columns, fields.clone(), path, place),
        other => named(columns, vec![other.clone()], path, place),
    }
}
