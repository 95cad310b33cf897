//! One forward pass over named tensors, to look inside a model and to compare it with other
//! implementations.
//!
//! Inputs are integer tensors `[batch, seq]` of a safetensors file: `input_ids` and, as wished,
//! `attention_mask`, `position_ids` and `labels`. Outputs are everything that these allow:
//!
//! * `logits` `[batch, seq, vocab_size]`;
//! * `hidden.0` (the embeddings), `hidden.1` … the output of each block, the last after the final
//!   norm, `[batch, seq, hidden_size]`: transformers' `hidden_states`;
//! * `loss`, given `labels`: the mean cross-entropy of each label but −100 at the position before
//!   it, as transformers' `ForCausalLM` classes compute it.
//!
//! Names may be in groups, each with a pass of its own: `pad.input_ids` gives `pad.logits`. Where
//! any name begins with `in.`, only those are inputs, and the prefix is dropped; a file with inputs
//! and reference outputs side by side can so be given as it is.
//!
//! As in transformers, positions count from 0 whatever the mask says, unless `position_ids` are
//! given. Outputs at padding mean nothing and are written as zeros.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Int, Tensor, TensorData};
use serde::Serialize;
use wuji_model::weights::{FileTensor, StoredDtype, TensorFiles, save_tensor_file};
use wuji_model::{BackboneInput, CausalLm, Positions};

use crate::WujiError;

const NAMES: [&str; 4] = ["input_ids", "attention_mask", "position_ids", "labels"];
const IGNORED_LABEL: i64 = -100;

/// Name and shape of something that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutputTensor {
    /// Its name in the file.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
}

/// Reads inputs from the file `inputs`, runs `model` and writes the file `outputs`.
///
/// # Errors
/// A file that cannot be read or written, or inputs that do not fit the model or each other.
pub fn forward_file(
    model: &CausalLm,
    inputs: &Path,
    outputs: &Path,
    device: &Device,
) -> Result<Vec<OutputTensor>, WujiError> {
    let mut tensors = Vec::new();
    for (group, batch) in read_inputs(inputs, model)? {
        for mut tensor in batch.forward(model, device) {
            tensor.name = format!("{group}{}", tensor.name);
            tensors.push(tensor);
        }
    }
    save_tensor_file(outputs, &tensors, StoredDtype::F32)?;
    let describe = |tensor: FileTensor| OutputTensor { name: tensor.name, shape: tensor.shape };
    Ok(tensors.into_iter().map(describe).collect())
}

/// The batches of a file by the prefix of their names (`""`, or with its dot, `pad.`).
fn read_inputs(path: &Path, model: &CausalLm) -> Result<BTreeMap<String, Batch>, WujiError> {
    let files = TensorFiles::open(path)?;
    let marked = files.names().any(|name| name.starts_with("in."));
    let mut groups: BTreeMap<String, Reader> = BTreeMap::new();
    for full in files.names() {
        let name = match full.strip_prefix("in.") {
            Some(rest) => rest,
            None if marked => continue,
            None => full,
        };
        let end = name.rfind('.').map_or(0, |dot| dot + 1);
        let (group, name) = name.split_at(end);
        let Some(known) = NAMES.into_iter().find(|known| *known == name) else {
            let expected = NAMES.join(", ");
            let problem = format!("{full} is no input of this model; expected {expected}");
            return Err(WujiError::input(path, problem));
        };
        let reader = groups.entry(group.to_string()).or_insert_with(|| Reader::new(path, &files));
        reader.names.insert(known, full);
    }
    if groups.is_empty() {
        return Err(WujiError::input(path, "there is no input_ids"));
    }
    let read = |(group, reader): (String, Reader)| Ok((group, reader.batch(model)?));
    groups.into_iter().map(read).collect()
}

/// Reads and checks one group.
struct Reader<'a> {
    path: PathBuf,
    files: &'a TensorFiles,
    /// Full names by known names.
    names: BTreeMap<&'static str, &'a str>,
}

impl<'a> Reader<'a> {
    fn new(path: &Path, files: &'a TensorFiles) -> Self {
        Self { path: path.to_path_buf(), files, names: BTreeMap::new() }
    }

    fn bad(&self, name: &str, problem: String) -> WujiError {
        let full = self.names.get(name).copied().unwrap_or(name);
        WujiError::input(&self.path, format!("{full} {problem}"))
    }

