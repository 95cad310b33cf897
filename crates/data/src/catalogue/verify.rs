//! Are the files of a data set under a data root, and are they what the manifest says?

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::{CatalogueError, DatasetFile, DatasetManifest, Result, Transform};
use crate::fingerprint::Fingerprint;

/// What was found of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReport {
    /// The data set.
    pub dataset: String,
    /// Path below the data root.
    pub path: String,
    /// What was found.
    pub status: FileStatus,
}

/// Whether a file is what the manifest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileStatus {
    /// Byte for byte.
    Ok,
    /// Compressed by another program, with the content of the manifest. Fetched files are like this where the source
    /// is not compressed, since no two gzip programs write the same bytes.
    SameContent,
    /// Not there.
    Missing,
    /// Of another size.
    WrongSize {
        /// Size in the manifest.
        expected: u64,
        /// Size on disk.
        found: u64,
    },
    /// Of the right size with other content.
    WrongHash {
        /// Hash in the manifest.
        expected: Fingerprint,
        /// Hash on disk.
        found: Fingerprint,
    },
}

impl FileStatus {
    /// Whether the file can be used.
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Ok | Self::SameContent)
    }
}

impl fmt::Display for FileStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => formatter.write_str("ok"),
            Self::SameContent => formatter.write_str("ok (compressed differently)"),
            Self::Missing => formatter.write_str("missing"),
            Self::WrongSize { expected, found } => {
                write!(formatter, "wrong size: expected {expected} bytes, got {found}")
            }
            Self::WrongHash { expected, found } => {
                write!(formatter, "wrong sha256: expected {expected}, got {found}")
            }
        }
    }
}

impl DatasetManifest {
    /// Checks every file below `data_root`.
    ///
    /// # Errors
    /// [`CatalogueError`] if a file that is there cannot be read.
    pub fn verify(&self, data_root: &Path) -> Result<Vec<FileReport>> {
        let report = |file: &DatasetFile| {
            let status = file.status(data_root)?;
            Ok(FileReport { dataset: self.id.clone(), path: file.path.clone(), status })
        };
        self.files.iter().map(report).collect()
    }
}

impl DatasetFile {
    /// Checks this file below `data_root`.
    pub(super) fn status(&self, data_root: &Path) -> Result<FileStatus> {
        let path = data_root.join(&self.path);
        let found = match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => metadata.len(),
            Ok(_) => return Ok(FileStatus::Missing),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(FileStatus::Missing);
            }
            Err(error) => return Err(CatalogueError::io("read", &path)(error)),
        };
        let different = if found == self.bytes {
            let (sha256, _) = Fingerprint::of_file(&path)?;
            if sha256 == self.sha256 {
                return Ok(FileStatus::Ok);
            }
            FileStatus::WrongHash { expected: self.sha256, found: sha256 }
        } else {
            FileStatus::WrongSize { expected: self.bytes, found }
        };
        Ok(if self.has_same_content(&path)? { FileStatus::SameContent } else { different })
    }

    /// Whether a file that was compressed here holds the source's content. A damaged archive does not.
    fn has_same_content(&self, path: &Path) -> Result<bool> {
        if self.source.transform != Transform::Gzip {
            return Ok(false);
        }
        let file = File::open(path).map_err(CatalogueError::io("open", path))?;
        let (bytes, sha256) = self.download();
        // One byte more than expected is enough to know that the content differs, and bounds the memory.
        let mut content = Vec::new();
        let read =
            MultiGzDecoder::new(BufReader::new(file)).take(bytes + 1).read_to_end(&mut content);
        Ok(read.is_ok() && content.len() as u64 == bytes && Fingerprint::of(&content) == sha256)
    }
}
