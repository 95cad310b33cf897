//! What this build contains and what this machine has.

use serde::Serialize;

use crate::{BackendKind, DeviceSpec};

/// One backend's state.
#[derive(Debug, Clone, Serialize)]
pub struct BackendReport {
    /// Its name in `--device`.
    pub name: &'static str,
    /// Whether this build contains it.
    pub compiled: bool,
    /// Whether a device opened, or why not; absent when not compiled.
    pub available: Option<Result<(), String>>,
}

/// The build and the machine.
#[derive(Debug, Clone, Serialize)]
pub struct Capabilities {
    /// All backends, default first.
    pub backends: Vec<BackendReport>,
    /// Threads that parallel work may use.
    pub threads: usize,
    /// Processor architecture.
    pub architecture: &'static str,
    /// Vector extensions found at run time, widest last.
    pub simd: Vec<&'static str>,
}

/// Looks at every backend (opening those compiled in) and at the processor.
pub fn capabilities() -> Capabilities {
    Capabilities {
        backends: BackendKind::ALL.map(report).into(),
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        architecture: std::env::consts::ARCH,
        simd: simd(),
    }
}

fn report(backend: BackendKind) -> BackendReport {
    let compiled = backend.is_compiled();
    let available = compiled.then(|| {
        let opened = DeviceSpec { backend, index: None }.open();
        opened.map(|_| ()).map_err(|error| error.to_string())
    });
    BackendReport { name: backend.name(), compiled, available }
}

#[cfg(target_arch = "x86_64")]
fn simd() -> Vec<&'static str> {
    let mut found = Vec::new();
    macro_rules! look {
        ($($feature:tt),*) => {
            $(if std::arch::is_x86_feature_detected!($feature) { found.push($feature); })*
        };
    }
    look!("sse4.2", "avx", "avx2", "fma", "avx512f", "avx512bf16");
    found
}

#[cfg(target_arch = "aarch64")]
fn simd() -> Vec<&'static str> {
    vec!["neon"]
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn simd() -> Vec<&'static str> {
    Vec::new()
}
