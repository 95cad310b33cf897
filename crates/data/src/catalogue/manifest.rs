//! `manifest.toml` of a data set, as types: read strictly, then checked for contradictions.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

use super::{CatalogueError, GitBlobId, Result};
use crate::fingerprint::Fingerprint;
use crate::source::{DocumentMode, FileFormat};

/// One public data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetManifest {
    /// Short name, equal to the name of its folder.
    pub id: String,
    /// Name for people.
    pub title: String,
    /// Field of use, such as `pretrain` or `medical`.
    pub area: String,
    /// What it is for, in a few words.
    pub task: String,
    /// Languages as ISO 639 codes; `mul` for many, none for data without language.
    pub language: Vec<String>,
    /// Licence as recorded from the source, with doubts where there are any.
    pub licence: String,
    /// Whether the licence forbids commercial use.
    pub noncommercial: bool,
    /// The repository it comes from.
    pub homepage: String,
    /// What a record looks like.
    pub columns: String,
    /// Published figures to compare with.
    pub headline: Option<String>,
    /// A simple baseline that was measured on this very copy.
    pub baseline: Option<String>,
    /// A peculiarity of this copy.
    pub note: Option<String>,
    /// The publication to cite, where it is known.
    pub citation: Option<String>,
    /// Whether a test part exists that is kept apart and not listed here.
    pub test_withheld: bool,
    /// How the set is read as training text, if it can be.
    pub text: Option<TextSpec>,
    /// The files.
    #[serde(rename = "file")]
    pub files: Vec<DatasetFile>,
}

/// How files of a set are read as training text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextSpec {
    /// Paths of the files, out of those of the manifest.
    pub files: Vec<String>,
    /// Their format, where the name does not say it.
    pub format: Option<FileFormat>,
    /// The field or column that holds the text.
    pub text_field: Option<String>,
    /// What a document is in a plain text file.
    #[serde(default)]
    pub documents: DocumentMode,
}

/// One file of a data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetFile {
    /// Path below the data root, with forward slashes.
    pub path: String,
    /// The part of the set: `train`, `test`, `all`…
    pub split: String,
    /// Records, sentences or lines, as fits the format; nothing for weights, images and audio.
    pub rows: Option<u64>,
    /// Size of the file.
    pub bytes: u64,
    /// Hash of the file.
    pub sha256: Fingerprint,
    /// Where it comes from.
    pub source: SourceFile,
}

/// Where a file comes from and what was done to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceFile {
    /// The repository.
    pub repository: Option<String>,
    /// The commit, where it is known.
    pub commit: Option<String>,
    /// The path in the repository; for merged files a description of the paths.
    pub path: Option<String>,
    /// Where the untransformed file can be downloaded.
    pub url: Option<String>,
    /// Git's name for the untransformed content.
    pub git_blob: Option<GitBlobId>,
    /// What was done to it.
    pub transform: Transform,
    /// Size of the untransformed file, when it was compressed here.
    pub bytes: Option<u64>,
    /// Hash of the untransformed file, when it was compressed here.
    pub sha256: Option<Fingerprint>,
    /// What was done, in words, when it was more than compression.
    pub steps: Option<String>,
}

/// What was done to a source file to make the file of the data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transform {
    /// Nothing: the bytes are the source's.
    None,
    /// Compression with gzip.
    Gzip,
    /// Something that this program does not repeat; `steps` says what.
    Manual,
}

