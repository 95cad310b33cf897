//! A source of files.

use std::path::Path;
use std::sync::Arc;

use super::csv::CsvDocuments;
use super::jsonl::JsonlDocuments;
use super::options::{FileFormat, SourceOptions};
use super::parquet::ParquetDocuments;
use super::paths::expand;
use super::piece::parts_of;
use super::text::TextDocuments;
use super::{DocumentPart, DocumentParts, DocumentSource, InputCard, Origin, SourceCard};
use crate::error::{DataError, Result};
use crate::fingerprint::Fingerprint;

/// Files that are read the same way, one after the other in the order of their paths.
#[derive(Clone, Debug)]
pub struct FileSource {
    name: String,
    options: SourceOptions,
    files: Vec<(Arc<Path>, FileFormat)>,
}

impl FileSource {
    /// Finds the files and checks that each has a known format; reads none of them yet.
    pub fn open(options: &SourceOptions) -> Result<Self> {
        if options.paths.is_empty() {
            return Err(DataError::InvalidOption {
                key: "paths".to_owned(),
                reason: "expected at least one file, directory or pattern, got none".to_owned(),
            });
        }
        let files = expand(&options.paths, options.format.is_some())?
            .into_iter()
            .map(|path| {
                let format = FileFormat::choose(&path, options.format)?;
                Ok((Arc::from(path), format))
            })
            .collect::<Result<_>>()?;
        let name = options.name.clone().unwrap_or_else(|| default_name(&options.paths[0]));
        Ok(Self { name, options: options.clone(), files })
    }

    /// The files in the order they are read.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(path, _)| path.as_ref())
    }
}

impl DocumentSource for FileSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn parts(&self) -> Result<DocumentParts> {
        let options = self.options.clone();
        let parts = self.files.clone().into_iter().flat_map(move |(path, format)| {
            read(&path, format, &options)
                .unwrap_or_else(|error| Box::new(std::iter::once(Err(error))))
        });
        Ok(Box::new(until_error(parts)))
    }

    fn card(&self) -> Result<SourceCard> {
        let mut inputs = Vec::new();
        for (path, _) in &self.files {
            let (sha256, bytes) = Fingerprint::of_file(path)?;
            if bytes == 0 {
                return Err(DataError::EmptyFile { path: path.to_path_buf() });
            }
            inputs.push(InputCard { path: path.display().to_string(), bytes, sha256 });
        }
        let SourceOptions { text_field, documents, invalid_utf8, .. } = &self.options;
        let mut reading = format!("{text_field:?} {documents:?} {invalid_utf8:?}");
        // Only where they are not as ever, so that older shards stay as good as they were.
        if !(self.options.has_header && self.options.has_quotes) {
            reading += &format!(" {} {}", self.options.has_header, self.options.has_quotes);
        }
        let formats = self.files.iter().map(|(_, format)| format!("{format:?}"));
        let contents = inputs.iter().map(|input| input.sha256.to_string());
        let fingerprint = Fingerprint::of_parts(formats.chain(contents).chain([reading]));
        Ok(SourceCard { name: self.name.clone(), fingerprint, inputs })
    }
}

/// The documents of one file.
fn read(path: &Arc<Path>, format: FileFormat, options: &SourceOptions) -> Result<DocumentParts> {
    Ok(match format {
        FileFormat::Text => Box::new(TextDocuments::open(path, options)?),
        FileFormat::Jsonl => in_parts(JsonlDocuments::open(path, options)?),
        FileFormat::Csv => in_parts(CsvDocuments::open(path, options, b',')?),
        FileFormat::Tsv => in_parts(CsvDocuments::open(path, options, b'\t')?),
        FileFormat::Parquet => in_parts(ParquetDocuments::open(path, options)?),
    })
}

/// Cuts long records into parts.
fn in_parts(
    records: impl Iterator<Item = Result<(String, Origin)>> + Send + 'static,
) -> DocumentParts {
    Box::new(records.flat_map(|record| match record {
        Ok((text, origin)) => parts_of(text, &origin).into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    }))
}

/// Ends a stream after its first error.
fn until_error(
    parts: impl Iterator<Item = Result<DocumentPart>> + Send,
) -> impl Iterator<Item = Result<DocumentPart>> + Send {
    parts.scan(false, |failed, part| {
        if *failed {
            return None;
        }
        *failed = part.is_err();
        Some(part)
    })
}

fn default_name(path: &str) -> String {
    let name = Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| path.to_owned())
}
