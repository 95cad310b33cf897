//! Where the reference data is, and how results are compared with it.

use std::path::{Path, PathBuf};

/// A folder or file of reference data, or nothing after saying so.
pub fn shared(part: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("WUJI_SHARED").map_or(beside, PathBuf::from);
    let path = root.join(part);
    if !path.exists() {
        eprintln!("SKIPPED: shared/{part} not found");
        return None;
    }
    Some(path)
}

/// The largest absolute difference.
pub fn max_error(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len(), "number of values");
    let errors = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    // `max` would pass over a value that is no number.
    errors.fold(0.0, |worst, error| if error.is_nan() { f32::NAN } else { worst.max(error) })
}
