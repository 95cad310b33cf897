//! `wuji convert`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args as ClapArgs, ValueEnum};
use wuji::WujiError;
use wuji::convert::{ConvertOptions, Converted, NumberFormat, SourceFormat, TargetFormat, convert};

use crate::common::Common;
use crate::layout::grouped;

/// Options of `convert`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// What to convert: a Hugging Face directory with safetensors or PyTorch weights, a GGUF file,
    /// or a llama2.c checkpoint (.bin). What it is, is told by its content.
    #[arg(value_name = "SRC")]
    source: PathBuf,
    /// The directory or file to make.
    #[arg(value_name = "DST")]
    target: PathBuf,
    /// Format to make [default: gguf if DST ends in .gguf, and otherwise hf].
    #[arg(long, value_enum)]
    to: Option<Format>,
    /// Number format of the weights; that of the source when absent.
    #[arg(long, value_enum)]
    dtype: Option<Dtype>,
    /// The tokenizer, where the source keeps it elsewhere; by default a tok*.bin beside a llama2.c
    /// checkpoint.
    #[arg(long, value_name = "PATH")]
    tokenizer: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A Hugging Face directory.
    Hf,
    /// One GGUF file.
    Gguf,
    /// Burn's own record.
    Burn,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Dtype {
    /// 32-bit IEEE.
    F32,
    /// 16-bit IEEE.
    F16,
    /// bfloat16.
    Bf16,
    /// 8.5 bits in blocks of 32, in GGUF.
    #[value(name = "q8_0")]
    Q8_0,
    /// 4.5 bits in blocks of 32, in GGUF.
    #[value(name = "q4_0")]
    Q4_0,
}

impl From<Dtype> for NumberFormat {
    fn from(dtype: Dtype) -> Self {
        match dtype {
            Dtype::F32 => Self::F32,
            Dtype::F16 => Self::F16,
            Dtype::Bf16 => Self::Bf16,
            Dtype::Q8_0 => Self::Q8_0,
            Dtype::Q4_0 => Self::Q4_0,
        }
    }
}

impl Args {
    fn target_format(&self) -> Result<TargetFormat, WujiError> {
        let is_gguf = self.target.extension().is_some_and(|ending| ending == "gguf");
        match self.to.unwrap_or(if is_gguf { Format::Gguf } else { Format::Hf }) {
            Format::Hf => Ok(TargetFormat::HuggingFace),
            Format::Gguf => Ok(TargetFormat::Gguf),
            Format::Burn => Err(WujiError::Unsupported {
                what: "writing burn records".to_string(),
                instead: "use --to hf".to_string(),
            }),
        }
    }
}

/// Runs the verb.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    let options = ConvertOptions {
        to: args.target_format()?,
        dtype: args.dtype.map(NumberFormat::from),
        tokenizer: args.tokenizer.clone(),
    };
    let converted = convert(&args.source, &args.target, &options)?;
    match (&converted.tokenizer, &converted.tokenizer_left_out) {
        (_, Some(reason)) => {
            common.note(&format!("the tokenizer was left out: GGUF cannot hold it: {reason}"));
        }
        (None, None) => common
            .note("no tokenizer was found: give one with --tokenizer to generate with this model"),
        (Some(_), None) => {}
    }
    common.print(&converted, || describe(args, &converted))
}

fn describe(args: &Args, converted: &Converted) -> String {
    let from = match converted.source_format {
        SourceFormat::HuggingFace => "Hugging Face directory",
        SourceFormat::Pytorch => "PyTorch checkpoint",
        SourceFormat::Gguf => "GGUF file",
        SourceFormat::Llama2c => "llama2.c checkpoint",
    };
    format!(
        "{from} → {}: {}, {} parameters in {}",
        args.target.display(),
        converted.model_type,
        grouped(converted.parameters as u64),
        converted.dtype,
    )
}
