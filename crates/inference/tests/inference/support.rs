//! Reading reference data that may or may not be beside the workspace, and the small things that
//! every test needs.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use safetensors::SafeTensors;
use wuji_device::DeviceSpec;
use wuji_inference::sampling::Sampler;
use wuji_inference::{InferenceError, LogitsModel, generate};
use wuji_protocol::GenerateOptions;

/// A path under the shared folder: `WUJI_SHARED`, or `shared` beside the workspace. `None`, and a
/// line on stderr that says so, when it is not there.
pub fn shared(relative: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let path = std::env::var_os("WUJI_SHARED").map_or_else(beside, PathBuf::from).join(relative);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} not found", path.display());
    None
}

/// The default CPU device.
pub fn flex() -> Device {
    DeviceSpec::default().open().unwrap()
}

/// `expected.safetensors` of a case.
pub struct Expected(Vec<u8>);

impl Expected {
    pub fn read(case: &Path) -> Self {
        Self(std::fs::read(case.join("expected.safetensors")).unwrap())
    }

    pub fn file(&self) -> SafeTensors<'_> {
        SafeTensors::deserialize(&self.0).unwrap()
    }

    pub fn shape(&self, name: &str) -> Vec<usize> {
        self.file().tensor(name).unwrap().shape().to_vec()
    }

    pub fn floats(&self, name: &str) -> Vec<f32> {
        let file = self.file();
        let chunks = file.tensor(name).unwrap().data().chunks_exact(4);
        chunks.map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
    }

    /// A tensor of integers as rows of its last dimension.
    pub fn rows(&self, name: &str) -> Vec<Vec<u32>> {
        let file = self.file();
        let chunks = file.tensor(name).unwrap().data().chunks_exact(8);
        let values = chunks.map(|bytes| i64::from_le_bytes(bytes.try_into().unwrap()) as u32);
        let width = *self.shape(name).last().unwrap();
        values.collect::<Vec<_>>().chunks(width).map(<[u32]>::to_vec).collect()
    }
}

/// Greedy decoding, token ids only.
pub fn greedy<M: LogitsModel>(
    model: &M,
    prompt: &[u32],
    max_new_tokens: usize,
    eos_token_ids: &[u32],
) -> Result<Vec<u32>, InferenceError> {
    let options = GenerateOptions { max_new_tokens, ..GenerateOptions::greedy() };
    let sampler = Sampler::new(options, Vec::new(), eos_token_ids.to_vec());
    let generation = generate(model, prompt, &sampler, &mut |_| Ok(ControlFlow::Continue(())))?;
    Ok(generation.ids)
}
