//! Reference data that is not part of the repository: beside its root, or where `WUJI_SHARED` says.

use std::path::{Path, PathBuf};

/// The file or folder `name`; where it is absent, that is said and the test has nothing to do.
pub fn find(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let path = std::env::var_os("WUJI_SHARED").map_or(beside, PathBuf::from).join(name);
    if !path.exists() {
        eprintln!("SKIPPED: shared/{name}: not found");
        return None;
    }
    Some(path)
}
