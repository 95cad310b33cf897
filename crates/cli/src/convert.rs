//! `wuji convert`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args as ClapArgs, ValueEnum};
use wuji::WujiError;
use wuji::convert::{ConvertOptions, Converted, SourceFormat, convert};
use wuji::model::weights::StoredDtype;

use crate::common::Common;
use crate::layout::grouped;

/// Options of `convert`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// What to convert: a Hugging Face directory, or a llama2.c checkpoint (.bin). What it is, is
    /// told by its content.
    #[arg(value_name = "SRC")]
    source: PathBuf,
    /// The directory to make.
    #[arg(value_name = "DST")]
    target: PathBuf,
    /// Format to make.
    #[arg(long, value_enum, default_value_t = Format::Hf)]
    to: Format,
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
}

impl From<Dtype> for StoredDtype {
    fn from(dtype: Dtype) -> Self {
        match dtype {
            Dtype::F32 => Self::F32,
            Dtype::F16 => Self::F16,
            Dtype::Bf16 => Self::Bf16,
        }
    }
}

/// Runs the verb.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    if args.to != Format::Hf {
        let what =
            format!("writing {}", if args.to == Format::Gguf { "GGUF" } else { "burn records" });
        let instead = "use --to hf".to_string();
        return Err(WujiError::Unsupported { what, instead }.into());
    }
    let options = ConvertOptions {
        dtype: args.dtype.map(StoredDtype::from),
        tokenizer: args.tokenizer.clone(),
    };
    let converted = convert(&args.source, &args.target, &options)?;
    if converted.tokenizer.is_none() {
        common
            .note("no tokenizer was found: give one with --tokenizer to generate with this model");
    }
    common.print(&converted, || describe(args, &converted))
}

fn describe(args: &Args, converted: &Converted) -> String {
    let from = match converted.source_format {
        SourceFormat::HuggingFace => "Hugging Face directory",
        SourceFormat::Llama2c => "llama2.c checkpoint",
    };
    let dtype = format!("{:?}", converted.dtype).to_lowercase();
    format!(
        "{from} → {}: {}, {} parameters in {dtype}",
        args.target.display(),
        converted.model_type,
        grouped(converted.parameters as u64),
    )
}