    fn batch(&self, model: &CausalLm) -> Result<Batch, WujiError> {
        let vocab_size = model.config().vocab_size() as i64;
        let (shape, input_ids) = self
            .read("input_ids", 0..vocab_size, &[])?
            .ok_or_else(|| WujiError::input(&self.path, "there is no input_ids"))?;
        if shape.contains(&0) {
            return Err(self.bad("input_ids", format!("has shape {shape:?}; expected some tokens")));
        }
        let learned = model.decoder.architecture().positions == Positions::Learned;
        let limit = model.config().max_position_embeddings();
        // Rotary positions have no table to run out of.
        let positions = if learned { 0..limit as i64 } else { 0..i64::MAX };
        let like = |(found, values): (Shape, Vec<i64>), name: &str| {
            if found == shape {
                return Ok(values);
            }
            let problem = format!("has shape {found:?}; expected that of input_ids, {shape:?}");
            Err(self.bad(name, problem))
        };
        let read = |name, range, beside: &[i64]| {
            self.read(name, range, beside)?.map(|found| like(found, name)).transpose()
        };
        let attention_mask = read("attention_mask", i64::MIN..i64::MAX, &[])?;
        let position_ids = read("position_ids", positions, &[])?;
        let labels = read("labels", 0..vocab_size, &[IGNORED_LABEL])?;
        if learned && position_ids.is_none() && shape[1] > limit {
            let problem = format!("has {} columns; the model has {limit} positions", shape[1]);
            return Err(self.bad("input_ids", problem));
        }
        let batch = Batch { shape, input_ids, attention_mask, position_ids, labels };
        match batch.labels {
            Some(_) if batch.kept_labels().next().is_none() => {
                Err(self
                    .bad("labels", format!("leave nothing to predict: all are {IGNORED_LABEL}")))
            }
            _ => Ok(batch),
        }
    }

    /// A matrix whose values are in `range` or among `beside`; `None` where it is not in the file.
    fn read(
        &self,
        name: &'static str,
        range: std::ops::Range<i64>,
        beside: &[i64],
    ) -> Result<Option<(Shape, Vec<i64>)>, WujiError> {
        let Some(full) = self.names.get(name) else { return Ok(None) };
        let found = self.files.shape(full).unwrap_or_default();
        let Ok(shape) = Shape::try_from(found) else {
            return Err(self.bad(name, format!("has shape {found:?}; expected [batch, seq]")));
        };
        let values = self.files.read_i64(full)?;
        let fits = |value: &i64| range.contains(value) || beside.contains(value);
        if let Some(at) = values.iter().position(|value| !fits(value)) {
            let (row, column, value) = (at / shape[1], at % shape[1], values[at]);
            let expected = format!("0 to {}", range.end - 1);
            let problem = format!("[{row}, {column}] is {value}; expected {expected}");
            return Err(self.bad(name, problem));
        }
        Ok(Some((shape, values)))
    }
}

type Shape = [usize; 2];

/// Checked inputs of one pass, all `[batch, seq]`.
#[derive(Debug)]
struct Batch {
    shape: Shape,
    input_ids: Vec<i64>,
    attention_mask: Option<Vec<i64>>,
    position_ids: Option<Vec<i64>>,
    labels: Option<Vec<i64>>,
}

impl Batch {
    fn forward(&self, model: &CausalLm, device: &Device) -> Vec<FileTensor> {
        let mut states = model.decoder.forward_with_hidden_states(self.backbone_input(device));
        let last = states.last().cloned();
        let logits = last.map(|hidden| model.logits(hidden)).expect("the embeddings are a state");
        let logits = self.output("logits".to_string(), logits);
        let loss = self.loss(&logits);
        let hidden = states.drain(..).enumerate();
        let hidden = hidden.map(|(layer, state)| self.output(format!("hidden.{layer}"), state));
        let mut outputs: Vec<FileTensor> = hidden.collect();
        outputs.insert(0, logits);
        outputs.extend(loss);
        outputs
    }

    fn backbone_input(&self, device: &Device) -> BackboneInput {
        let tensor = |values: &Vec<i64>| {
            Tensor::<2, Int>::from_data(TensorData::new(values.clone(), self.shape), device)
        };
        BackboneInput {
            position_ids: self.position_ids.as_ref().map(tensor),
            attention_mask: self.attention_mask.as_ref().map(|m| tensor(m).not_equal_scalar(0)),
            ..BackboneInput::new(tensor(&self.input_ids))
        }
    }

    /// A tensor for the file, with zeros where there is padding.
    fn output(&self, name: String, tensor: Tensor<3>) -> FileTensor {
        let shape = tensor.dims();
        let mut values: Vec<f32> = tensor.into_data().iter::<f32>().collect();
        if let Some(mask) = &self.attention_mask {
            let rows = values.chunks_exact_mut(shape[2]).zip(mask);
            rows.filter(|(_, kept)| **kept == 0).for_each(|(row, _)| row.fill(0.0));
        }
        FileTensor { name, shape: shape.into(), values }
    }

    /// The flat position before each label that counts, and the label.
    fn kept_labels(&self) -> impl Iterator<Item = (usize, usize)> {
        let seq = self.shape[1];
        let labels = self.labels.iter().flatten().enumerate();
        labels
            .filter(move |(at, label)| at % seq > 0 && **label != IGNORED_LABEL)
            .map(|(at, label)| (at - 1, *label as usize))
    }

    /// The mean cross-entropy, in f64: the sum is over few rows and the comparison is close.
    fn loss(&self, logits: &FileTensor) -> Option<FileTensor> {
        self.labels.as_ref()?;
        let vocab_size = logits.shape[2];
        let (mut sum, mut count) = (0.0, 0);
        for (row, label) in self.kept_labels() {
            let row = &logits.values[row * vocab_size..][..vocab_size];
            sum += log_sum_exp(row) - f64::from(row[label]);
            count += 1;
        }
        let loss = (sum / f64::from(count)) as f32;
        Some(FileTensor { name: "loss".to_string(), shape: Vec::new(), values: vec![loss] })
    }
}

