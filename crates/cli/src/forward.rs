//! `wuji forward`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args as ClapArgs;
use wuji::forward::{OutputTensor, forward_file};
use wuji::model::CausalLm;

use crate::common::Common;
use crate::model_path::model_path;

/// Options of `forward`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A model directory, that of a run, a GGUF file, or the name of a model on the Hugging Face Hub.
    #[arg(long, value_name = "MODEL")]
    model: PathBuf,
    /// A safetensors file with integer tensors [batch, seq]: input_ids, and as wished
    /// attention_mask, position_ids and labels. Names may begin with `in.`, and with a group, as in
    /// pad.input_ids.
    #[arg(long, value_name = "FILE")]
    inputs: PathBuf,
    /// Where to write logits, hidden.0 … hidden.N and, given labels, loss.
    #[arg(long, value_name = "FILE")]
    outputs: PathBuf,
}

/// Runs the verb.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    let device = common.device.open()?;
    let model = CausalLm::from_dir(&model_path(&args.model, common)?, &device)?;
    let written = forward_file(&model, &args.inputs, &args.outputs, &device)?;
    let line = |tensor: &OutputTensor| format!("{:16} {:?}", tensor.name, tensor.shape);
    common.print(&written, || written.iter().map(line).collect::<Vec<_>>().join("\n"))
}
