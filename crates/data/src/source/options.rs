//! What a user can say about a source of files.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{DataError, Result};

/// One source: files that are read the same way.
///
/// ```
/// let options: wuji_data::SourceOptions = toml::from_str(r#"
///     paths = ["corpus/*.jsonl.gz"]
///     text_field = "content"
/// "#).unwrap();
/// assert_eq!(options.text_field, "content");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourceOptions {
    /// Name for reports and messages. Default: the first path's file name.
    pub name: Option<String>,
    /// Files, directories (read recursively) and glob patterns; of the last two, the files with a
    /// known extension. Together they are read sorted by path, each file once, however listed.
    pub paths: Vec<String>,
    /// Share of the training samples that come from here. Either all sources of a corpus have a
    /// weight or none has; without weights every token is equally likely. Default: none.
    pub weight: Option<f64>,
    /// Format of the files. Default: by extension.
    pub format: Option<FileFormat>,
    /// Field or column that holds the text, in JSON Lines, CSV and Parquet. Default: `text`.
    pub text_field: String,
    /// Whether the first record of a CSV or TSV file names the columns; without such a header
    /// `text_field` is the number of a column, from 1. Default: true.
    pub has_header: bool,
    /// Whether quotes may enclose the cells of a CSV or TSV file; otherwise they are text. Default:
    /// true.
    pub has_quotes: bool,
    /// What a document is in a plain text file. Default: the whole file.
    pub documents: DocumentMode,
    /// What to do about bytes that are not UTF-8. Default: an error.
    pub invalid_utf8: InvalidUtf8,
}

impl Default for SourceOptions {
    fn default() -> Self {
        Self {
            name: None,
            paths: Vec::new(),
            weight: None,
            format: None,
            text_field: "text".to_owned(),
            has_header: true,
            has_quotes: true,
            documents: DocumentMode::default(),
            invalid_utf8: InvalidUtf8::default(),
        }
    }
}

impl SourceOptions {
    /// A source of these paths with every other option at its default.
    pub fn new<P: Into<String>>(paths: impl IntoIterator<Item = P>) -> Self {
        Self { paths: paths.into_iter().map(Into::into).collect(), ..Self::default() }
    }
}

/// Format of a file, before compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileFormat {
    /// Plain text: `.txt`, `.text`, `.md`.
    Text,
    /// One JSON object per line: `.jsonl`, `.ndjson`.
    Jsonl,
    /// Comma-separated values with a header: `.csv`.
    Csv,
    /// Tab-separated values with a header: `.tsv`.
    Tsv,
    /// Apache Parquet: `.parquet`.
    Parquet,
}

/// The extensions of [`FileFormat::of`], for messages.
pub(crate) const SUPPORTED: &str = ".txt, .text, .md, .jsonl, .ndjson, .csv, .tsv, .parquet";

impl FileFormat {
    /// The format that a file's name promises, `.gz` aside.
    pub fn of(path: &Path) -> Option<Self> {
        let extension = |path: &Path| Some(path.extension()?.to_str()?.to_ascii_lowercase());
        let mut found = extension(path)?;
        if found == "gz" {
            found = extension(Path::new(path.file_stem()?))?;
        }
        match found.as_str() {
            "txt" | "text" | "md" => Some(Self::Text),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            "tsv" => Some(Self::Tsv),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }

    /// The format of a file named in a source: as said there, or as its name promises.
    pub(crate) fn choose(path: &Path, stated: Option<Self>) -> Result<Self> {
        stated.or_else(|| Self::of(path)).ok_or_else(|| DataError::UnknownFormat {
            path: path.to_path_buf(),
            supported: SUPPORTED,
        })
    }
}

/// What a document is in a plain text file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DocumentMode {
    /// The whole file, byte for byte.
    #[default]
    WholeFile,
    /// A paragraph: lines up to the next blank one. Blank lines themselves are left out.
    BlankLine,
    /// A line, without its end. Blank lines are left out.
    Line,
}

/// What to do about bytes that are not UTF-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InvalidUtf8 {
    /// Stop, naming file and offset.
    #[default]
    Error,
    /// Read each as U+FFFD, the replacement character.
    Replace,
}
