//! Tables as text: CSV and TSV, one column the text.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::input::open_text;
use super::jsonl::{MAX_RECORD_BYTES, too_long};
use super::options::{InvalidUtf8, SourceOptions};
use super::utf8::decode;
use super::{Origin, Place};
use crate::error::{DataError, Result};

/// The texts of a table.
pub(super) struct CsvDocuments {
    reader: Reader<Limited>,
    since_record: Arc<AtomicUsize>,
    record: ByteRecord,
    path: Arc<Path>,
    column: usize,
    policy: InvalidUtf8,
    /// Bytes of a byte order mark before the table.
    offset: u64,
}

impl CsvDocuments {
    pub(super) fn open(path: &Arc<Path>, options: &SourceOptions, delimiter: u8) -> Result<Self> {
        let input = open_text(path)?;
        let since_record = Arc::new(AtomicUsize::new(0));
        let limited = Limited { inner: Box::new(input.reader), since_record: since_record.clone() };
        let reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(options.has_header)
            .quoting(options.has_quotes)
            .from_reader(limited);
        let mut documents = Self {
            reader,
            since_record,
            record: ByteRecord::new(),
            path: path.clone(),
            column: 0,
            policy: options.invalid_utf8,
            offset: input.offset,
        };
        documents.column = match options.has_header {
            true => documents.find_column(&options.text_field)?,
            false => column_number(&options.text_field)?,
        };
        Ok(documents)
    }

    fn find_column(&mut self, field: &str) -> Result<usize> {
        let path = self.path.clone();
        let header = self.reader.byte_headers().map_err(|error| table_error(error, &path))?;
        let names: Vec<String> =
            header.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        names.iter().position(|name| name == field).ok_or_else(|| DataError::MissingField {
            origin: Origin::new(path, Place::Line(1)),
            field: field.to_owned(),
            found: names,
        })
    }

    fn next_text(&mut self) -> Result<Option<(String, Origin)>> {
        loop {
            self.since_record.store(0, Ordering::Relaxed);
            let more = self
                .reader
                .read_byte_record(&mut self.record)
                .map_err(|error| table_error(error, &self.path))?;
            if !more {
                return Ok(None);
            }
            let (line, start) = self.record.position().map_or((0, 0), |at| (at.line(), at.byte()));
            let Some(cell) = self.record.get(self.column) else {
                let origin = Origin::new(self.path.clone(), Place::Line(line));
                let reason = format!(
                    "expected column {}, got {} columns",
                    self.column + 1,
                    self.record.len()
                );
                return Err(DataError::InvalidRecord { origin, reason });
            };
            // Quotes may have been removed, so the offset is that of the record.
            let text = decode(cell, self.policy, &self.path, self.offset + start)?;
            if !text.is_empty() {
                return Ok(Some((text, Origin::new(self.path.clone(), Place::Line(line)))));
            }
        }
    }
}

impl Iterator for CsvDocuments {
    type Item = Result<(String, Origin)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_text().transpose()
    }
}

/// The index of a column that is named by its number.
fn column_number(field: &str) -> Result<usize> {
    let number = field.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    number.ok_or_else(|| DataError::InvalidOption {
        key: "text_field".to_owned(),
        reason: format!("expected the number of a column, from 1, without a header, got {field:?}"),
    })
}

/// Stops a table whose quotes do not close from being read into memory as one record.
struct Limited {
    inner: Box<dyn Read + Send>,
    since_record: Arc<AtomicUsize>,
}

impl Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let before = self.since_record.fetch_add(count, Ordering::Relaxed);
        if before + count > MAX_RECORD_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(count)
    }
}

pub(super) fn table_error(error: csv::Error, path: &Arc<Path>) -> DataError {
    let line = error.position().map_or(1, csv::Position::line);
    let origin = Origin::new(path.clone(), Place::Line(line));
    let reason = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("expected {expected_len} columns as in the header, got {len}")
        }
        csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            return too_long(origin);
        }
        _ => error.to_string(),
    };
    match error.into_kind() {
        csv::ErrorKind::Io(source) => DataError::io("read", path, source),
        _ => DataError::InvalidRecord { origin, reason },
    }
}
