//! Writing safetensors, one file or shards with an index, atomically.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};
use half::{bf16, f16};
use safetensors::{Dtype, View};
use serde::{Deserialize, Serialize};

use super::naming::TensorNames;
use super::read::{Columns, disk_shape, rows_and_columns};
use crate::{ModelConfig, ModelError};

/// The number format of stored weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoredDtype {
    /// 32-bit IEEE.
    #[default]
    F32,
    /// 16-bit IEEE.
    F16,
    /// bfloat16.
    Bf16,
}

/// A tensor as it stands in a file: disk name, disk orientation, f32 values.
#[derive(Debug, Clone, PartialEq)]
pub struct FileTensor {
    /// Name on disk.
    pub name: String,
    /// Shape on disk.
    pub shape: Vec<usize>,
    /// Values, row-major.
    pub values: Vec<f32>,
}

/// Every parameter of `module` under the family's names, sorted by name.
pub fn named_tensors<M: Module>(module: &M, names: &dyn TensorNames) -> Vec<FileTensor> {
    let mut tensors = collect(module, names, None);
    for (name, shape) in names.absent_as_zeros() {
        let values = vec![0.0; shape.iter().product()];
        tensors.push(FileTensor { name, shape, values });
    }
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    tensors
}

/// Every gradient that `gradients` holds for `module`, under the family's names, sorted by name.
pub fn named_gradients<M: Module>(
    module: &M,
    gradients: &Gradients,
    names: &dyn TensorNames,
) -> Vec<FileTensor> {
    let mut tensors = collect(module, names, Some(gradients));
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    tensors
}

fn collect<M: Module>(
    module: &M,
    names: &dyn TensorNames,
    gradients: Option<&Gradients>,
) -> Vec<FileTensor> {
    let mut collector = Collector { names, gradients, path: Vec::new(), tensors: Vec::new() };
    module.visit(&mut collector);
    collector.tensors
}

struct Collector<'a> {
    names: &'a dyn TensorNames,
    gradients: Option<&'a Gradients>,
    path: Vec<String>,
    tensors: Vec<FileTensor>,
}

impl ModuleVisitor for Collector<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        let tensor = match self.gradients {
            None => value,
            Some(gradients) => match value.grad(gradients) {
                Some(gradient) => gradient,
                None => return,
            },
        };
        let shape = tensor.dims();
        let data = tensor.into_data();
        let values: Vec<f32> = data.iter::<f32>().collect();
        let (rows, columns) = rows_and_columns(&shape);
        let mut offset = 0;
        for part in self.names.parts(&self.path.join(".")) {
            let width = part.width.unwrap_or(columns);
            let mut on_disk = vec![0.0; rows * width];
            let columns = Columns { rows, all: columns, offset, width };
            columns.for_each(&part, |ours, disk| on_disk[disk] = values[ours]);
            self.tensors.push(FileTensor {
                shape: disk_shape(&shape, width, part.layout),
                name: part.name,
                values: on_disk,
            });
            offset += width;
        }
    }
}

struct Stored<'a> {
    tensor: &'a FileTensor,
    dtype: StoredDtype,
}

impl View for Stored<'_> {
    fn dtype(&self) -> Dtype {
        match self.dtype {
            StoredDtype::F32 => Dtype::F32,
            StoredDtype::F16 => Dtype::F16,
            StoredDtype::Bf16 => Dtype::BF16,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.tensor.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let values = &self.tensor.values;
        match self.dtype {
            StoredDtype::F32 => Cow::Borrowed(bytemuck::cast_slice(values)),
            StoredDtype::F16 => {
                values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect()
            }
            StoredDtype::Bf16 => {
                values.iter().flat_map(|v| bf16::from_f32(*v).to_le_bytes()).collect()
            }
        }
    }

    fn data_len(&self) -> usize {
        self.tensor.values.len() * self.dtype().bitsize() / 8
    }
}

