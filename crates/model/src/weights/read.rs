//! Reading safetensors, one file or an index of shards, tensor by tensor.
//!
//! Tensors are read from the file one at a time, so that loading needs memory for the model and one
//! tensor, not for the model twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};
use half::{bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::Metadata;
use serde::Deserialize;

use super::naming::{Layout, Part, TensorNames};
use crate::ModelError;

/// Longest header that is believed; as in the reference implementation.
const MAX_HEADER_BYTES: u64 = 100_000_000;

#[derive(Debug)]
struct Entry {
    file: usize,
    dtype: Dtype,
    shape: Vec<usize>,
    start: u64,
    bytes: usize,
}

/// The tensors of one safetensors file, or of all shards of an index.
#[derive(Debug)]
pub struct TensorFiles {
    origin: PathBuf,
    files: Vec<PathBuf>,
    entries: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct ShardIndex {
    weight_map: BTreeMap<String, String>,
}

impl TensorFiles {
    /// Opens the weights of a model directory: `model.safetensors`, or the shards that
    /// `model.safetensors.index.json` names.
    ///
    /// # Errors
    /// No weights, an unreadable file, or a malformed header or index; the message names the file.
    pub fn open_dir(dir: &Path) -> Result<Self, ModelError> {
        let single = dir.join("model.safetensors");
        if single.is_file() {
            return Self::open(&single);
        }
        let index_path = dir.join("model.safetensors.index.json");
        if !index_path.is_file() {
            return Err(ModelError::NoWeights { path: dir.into() });
        }
        let text = std::fs::read_to_string(&index_path)
            .map_err(|source| ModelError::io("reading", &index_path, source))?;
        let index: ShardIndex = serde_json::from_str(&text).map_err(|source| {
            ModelError::ConfigSyntax { origin: index_path.display().to_string(), source }
        })?;
        let shards: BTreeSet<&String> = index.weight_map.values().collect();
        let mut all = Self { origin: dir.into(), files: Vec::new(), entries: BTreeMap::new() };
        for shard in shards {
            all.add(&dir.join(shard))?;
        }
        let absent: Vec<String> = index
            .weight_map
            .iter()
            .filter(|(name, _)| !all.entries.contains_key(*name))
            .map(|(name, shard)| {
                format!("{name}: the index says it is in {shard}, where it is not")
            })
            .collect();
        if !absent.is_empty() {
            let origin = index_path.display().to_string();
            return Err(ModelError::WeightMismatch { origin, problems: absent });
        }
        Ok(all)
    }

    /// Opens one safetensors file.
    ///
    /// # Errors
    /// An unreadable file or a malformed header; the message names the file.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let mut files = Self { origin: path.into(), files: Vec::new(), entries: BTreeMap::new() };
        files.add(path)?;
        Ok(files)
    }

    fn add(&mut self, path: &Path) -> Result<(), ModelError> {
        let io = |source| ModelError::io("reading", path, source);
        let bad = |reason: String| ModelError::BadSafetensors { path: path.into(), reason };
        let mut file = File::open(path).map_err(io)?;
        let file_bytes = file.metadata().map_err(io)?.len();
        let mut length = [0; 8];
        file.read_exact(&mut length)
            .map_err(|_| bad(format!("it has {file_bytes} bytes, too few for a header")))?;
        let header_bytes = u64::from_le_bytes(length);
        if header_bytes > MAX_HEADER_BYTES || header_bytes + 8 > file_bytes {
            return Err(bad(format!(
                "the header claims {header_bytes} bytes in a file of {file_bytes}"
            )));
        }
        let mut header = vec![0; header_bytes as usize];
        file.read_exact(&mut header).map_err(io)?;
        let metadata: Metadata = serde_json::from_slice(&header)
            .map_err(|error| bad(format!("the header is not valid: {error}")))?;
        let expected = 8 + header_bytes + metadata.data_len() as u64;
        if expected != file_bytes {
            return Err(bad(format!("expected {expected} bytes, found {file_bytes} (truncated?)")));
        }
        let index = self.files.len();
        self.files.push(path.into());
        for (name, info) in metadata.tensors() {
            let (start, end) = info.data_offsets;
            self.entries.insert(
                name,
                Entry {
                    file: index,
                    dtype: info.dtype,
                    shape: info.shape.clone(),
                    start: 8 + header_bytes + start as u64,
                    bytes: end - start,
                },
            );
        }
        Ok(())
    }

    /// Names of all tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Shape of a tensor, if it is there.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.entries.get(name).map(|entry| entry.shape.as_slice())
    }

    /// A tensor's values, widened or narrowed to f32, row-major.
    ///
    /// # Errors
    /// The tensor is absent, of a type that holds no real numbers, or the file cannot be read.
    pub fn read_f32(&self, name: &str) -> Result<Vec<f32>, ModelError> {
        let (bytes, entry) = self.bytes(name)?;
        let values = match entry.dtype {
            Dtype::F32 => numbers(&bytes, f32::from_le_bytes),
            Dtype::F16 => numbers(&bytes, |b| f16::from_le_bytes(b).to_f32()),
            Dtype::BF16 => numbers(&bytes, |b| bf16::from_le_bytes(b).to_f32()),
            Dtype::F64 => numbers(&bytes, |b| f64::from_le_bytes(b) as f32),
            other => return Err(self.wrong_dtype(name, other, "a floating-point type")),
        };
        Ok(values)
    }

    /// A tensor's values as i64, row-major.
    ///
    /// # Errors
    /// The tensor is absent, not of an integer or boolean type, or the file cannot be read.
    pub fn read_i64(&self, name: &str) -> Result<Vec<i64>, ModelError> {
        let (bytes, entry) = self.bytes(name)?;
        let values = match entry.dtype {
            Dtype::I64 => numbers(&bytes, i64::from_le_bytes),
            Dtype::I32 => numbers(&bytes, |b| i64::from(i32::from_le_bytes(b))),
            Dtype::I16 => numbers(&bytes, |b| i64::from(i16::from_le_bytes(b))),
            Dtype::U32 => numbers(&bytes, |b| i64::from(u32::from_le_bytes(b))),
            Dtype::U16 => numbers(&bytes, |b| i64::from(u16::from_le_bytes(b))),
            Dtype::U8 | Dtype::BOOL => bytes.iter().map(|b| i64::from(*b)).collect(),
            Dtype::I8 => numbers(&bytes, |b| i64::from(i8::from_le_bytes(b))),
            other => return Err(self.wrong_dtype(name, other, "an integer type")),
        };
        Ok(values)
    }

    fn bytes(&self, name: &str) -> Result<(Vec<u8>, &Entry), ModelError> {
        let entry = self.entries.get(name).ok_or_else(|| ModelError::WeightMismatch {
            origin: self.origin.display().to_string(),
            problems: vec![format!("{name}: missing")],
        })?;
        let path = &self.files[entry.file];
        let mut bytes = vec![0; entry.bytes];
        File::open(path)
            .and_then(|mut file| {
                file.seek(SeekFrom::Start(entry.start))?;
                file.read_exact(&mut bytes)
            })
            .map_err(|source| ModelError::io("reading", path, source))?;
        Ok((bytes, entry))
    }

    fn wrong_dtype(&self, name: &str, found: Dtype, expected: &str) -> ModelError {
        let reason = format!("{name} is of type {found:?}; expected {expected}");
        ModelError::BadSafetensors { path: self.origin.clone(), reason }
    }
}

