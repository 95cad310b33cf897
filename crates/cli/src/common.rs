//! What every verb shares: `--device`, `--json`, `--quiet`, the output, the log.

use std::io::Write;
use std::num::NonZeroUsize;

use anyhow::{Context, Result};
use clap::Args;
use serde::Serialize;
use tracing_subscriber::EnvFilter;
use wuji::device::DeviceSpec;
use wuji::kernels::simd::{self, Level};

use crate::exit::Wrong;

/// Options of every verb.
#[derive(Debug, Args)]
pub struct Common {
    /// Where tensors live: flex, ndarray, wgpu[:n] or cuda[:n].
    #[arg(long, global = true, default_value = "flex", value_name = "DEVICE")]
    pub device: DeviceSpec,
    /// Threads that compute, all that the machine has when absent. They decide how long it takes and
    /// nothing else.
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Print one JSON object instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress on standard error; warnings and errors stay.
    #[arg(long, global = true)]
    pub quiet: bool,
}

impl Common {
    /// Starts the threads that compute, before anything else does.
    pub fn start_threads(&self) -> Result<()> {
        let all = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let threads = self.threads.unwrap_or_else(all).get();
        let mut pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        if threads > 1 {
            // This thread takes its share of a loop at once, where it would else wake another one
            // and sleep. Alone it would have to be there for work that others bring, and is not.
            pool = pool.use_current_thread();
        }
        pool.build_global().with_context(|| format!("--threads {threads}"))
    }

    /// Keeps the kernels from instruction sets above the one that `WUJI_SIMD` names, for tests and
    /// measurements.
    pub fn limit_instructions() -> Result<()> {
        let Some(name) = std::env::var_os("WUJI_SIMD") else { return Ok(()) };
        let names: Vec<&str> = Level::ALL.iter().map(|level| level.name()).collect();
        let wanted = name.to_str().and_then(Level::from_name);
        let Some(wanted) = wanted else {
            let problem = format!("WUJI_SIMD={name:?}: expected one of {}", names.join(", "));
            return Err(Wrong(problem).into());
        };
        simd::limit(Some(wanted));
        if simd::level() != wanted {
            let best = simd::level().name();
            return Err(Wrong(format!("WUJI_SIMD={}: this CPU has {best}", wanted.name())).into());
        }
        Ok(())
    }

    /// Prints `value` as JSON with `--json`, and otherwise what `text` says.
    pub fn print(&self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<()> {
        let text = if self.json { serde_json::to_string_pretty(value)? } else { text() };
        print(&text)
    }

    /// Something worth knowing that is not the result, on standard error.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            eprintln!("{text}");
        }
    }
}

/// A line, or several, on standard output.
pub fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

/// Warnings go to standard error; `RUST_LOG` asks for more.
pub fn start_log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .without_time()
        .init();
}
