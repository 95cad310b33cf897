//! GGUF against the `gguf` package's own numbers (`shared/golden/compression`).

use std::fs;
use std::path::{Path, PathBuf};

use wuji_model::weights::{GgufDtype, TensorFiles, write_gguf};
use wuji_model::{CausalLm, ModelConfig, ModelError};
use wuji_tokenizer::gguf::{Header, TensorInfo, Value, write_header};

use crate::support::{flex, golden_logits, shared, worst};

const LOGITS_TOLERANCE: f32 = 1e-4;

/// Types of the golden blocks, with GGML's numbers.
const BLOCKS: [(&str, u32); 13] = [
    ("Q4_0", 2),
    ("Q4_1", 3),
    ("Q5_0", 6),
    ("Q5_1", 7),
    ("Q8_0", 8),
    ("Q2_K", 10),
    ("Q3_K", 11),
    ("Q4_K", 12),
    ("Q5_K", 13),
    ("Q6_K", 14),
    ("IQ4_NL", 20),
    ("IQ4_XS", 23),
    ("BF16", 30),
];

const FILES: [(&str, &str, GgufDtype); 4] = [
    ("F32", "model-f32.gguf", GgufDtype::F32),
    ("F16", "model-f16.gguf", GgufDtype::F16),
    ("Q8_0", "model-q8_0.gguf", GgufDtype::Q8_0),
    ("Q4_0", "model-q4_0.gguf", GgufDtype::Q4_0),
];

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// A file with one tensor of raw blocks.
fn file_of_blocks(path: &Path, kind: u32, shape: &[usize], blocks: &[u8]) {
    let mut metadata =
        vec![("general.architecture".to_string(), Value::String("llama".to_string()))];
    metadata.push(("llama.attention.head_count".to_string(), Value::Integer(1)));
    let tensor = TensorInfo {
        name: "blocks".to_string(),
        dimensions: shape.iter().rev().map(|extent| *extent as u64).collect(),
        kind,
        offset: 0,
    };
    let mut bytes = Vec::new();
    write_header(&mut bytes, &metadata, &[tensor]).unwrap();
    bytes.extend(blocks);
    fs::write(path, bytes).unwrap();
}

#[test]
fn golden_gguf_blocks_of_every_type_are_the_reference_values_bit_for_bit() {
    let Some(dir) = shared("golden/compression/ggml-blocks") else { return };
    let golden = TensorFiles::open(&dir.join("expected.safetensors")).unwrap();
    let out = tempfile::tempdir().unwrap();
    for (name, kind) in BLOCKS {
        let blocks = golden.read_i64(&format!("{name}.blocks")).unwrap();
        let blocks: Vec<u8> = blocks.into_iter().map(|byte| byte as u8).collect();
        let shape = golden.shape(&format!("{name}.dequant")).unwrap();
        let path = out.path().join(format!("{name}.gguf"));
        file_of_blocks(&path, kind, shape, &blocks);
        let files = TensorFiles::open(&path).unwrap();
        assert_eq!(files.shape("blocks").unwrap(), shape, "{name}");
        let found = files.read_f32("blocks").unwrap();
        let expected = golden.read_f32(&format!("{name}.dequant")).unwrap();
        assert!(bits(&found) == bits(&expected), "{name}: off by {}", worst(&found, &expected));
    }
}

fn case() -> Option<(PathBuf, TensorFiles)> {
    let dir = shared("golden/compression/gguf-llama")?;
    let expected = TensorFiles::open(&dir.join("expected.safetensors")).unwrap();
    Some((dir, expected))
}

#[test]
fn golden_gguf_models_have_the_reference_logits() {
    let Some((dir, expected)) = case() else { return };
    for (kind, file, _) in FILES {
        let model = CausalLm::from_dir(&dir.join(file), &flex()).unwrap();
        let logits = golden_logits(&model, &expected);
        let reference = expected.read_f32(&format!("out.logits.{kind}")).unwrap();
        let off = worst(&logits, &reference);
        assert!(off <= LOGITS_TOLERANCE, "{kind}: logits are off by {off}");
    }
}

