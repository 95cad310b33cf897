//! Tables with a row for each record.

use std::path::Path;

use csv::{ReaderBuilder, Terminator};
use serde_json::Value;

use super::{Place, Record, invalid, named};
use crate::error::Result;

/// Rows as records; the first names the columns unless `columns` does. All values are text.
pub(super) fn read(
    text: &str,
    path: &Path,
    delimiter: u8,
    columns: &[String],
) -> Result<Vec<Record>> {
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .quoting(delimiter == b',')
        .has_headers(false)
        .flexible(true)
        .terminator(Terminator::CRLF)
        .from_reader(text.as_bytes());
    let mut columns = columns.to_vec();
    let mut records = Vec::new();
    for row in reader.records() {
        let place = |line: Option<u64>| line.map_or(Place::Whole, Place::Line);
        let row = row.map_err(|error| {
            let line = error.position().map(csv::Position::line);
            invalid(path, place(line), error.to_string())
        })?;
        let line = row.position().map(csv::Position::line);
        if columns.is_empty() {
            columns = row.iter().map(str::to_owned).collect();
            continue;
        }
        let fields = row.iter().map(Value::from).collect();
        records.push(named(&columns, fields, path, place(line))?);
    }
    Ok(records)
}
