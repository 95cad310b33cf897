//! Golden cases: where they are, how they are read, how results are compared.

use std::path::{Path, PathBuf};

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use wuji_device::DeviceSpec;
use wuji_model::weights::{FileTensor, TensorFiles};

pub const LOGITS_TOLERANCE: f32 = 1e-4;
pub const GRADIENT_TOLERANCE: f32 = 1e-4;
pub const LOSS_RELATIVE: f32 = 1e-5;

/// The folder of reference data.
pub fn shared() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("WUJI_SHARED").map_or(beside, PathBuf::from);
    root.join("golden").is_dir().then_some(root)
}

/// The cases of these names, where there are any.
pub fn cases<'a>(names: &[&'a str]) -> Vec<(&'a str, PathBuf)> {
    let Some(shared) = shared() else {
        eprintln!("SKIPPED: golden models: shared/golden not found");
        return Vec::new();
    };
    names.iter().map(|name| (*name, shared.join("golden/models").join(name))).collect()
}

/// The device that every machine has.
pub fn flex() -> Device {
    DeviceSpec::default().open().unwrap()
}

/// One case.
pub struct Golden {
    pub files: TensorFiles,
    device: Device,
}

impl Golden {
    pub fn open(dir: &Path, device: &Device) -> Self {
        let files = TensorFiles::open(&dir.join("expected.safetensors")).unwrap();
        Self { files, device: device.clone() }
    }

    pub fn has(&self, name: &str) -> bool {
        self.files.shape(name).is_some()
    }

    pub fn ints<const D: usize>(&self, name: &str) -> Tensor<D, Int> {
        let shape = self.files.shape(name).unwrap().to_vec();
        let values = self.files.read_i64(name).unwrap();
        Tensor::from_data(TensorData::new(values, shape), &self.device)
    }

    pub fn bools<const D: usize>(&self, name: &str) -> Tensor<D, Bool> {
        self.ints(name).equal_scalar(1)
    }

    /// Real numbers as a tensor.
    pub fn float_tensor<const D: usize>(&self, name: &str) -> Tensor<D> {
        let shape = self.files.shape(name).unwrap().to_vec();
        Tensor::from_data(TensorData::new(self.floats(name), shape), &self.device)
    }

    /// Real numbers `[batch, seq, width]` with zeros where `is_real` `[batch, seq, 1]` is zero.
    pub fn tensor_with_zeros(&self, name: &str, is_real: &Tensor<3>) -> Vec<f32> {
        let all = self.float_tensor::<3>(name);
        let shape = all.dims();
        values(all * is_real.clone().expand(shape))
    }

    pub fn floats(&self, name: &str) -> Vec<f32> {
        self.files.read_f32(name).unwrap()
    }
}

/// All values, row by row.
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// All values are within `tolerance`.
pub fn assert_close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}: number of values");
    let worst = found.iter().zip(expected).map(|(f, e)| (f - e).abs()).fold(0.0, f32::max);
    assert!(worst <= tolerance, "{what}: max abs error {worst} > {tolerance}");
}

/// A loss is within the relative tolerance.
pub fn assert_loss(what: &str, loss: &Tensor<1>, expected: f32) {
    let found = values(loss.clone())[0];
    let limit = LOSS_RELATIVE * expected.abs();
    assert!((found - expected).abs() <= limit, "{what}: loss {found} ≠ {expected}");
}

/// Every gradient of the case is among `gradients` and within tolerance.
pub fn assert_gradients(name: &str, golden: &Golden, gradients: &[FileTensor]) {
    let mut compared = 0;
    for gradient in gradients {
        let key = format!("grad.{}", gradient.name);
        if golden.has(&key) {
            let what = format!("{name} {key}");
            assert_close(&what, &gradient.values, &golden.floats(&key), GRADIENT_TOLERANCE);
            compared += 1;
        }
    }
    let expected = golden.files.names().filter(|key| key.starts_with("grad.")).count();
    assert_eq!(compared, expected, "{name}: gradients compared");
}

/// What `save` writes has the tensors of `dir`, bit for bit.
pub fn check_round_trip(name: &str, dir: &Path, save: impl FnOnce(&Path)) {
    let out = tempfile::tempdir().unwrap();
    save(out.path());
    let before = TensorFiles::open_dir(dir).unwrap();
    let after = TensorFiles::open_dir(out.path()).unwrap();
    let names: Vec<&str> = before.names().collect();
    assert_eq!(names, after.names().collect::<Vec<_>>(), "{name}: tensor names");
    for tensor in names {
        assert_eq!(before.shape(tensor), after.shape(tensor), "{name} {tensor}");
        let bits = |files: &TensorFiles| -> Vec<u32> {
            files.read_f32(tensor).unwrap().iter().map(|value| value.to_bits()).collect()
        };
        assert_eq!(bits(&before), bits(&after), "{name} {tensor}");
    }
}
