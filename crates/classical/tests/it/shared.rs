//! Finds the reference data that is not part of the repository.
#![expect(clippy::print_stderr, reason = "a test that is skipped must say so")]

use std::path::PathBuf;

/// `path` under `$WUJI_SHARED` or, without it, under `shared` beside the workspace. `None`, and a
/// line on stderr, when it is not there.
pub fn find(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("WUJI_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    let found = root.join(path);
    if found.exists() {
        return Some(found);
    }
    eprintln!("SKIPPED: {} not found", found.display());
    None
}
