//! What every verb shares: `--device`, `--json`, `--quiet`, the log.

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use tracing_subscriber::EnvFilter;
use wuji::device::DeviceSpec;

/// Options of every verb.
#[derive(Debug, Args)]
pub struct Common {
    /// Where tensors live: flex, ndarray, wgpu[:n] or cuda[:n].
    #[arg(long, global = true, default_value = "flex", value_name = "DEVICE")]
    pub device: DeviceSpec,
    /// Print one JSON object instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress on standard error; warnings and errors stay.
    #[arg(long, global = true)]
    pub quiet: bool,
}

impl Common {
    /// Prints `value` as JSON with `--json`, and otherwise what `text` says.
    pub fn print(&self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<()> {
        if self.json {
            println!("{}", serde_json::to_string_pretty(value)?);
        } else {
            println!("{}", text());
        }
        Ok(())
    }
}

/// Warnings go to standard error; `RUST_LOG` asks for more.
pub fn start_log(_common: &Common) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .without_time()
        .init();
}
