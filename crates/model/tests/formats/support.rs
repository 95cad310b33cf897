//! Reference data, and models that are compared by their logits.
#![expect(clippy::print_stderr, reason = "a skipped comparison must be seen")]

use std::path::{Path, PathBuf};

use burn::tensor::{Device, Int, Tensor, TensorData};
use wuji_device::DeviceSpec;
use wuji_model::weights::TensorFiles;
use wuji_model::{CausalLm, ModelConfig};

/// The entry `relative` of the shared folder, or a visible note that the test is skipped.
pub fn shared(relative: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let path = std::env::var_os("WUJI_SHARED").map_or(beside, PathBuf::from).join(relative);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} not found", path.display());
    None
}

pub fn flex() -> Device {
    DeviceSpec::default().open().unwrap()
}

/// A small model of the family that `json` describes.
pub fn small(json: &str) -> CausalLm {
    CausalLm::init(&ModelConfig::from_json(json).unwrap(), 7, &flex()).unwrap()
}

/// Logits of the ids `1..=8`.
pub fn logits(model: &CausalLm) -> Vec<f32> {
    let ids = Tensor::<2, Int>::from_data([[1, 2, 3, 4, 5, 6, 7, 8]], &flex());
    model.forward(ids).into_data().iter::<f32>().collect()
}

/// Logits of the ids in a golden case.
pub fn golden_logits(model: &CausalLm, expected: &TensorFiles) -> Vec<f32> {
    let shape = expected.shape("in.input_ids").unwrap().to_vec();
    let data = TensorData::new(expected.read_i64("in.input_ids").unwrap(), shape);
    let ids = Tensor::<2, Int>::from_data(data, &flex());
    model.forward(ids).into_data().iter::<f32>().collect()
}

/// The largest difference, of as many values.
pub fn worst(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len(), "number of values");
    found.iter().zip(expected).map(|(f, e)| (f - e).abs()).fold(0.0, f32::max)
}
