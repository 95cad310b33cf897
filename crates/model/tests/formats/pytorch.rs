//! PyTorch checkpoints.

use std::fs;
use std::path::Path;

use half::{bf16, f16};
use wuji_model::CausalLm;
use wuji_model::weights::TensorFiles;

use crate::support::{flex, logits, small};
use crate::torch_file::{Torch, save};

const GPT2: &str = r#"{"model_type": "gpt2", "vocab_size": 19, "n_positions": 16, "n_embd": 8,
    "n_layer": 2, "n_head": 2}"#;

/// A model, its tensors as PyTorch would hold them, and a directory with its config.
fn model() -> (CausalLm, Vec<Torch>, tempfile::TempDir) {
    let model = small(GPT2);
    let tensors = model
        .file_tensors()
        .iter()
        .map(|tensor| Torch::f32(&tensor.name, &tensor.shape, &tensor.values))
        .collect();
    let dir = tempfile::tempdir().unwrap();
    model.config().save(dir.path()).unwrap();
    (model, tensors, dir)
}

fn assert_same_model(model: &CausalLm, dir: &Path) {
    let read = CausalLm::from_dir(dir, &flex()).unwrap();
    assert_eq!(logits(&read), logits(model));
}

#[test]
fn pytorch_model_bin_is_the_model_that_was_saved() {
    let (model, mut tensors, dir) = model();
    // What early files of GPT-2 carry beside the parameters, and the tied head.
    tensors.push(Torch {
        name: "transformer.h.0.attn.bias".into(),
        storage: "ByteStorage",
        shape: vec![1, 1, 2, 2],
        bytes: vec![1, 0, 1, 1],
    });
    save(&dir.path().join("pytorch_model.bin"), &tensors, None);
    assert_same_model(&model, dir.path());
}

#[test]
fn any_name_and_any_nesting_will_do_where_there_is_one_file() {
    let (model, tensors, dir) = model();
    save(&dir.path().join("best.pt"), &tensors, Some("state_dict"));
    fs::write(dir.path().join("optimizer.pt"), "not a model").unwrap();
    assert_same_model(&model, dir.path());
}

#[test]
fn shards_are_found_through_their_index() {
    let (model, tensors, dir) = model();
    let (mut shards, mut map) = ([Vec::new(), Vec::new()], serde_json::Map::new());
    for (at, tensor) in tensors.into_iter().enumerate() {
        let file = format!("pytorch_model-{:05}-of-00002.bin", at % 2 + 1);
        map.insert(tensor.name.clone(), file.into());
        shards[at % 2].push(tensor);
    }
    for (at, shard) in shards.iter().enumerate() {
        let file = format!("pytorch_model-{:05}-of-00002.bin", at + 1);
        save(&dir.path().join(file), shard, None);
    }
    let index = |map: &serde_json::Map<_, _>| {
        let index = serde_json::json!({"metadata": {"total_size": 0}, "weight_map": map});
        fs::write(dir.path().join("pytorch_model.bin.index.json"), index.to_string()).unwrap();
    };
    index(&map);
    assert_same_model(&model, dir.path());
    map.insert("absent.weight".into(), "pytorch_model-00001-of-00002.bin".into());
    index(&map);
    let error = CausalLm::from_dir(dir.path(), &flex()).unwrap_err().to_string();
    assert!(error.contains("absent.weight") && error.contains("00001-of-00002"), "{error}");
}

#[test]
fn every_number_format_is_widened() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.pt");
    let tensor = |name: &str, storage, bytes: Vec<u8>| Torch {
        name: name.into(),
        storage,
        shape: vec![2],
        bytes,
    };
    let values = [0.5f32, -3.0];
    let both = |bytes: fn(f32) -> Vec<u8>| values.into_iter().flat_map(bytes).collect();
    let tensors = [
        tensor("f32", "FloatStorage", both(|value| value.to_le_bytes().into())),
        tensor("f64", "DoubleStorage", both(|value| f64::from(value).to_le_bytes().into())),
        tensor("f16", "HalfStorage", both(|value| f16::from_f32(value).to_le_bytes().into())),
        tensor("bf16", "BFloat16Storage", both(|value| bf16::from_f32(value).to_le_bytes().into())),
        tensor("i64", "LongStorage", [7i64, -9].iter().flat_map(|n| n.to_le_bytes()).collect()),
        tensor("u8", "ByteStorage", vec![7, 200]),
    ];
    save(&path, &tensors, None);
    let files = TensorFiles::open(&path).unwrap();
    for name in ["f32", "f64", "f16", "bf16"] {
        assert_eq!(files.read_f32(name).unwrap(), values, "{name}");
        assert!(
            files.read_i64(name).unwrap_err().to_string().contains("an integer type"),
            "{name}"
        );
    }
    assert_eq!(files.read_i64("i64").unwrap(), [7, -9]);
    assert_eq!(files.read_i64("u8").unwrap(), [7, 200]);
    let error = files.read_f32("i64").unwrap_err().to_string();
    assert!(error.contains("i64 is of type I64; expected a floating-point type"), "{error}");
}

#[test]
fn all_that_does_not_fit_is_listed_with_its_shape() {
    let (_, mut tensors, dir) = model();
    tensors.retain(|tensor| tensor.name != "transformer.ln_f.weight");
    tensors.push(Torch::f32("extra.weight", &[3], &[0.0; 3]));
    let wte = tensors.iter_mut().find(|tensor| tensor.name == "transformer.wte.weight").unwrap();
    *wte = Torch::f32("transformer.wte.weight", &[19, 4], &[0.0; 76]);
    save(&dir.path().join("pytorch_model.bin"), &tensors, None);
    let error = CausalLm::from_dir(dir.path(), &flex()).unwrap_err().to_string();
    for line in [
        "transformer.ln_f.weight: missing, expected shape [8]",
        "extra.weight: unexpected, shape [3]",
        "transformer.wte.weight: expected shape [19, 8], found [19, 4]",
    ] {
        assert!(error.contains(line), "{line} in {error}");
    }
}

#[test]
fn damaged_and_foreign_files_are_refused_by_name() {
    let (_, tensors, dir) = model();
    let path = dir.path().join("pytorch_model.bin");
    save(&path, &tensors, None);
    let whole = fs::read(&path).unwrap();
    let refused = |content: &[u8], mentions: &str| {
        fs::write(&path, content).unwrap();
        let error = CausalLm::from_dir(dir.path(), &flex()).unwrap_err().to_string();
        assert!(error.contains("pytorch_model.bin") && error.contains(mentions), "{error}");
    };
    refused(&whole[..whole.len() / 2], "not a valid PyTorch file");
    refused(b"PK\x03\x04 and no more", "not a valid PyTorch file");
    refused(b"\x80\x02cos\nsystem\n(X\x04\0\0\0echotR.", "PyTorch before 1.6");
    refused(b"", "begins like neither");
    refused(b"a text file", "begins like neither");
}