fn numbers<const N: usize, T>(bytes: &[u8], convert: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|chunk| convert(*chunk)).collect()
}

/// Fills every parameter of `module` from `files`, by the family's names.
///
/// # Errors
/// [`ModelError::WeightMismatch`] with one line for each tensor that is missing, unexpected or of
/// another shape; or a file that cannot be read.
pub fn load_weights<M: Module>(
    module: M,
    names: &dyn TensorNames,
    files: &TensorFiles,
) -> Result<M, ModelError> {
    let mut loader = Loader {
        names,
        files,
        strip: prefix_to_strip(names, files),
        path: Vec::new(),
        used: BTreeSet::new(),
        problems: Vec::new(),
        failure: None,
    };
    let module = module.map(&mut loader);
    if let Some(failure) = loader.failure {
        return Err(failure);
    }
    loader.check_zeros()?;
    loader.report_unexpected();
    if loader.problems.is_empty() {
        return Ok(module);
    }
    let origin = files.origin.display().to_string();
    Err(ModelError::WeightMismatch { origin, problems: loader.problems })
}

/// The prefix that this file leaves out, if it does.
fn prefix_to_strip(names: &dyn TensorNames, files: &TensorFiles) -> Option<&'static str> {
    names.optional_prefix().filter(|prefix| !files.names().any(|name| name.starts_with(prefix)))
}

struct Loader<'a> {
    names: &'a dyn TensorNames,
    files: &'a TensorFiles,
    strip: Option<&'static str>,
    path: Vec<String>,
    used: BTreeSet<String>,
    problems: Vec<String>,
    failure: Option<ModelError>,
}

