//! Vectors in the two formats of word2vec's own tool, which gensim, fastText and spaCy read and write.

mod binary;
mod text;

use std::fmt;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::WordVectors;
use crate::ClassicalError;

/// Where in a vector file something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VectorFilePlace {
    /// A line, from 1.
    Line(usize),
    /// A byte, from 0.
    Byte(usize),
}

impl fmt::Display for VectorFilePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Byte(byte) => write!(f, "byte {byte}"),
        }
    }
}

impl WordVectors {
    /// Writes the text format: a line with the number of words and of numbers, then a line per word. The
    /// file appears whole or not at all. Vectors of pieces are not part of the format.
    ///
    /// # Errors
    /// A word that is empty or holds white space; a file that cannot be written.
    pub fn save_text(&self, path: &Path) -> Result<(), ClassicalError> {
        self.save(path, text::write)
    }

    /// Writes the binary format: the same first line, then each word, a space, its numbers as
    /// little-endian `f32`, and a line feed. The file appears whole or not at all.
    ///
    /// # Errors
    /// As [`save_text`](Self::save_text).
    pub fn save_binary(&self, path: &Path) -> Result<(), ClassicalError> {
        self.save(path, binary::write)
    }

    /// Reads the text format.
    ///
    /// # Errors
    /// A file that cannot be read, or a line that is not as it should be.
    pub fn load_text(path: &Path) -> Result<Self, ClassicalError> {
        text::read(path, &read(path)?)
    }

    /// Reads the binary format, with or without the line feeds between words.
    ///
    /// # Errors
    /// A file that cannot be read, or bytes that are not as they should be.
    pub fn load_binary(path: &Path) -> Result<Self, ClassicalError> {
        binary::read(path, &read(path)?)
    }

    fn save(
        &self,
        path: &Path,
        write: impl Fn(&Self, &mut dyn Write) -> std::io::Result<()>,
    ) -> Result<(), ClassicalError> {
        let unwritable = |word: &&String| word.is_empty() || word.contains(char::is_whitespace);
        if let Some(word) = self.words().iter().find(unwritable) {
            return Err(ClassicalError::UnwritableWord { word: word.clone() });
        }
        let save = || {
            let file = temporary_file(path)?;
            let mut buffer = BufWriter::new(file);
            write(self, &mut buffer)?;
            let file = buffer.into_inner().map_err(std::io::IntoInnerError::into_error)?;
            file.as_file().sync_all()?;
            file.persist(path).map(drop).map_err(|failed| failed.error)
        };
        save().map_err(|error: std::io::Error| ClassicalError::WriteFile {
            path: path.to_owned(),
            kind: error.kind(),
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ClassicalError> {
    std::fs::read(path)
        .map_err(|error| ClassicalError::ReadFile { path: path.to_owned(), kind: error.kind() })
}

/// A file beside `path` that anybody may read who may read its like.
fn temporary_file(path: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".vectors-").suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(directory)
}

/// Makes errors of one file.
#[derive(Clone, Copy)]
struct Complaint<'a> {
    path: &'a Path,
}

impl Complaint<'_> {
    fn at(
        self,
        place: VectorFilePlace,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> ClassicalError {
        let (path, expected, found) = (self.path.to_owned(), expected.into(), found.into());
        ClassicalError::VectorFile { path, place, expected, found }
    }

    /// The numbers of words and of numbers per word.
    fn header(self, place: VectorFilePlace, line: &[u8]) -> Result<(usize, usize), ClassicalError> {
        let line = String::from_utf8_lossy(line);
        let numbers: Vec<Option<usize>> =
            line.split_ascii_whitespace().map(|number| number.parse().ok()).collect();
        match numbers[..] {
            [Some(words), Some(dim)] if words > 0 && dim > 0 => Ok((words, dim)),
            _ => Err(self.at(
                place,
                "the number of words and the number of numbers per word, both above 0",
                format!("{:?}", excerpt(&line)),
            )),
        }
    }
}

/// The beginning of a text that may be long.
fn excerpt(text: &str) -> String {
    text.trim_end().chars().take(60).collect()
}
