//! The tensors of a model's weight files by name, whatever the format: safetensors, PyTorch or GGUF.
//!
//! Tensors are read from the file one at a time, so that loading needs memory for the model and one tensor, not for
//! the model twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::number_type::NumberType;
use super::{gguf, pytorch, safetensors_file};
use crate::ModelError;

/// One tensor: its shape, and where its values are.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) shape: Vec<usize>,
    pub(super) source: Source,
}

/// Where values are.
#[derive(Debug)]
pub(super) enum Source {
    Safetensors(safetensors_file::Slice),
    Pytorch(pytorch::View),
    Gguf(gguf::Blocks),
}

/// The tensors of one weight file, or of all shards of an index.
#[derive(Debug)]
pub struct TensorFiles {
    origin: PathBuf,
    entries: BTreeMap<String, Entry>,
}

/// `model.safetensors.index.json` or `pytorch_model.bin.index.json`.
#[derive(Deserialize)]
struct ShardIndex {
    weight_map: BTreeMap<String, String>,
}

/// Weights of a directory in the order of precedence, each as one file or as an index of shards.
const NAMES: [(&str, &str); 2] = [
    ("model.safetensors", "model.safetensors.index.json"),
    ("pytorch_model.bin", "pytorch_model.bin.index.json"),
];

/// What training scripts write beside a model.
const NO_MODELS: [&str; 7] = [
    "training_args.bin",
    "optimizer.pt",
    "optimizer.bin",
    "scheduler.pt",
    "scaler.pt",
    "rng_state.pth",
    "adapter_model.bin",
];

impl TensorFiles {
    /// Opens the weights of a model directory: `model.safetensors` or the shards that its index names, the same of
    /// `pytorch_model.bin`, or else the only file that ends in `.pt`, `.pth` or `.bin`.
    ///
    /// # Errors
    /// No weights, an unreadable file, or a malformed header or index; the message names the file.
    pub fn open_dir(dir: &Path) -> Result<Self, ModelError> {
        for (single, index) in NAMES {
            if dir.join(single).is_file() {
                return Self::open(&dir.join(single));
            }
            if dir.join(index).is_file() {
                return Self::open_shards(dir, &dir.join(index));
            }
        }
        match other_weights(dir)?.as_slice() {
            [only] => Self::open(only),
            [] => Err(ModelError::NoWeights { path: dir.into() }),
            several => Err(ModelError::SeveralWeights {
                path: dir.into(),
                candidates: several.iter().map(|path| path.display().to_string()).collect(),
            }),
        }
    }

    fn open_shards(dir: &Path, index_path: &Path) -> Result<Self, ModelError> {
        let text = std::fs::read_to_string(index_path)
            .map_err(|source| ModelError::io("reading", index_path, source))?;
        let index: ShardIndex = serde_json::from_str(&text).map_err(|source| {
            ModelError::ConfigSyntax { origin: index_path.display().to_string(), source }
        })?;
        let shards: BTreeSet<&String> = index.weight_map.values().collect();
        let mut entries = BTreeMap::new();
        for shard in shards {
            entries.extend(open_file(&dir.join(shard))?);
        }
        let absent: Vec<String> = index
            .weight_map
            .iter()
            .filter(|(name, _)| !entries.contains_key(*name))
            .map(|(name, shard)| {
                format!("{name}: the index says it is in {shard}, where it is not")
            })
            .collect();
        if !absent.is_empty() {
            let origin = index_path.display().to_string();
            return Err(ModelError::WeightMismatch { origin, problems: absent });
        }
        Ok(Self { origin: dir.into(), entries })
    }

    /// Opens one weight file: safetensors, PyTorch or GGUF, which its content tells.
    ///
    /// The tensors of a GGUF file have the names, shapes and row order of a Hugging Face model.
    ///
    /// # Errors
    /// An unreadable file, one of another format, or a malformed header; the message names the file.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        Ok(Self { origin: path.into(), entries: open_file(path)?.into_iter().collect() })
    }

    /// The file or directory.
    pub(super) fn origin(&self) -> &Path {
        &self.origin
    }

    /// Names of all tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Shape of a tensor, if it is there.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.entries.get(name).map(|entry| entry.shape.as_slice())
    }

    /// A tensor's values, widened or narrowed to f32, or dequantised, row-major.
    ///
    /// # Errors
    /// The tensor is absent, of a type that holds no real numbers, or the file cannot be read.
    pub fn read_f32(&self, name: &str) -> Result<Vec<f32>, ModelError> {
        if let Source::Gguf(blocks) = &self.entry(name)?.source {
            return blocks.read(name);
        }
        self.read(name, "a floating-point type", NumberType::to_f32)
    }

    /// A tensor's values as i64, row-major.
    ///
    /// # Errors
    /// The tensor is absent, not of an integer or boolean type, or the file cannot be read.
    pub fn read_i64(&self, name: &str) -> Result<Vec<i64>, ModelError> {
        self.read(name, "an integer type", NumberType::to_i64)
    }

    fn read<T>(
        &self,
        name: &str,
        expected: &str,
        convert: impl Fn(NumberType, &[u8]) -> Option<Vec<T>>,
    ) -> Result<Vec<T>, ModelError> {
        let (bytes, found) = match &self.entry(name)?.source {
            Source::Safetensors(slice) => slice.read()?,
            Source::Pytorch(view) => {
                let (bytes, found) = view.read()?;
                (bytes, Ok(found))
            }
            Source::Gguf(blocks) => (Vec::new(), Err(blocks.kind_name().to_string())),
        };
        let values = found.as_ref().ok().and_then(|found| convert(*found, &bytes));
        values.ok_or_else(|| ModelError::WrongNumberType {
            origin: self.origin.display().to_string(),
            tensor: name.to_string(),
            found: found.map_or_else(|name| name, |found| format!("{found:?}")),
            expected: expected.to_string(),
        })
    }

    fn entry(&self, name: &str) -> Result<&Entry, ModelError> {
        self.entries.get(name).ok_or_else(|| ModelError::WeightMismatch {
            origin: self.origin.display().to_string(),
            problems: vec![format!("{name}: missing")],
        })
    }
}

