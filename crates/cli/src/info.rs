//! `wuji info`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args as ClapArgs;
use wuji::inspect::ModelInfo;
use wuji::model::ModelKind;
use wuji::model::weights::config_of;

use crate::common::Common;
use crate::layout::{bytes, grouped, pairs, table};
use crate::model_path::model_path;

/// Options of `info`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A model directory, that of a run, a config.json, a GGUF file, or the name of a model on the
    /// Hugging Face Hub. Weights are not read.
    #[arg(value_name = "MODEL")]
    model: PathBuf,
}

/// Runs the verb.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    let config = config_of(&model_path(&args.model, common)?)?;
    let info = ModelInfo::new(&config)?;
    common.print(&info, || describe(&info))
}

fn describe(info: &ModelInfo) -> String {
    let shape = if info.kind.is_transformer() { transformer(info) } else { recurrent(info) };
    let (memory, flops) = (&info.memory, &info.flops);
    let costs = pairs(&[
        ("weights in f32", bytes(memory.weights_f32)),
        ("weights in bf16", bytes(memory.weights_bf16)),
        ("weights in int8", bytes(memory.weights_int8)),
        ("training in f32 (AdamW)", bytes(memory.training_adamw_f32)),
        ("keys and values in f32", memory.kv_cache_f32.map_or("none".to_string(), bytes)),
        ("forward, FLOPs per token", format!("{:.4e}", flops.forward_per_token)),
        ("training, FLOPs per token", format!("{:.4e}", flops.training_per_token)),
    ]);
    let note = note(info);
    format!("{shape}\n\n{}\n\n{costs}\n\n{note}", parameters(info))
}

/// The shape of a stack of blocks, or two.
fn transformer(info: &ModelInfo) -> String {
    let heads = match info.num_key_value_heads == info.num_attention_heads {
        true => format!("{}", info.num_attention_heads),
        false => format!(
            "{} ({} for keys and values)",
            info.num_attention_heads, info.num_key_value_heads
        ),
    };
    pairs(&[
        ("family", info.model_type.clone()),
        ("blocks", blocks(info)),
        ("width", format!("{}, {} in the MLP", info.hidden_size, info.intermediate_size)),
        ("attention heads", format!("{heads} of {}", info.head_dim)),
        ("positions", format!("{}, up to {}", info.positions, length(info))),
        ("norm", info.norm.clone()),
        ("MLP", info.mlp.clone()),
        ("experts", info.experts.clone().unwrap_or_else(|| "none".to_string())),
        ("vocabulary", grouped(info.vocab_size as u64)),
        ("head", head(info)),
    ])
}

/// The shape of a model from before the transformer.
fn recurrent(info: &ModelInfo) -> String {
    let inner = match info.intermediate_size {
        0 => String::new(),
        inner => format!(", {inner} in hidden layers"),
    };
    pairs(&[
        ("family", info.model_type.clone()),
        ("kind", info.mlp.clone()),
        ("layers", blocks(info)),
        ("width", format!("{}{inner}", info.hidden_size)),
        ("vocabulary", grouped(info.vocab_size as u64)),
        ("head", head(info)),
    ])
}

/// The longest sequence.
fn length(info: &ModelInfo) -> String {
    info.context_length.map_or("any length".to_string(), |length| length.to_string())
}

fn head(info: &ModelInfo) -> String {
    let projection = match info.tie_word_embeddings {
        true => "the token embedding",
        false => "a matrix of its own",
    };
    match info.kind {
        ModelKind::Encoder if info.heads.is_empty() => "none".to_string(),
        ModelKind::Encoder => info.heads.join(", "),
        _ => projection.to_string(),
    }
}

/// What the figures are of.
fn note(info: &ModelInfo) -> String {
    let length = length(info);
    match info.kind {
        ModelKind::CausalLm => format!(
            "Activations aside; keys and values of one sequence of {length}, FLOPs at that length."
        ),
        ModelKind::Encoder => format!("Activations aside; FLOPs at a length of {length}."),
        ModelKind::EncoderDecoder => format!(
            "Activations aside; keys and values of a source and a target of {length} each, FLOPs of a token of \
             each at that length."
        ),
        ModelKind::Recurrent | ModelKind::FeedForward => "Activations aside.".to_string(),
        ModelKind::RecurrentEncoderDecoder => "Activations and attention scores aside; FLOPs of a \
             source token and a target token together."
            .to_string(),
    }
}

fn blocks(info: &ModelInfo) -> String {
    match info.num_encoder_layers {
        Some(encoder) => {
            format!("{encoder} in the encoder, {} in the decoder", info.num_hidden_layers)
        }
        None => info.num_hidden_layers.to_string(),
    }
}

fn parameters(info: &ModelInfo) -> String {
    let counts = &info.parameters;
    let share = |count: usize| format!("{:.1} %", 100.0 * count as f64 / counts.total as f64);
    let parts = [
        ("token embedding", counts.token_embedding),
        ("other tables", counts.position_embedding),
        ("recurrent layers", counts.recurrent),
        ("attention", counts.attention),
        ("MLP", counts.mlp),
        ("norms", counts.norms),
        ("head", counts.head),
        ("all", counts.total),
    ];
    let rows: Vec<Vec<String>> = parts
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| vec![name.to_string(), grouped(count as u64), share(count)])
        .collect();
    table(&["parameters", "", ""], &rows, &[1, 2])
}