impl Loader<'_> {
    fn on_disk(&self, name: &str) -> String {
        self.strip.and_then(|prefix| name.strip_prefix(prefix)).unwrap_or(name).to_string()
    }

    /// The parameter's values, or `None` after noting what is wrong.
    fn values(&mut self, shape: &[usize]) -> Option<Vec<f32>> {
        let parts = self.names.parts(&self.path.join("."));
        let (rows, columns) = rows_and_columns(shape);
        let mut values = vec![0.0; rows * columns];
        let mut offset = 0;
        for part in parts {
            let width = part.width.unwrap_or(columns);
            let name = self.on_disk(&part.name);
            let expected = disk_shape(shape, width, part.layout);
            let read = self.read(&name, &expected)?;
            let columns = Columns { rows, all: columns, offset, width };
            columns.for_each(&part, |ours, disk| values[ours] = read[disk]);
            offset += width;
        }
        Some(values)
    }

    fn read(&mut self, name: &str, expected: &[usize]) -> Option<Vec<f32>> {
        self.used.insert(name.to_string());
        match self.files.shape(name) {
            None => {
                self.problems.push(format!("{name}: missing, expected shape {expected:?}"));
                None
            }
            Some(found) if found != expected => {
                self.problems.push(format!("{name}: expected shape {expected:?}, found {found:?}"));
                None
            }
            Some(_) => match self.files.read_f32(name) {
                Ok(values) => Some(values),
                Err(error) => {
                    self.failure.get_or_insert(error);
                    None
                }
            },
        }
    }

    fn check_zeros(&mut self) -> Result<(), ModelError> {
        for (name, _) in self.names.absent_as_zeros() {
            let name = self.on_disk(&name);
            if self.files.shape(&name).is_none() {
                continue;
            }
            if self.files.read_f32(&name)?.iter().any(|value| *value != 0.0) {
                self.problems.push(format!(
                    "{name}: the config says that there are no biases, but this one is not zero"
                ));
            }
            self.used.insert(name);
        }
        Ok(())
    }

    fn report_unexpected(&mut self) {
        for name in self.files.names() {
            if !self.used.contains(name) && !self.names.is_redundant(name) {
                let shape = self.files.shape(name).unwrap_or_default();
                self.problems.push(format!("{name}: unexpected, shape {shape:?}"));
            }
        }
    }
}

impl ModuleMapper for Loader<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let shape = param.lazy_shape();
        match self.values(&shape) {
            Some(values) => param.map(|old| {
                let data = TensorData::new(values, shape);
                let tensor = Tensor::from_data(data, &old.device());
                if old.is_require_grad() { tensor.require_grad() } else { tensor }
            }),
            None => param,
        }
    }
}

/// A vector is one row.
pub(super) fn rows_and_columns(shape: &[usize]) -> (usize, usize) {
    match shape {
        [columns] => (1, *columns),
        [rows, columns] => (*rows, *columns),
        other => panic!("parameters are vectors or matrices, not {other:?}"),
    }
}

/// Shape on disk of `width` of a parameter's columns.
pub(super) fn disk_shape(shape: &[usize], width: usize, layout: Layout) -> Vec<usize> {
    match (shape, layout) {
        ([_], _) => vec![width],
        ([rows, _], Layout::Same) => vec![*rows, width],
        ([rows, _], Layout::Transposed) => vec![width, *rows],
        (other, _) => panic!("parameters are vectors or matrices, not {other:?}"),
    }
}

/// The columns of a parameter that one part holds.
pub(super) struct Columns {
    /// Rows of the parameter.
    pub rows: usize,
    /// Columns of the parameter.
    pub all: usize,
    /// The part's first column.
    pub offset: usize,
    /// How many columns the part holds.
    pub width: usize,
}

impl Columns {
    /// Calls `copy` with each element's place in the parameter and in the part, in the order of
    /// the part on disk where that is the parameter's own.
    pub fn for_each(&self, part: &Part, mut copy: impl FnMut(usize, usize)) {
        let on_disk = |column: usize| part.order.as_ref().map_or(column, |order| order[column]);
        let is_transposed = part.layout == Layout::Transposed && self.rows > 1;
        for row in 0..self.rows {
            for column in 0..self.width {
                let ours = row * self.all + self.offset + column;
                let disk = on_disk(column);
                let disk =
                    if is_transposed { disk * self.rows + row } else { row * self.width + disk };
                copy(ours, disk);
            }
        }
    }
}