#[test]
fn golden_gguf_tensors_are_dequantised_bit_for_bit_and_put_in_hugging_faces_order() {
    let Some((dir, expected)) = case() else { return };
    for (kind, file, _) in FILES {
        let files = TensorFiles::open(&dir.join(file)).unwrap();
        let reference = |name: &str| expected.read_f32(&format!("dequant.{kind}.{name}")).unwrap();
        let found = |name: &str| bits(&files.read_f32(name).unwrap());
        let down = found("model.layers.0.mlp.down_proj.weight");
        assert!(down == bits(&reference("blk.0.ffn_down.weight")), "{kind}");
        assert!(found("lm_head.weight") == bits(&reference("output.weight")), "{kind}");
        // Four heads of eight rows with 32 columns: pair p, half h of head n is row 8n + 2p + h there, 8n + 4h + p here.
        let (queries, stored) =
            (found("model.layers.0.self_attn.q_proj.weight"), reference("blk.0.attn_q.weight"));
        for row in 0..32 {
            let there = row / 8 * 8 + 2 * (row % 4) + row % 8 / 4;
            let (here, there) = (&queries[32 * row..][..32], &stored[32 * there..][..32]);
            assert!(here == bits(there), "{kind}, row {row}");
        }
    }
}

/// A tensor's row of the table without its place, and its bytes.
fn stored(path: &Path) -> Vec<(String, Vec<u64>, u32, Vec<u8>)> {
    let bytes = fs::read(path).unwrap();
    let header = Header::read(bytes.as_slice(), |_| false).unwrap();
    let mut tensors: Vec<_> = header
        .tensors
        .iter()
        .map(|tensor| {
            let values: u64 = tensor.dimensions.iter().product();
            let length = match tensor.kind {
                0 => 4 * values,
                1 => 2 * values,
                2 => values / 32 * 18,
                8 => values / 32 * 34,
                other => panic!("type {other}"),
            };
            let start = (header.data_offset + tensor.offset) as usize;
            let content = bytes[start..start + length as usize].to_vec();
            (tensor.name.clone(), tensor.dimensions.clone(), tensor.kind, content)
        })
        .collect();
    tensors.sort();
    tensors
}

#[test]
fn golden_gguf_written_here_has_the_reference_files_tensors_byte_for_byte() {
    let Some((dir, expected)) = case() else { return };
    let model = CausalLm::from_dir(&dir.join("hf"), &flex()).unwrap();
    let out = tempfile::tempdir().unwrap();
    for (kind, file, dtype) in FILES {
        let path = out.path().join(file);
        write_gguf(&path, model.config(), &model.file_tensors(), dtype, &[]).unwrap();
        let (found, reference) = (stored(&path), stored(&dir.join(file)));
        let names = |tensors: &[(String, _, _, _)]| -> Vec<String> {
            tensors.iter().map(|tensor| tensor.0.clone()).collect()
        };
        assert_eq!(names(&found), names(&reference), "{kind}");
        for (found, reference) in found.iter().zip(&reference) {
            assert!(found == reference, "{kind} {}: shape, type or bytes differ", found.0);
        }
        let again = CausalLm::from_dir(&path, &flex()).unwrap();
        let reference = expected.read_f32(&format!("out.logits.{kind}")).unwrap();
        assert!(worst(&golden_logits(&again, &expected), &reference) <= LOGITS_TOLERANCE, "{kind}");
    }
}

#[test]
fn golden_gguf_keeps_the_logits_of_every_family_and_scaling_that_it_has_words_for() {
    let cases = [
        "llama-gqa",
        "llama-tied-legacy",
        "llama-linear-rope",
        "llama3-rope",
        "llama-yarn-rope",
        "qwen2",
        "qwen3",
    ];
    let out = tempfile::tempdir().unwrap();
    for case in cases {
        let Some(dir) = shared(&format!("golden/models/{case}")) else { return };
        match ModelConfig::from_path(&dir) {
            Err(ModelError::UnsupportedModelType { .. }) => continue, // Not a family of this build.
            config => config.unwrap(),
        };
        let expected = TensorFiles::open(&dir.join("expected.safetensors")).unwrap();
        let model = CausalLm::from_dir(&dir, &flex()).unwrap();
        let path = out.path().join(format!("{case}.gguf"));
        write_gguf(&path, model.config(), &model.file_tensors(), GgufDtype::F32, &[]).unwrap();
        let again = CausalLm::from_dir(&path, &flex()).unwrap();
        assert_eq!(again.config().model_type(), model.config().model_type(), "{case}");
        let (found, before) = (golden_logits(&again, &expected), golden_logits(&model, &expected));
        // Metadata are f32, so that an epsilon or a base may differ in its last place.
        let off = worst(&found, &before);
        assert!(off <= 1e-6, "{case}: logits are off by {off}");
        let off = worst(&found, &expected.read_f32("out.logits").unwrap());
        assert!(off <= LOGITS_TOLERANCE, "{case}: off the reference by {off}");
    }
}
