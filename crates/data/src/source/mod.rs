//! Where text comes from: files of several formats, memory, or a generator, all as a stream of
//! document parts in bounded memory.

mod csv;
mod file;
mod input;
mod jsonl;
mod labelled;
mod memory;
mod options;
mod parquet;
mod paths;
mod piece;
mod records;
mod text;
mod utf8;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::fingerprint::Fingerprint;

pub use file::FileSource;
pub use labelled::{LabelledColumns, LabelledFile, LabelledRecord};
pub use memory::{GeneratedSource, MemorySource};
pub use options::{DocumentMode, FileFormat, InvalidUtf8, SourceOptions};
pub use piece::PART_BYTES;
pub use records::{Record, RecordFormat, RecordSource};

/// A stretch of one document. Short documents are one part; a long one, a ten-gigabyte file say,
/// comes in parts of about [`PART_BYTES`], cut at line ends where there are any.
///
/// Invariant: the texts of all parts from one that begins a document to the next that ends one,
/// put together, are that document's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentPart {
    /// The text.
    pub text: String,
    /// Where it was read.
    pub origin: Origin,
    /// Whether the document begins here.
    pub begins: bool,
    /// Whether the document ends here.
    pub ends: bool,
}

/// Where a document was read, for messages: a file and a place in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The file, or the name of what is no file.
    pub path: Arc<Path>,
    /// The place in it.
    pub place: Place,
}

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole.
    Whole,
    /// A line, counted from 1.
    Line(u64),
    /// A row of a table or an item of a list, counted from 1.
    Row(u64),
}

impl Origin {
    /// A place in `path`.
    pub fn new(path: impl Into<Arc<Path>>, place: Place) -> Self {
        Self { path: path.into(), place }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.place {
            Place::Whole => write!(formatter, "{path}"),
            Place::Line(line) => write!(formatter, "{path}:{line}"),
            Place::Row(row) => write!(formatter, "{path}, row {row}"),
        }
    }
}

/// A stream of documents; ends after the first error.
pub type DocumentParts = Box<dyn Iterator<Item = Result<DocumentPart>> + Send>;

/// Text that can be read from the beginning as often as needed, the same each time.
pub trait DocumentSource: Send + Sync {
    /// A short name, unique in its corpus.
    fn name(&self) -> &str;

    /// Reads from the beginning.
    fn parts(&self) -> Result<DocumentParts>;

    /// What the text is made of. Reads all of it once to fingerprint it.
    fn card(&self) -> Result<SourceCard>;
}

/// Identifies the text of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceCard {
    /// Name of the source.
    pub name: String,
    /// Fingerprint of the inputs' content, their order, and how they are read; not of their paths.
    pub fingerprint: Fingerprint,
    /// The files, in the order they are read; one entry without a size for what is no file.
    pub inputs: Vec<InputCard>,
}

/// Identifies one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputCard {
    /// Where it lay.
    pub path: String,
    /// Its size on disk.
    pub bytes: u64,
    /// Its content as it lies on disk, compressed or not.
    pub sha256: Fingerprint,
}
