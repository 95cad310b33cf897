//! `wuji forward`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args as ClapArgs;
use wuji::forward::{OutputTensor, forward_file};
use wuji::model::AnyModel;

use crate::common::Common;
use crate::model_path::model_path;

/// Options of `forward`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A model directory, that of a run, a GGUF file, or the name of a model on the Hugging Face Hub.
    #[arg(long, value_name = "MODEL")]
    model: PathBuf,
    /// A safetensors file with integer tensors: input_ids [batch, seq] and, as the model takes them,
    /// attention_mask, position_ids, token_type_ids, block_position_ids, decoder_input_ids, labels,
    /// next_sentence_label, start_positions and end_positions. Names may begin with `in.`, and with
    /// a group, as in pad.input_ids.
    #[arg(long, value_name = "FILE")]
    inputs: PathBuf,
    /// Where to write every output that these allow: logits, hidden.0 … hidden.N, given labels the
    /// loss, what else the heads of the model give, and of an encoder–decoder its attention
    /// [batch, heads, target, source], cross_attention.0 … cross_attention.N.
    #[arg(long, value_name = "FILE")]
    outputs: PathBuf,
}

/// Runs the verb.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    let device = common.device.open()?;
    let model = AnyModel::from_dir(&model_path(&args.model, common)?, &device)?;
    let written = forward_file(&model, &args.inputs, &args.outputs, &device)?;
    let line = |tensor: &OutputTensor| format!("{:24} {:?}", tensor.name, tensor.shape);
    common.print(&written, || written.iter().map(line).collect::<Vec<_>>().join("\n"))
}
