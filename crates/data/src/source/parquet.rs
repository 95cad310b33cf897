//! Apache Parquet: one column the text, the others not even decompressed.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;

use super::input::{is_gzip, open};
use super::options::SourceOptions;
use super::{Origin, Place};
use crate::error::{DataError, Result};

/// Rows decoded at once: few, because one text may be a whole book.
const ROWS_AT_ONCE: usize = 64;

/// The texts of a Parquet file.
pub(super) struct ParquetDocuments {
    reader: ParquetRecordBatchReader,
    path: Arc<Path>,
    field: String,
    rows: Option<ArrayRef>,
    next_row: usize,
    rows_before: u64,
}

impl ParquetDocuments {
    pub(super) fn open(path: &Arc<Path>, options: &SourceOptions) -> Result<Self> {
        let file = seekable(path)?;
        let size = file.metadata().map_err(|source| DataError::io("read", path, source))?.len();
        if size == 0 {
            return Err(DataError::EmptyFile { path: path.to_path_buf() });
        }
        let failed = |error: ParquetError| invalid(path, Place::Whole, &error.to_string());
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(failed)?;
        let schema = builder.schema().clone();
        let column = schema.index_of(&options.text_field).map_err(|_| DataError::MissingField {
            origin: Origin::new(path.clone(), Place::Whole),
            field: options.text_field.clone(),
            found: schema.fields().iter().map(|field| field.name().clone()).collect(),
        })?;
        check_type(schema.field(column).data_type(), path, &options.text_field)?;
        let mask = ProjectionMask::roots(builder.parquet_schema(), [column]);
        let reader =
            builder.with_projection(mask).with_batch_size(ROWS_AT_ONCE).build().map_err(failed)?;
        Ok(Self {
            reader,
            path: path.clone(),
            field: options.text_field.clone(),
            rows: None,
            next_row: 0,
            rows_before: 0,
        })
    }

    fn next_text(&mut self) -> Result<Option<(String, Origin)>> {
        loop {
            let Some(rows) = &self.rows else {
                if !self.read_rows()? {
                    return Ok(None);
                }
                continue;
            };
            if self.next_row >= rows.len() {
                self.rows_before += rows.len() as u64;
                self.rows = None;
                continue;
            }
            let row = self.next_row;
            self.next_row += 1;
            let text = rows.as_string::<i64>();
            if text.is_valid(row) && !text.value(row).is_empty() {
                let place = Place::Row(self.rows_before + row as u64 + 1);
                let origin = Origin::new(self.path.clone(), place);
                return Ok(Some((text.value(row).to_owned(), origin)));
            }
        }
    }

    fn read_rows(&mut self) -> Result<bool> {
        let place = Place::Row(self.rows_before + 1);
        let Some(batch) = self.reader.next() else { return Ok(false) };
        let rows = batch.and_then(|batch| cast(batch.column(0), &DataType::LargeUtf8)).map_err(
            |error| {
                let reason = format!("column {:?}: {error}", self.field);
                invalid(&self.path, place, &reason)
            },
        )?;
        self.rows = Some(rows);
        self.next_row = 0;
        Ok(true)
    }
}

impl Iterator for ParquetDocuments {
    type Item = Result<(String, Origin)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_text().transpose()
    }
}

/// Parquet is read from its end, so a compressed file is first decompressed to a temporary one.
fn seekable(path: &Path) -> Result<File> {
    if !is_gzip(path) {
        return File::open(path).map_err(|source| DataError::io("open", path, source));
    }
    let mut reader = open(path)?;
    let mut file =
        tempfile::tempfile().map_err(|source| DataError::io("decompress", path, source))?;
    std::io::copy(&mut reader, &mut file)
        .map_err(|source| DataError::io("decompress", path, source))?;
    Ok(file)
}

fn check_type(found: &DataType, path: &Arc<Path>, field: &str) -> Result<()> {
    let text = |data_type: &DataType| {
        matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
    };
    let is_text = match found {
        DataType::Dictionary(_, values) => text(values),
        other => text(other),
    };
    if is_text {
        return Ok(());
    }
    Err(DataError::FieldNotText {
        origin: Origin::new(path.clone(), Place::Whole),
        field: field.to_owned(),
        found: format!("of type {found}"),
    })
}

fn invalid(path: &Arc<Path>, place: Place, reason: &str) -> DataError {
    DataError::InvalidRecord { origin: Origin::new(path.clone(), place), reason: reason.to_owned() }
}
