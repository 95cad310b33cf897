//! PyTorch checkpoints (`pytorch_model.bin`, `.pt`, `.pth`): a zip archive with a pickle that describes the tensors and
//! one entry for each storage.
//!
//! The pickle is interpreted for tensors, dicts and lists; nothing in it is executed, and what it calls that is no
//! tensor is passed over. A tensor's bytes are read when they are asked for.
//!
//! burn-store's reader does this too and knows older containers. It is not used because its zip crate turns on a feature
//! below serde_json, and so below all of burn, for one format that needs two hundred lines. What it reads beyond this:
//! files of PyTorch before 1.6 and whole saved modules, which are refused by name here.

mod archive;
mod pickle;
mod value;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use super::number_type::NumberType;
use super::tensor_files::{Entry, Source};
use crate::ModelError;
use archive::Archive;
use value::{TensorView, Value};

/// The name of this format in messages.
const FORMAT: &str = "PyTorch";

/// Longest pickle that is believed.
const MAX_PICKLE_BYTES: u64 = 100 << 20;

/// Keys under which training scripts put the weights beside other things. `model` is not among them: the names of
/// many families begin so.
const NESTED_UNDER: [&str; 2] = ["state_dict", "model_state_dict"];

/// A tensor as a view of a storage in the file.
#[derive(Debug)]
pub(super) struct View {
    path: Arc<Path>,
    numbers: NumberType,
    /// Where the view's first number is.
    start: u64,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

/// The tensors of the file at `path`, by name.
pub(super) fn open(path: &Path) -> Result<Vec<(String, Entry)>, ModelError> {
    let bad = |reason: String| ModelError::bad_weights(path, FORMAT, reason);
    let mut file = File::open(path).map_err(|source| ModelError::io("reading", path, source))?;
    let archive = Archive::read(&mut file).map_err(bad)?;
    let pickle = archive.only("/data.pkl").map_err(bad)?;
    if archive.text(&mut file, "/byteorder").is_some_and(|order| order.trim() != "little") {
        return Err(bad("its numbers are big-endian".into()));
    }
    let bytes = archive.bytes(&mut file, pickle, MAX_PICKLE_BYTES).map_err(bad)?;
    let root = pickle::interpret(&bytes).map_err(bad)?;
    let mut found = Vec::new();
    collect(weights_of(&root), &mut String::new(), &mut found);
    if found.is_empty() {
        return Err(bad("there is no dict of tensors in it".into()));
    }
    let path: Arc<Path> = path.into();
    let entry = |(name, view): (String, &TensorView)| {
        let located = locate(&path, &archive, view);
        let source = located.map_err(|reason| bad(format!("{name}: {reason}")))?;
        Ok((name, Entry { shape: view.shape.clone(), source: Source::Pytorch(source) }))
    };
    found.into_iter().map(entry).collect()
}

/// What lies under a key for weights, if there is one, and otherwise everything.
fn weights_of(root: &Value) -> &Value {
    NESTED_UNDER.iter().find_map(|key| root.get(key)).unwrap_or(root)
}

/// Every tensor under string keys, with dots between them.
fn collect<'a>(value: &'a Value, path: &mut String, found: &mut Vec<(String, &'a TensorView)>) {
    match value {
        Value::Tensor(view) => found.push((path.clone(), view)),
        Value::Dict(pairs) => {
            for (key, value) in pairs {
                let Value::Text(key) = key else { continue };
                let length = path.len();
                if length > 0 {
                    path.push('.');
                }
                path.push_str(key);
                collect(value, path, found);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

/// The place of a view's numbers in the file, checked to be inside its storage.
fn locate(path: &Arc<Path>, archive: &Archive, view: &TensorView) -> Result<View, String> {
    let numbers = number_type(&view.storage.kind)
        .ok_or_else(|| format!("numbers of {} are not read", view.storage.kind))?;
    let storage = archive.only(&format!("/data/{}", view.storage.key))?;
    let held = storage.bytes / numbers.bytes() as u64;
    if view.shape.len() != view.strides.len() {
        return Err(format!("{} extents and {} strides", view.shape.len(), view.strides.len()));
    }
    let values = view.shape.iter().try_fold(1usize, |all, extent| all.checked_mul(*extent));
    let last =
        view.shape.iter().zip(&view.strides).try_fold(view.offset, |last, (extent, stride)| {
            last.checked_add(extent.saturating_sub(1).checked_mul(*stride)?)
        });
    let fits = match (values, last) {
        (Some(0), _) => true,
        (Some(values), Some(last)) => (last as u64) < held && values as u64 <= held,
        _ => false,
    };
    if !fits {
        return Err(format!(
            "shape {:?} with strides {:?} from {} on reaches out of its storage of {held} numbers",
            view.shape, view.strides, view.offset
        ));
    }
    let start = storage.start + (view.offset * numbers.bytes()) as u64;
    let (shape, strides) = (view.shape.clone(), view.strides.clone());
    Ok(View { path: path.clone(), numbers, start, shape, strides })
}

fn number_type(storage: &str) -> Option<NumberType> {
    Some(match storage.strip_prefix("torch.")? {
        "DoubleStorage" => NumberType::F64,
        "FloatStorage" => NumberType::F32,
        "HalfStorage" => NumberType::F16,
        "BFloat16Storage" => NumberType::Bf16,
        "LongStorage" => NumberType::I64,
        "IntStorage" => NumberType::I32,
        "ShortStorage" => NumberType::I16,
        "CharStorage" => NumberType::I8,
        "ByteStorage" => NumberType::U8,
        "BoolStorage" => NumberType::Bool,
        _ => return None,
    })
}

impl View {
    /// The bytes in row-major order, and what they are.
    pub(super) fn read(&self) -> Result<(Vec<u8>, NumberType), ModelError> {
        let bytes = self
            .read_bytes()
            .map_err(|source| ModelError::io("reading", self.path.as_ref(), source))?;
        Ok((bytes, self.numbers))
    }

    fn read_bytes(&self) -> io::Result<Vec<u8>> {
        let values: usize = self.shape.iter().product();
        if values == 0 {
            return Ok(Vec::new());
        }
        let reach: usize = self
            .shape
            .iter()
            .zip(&self.strides)
            .map(|(extent, stride)| (extent - 1) * stride)
            .sum();
        let size = self.numbers.bytes();
        let mut span = vec![0; (reach + 1) * size];
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.start))?;
        file.read_exact(&mut span)?;
        if self.is_contiguous() {
            return Ok(span);
        }
        let mut bytes = Vec::with_capacity(values * size);
        for place in 0..values {
            let at = self.offset_of(place) * size;
            bytes.extend_from_slice(&span[at..at + size]);
        }
        Ok(bytes)
    }

    fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        self.shape.iter().zip(&self.strides).rev().all(|(extent, stride)| {
            let fits = *extent == 1 || *stride == expected;
            expected *= extent;
            fits
        })
    }

    /// Where in the storage the number at row-major `place` is.
    fn offset_of(&self, mut place: usize) -> usize {
        let mut offset = 0;
        for (extent, stride) in self.shape.iter().zip(&self.strides).rev() {
            offset += place % extent * stride;
            place /= extent;
        }
        offset
    }
}
