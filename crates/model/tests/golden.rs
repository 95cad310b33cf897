//! Logits, hidden states, losses and gradients against transformers' own (`shared/golden/models`).
#![expect(clippy::print_stderr, reason = "a skipped comparison must be seen")]

use std::path::{Path, PathBuf};

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use wuji_device::DeviceSpec;
use wuji_model::weights::{TensorFiles, named_gradients};
use wuji_model::{BackboneInput, CausalLm, CheckpointedPass};

const CASES: [&str; 9] = [
    "gpt2",
    "gpt2-options",
    "llama-gqa",
    "llama-tied-legacy",
    "llama-linear-rope",
    "llama3-rope",
    "llama-yarn-rope",
    "llama-bf16-sharded",
    "qwen3",
];
const LOGITS_TOLERANCE: f32 = 1e-4;
const GRADIENT_TOLERANCE: f32 = 1e-4;
const LOSS_RELATIVE: f32 = 1e-5;

fn shared() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("WUJI_SHARED").map_or(beside, PathBuf::from);
    root.join("golden").is_dir().then_some(root)
}

fn cases() -> Vec<(&'static str, PathBuf)> {
    let Some(shared) = shared() else {
        eprintln!("SKIPPED: golden models: shared/golden not found");
        return Vec::new();
    };
    CASES.iter().map(|name| (*name, shared.join("golden/models").join(name))).collect()
}

fn flex() -> Device {
    DeviceSpec::default().open().unwrap()
}

struct Golden {
    files: TensorFiles,
    device: Device,
}

impl Golden {
    fn open(dir: &Path, device: &Device) -> Self {
        let files = TensorFiles::open(&dir.join("expected.safetensors")).unwrap();
        Self { files, device: device.clone() }
    }

    fn has(&self, name: &str) -> bool {
        self.files.shape(name).is_some()
    }

    fn ints(&self, name: &str) -> Tensor<2, Int> {
        let shape = self.files.shape(name).unwrap().to_vec();
        let values = self.files.read_i64(name).unwrap();
        Tensor::from_data(TensorData::new(values, shape), &self.device)
    }

    fn bools(&self, name: &str) -> Tensor<2, Bool> {
        self.ints(name).equal_scalar(1)
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        self.files.read_f32(name).unwrap()
    }
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn assert_close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}: number of values");
    let worst = found.iter().zip(expected).map(|(f, e)| (f - e).abs()).fold(0.0, f32::max);
    assert!(worst <= tolerance, "{what}: max abs error {worst} > {tolerance}");
}

/// Shifted mean cross-entropy over labels that are not −100.
fn loss(logits: Tensor<3>, labels: Tensor<2, Int>) -> Tensor<1> {
    let [batch, seq, vocab] = logits.dims();
    let kept = labels.clone().narrow(1, 1, seq - 1).not_equal_scalar(-100).int().sum();
    let kept: i64 = kept.into_scalar();
    let logits = logits.narrow(1, 0, seq - 1).reshape([batch * (seq - 1), vocab]);
    let labels = labels.narrow(1, 1, seq - 1).reshape([batch * (seq - 1)]);
    wuji_kernels::cross_entropy_sum(logits, labels, 0.0) / kept as f64
}

#[test]
fn golden_logits_and_hidden_states_agree() {
    let device = flex();
    for (name, dir) in cases() {
        let golden = Golden::open(&dir, &device);
        let model = CausalLm::from_dir(&dir, &device).unwrap();
        let ids = golden.ints("in.input_ids");
        let logits = values(model.forward(ids.clone()));
        assert_close(
            &format!("{name} logits"),
            &logits,
            &golden.floats("out.logits"),
            LOGITS_TOLERANCE,
        );
        let states = model.decoder.forward_with_hidden_states(BackboneInput::new(ids));
        for (layer, state) in states.into_iter().enumerate() {
            let key = format!("out.hidden.{layer}");
            if golden.has(&key) {
                let what = format!("{name} hidden {layer}");
                assert_close(&what, &values(state), &golden.floats(&key), LOGITS_TOLERANCE);
            }
        }
    }
}

