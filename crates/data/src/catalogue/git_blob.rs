//! Git's name for the content of a file: SHA-1 over `blob <length>\0` and the bytes.
//!
//! A public repository vouches for its files with it, so a download can be checked against the commit it comes from.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha1::{Digest, Sha1};

use super::{CatalogueError, Result};

/// The object id of a git blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GitBlobId([u8; 20]);

impl GitBlobId {
    /// The id of content in memory.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        let mut hasher = header(content.len() as u64);
        hasher.update(content);
        Self(hasher.finalize().into())
    }

    /// The id of a file's content.
    ///
    /// # Errors
    /// [`CatalogueError::Io`] when the file cannot be read.
    pub fn of_file(path: &Path) -> Result<Self> {
        let mut file = File::open(path).map_err(CatalogueError::io("open", path))?;
        let size = file.metadata().map_err(CatalogueError::io("read", path))?.len();
        let mut hasher = header(size);
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = file.read(&mut buffer).map_err(CatalogueError::io("read", path))?;
            if count == 0 {
                return Ok(Self(hasher.finalize().into()));
            }
            hasher.update(&buffer[..count]);
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if text.len() != 40 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut id = [0; 20];
        for (byte, digits) in id.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Self(id))
    }
}

fn header(size: u64) -> Sha1 {
    Sha1::new().chain_update(format!("blob {size}\0"))
}

impl fmt::Display for GitBlobId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl Serialize for GitBlobId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GitBlobId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(format!("{text:?} is not a git object id in hexadecimal"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_git_hash_object() {
        // The two best known blobs: nothing, and "test content" with a line end (Pro Git, chapter 10).
        assert_eq!(GitBlobId::of(b"").to_string(), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
        assert_eq!(
            GitBlobId::of(b"test content\n").to_string(),
            "d670460b4b4aece5915caf5c68d12f560a9fe3e4"
        );
    }

    #[test]
    fn a_file_has_the_id_of_its_content() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let content = vec![7; 200_000];
        std::fs::write(file.path(), &content).unwrap();
        assert_eq!(GitBlobId::of_file(file.path()).unwrap(), GitBlobId::of(&content));
    }

    #[test]
    fn only_forty_hexadecimal_digits_are_an_id() {
        let id = GitBlobId::of(b"x");
        assert_eq!(GitBlobId::parse(&id.to_string()), Some(id));
        for bad in ["", "12", &"g".repeat(40), &"é".repeat(20)] {
            assert_eq!(GitBlobId::parse(bad), None, "{bad}");
        }
    }
}
