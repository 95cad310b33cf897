//! Reference numbers and how to compare with them.
#![expect(clippy::print_stderr, reason = "a skipped comparison and the largest error must be seen")]

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

/// The expected values of a case; none, and a line that says so, where there are none.
pub fn expected(case: &str) -> Option<Value> {
    let text = std::fs::read_to_string(self::case(case)?.join("expected.json")).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

/// The folder of a case; none, and a line that says so, where there is none.
pub fn case(case: &str) -> Option<PathBuf> {
    let Some(shared) = shared() else {
        eprintln!("SKIPPED: golden metrics/{case}: shared/golden not found");
        return None;
    };
    Some(shared.join("golden/metrics").join(case))
}

/// A gzipped JSON file of a data set; none, and a line that says so, where there is none.
pub fn data(path: &str) -> Option<Value> {
    let file = shared().map(|shared| shared.join("data").join(path)).filter(|file| file.is_file());
    let Some(file) = file else {
        eprintln!("SKIPPED: shared/data/{path} not found");
        return None;
    };
    let bytes = flate2::read::GzDecoder::new(std::fs::File::open(file).unwrap());
    Some(serde_json::from_reader(std::io::BufReader::new(bytes)).unwrap())
}

/// The folder with all data sets.
pub fn shared_data() -> Option<PathBuf> {
    let data = shared().map(|shared| shared.join("data")).filter(|data| data.is_dir());
    if data.is_none() {
        eprintln!("SKIPPED: shared/data not found");
    }
    data
}

fn shared() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("WUJI_SHARED").map_or(beside, PathBuf::from);
    root.join("golden").is_dir().then_some(root)
}

/// A value as a Rust type.
pub fn get<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}"))
}

/// Compares numbers and remembers the largest error.
pub struct Comparison {
    what: &'static str,
    tolerance: f64,
    compared: usize,
    worst: f64,
}

impl Comparison {
    pub fn new(what: &'static str, tolerance: f64) -> Self {
        Self { what, tolerance, compared: 0, worst: 0.0 }
    }

    /// Fails if a number is farther from the expected one than the tolerance.
    #[track_caller]
    pub fn number(&mut self, name: &str, found: f64, expected: &Value) {
        let number = expected.as_f64();
        let expected = number.unwrap_or_else(|| panic!("{name}: {expected} is not a number"));
        let error = (found - expected).abs();
        assert!(error <= self.tolerance, "{name}: found {found}, expected {expected}");
        self.compared += 1;
        self.worst = self.worst.max(error);
    }

    /// Compares lists of numbers.
    #[track_caller]
    pub fn numbers(&mut self, name: &str, found: &[f64], expected: &Value) {
        let expected = expected.as_array().unwrap_or_else(|| panic!("{name}: no list"));
        assert_eq!(found.len(), expected.len(), "{name}: number of values");
        for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
            self.number(&format!("{name}[{at}]"), *found, expected);
        }
    }
}

impl Drop for Comparison {
    fn drop(&mut self) {
        let Self { what, compared, worst, .. } = self;
        eprintln!("{what}: {compared} numbers, largest error {worst:.1e}");
    }
}