#[test]
fn golden_padded_batches_agree() {
    let device = flex();
    for (name, dir) in cases() {
        let golden = Golden::open(&dir, &device);
        if !golden.has("in.pad.input_ids") {
            continue;
        }
        let model = CausalLm::from_dir(&dir, &device).unwrap();
        let mask = golden.ints("in.pad.attention_mask");
        let input = BackboneInput {
            input_ids: golden.ints("in.pad.input_ids"),
            position_ids: Some(golden.ints("in.pad.position_ids")),
            attention_mask: Some(golden.bools("in.pad.attention_mask")),
            segment_ids: None,
        };
        let logits = model.forward_input(input);
        let shape = logits.dims();
        // Rows of padding are stored as zeros: they mean nothing.
        let real = mask.float().unsqueeze_dim::<3>(2).expand(shape);
        let logits = values(logits * real);
        let what = format!("{name} padded logits");
        assert_close(&what, &logits, &golden.floats("out.pad.logits"), LOGITS_TOLERANCE);
    }
}

#[test]
fn golden_losses_and_gradients_agree() {
    let device = flex().autodiff();
    for (name, dir) in cases() {
        let golden = Golden::open(&dir, &device);
        let model = CausalLm::from_dir(&dir, &device).unwrap();
        let ids = golden.ints("in.input_ids");
        let labels = if golden.has("in.labels") { golden.ints("in.labels") } else { ids.clone() };
        let loss = loss(model.forward(ids), labels);
        let expected = golden.floats("out.loss")[0];
        let found = values(loss.clone())[0];
        assert!(
            (found - expected).abs() <= LOSS_RELATIVE * expected,
            "{name} loss {found} ≠ {expected}"
        );
        let gradients = named_gradients(&model, &loss.backward(), model.config().tensor_names());
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
}

#[test]
fn golden_checkpointed_gradients_are_the_plain_ones() {
    let device = flex().autodiff();
    for (name, dir) in cases() {
        let golden = Golden::open(&dir, &device);
        let model = CausalLm::from_dir(&dir, &device).unwrap();
        let ids = golden.ints("in.input_ids");
        let plain = loss(model.forward(ids.clone()), ids.clone());
        let names = model.config().tensor_names();
        let expected = named_gradients(&model, &plain.backward(), names);
        let mut found = std::collections::BTreeMap::<String, Vec<f32>>::new();
        let pass = CheckpointedPass::forward(&model, BackboneInput::new(ids.clone()), 1);
        pass.backward(
            |hidden| loss(model.logits(hidden), ids),
            |gradients| {
                for part in named_gradients(&model, &gradients, names) {
                    let sum =
                        found.entry(part.name).or_insert_with(|| vec![0.0; part.values.len()]);
                    sum.iter_mut().zip(part.values).for_each(|(sum, value)| *sum += value);
                }
            },
        );
        assert_eq!(found.len(), expected.len(), "{name}: parameters with a gradient");
        for gradient in expected {
            assert_close(&gradient.name, &found[&gradient.name], &gradient.values, 1e-6);
        }
    }
}

#[test]
fn golden_round_trip_is_bit_exact() {
    let device = flex();
    for (name, dir) in cases() {
        if name == "llama-bf16-sharded" {
            continue; // Written as f32 below, so its bytes differ by design; its logits are above.
        }
        let model = CausalLm::from_dir(&dir, &device).unwrap();
        let out = tempfile::tempdir().unwrap();
        model.save(out.path(), wuji_model::weights::StoredDtype::F32).unwrap();
        let before = TensorFiles::open_dir(&dir).unwrap();
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
}

#[test]
fn golden_cached_logits_are_the_uncached_ones() {
    let device = flex();
    for (name, dir) in cases() {
        let golden = Golden::open(&dir, &device);
        let model = CausalLm::from_dir(&dir, &device).unwrap();
        let ids = golden.ints("in.input_ids");
        let [_, seq] = ids.dims();
        let mut cache = model.new_cache(seq);
        let mut pieces = vec![model.forward_cached(ids.clone().narrow(1, 0, 5), &mut cache)];
        for position in 5..seq {
            pieces.push(model.forward_cached(ids.clone().narrow(1, position, 1), &mut cache));
        }
        let cached = values(Tensor::cat(pieces, 1));
        assert_close(name, &cached, &values(model.forward(ids)), 1e-5);
    }
}
