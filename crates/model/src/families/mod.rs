//! One file per family: its `config.json`, the architecture that describes, its tensor names.

mod gpt2;
mod llama;
mod rope_config;

pub use gpt2::Gpt2Config;
pub use llama::{LlamaConfig, Qwen3Config};

/// The layer number and the rest of a path inside a block: `decoder.blocks.3.mlp.up.weight` is
/// `(3, "mlp.up.weight")`.
pub(crate) fn block_path(path: &str) -> Option<(usize, &str)> {
    let (layer, rest) = path.strip_prefix("decoder.blocks.")?.split_once('.')?;
    Some((layer.parse().ok()?, rest))
}

/// `weight` or `bias`: a path's last component, and what comes before it.
pub(crate) fn split_kind(path: &str) -> (&str, &str) {
    path.rsplit_once('.').unwrap_or(("", path))
}