impl DatasetManifest {
    /// Reads a manifest; `path` is its name for messages and `folder` the folder it lies in.
    ///
    /// # Errors
    /// [`CatalogueError::Toml`], or [`CatalogueError::Invalid`] with everything that is wrong.
    pub fn parse(path: &str, folder: &str, text: &str) -> Result<Self> {
        let manifest: Self = toml::from_str(text).map_err(|source| CatalogueError::Toml {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        let problems = manifest.problems(folder);
        if problems.is_empty() {
            Ok(manifest)
        } else {
            Err(CatalogueError::Invalid { path: path.to_owned(), problems })
        }
    }

    /// The total size of its files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Whether every file can be fetched from its source.
    #[must_use]
    pub fn is_fetchable(&self) -> bool {
        self.files.iter().all(|file| file.source.transform != Transform::Manual)
    }

    fn problems(&self, folder: &str) -> Vec<String> {
        let mut problems = Vec::new();
        if self.id != folder {
            problems.push(format!("id: expected the folder's name {folder:?}, got {:?}", self.id));
        }
        if self.files.is_empty() {
            problems.push("file: there is none".to_owned());
        }
        let mut paths = BTreeSet::new();
        for file in &self.files {
            if !paths.insert(&file.path) {
                problems.push(format!("file {:?}: listed twice", file.path));
            }
            problems
                .extend(file.problem().map(|problem| format!("file {:?}: {problem}", file.path)));
        }
        for path in
            self.text.iter().flat_map(|text| &text.files).filter(|path| !paths.contains(path))
        {
            problems.push(format!("text.files: {path:?} is not a file of this set"));
        }
        problems
    }
}

impl DatasetFile {
    /// Size and hash of what the source sends, before any compression here.
    pub(super) fn download(&self) -> (u64, Fingerprint) {
        (self.source.bytes.unwrap_or(self.bytes), self.source.sha256.unwrap_or(self.sha256))
    }

    fn problem(&self) -> Option<&'static str> {
        let source = &self.source;
        let stays_inside =
            Path::new(&self.path).components().all(|part| matches!(part, Component::Normal(_)));
        let has_own_hash = source.bytes.is_some() && source.sha256.is_some();
        let has_no_hash = source.bytes.is_none() && source.sha256.is_none();
        match source.transform {
            _ if self.path.is_empty() || !stays_inside || self.path.contains('\\') => {
                Some("expected a relative path with forward slashes and without `..`")
            }
            Transform::Manual if source.steps.is_none() => {
                Some("transform \"manual\" needs `source.steps`")
            }
            Transform::Manual if source.url.is_some() => {
                Some("transform \"manual\" cannot have `source.url`")
            }
            Transform::None | Transform::Gzip if source.url.is_none() => {
                Some("this transform needs `source.url`")
            }
            Transform::Gzip if !has_own_hash => {
                Some("transform \"gzip\" needs `source.bytes` and `source.sha256`")
            }
            Transform::None | Transform::Manual if !has_no_hash => {
                Some("`source.bytes` and `source.sha256` belong to transform \"gzip\" only")
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
        id = "one"
        title = "One"
        area = "pretrain"
        task = "test"
        language = ["en"]
        licence = "MIT"
        noncommercial = false
        homepage = "https://example.org"
        columns = "text"
        test_withheld = false
        [text]
        files = ["a/b.txt"]
        [[file]]
        path = "a/b.txt"
        split = "all"
        bytes = 3
        sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        source = { url = "https://example.org/b.txt", transform = "none" }
    "#;

    fn message(change: impl Fn(&str) -> String) -> String {
        DatasetManifest::parse("one/manifest.toml", "one", &change(MANIFEST))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_manifest_is_read_and_written_back() {
        let manifest = DatasetManifest::parse("one/manifest.toml", "one", MANIFEST).unwrap();
        assert_eq!((manifest.bytes(), manifest.is_fetchable()), (3, true));
        let text = toml::to_string(&manifest).unwrap();
        assert_eq!(DatasetManifest::parse("one/manifest.toml", "one", &text).unwrap(), manifest);
    }

    #[test]
    fn contradictions_are_reported_together() {
        let message = message(|text| {
            text.replace("id = \"one\"", "id = \"two\"")
                .replace("path = \"a/b.txt\"", "path = \"../b.txt\"")
        });
        for part in [
            "expected the folder's name \"one\", got \"two\"",
            "without `..`",
            "text.files: \"a/b.txt\" is not a file",
        ] {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn what_a_transform_needs_is_checked() {
        for (source, expected) in [
            (r#"{ transform = "none" }"#, "needs `source.url`"),
            (r#"{ transform = "manual" }"#, "needs `source.steps`"),
            (
                r#"{ transform = "manual", steps = "x", url = "https://example.org" }"#,
                "cannot have `source.url`",
            ),
            (r#"{ transform = "gzip", url = "https://example.org" }"#, "needs `source.bytes`"),
            (
                r#"{ transform = "none", url = "https://example.org", bytes = 3 }"#,
                "belong to transform \"gzip\" only",
            ),
        ] {
            let message = message(|text| {
                let before = text.split("source = ").next().unwrap_or_default();
                format!("{before}source = {source}")
            });
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn unknown_keys_and_bad_hashes_are_errors() {
        assert!(
            message(|text| text.replace("licence", "license")).contains("unknown field `license`")
        );
        assert!(message(|text| text.replace("ba7816", "xx7816")).contains("is not a SHA-256"));
    }
}
