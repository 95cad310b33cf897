//! The llama2.c checkpoint format, version 0 (karpathy/llama2.c, `export.py` `legacy_export`).
//!
//! Seven little-endian i32 — dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size (negative
//! when the classifier is not tied), seq_len — then f32 tensors in a fixed order. Weights are
//! `[output, input]`; queries and keys expect interleaved rotary pairs, which are permuted here to
//! the half-split order that `config.json` models use.

use std::path::Path;

use super::rotary_rows::halves_from_pairs;
use super::write::FileTensor;
use crate::ModelError;
use crate::families::LlamaConfig;

/// Reads a checkpoint as a Llama config and tensors under Hugging Face names.
///
/// # Errors
/// A file that cannot be read, a header that makes no sense, or a length that does not fit it.
pub fn read_llama2c(path: &Path) -> Result<(LlamaConfig, Vec<FileTensor>), ModelError> {
    let bytes = std::fs::read(path).map_err(|source| ModelError::io("reading", path, source))?;
    let bad = |reason: String| ModelError::BadLlama2c { path: path.into(), reason };
    let header = Header::parse(&bytes).map_err(bad)?;
    let expected = header.file_bytes();
    if bytes.len() != expected {
        return Err(bad(format!(
            "the header {header:?} asks for {expected} bytes, found {}",
            bytes.len()
        )));
    }
    let floats: Vec<f32> =
        bytes[28..].as_chunks::<4>().0.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect();
    Ok((header.config(), header.tensors(&floats)))
}

#[derive(Debug)]
struct Header {
    dim: usize,
    hidden_dim: usize,
    layers: usize,
    heads: usize,
    kv_heads: usize,
    vocab_size: usize,
    seq_len: usize,
    tied: bool,
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let Some(head) = bytes.get(..28) else {
            return Err(format!("expected at least 28 bytes, found {}", bytes.len()));
        };
        let fields: Vec<i32> =
            head.as_chunks::<4>().0.iter().map(|chunk| i32::from_le_bytes(*chunk)).collect();
        let tied = fields[5] > 0;
        let positive = |index: usize, name: &str| match fields[index].unsigned_abs() {
            0 => Err(format!("{name} is 0")),
            _ if fields[index] < 0 && index != 5 => Err(format!("{name} is {}", fields[index])),
            value if value > 1 << 24 => Err(format!("{name} is {value}, which no model has")),
            value => Ok(value as usize),
        };
        let header = Self {
            dim: positive(0, "dim")?,
            hidden_dim: positive(1, "hidden_dim")?,
            layers: positive(2, "n_layers")?,
            heads: positive(3, "n_heads")?,
            kv_heads: positive(4, "n_kv_heads")?,
            vocab_size: positive(5, "vocab_size")?,
            seq_len: positive(6, "seq_len")?,
            tied,
        };
        if !header.dim.is_multiple_of(header.heads) || !header.heads.is_multiple_of(header.kv_heads)
        {
            return Err(format!(
                "dim {} must divide by n_heads {}, and that by n_kv_heads {}",
                header.dim, header.heads, header.kv_heads
            ));
        }
        Ok(header)
    }

    fn head_dim(&self) -> usize {
        self.dim / self.heads
    }

    fn kv_dim(&self) -> usize {
        self.kv_heads * self.head_dim()
    }

    fn file_bytes(&self) -> usize {
        let per_layer = 2 * self.dim
            + 2 * self.dim * self.dim
            + 2 * self.dim * self.kv_dim()
            + 3 * self.dim * self.hidden_dim;
        let mut floats = self.vocab_size * self.dim + self.layers * per_layer + self.dim;
        floats += self.seq_len * self.head_dim(); // Rotary tables, which are computed here.
        if !self.tied {
            floats += self.vocab_size * self.dim;
        }
        28 + 4 * floats
    }

    fn config(&self) -> LlamaConfig {
        LlamaConfig {
            vocab_size: self.vocab_size,
            hidden_size: self.dim,
            intermediate_size: self.hidden_dim,
            num_hidden_layers: self.layers,
            num_attention_heads: self.heads,
            num_key_value_heads: Some(self.kv_heads),
            max_position_embeddings: self.seq_len,
            rms_norm_eps: 1e-5,
            tie_word_embeddings: self.tied,
            ..LlamaConfig::default()
        }
    }

    fn tensors(&self, floats: &[f32]) -> Vec<FileTensor> {
        let mut reader = Reader { floats, layers: self.layers, tensors: Vec::new() };
        let (dim, kv, hidden) = (self.dim, self.kv_dim(), self.hidden_dim);
        reader.one("model.embed_tokens", &[self.vocab_size, dim]);
        reader.per_layer("input_layernorm", &[dim], |values| values);
        let pairs = |heads| move |values: Vec<f32>| halves_from_pairs(&values, heads, dim);
        reader.per_layer("self_attn.q_proj", &[dim, dim], pairs(self.heads));
        reader.per_layer("self_attn.k_proj", &[kv, dim], pairs(self.kv_heads));
        reader.per_layer("self_attn.v_proj", &[kv, dim], |values| values);
        reader.per_layer("self_attn.o_proj", &[dim, dim], |values| values);
        reader.per_layer("post_attention_layernorm", &[dim], |values| values);
        reader.per_layer("mlp.gate_proj", &[hidden, dim], |values| values);
        reader.per_layer("mlp.down_proj", &[dim, hidden], |values| values);
        reader.per_layer("mlp.up_proj", &[hidden, dim], |values| values);
        reader.one("model.norm", &[dim]);
        reader.floats = &reader.floats[self.seq_len * self.head_dim()..];
        if !self.tied {
            reader.one("lm_head", &[self.vocab_size, dim]);
        }
        reader.tensors
    }
}

struct Reader<'a> {
    floats: &'a [f32],
    layers: usize,
    tensors: Vec<FileTensor>,
}

impl Reader<'_> {
    fn take(&mut self, shape: &[usize]) -> Vec<f32> {
        let (values, rest) = self.floats.split_at(shape.iter().product());
        self.floats = rest;
        values.to_vec()
    }

    fn one(&mut self, name: &str, shape: &[usize]) {
        let values = self.take(shape);
        self.tensors.push(FileTensor {
            name: format!("{name}.weight"),
            shape: shape.into(),
            values,
        });
    }

    fn per_layer(&mut self, name: &str, shape: &[usize], change: impl Fn(Vec<f32>) -> Vec<f32>) {
        for layer in 0..self.layers {
            let values = change(self.take(shape));
            let name = format!("model.layers.{layer}.{name}.weight");
            self.tensors.push(FileTensor { name, shape: shape.into(), values });
        }
    }
}
