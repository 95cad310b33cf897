//! Descriptions and conversions of the reference models.

use std::path::{Path, PathBuf};

use wuji::convert::{ConvertOptions, NumberFormat, SourceFormat, convert};
use wuji::inspect::ModelInfo;
use wuji::model::ModelConfig;
use wuji::model::weights::{FileTensor, StoredDtype, TensorFiles, save_tensor_file};

use crate::support::{max_error, shared};
use crate::torch_file::{Torch, save};

/// The folders of reference models that this version has a family for.
fn models() -> Vec<PathBuf> {
    let Some(models) = shared("golden/models") else { return Vec::new() };
    let entries = std::fs::read_dir(models).unwrap().map(|entry| entry.unwrap().path());
    let others = ["clip", "vit", "whisper", "whisper-logmel"];
    entries.filter(|path| !others.iter().any(|other| path.ends_with(other))).collect()
}

#[test]
fn golden_models_have_as_many_values_as_info_says() {
    for dir in models() {
        let info = ModelInfo::new(&ModelConfig::from_path(&dir).unwrap()).unwrap();
        let files = TensorFiles::open_dir(&dir).unwrap();
        let size = |name: &str| files.shape(name).unwrap().iter().product::<usize>();
        let values: usize = files.names().map(size).sum();
        assert_eq!(info.parameters.total, values, "{}", dir.display());
        let parts = info.parameters;
        let sum = parts.token_embedding
            + parts.position_embedding
            + parts.attention
            + parts.mlp
            + parts.norms
            + parts.head;
        assert_eq!(sum, parts.total, "{}: the parts", dir.display());
    }
}

/// All tensors of a directory.
fn tensors(dir: &Path) -> Vec<FileTensor> {
    let files = TensorFiles::open_dir(dir).unwrap();
    let tensor = |name: &str| FileTensor {
        name: name.to_string(),
        shape: files.shape(name).unwrap().to_vec(),
        values: files.read_f32(name).unwrap(),
    };
    files.names().map(tensor).collect()
}

fn convert_to(source: &Path, target: &Path, dtype: NumberFormat) -> SourceFormat {
    let options = ConvertOptions { dtype: Some(dtype), ..ConvertOptions::default() };
    let converted = convert(source, target, &options).unwrap();
    assert_eq!(converted.dtype, dtype);
    converted.source_format
}

const CONVERTED: [&str; 2] = ["bert-pretraining", "t5-v1.0"];

#[test]
fn golden_encoders_and_encoder_decoders_convert_to_every_number_format() {
    let Some(models) = shared("golden/models") else { return };
    for case in CONVERTED {
        let source = models.join(case);
        let dir = tempfile::tempdir().unwrap();
        let expected = tensors(&source);
        // Half of the distance between neighbours, relative to the value.
        for (dtype, relative) in [
            (NumberFormat::F32, 0.0),
            (NumberFormat::F16, 2_f32.powi(-11)),
            (NumberFormat::Bf16, 2_f32.powi(-8)),
        ] {
            let target = dir.path().join(dtype.to_string());
            convert_to(&source, &target, dtype);
            let found = tensors(&target);
            assert_eq!(found.len(), expected.len(), "{case} {dtype}");
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!((&found.name, &found.shape), (&expected.name, &expected.shape));
                let largest =
                    expected.values.iter().fold(0.0_f32, |max, value| max.max(value.abs()));
                let error = max_error(&found.values, &expected.values);
                // Below the smallest normal f16, neighbours are 2⁻²⁴ apart.
                let allowed =
                    relative * largest + if relative > 0.0 { 2_f32.powi(-24) } else { 0.0 };
                assert!(error <= allowed, "{case} {dtype} {}: {error} > {allowed}", found.name);
            }
            // And back: what was rounded once stays.
            let back = dir.path().join(format!("{dtype}-back"));
            convert_to(&target, &back, NumberFormat::F32);
            assert!(tensors(&back) == found, "{case} {dtype}: tensors differ");
        }
    }
}

#[test]
fn golden_pytorch_checkpoints_of_encoders_and_encoder_decoders_convert() {
    let Some(models) = shared("golden/models") else { return };
    for case in CONVERTED {
        let source = models.join(case);
        let expected = tensors(&source);
        let as_torch =
            |tensor: &FileTensor| Torch::f32(&tensor.name, &tensor.shape, &tensor.values);
        let dir = tempfile::tempdir().unwrap();
        std::fs::copy(source.join("config.json"), dir.path().join("config.json")).unwrap();
        let torch: Vec<Torch> = expected.iter().map(as_torch).collect();
        save(&dir.path().join("pytorch_model.bin"), &torch, None);
        let target = dir.path().join("out");
        let format = convert_to(dir.path(), &target, NumberFormat::F32);
        assert_eq!(format, SourceFormat::Pytorch);
        assert!(tensors(&target) == expected, "{case}: tensors differ");
    }
}

/// A directory with the config of `source` and these tensors.
fn directory(source: &Path, tensors: &[FileTensor]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(source.join("config.json"), dir.path().join("config.json")).unwrap();
    let path = dir.path().join("model.safetensors");
    save_tensor_file(&path, tensors, StoredDtype::F32).unwrap();
    dir
}

#[test]
fn golden_tensors_that_are_unknown_or_missing_stop_a_conversion() {
    for source in models().iter().filter(|dir| dir.join("model.safetensors").is_file()) {
        let mut changed = tensors(source);
        let missing = changed.pop().unwrap();
        let root = changed[0].name.split('.').next().unwrap();
        let unknown = format!("{root}.of_another_model");
        changed.push(FileTensor { name: unknown.clone(), ..missing.clone() });
        let dir = directory(source, &changed);
        let target = dir.path().join("out");
        let error = convert(dir.path(), &target, &ConvertOptions::default()).unwrap_err();
        let message = error.to_string();
        let name = source.display();
        assert!(message.contains(&format!("{}: missing", missing.name)), "{name}: {message}");
        assert!(message.contains(&unknown), "{name}: {message}");
        assert!(!target.exists());
    }
}
