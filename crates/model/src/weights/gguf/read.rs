//! A GGUF file's tensors under Hugging Face's names, in its shapes and its row order.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use super::block_type::BlockType;
use super::dequantise::dequantise;
use super::metadata::GgufFile;
use super::names::{hugging_face_name, is_query_or_key};
use crate::ModelError;
use crate::weights::rotary_rows::halves_from_pairs;
use crate::weights::tensor_files::{Entry, Source};

/// Blocks that are read at once: what dequantising needs beside its result.
const BLOCKS_AT_ONCE: usize = 4096;

/// Divisors of the rotary frequencies, which are in the config.
pub(super) const ROPE_FREQS: &str = "rope_freqs.weight";

/// In which order a tensor's rows lie in the file.
#[derive(Debug, Clone, Copy)]
pub(super) enum RowOrder {
    /// As in a Hugging Face model.
    Same,
    /// With the two rows of each rotary pair beside each other.
    Pairs { heads: usize, columns: usize },
}

/// Where the values of a tensor are.
#[derive(Debug)]
pub(in crate::weights) struct Blocks {
    pub(super) path: Arc<Path>,
    pub(super) kind: BlockType,
    pub(super) start: u64,
    pub(super) values: usize,
    pub(super) rows: RowOrder,
}

impl Blocks {
    /// GGML's name of the type.
    pub(in crate::weights) fn kind_name(&self) -> &'static str {
        self.kind.name()
    }

    /// All values, dequantised, in the row order of a Hugging Face model.
    pub(in crate::weights) fn read(&self, name: &str) -> Result<Vec<f32>, ModelError> {
        let values = self
            .read_as_stored()
            .map_err(|source| ModelError::io("reading", self.path.as_ref(), source))?;
        tracing::trace!(tensor = name, r#type = self.kind.name(), "read");
        Ok(match self.rows {
            RowOrder::Same => values,
            RowOrder::Pairs { heads, columns } => halves_from_pairs(&values, heads, columns),
        })
    }

    fn read_as_stored(&self) -> std::io::Result<Vec<f32>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.start))?;
        let mut values = Vec::with_capacity(self.values);
        let mut blocks = self.values / self.kind.block_values();
        let mut bytes = vec![0; BLOCKS_AT_ONCE.min(blocks) * self.kind.block_bytes()];
        while blocks > 0 {
            let count = blocks.min(BLOCKS_AT_ONCE);
            let bytes = &mut bytes[..count * self.kind.block_bytes()];
            file.read_exact(bytes)?;
            dequantise(self.kind, bytes, &mut values);
            blocks -= count;
        }
        Ok(values)
    }
}

/// The tensors of the file at `path`, by name. Those that no Llama-family model has keep theirs.
pub(in crate::weights) fn open(path: &Path) -> Result<Vec<(String, Entry)>, ModelError> {
    let file = GgufFile::open(path)?;
    let heads = file.required_size("attention.head_count")?;
    let key_heads = file.size("attention.head_count_kv")?.unwrap_or(heads);
    let mut entries = Vec::new();
    for info in &file.header.tensors {
        if info.name == ROPE_FREQS {
            continue;
        }
        let shape = file.shape(info)?;
        let rows = row_order(&file, &info.name, &shape, heads, key_heads)?;
        let source = Source::Gguf(file.blocks(info, rows)?);
        let name = hugging_face_name(&info.name).unwrap_or_else(|| info.name.clone());
        entries.push((name, Entry { shape, source }));
    }
    Ok(entries)
}

/// llama.cpp rotates neighbouring rows in its `llama`, and halves of a head in the others.
fn row_order(
    file: &GgufFile,
    name: &str,
    shape: &[usize],
    heads: usize,
    key_heads: usize,
) -> Result<RowOrder, ModelError> {
    let heads = match is_query_or_key(name) {
        (true, _) if file.architecture == "llama" => heads,
        (_, true) if file.architecture == "llama" => key_heads,
        _ => return Ok(RowOrder::Same),
    };
    let (rows, columns) = match shape {
        [rows] => (*rows, 1),
        [rows, columns] => (*rows, *columns),
        other => return Err(file.bad(format!("{name}: expected a matrix, found shape {other:?}"))),
    };
    if heads == 0 || columns == 0 || !rows.is_multiple_of(2 * heads) {
        let reason = format!("{name}: shape {shape:?} does not divide into {heads} heads of pairs");
        return Err(file.bad(reason));
    }
    Ok(RowOrder::Pairs { heads, columns })
}