#[derive(Serialize)]
struct ShardIndex {
    metadata: ShardTotals,
    weight_map: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct ShardTotals {
    total_size: usize,
}

/// Largest file that a saved model is put in before it is split, as the Hub does.
const MAX_SHARD_BYTES: usize = 5_000_000_000;

/// Writes a model directory: `config.json`, with the class and the number format that
/// `transformers` looks for, and the weights.
///
/// # Errors
/// A file that cannot be written.
pub fn save_model(
    dir: &Path,
    config: &ModelConfig,
    tensors: &[FileTensor],
    dtype: StoredDtype,
) -> Result<(), ModelError> {
    std::fs::create_dir_all(dir).map_err(|source| ModelError::io("creating", dir, source))?;
    let mut config = config.clone();
    config.set_extra("architectures", vec![config.class_name()].into());
    let name = match dtype {
        StoredDtype::F32 => "float32",
        StoredDtype::F16 => "float16",
        StoredDtype::Bf16 => "bfloat16",
    };
    config.set_extra("dtype", name.into());
    config.save(dir)?;
    save_tensors(dir, tensors, dtype, MAX_SHARD_BYTES)
}

/// Writes `tensors` to `dir` as `model.safetensors`, or, when they need more than
/// `max_shard_bytes`, as numbered shards with `model.safetensors.index.json`.
///
/// Each file is written beside its final name and then renamed, so a crash leaves the old file or
/// the new one.
///
/// # Errors
/// [`ModelError::Io`] naming the file.
pub fn save_tensors(
    dir: &Path,
    tensors: &[FileTensor],
    dtype: StoredDtype,
    max_shard_bytes: usize,
) -> Result<(), ModelError> {
    let shards = split_into_shards(tensors, dtype, max_shard_bytes);
    if let [all] = shards.as_slice() {
        return write_atomically(&dir.join("model.safetensors"), all, dtype);
    }
    let count = shards.len();
    let mut weight_map = BTreeMap::new();
    let mut total_size = 0;
    for (index, shard) in shards.iter().enumerate() {
        let file = format!("model-{:05}-of-{count:05}.safetensors", index + 1);
        write_atomically(&dir.join(&file), shard, dtype)?;
        for tensor in shard {
            total_size += Stored { tensor, dtype }.data_len();
            weight_map.insert(tensor.name.clone(), file.clone());
        }
    }
    let index = ShardIndex { metadata: ShardTotals { total_size }, weight_map };
    let path = dir.join("model.safetensors.index.json");
    let text = serde_json::to_string_pretty(&index).map_err(|source| ModelError::ConfigSyntax {
        origin: path.display().to_string(),
        source,
    })?;
    write_file_atomically(&path, text.as_bytes())
}

fn split_into_shards(
    tensors: &[FileTensor],
    dtype: StoredDtype,
    max_shard_bytes: usize,
) -> Vec<Vec<&FileTensor>> {
    let mut shards = vec![Vec::new()];
    let mut filled = 0;
    for tensor in tensors {
        let bytes = Stored { tensor, dtype }.data_len();
        if filled > 0 && filled + bytes > max_shard_bytes {
            shards.push(Vec::new());
            filled = 0;
        }
        filled += bytes;
        shards.last_mut().expect("there is always a shard").push(tensor);
    }
    shards
}

/// Writes `tensors` to one safetensors file, atomically.
///
/// # Errors
/// [`ModelError::Io`] naming the file.
pub fn save_tensor_file(
    path: &Path,
    tensors: &[FileTensor],
    dtype: StoredDtype,
) -> Result<(), ModelError> {
    write_atomically(path, &tensors.iter().collect::<Vec<_>>(), dtype)
}

fn write_atomically(
    path: &Path,
    tensors: &[&FileTensor],
    dtype: StoredDtype,
) -> Result<(), ModelError> {
    let views = tensors.iter().map(|tensor| (tensor.name.as_str(), Stored { tensor, dtype }));
    // `transformers` refuses files that do not say which framework's layout they follow.
    let metadata = HashMap::from([("format".to_string(), "pt".to_string())]);
    let bytes = safetensors::serialize(views, Some(metadata)).map_err(|error| {
        ModelError::BadSafetensors { path: path.into(), reason: error.to_string() }
    })?;
    write_file_atomically(path, &bytes)
}

/// Writes `bytes` under a temporary name beside `path`, flushes them to disk and renames.
pub(crate) fn write_file_atomically(path: &Path, bytes: &[u8]) -> Result<(), ModelError> {
    use std::io::Write;
    let dir = path.parent().unwrap_or(Path::new("."));
    let io = |source| ModelError::io("writing", path, source);
    let mut file = tempfile::Builder::new().prefix(".writing-").tempfile_in(dir).map_err(io)?;
    file.write_all(bytes).map_err(io)?;
    file.as_file().sync_all().map_err(io)?;
    set_ordinary_permissions(file.as_file()).map_err(io)?;
    file.persist(path).map_err(|error| io(error.error))?;
    Ok(())
}

/// Temporary files are created private; a model is not.
#[cfg(unix)]
fn set_ordinary_permissions(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn set_ordinary_permissions(_file: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}