fn log_sum_exp(row: &[f32]) -> f64 {
    let max = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    max + row.iter().map(|value| (f64::from(*value) - max).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wuji_device::DeviceSpec;
    use wuji_model::ModelConfig;

    fn model() -> (CausalLm, Device) {
        let device = DeviceSpec::default().open().unwrap();
        let config = r#"{"model_type": "gpt2", "vocab_size": 7, "n_positions": 4, "n_embd": 8,
                         "n_layer": 2, "n_head": 2}"#;
        (CausalLm::init(&ModelConfig::from_json(config).unwrap(), 1, &device).unwrap(), device)
    }

    /// Integers are exact in f32, but files of inputs hold integers: written by hand.
    fn file(dir: &Path, tensors: &[(&str, Shape, Vec<i64>)]) -> PathBuf {
        let mut header = serde_json::Map::new();
        let mut bytes = Vec::new();
        for (name, shape, values) in tensors {
            let start = bytes.len();
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            let entry = serde_json::json!({
                "dtype": "I64", "shape": shape, "data_offsets": [start, bytes.len()]
            });
            header.insert((*name).to_string(), entry);
        }
        let header = serde_json::Value::Object(header).to_string();
        let mut all = (header.len() as u64).to_le_bytes().to_vec();
        all.extend(header.bytes());
        all.extend(bytes);
        let path = dir.join("in.safetensors");
        std::fs::write(&path, all).unwrap();
        path
    }

    type Outputs = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

    fn run(tensors: &[(&str, Shape, Vec<i64>)]) -> Result<Outputs, WujiError> {
        let (model, device) = model();
        let dir = tempfile::tempdir().unwrap();
        let outputs = dir.path().join("out.safetensors");
        forward_file(&model, &file(dir.path(), tensors), &outputs, &device)?;
        let files = TensorFiles::open(&outputs).unwrap();
        let read = |name: &str| {
            let shape = files.shape(name).unwrap().to_vec();
            (name.to_string(), (shape, files.read_f32(name).unwrap()))
        };
        Ok(files.names().map(read).collect())
    }

    #[test]
    fn every_output_that_the_inputs_allow_is_there() {
        let out = run(&[("input_ids", [1, 3], vec![1, 2, 3])]).unwrap();
        let names: Vec<&String> = out.keys().collect();
        assert_eq!(names, ["hidden.0", "hidden.1", "hidden.2", "logits"]);
        assert_eq!(out["logits"].0, [1, 3, 7]);
        let labels = ("labels", [1, 3], vec![0, -100, 3]);
        let out = run(&[("input_ids", [1, 3], vec![1, 2, 3]), labels]).unwrap();
        assert_eq!(out["loss"].0, [0; 0]);
    }

    #[test]
    fn padding_changes_nothing_and_is_written_as_zeros() {
        let plain = run(&[("in.input_ids", [1, 2], vec![1, 2])]).unwrap();
        let padded = run(&[
            ("in.input_ids", [1, 3], vec![0, 1, 2]),
            ("in.attention_mask", [1, 3], vec![0, 1, 1]),
            ("in.position_ids", [1, 3], vec![1, 0, 1]),
            ("out.whatever", [1, 1], vec![0]),
        ])
        .unwrap();
        let (plain, padded) = (&plain["logits"].1, &padded["logits"].1);
        assert_eq!(&padded[..7], &[0.0; 7]);
        for (a, b) in plain.iter().zip(&padded[7..]) {
            assert!((a - b).abs() < 1e-6, "{a} ≠ {b}");
        }
    }

    #[test]
    fn groups_are_passes_of_their_own() {
        let out = run(&[("input_ids", [1, 1], vec![1]), ("b.input_ids", [2, 1], vec![1, 2])]);
        let out = out.unwrap();
        assert_eq!(out["logits"].0, [1, 1, 7]);
        assert_eq!(out["b.logits"].0, [2, 1, 7]);
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_place() {
        let ids = || ("input_ids", [1, 2], vec![1, 2]);
        for (tensors, expected) in [
            (vec![("labels", [1, 1], vec![1])], "there is no input_ids"),
            (vec![("input_ids", [1, 2], vec![1, 7])], "input_ids [0, 1] is 7; expected 0 to 6"),
            (vec![("input_ids", [1, 5], vec![1; 5])], "the model has 4 positions"),
            (vec![ids(), ("labels", [2, 1], vec![1, 2])], "expected that of input_ids, [1, 2]"),
            (vec![ids(), ("labels", [1, 2], vec![1, -100])], "leave nothing to predict"),
            (vec![ids(), ("position_ids", [1, 2], vec![0, 4])], "position_ids [0, 1] is 4"),
            (vec![ids(), ("pixel_values", [1, 1], vec![1])], "pixel_values is no input"),
        ] {
            let message = run(&tensors).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
            assert!(message.contains("in.safetensors"), "{message}");
        }
    }
}