/// Files of `dir` that may be a PyTorch model under a name of their own.
fn other_weights(dir: &Path) -> Result<Vec<PathBuf>, ModelError> {
    let io = |source| ModelError::io("reading", dir, source);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let fits = [".pt", ".pth", ".bin"].iter().any(|ending| name.ends_with(ending));
        if fits && path.is_file() && !NO_MODELS.contains(&name.as_ref()) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// What kind of weight file a path holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightFormat {
    /// A safetensors file.
    Safetensors,
    /// A PyTorch checkpoint of any age.
    Pytorch,
    /// A GGUF file.
    Gguf,
}

impl WeightFormat {
    /// Tells by the first bytes what the file at `path` is; `None` if it is none of them.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn of(path: &Path) -> Result<Option<Self>, ModelError> {
        let mut head = Vec::new();
        File::open(path)
            .and_then(|file| file.take(512).read_to_end(&mut head))
            .map_err(|source| ModelError::io("reading", path, source))?;
        Ok(Self::of_head(&head))
    }

    fn of_head(head: &[u8]) -> Option<Self> {
        // A length of eight bytes, of which the upper three are never used, then JSON.
        if head.get(5..9) == Some(b"\0\0\0{") {
            return Some(Self::Safetensors);
        }
        if head.starts_with(b"GGUF") {
            return Some(Self::Gguf);
        }
        // No pickle goes on with a zero, which llama2.c's header does for widths such as 640.
        let pickle = matches!(head, [0x80, 2..=5, 1..=255, ..]);
        let tar = head.get(257..262) == Some(b"ustar");
        (pickle || tar || head.starts_with(b"PK\x03\x04")).then_some(Self::Pytorch)
    }
}

fn open_file(path: &Path) -> Result<Vec<(String, Entry)>, ModelError> {
    match WeightFormat::of(path)? {
        Some(WeightFormat::Gguf) => gguf::open(path),
        Some(WeightFormat::Pytorch) => pytorch::open(path),
        Some(WeightFormat::Safetensors) => safetensors_file::open(path),
        // What calls itself safetensors has a message of its own.
        None if path.extension().is_some_and(|ending| ending == "safetensors") => {
            safetensors_file::open(path)
        }
        None => {
            let reason = "it begins like neither safetensors, PyTorch (zip or pickle) nor GGUF";
            Err(ModelError::bad_weights(path, "weight", reason.into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_the_first_bytes() {
        let check = |head: &[u8], expected| assert_eq!(WeightFormat::of_head(head), expected);
        check(b"\x40\0\0\0\0\0\0\0{\"a\":", Some(WeightFormat::Safetensors));
        check(b"\x80\x02\0\0\0\0\0\0{\"a\":", Some(WeightFormat::Safetensors));
        check(b"GGUF\x03\0\0\0", Some(WeightFormat::Gguf));
        check(b"PK\x03\x04\0\0\x08\x08\0\0", Some(WeightFormat::Pytorch));
        check(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", Some(WeightFormat::Pytorch));
        check(b"\x80\x02\0\0\x00\x07\0\0", None);
        check(b"Once upon a time", None);
        check(b"", None);
    }

    #[test]
    fn a_directory_without_one_model_says_what_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let message = || TensorFiles::open_dir(dir.path()).unwrap_err().to_string();
        std::fs::write(dir.path().join("training_args.bin"), "x").unwrap();
        assert!(message().contains("no model.safetensors"), "{}", message());
        std::fs::write(dir.path().join("a.pt"), "x").unwrap();
        assert!(message().contains("neither safetensors, PyTorch"), "{}", message());
        std::fs::write(dir.path().join("b.pt"), "x").unwrap();
        assert!(message().contains("a.pt") && message().contains("b.pt"), "{}", message());
    }
}
