//! Names, shapes, padding and complaints, on models with random weights; that the numbers are right
//! is for the reference outputs to say (`tests/parity`).

use std::path::PathBuf;

use super::*;
use wuji_device::DeviceSpec;
use wuji_model::ModelConfig;

const GPT2: &str = r#"{"model_type": "gpt2", "vocab_size": 7, "n_positions": 4, "n_embd": 8,
    "n_layer": 2, "n_head": 2}"#;
const BERT: &str = r#"{"model_type": "bert", "vocab_size": 7, "hidden_size": 8, "num_hidden_layers": 1,
    "num_attention_heads": 2, "intermediate_size": 8, "max_position_embeddings": 4"#;
const T5: &str = r#"{"model_type": "t5", "vocab_size": 7, "d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1,
    "num_heads": 2, "pad_token_id": 0, "decoder_start_token_id": 5}"#;
const GLM: &str = r#"{"model_type": "glm_original", "vocab_size": 7, "hidden_size": 8, "num_layers": 1,
    "num_attention_heads": 2, "max_sequence_length": 4}"#;

const RNN: &str =
    r#"{"model_type": "wuji_rnn", "vocab_size": 7, "embedding_size": 4, "hidden_size": 4}"#;
const MLP: &str = r#"{"model_type": "wuji_mlp", "vocab_size": 7, "context_size": 2, "embedding_size": 4,
    "hidden_size": 4}"#;
const RNN_SEQ2SEQ: &str = r#"{"model_type": "wuji_rnn_seq2seq", "source_vocab_size": 7,
    "target_vocab_size": 6, "embedding_size": 4, "hidden_size": 4, "pad_token_id": 0,
    "decoder_start_token_id": 5}"#;

/// A BERT of this class with three labels.
fn bert(class: &str) -> String {
    format!(r#"{BERT}, "architectures": ["{class}"], "num_labels": 3}}"#)
}

/// What a file of inputs holds.
enum Values {
    I64(Vec<i64>),
    F32(Vec<f32>),
}

type Input<'a> = (&'a str, &'a [usize], Values);

fn ints<'a>(name: &'a str, shape: &'a [usize], values: &[i64]) -> Input<'a> {
    (name, shape, Values::I64(values.to_vec()))
}

fn floats<'a>(name: &'a str, shape: &'a [usize], values: &[f32]) -> Input<'a> {
    (name, shape, Values::F32(values.to_vec()))
}

/// Files of inputs hold integers, which the crate does not write: written by hand.
fn file(dir: &Path, tensors: &[Input]) -> PathBuf {
    let mut header = serde_json::Map::new();
    let mut bytes: Vec<u8> = Vec::new();
    for (name, shape, values) in tensors {
        let start = bytes.len();
        let dtype = match values {
            Values::I64(values) => {
                bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
                "I64"
            }
            Values::F32(values) => {
                bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
                "F32"
            }
        };
        let entry = serde_json::json!({
            "dtype": dtype, "shape": shape, "data_offsets": [start, bytes.len()]
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

fn run(config: &str, tensors: &[Input]) -> Result<Outputs, WujiError> {
    let device = DeviceSpec::default().open().unwrap();
    let model = AnyModel::init(&ModelConfig::from_json(config).unwrap(), 1, &device).unwrap();
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

fn names(outputs: &Outputs) -> Vec<&str> {
    outputs.keys().map(String::as_str).collect()
}

fn assert_close(a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() < 1e-6, "{a} ≠ {b}");
    }
}

#[test]
fn every_output_that_the_inputs_allow_is_there() {
    let ids = || ints("input_ids", &[1, 3], &[1, 2, 3]);
    let out = run(GPT2, &[ids()]).unwrap();
    assert_eq!(names(&out), ["hidden.0", "hidden.1", "hidden.2", "logits"]);
    assert_eq!(out["logits"].0, [1, 3, 7]);
    let out = run(GPT2, &[ids(), ints("labels", &[1, 3], &[0, -100, 3])]).unwrap();
    assert_eq!(out["loss"].0, [0; 0]);
}

#[test]
fn the_outputs_of_an_encoder_are_those_of_its_heads() {
    let ids = || ints("input_ids", &[1, 3], &[1, 2, 3]);
    let common = ["cls", "hidden.0", "hidden.1", "last_hidden", "mean_pooled"];
    let check = |class: &str, more: Vec<Input>, expected: &[&str]| {
        let inputs: Vec<Input> = std::iter::once(ids()).chain(more).collect();
        let out = run(&bert(class), &inputs).unwrap();
        let heads = names(&out).into_iter().filter(|name| !common.contains(name));
        assert_eq!(heads.collect::<Vec<_>>(), expected, "{class}");
        assert!(common.iter().all(|name| out.contains_key(*name)), "{class}");
    };
    let labels = || ints("labels", &[1, 3], &[-100, 2, -100]);
    let next = || ints("next_sentence_label", &[1], &[0]);
    check("BertModel", vec![], &["pooled"]);
    check("BertForMaskedLM", vec![], &["logits"]);
    check("BertForMaskedLM", vec![labels()], &["logits", "loss"]);
    let both = ["pooled", "prediction_logits", "seq_relationship_logits"];
    check("BertForPreTraining", vec![], &both);
    let with_one = ["mlm_loss", "pooled", "prediction_logits", "seq_relationship_logits"];
    check("BertForPreTraining", vec![labels()], &with_one);
    let all = ["loss", "mlm_loss", "nsp_loss", "pooled", "prediction_logits"];
    let all = [&all[..], &["seq_relationship_logits"]].concat();
    check("BertForPreTraining", vec![labels(), next()], &all);
    check("BertForTokenClassification", vec![labels()], &["logits", "loss"]);
    let class = ints("labels", &[1], &[2]);
    check("BertForSequenceClassification", vec![class], &["logits", "loss", "pooled"]);
    let several = floats("labels", &[1, 3], &[1.0, 0.0, 1.0]);
    check("BertForSequenceClassification", vec![several], &["logits", "loss", "pooled"]);
    let ends = vec![ints("start_positions", &[1], &[0]), ints("end_positions", &[1], &[2])];
    check("BertForQuestionAnswering", ends, &["end_logits", "loss", "start_logits"]);
}

#[test]
fn labels_shifted_to_the_right_stand_in_for_decoder_inputs() {
    let ids = || ints("input_ids", &[1, 2], &[1, 2]);
    let labels = || ints("labels", &[1, 3], &[4, -100, 6]);
    let out = run(T5, &[ids()]).unwrap();
    assert_eq!(names(&out), ["encoder_hidden", "encoder_hidden.0", "encoder_hidden.1"]);
    let derived = run(T5, &[ids(), labels()]).unwrap();
    let shifted = ints("decoder_input_ids", &[1, 3], &[5, 4, 0]);
    let given = run(T5, &[ids(), labels(), shifted]).unwrap();
    assert_eq!(derived, given);
    assert!(given.contains_key("loss") && given.contains_key("decoder_hidden"));
}

#[test]
fn padding_changes_nothing_and_is_written_as_zeros() {
    let plain = run(GPT2, &[ints("in.input_ids", &[1, 2], &[1, 2])]).unwrap();
    let padded = run(
        GPT2,
        &[
            ints("in.input_ids", &[1, 3], &[0, 1, 2]),
            ints("in.attention_mask", &[1, 3], &[0, 1, 1]),
            ints("in.position_ids", &[1, 3], &[1, 0, 1]),
            ints("out.whatever", &[1, 1], &[0]),
        ],
    )
    .unwrap();
    let (plain, padded) = (&plain["logits"].1, &padded["logits"].1);
    assert_eq!(&padded[..7], &[0.0; 7]);
    assert_close(plain, &padded[7..]);
}

#[test]
fn padding_of_an_encoder_leaves_its_heads_alone() {
    for class in ["BertForPreTraining", "BertForSequenceClassification"] {
        let plain = run(&bert(class), &[ints("input_ids", &[1, 2], &[1, 2])]).unwrap();
        let padded =
            [ints("input_ids", &[1, 3], &[1, 2, 0]), ints("attention_mask", &[1, 3], &[1, 1, 0])];
        let padded = run(&bert(class), &padded).unwrap();
        for (name, (shape, values)) in plain {
            assert_close(&values, &padded[&name].1[..values.len()]);
            let rest = &padded[&name].1[values.len()..];
            assert!(rest.iter().all(|value| *value == 0.0), "{name} {shape:?}");
        }
    }
}

#[test]
fn a_mask_of_pairs_takes_the_place_of_causality() {
    let ids = || ints("input_ids", &[1, 3], &[1, 2, 3]);
    let causal = ints("attention_mask", &[1, 3, 3], &[1, 0, 0, 1, 1, 0, 1, 1, 1]);
    let plain = run(GPT2, &[ids()]).unwrap();
    assert_close(&plain["logits"].1, &run(GPT2, &[ids(), causal]).unwrap()["logits"].1);
    // The last token sees the others but not itself: padding.
    let pairs = || ints("attention_mask", &[1, 3, 3], &[1, 1, 0, 1, 1, 0, 1, 1, 0]);
    let two = run(GLM, &[ints("input_ids", &[1, 2], &[1, 2])]).unwrap();
    let length = ints("part_a_len", &[1], &[2]);
    let three = run(GLM, &[ids(), pairs(), length]).unwrap();
    assert_eq!(names(&three), ["hidden.0", "hidden.1", "hidden.final", "logits"]);
    assert_close(&two["logits"].1, &three["logits"].1[..14]);
    assert_eq!(three["logits"].1[14..], [0.0; 7]);
}

#[test]
fn the_original_glm_predicts_a_label_where_it_stands() {
    let inputs = [ints("input_ids", &[1, 2], &[1, 2]), ints("labels", &[1, 2], &[3, -100])];
    let out = run(GLM, &inputs).unwrap();
    assert_eq!(out["token_loss"].0, [1, 2]);
    assert_eq!(out["token_loss"].1, [out["loss"].1[0], 0.0]);
}

#[test]
fn routers_count_real_tokens_only() {
    let config = r#"{"model_type": "mixtral", "vocab_size": 7, "hidden_size": 8, "intermediate_size": 8,
        "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2, "num_local_experts": 3,
        "max_position_embeddings": 8}"#;
    let plain = run(config, &[ints("input_ids", &[1, 2], &[1, 2])]).unwrap();
    assert_eq!(plain["router_logits.1"].0, [2, 3]);
    let padded =
        [ints("input_ids", &[1, 3], &[1, 2, 0]), ints("attention_mask", &[1, 3], &[1, 1, 0])];
    let padded = run(config, &padded).unwrap();
    assert_close(&plain["aux_loss"].1, &padded["aux_loss"].1);
    assert_eq!(padded["router_logits.1"].1[6..], [0.0; 3]);
}

#[test]
fn groups_are_passes_of_their_own() {
    let inputs = [ints("input_ids", &[1, 1], &[1]), ints("b.input_ids", &[2, 1], &[1, 2])];
    let out = run(GPT2, &inputs).unwrap();
    assert_eq!(out["logits"].0, [1, 1, 7]);
    assert_eq!(out["b.logits"].0, [2, 1, 7]);
}

fn complains(config: &str, tensors: &[Input], expected: &str) {
    let message = run(config, tensors).unwrap_err().to_string();
    assert!(message.contains(expected), "no {expected:?} in: {message}");
    assert!(message.contains("in.safetensors"), "{message}");
}

#[test]
fn what_does_not_fit_is_named_with_its_place() {
    let ids = || ints("input_ids", &[1, 2], &[1, 2]);
    for (tensors, expected) in [
        (vec![ints("labels", &[1, 1], &[1])], "there is no input_ids"),
        (vec![ints("input_ids", &[1, 2], &[1, 7])], "input_ids [0, 1] is 7; expected 0 to 6"),
        (vec![ints("input_ids", &[1, 5], &[1; 5])], "the model has 4 positions"),
        (vec![ints("input_ids", &[3], &[1; 3])], "has shape [3]; expected [batch, seq]"),
        (vec![ids(), ints("labels", &[2, 1], &[1, 2])], "expected that of input_ids, [1, 2]"),
        (vec![ids(), ints("labels", &[1, 2], &[1, -100])], "leave nothing to predict"),
        (vec![ids(), ints("position_ids", &[1, 2], &[0, 4])], "position_ids [0, 1] is 4"),
        (vec![ids(), ints("pixel_values", &[1, 1], &[1])], "pixel_values is no input"),
        (
            vec![ids(), ints("attention_mask", &[1, 2, 3], &[1; 6])],
            "[1, 2, 3]; expected every query",
        ),
    ] {
        complains(GPT2, &tensors, expected);
    }
}

#[test]
fn what_does_not_fit_an_encoder_is_named_with_its_place() {
    let ids = || ints("input_ids", &[2, 2], &[1, 2, 1, 2]);
    let check = |class: &str, input: Input, expected: &str| {
        complains(&bert(class), &[ids(), input], expected);
    };
    let types = ints("token_type_ids", &[2, 2], &[0, 1, 2, 0]);
    check("BertModel", types, "token_type_ids [1, 0] is 2; expected 0 to 1");
    check("BertModel", ints("labels", &[2], &[0, 1]), "labels is no input of this model");
    let class = "BertForSequenceClassification";
    check(class, ints("labels", &[2], &[0, 3]), "labels [1] is 3; expected 0 to 2");
    check(class, ints("labels", &[3], &[0; 3]), "[3]; expected one for each row, [2]");
    let flat = floats("labels", &[2], &[0.0; 2]);
    check(class, flat, "expected each row and label, [2, 3]");
    let infinite = floats("labels", &[2, 3], &[0.0, f32::NAN, 0.0, 0.0, 0.0, 0.0]);
    check(class, infinite, "labels [0, 1] is NaN; expected a number");
    let start = ints("start_positions", &[2], &[0, 2]);
    check("BertForQuestionAnswering", start, "start_positions [1] is 2; expected 0 to 1");
    let next = ints("next_sentence_label", &[2], &[-100, -100]);
    check("BertForPreTraining", next, "next_sentence_label leave nothing to predict");
}

#[test]
fn what_does_not_fit_an_encoder_decoder_is_named_with_its_place() {
    let ids = || ints("input_ids", &[2, 2], &[1, 2, 1, 2]);
    let check = |input: Input, expected: &str| complains(T5, &[ids(), input], expected);
    check(ints("labels", &[1, 2], &[1, 2]), "labels has 1 rows; expected those of input_ids, 2");
    check(ints("decoder_input_ids", &[2, 1], &[1, 7]), "decoder_input_ids [1, 0] is 7");
    check(ints("attention_mask", &[2, 2, 2], &[1; 8]), "attention_mask has three dimensions");
    check(ints("position_ids", &[2, 2], &[0; 4]), "position_ids is no input of this model");
    let both =
        [ids(), ints("decoder_input_ids", &[2, 1], &[1, 2]), ints("labels", &[2, 2], &[1; 4])];
    complains(T5, &both, "expected that of decoder_input_ids, [2, 1]");
}

#[test]
fn a_recurrent_or_feed_forward_model_says_the_next_token_and_its_loss() {
    for config in [RNN, MLP] {
        let ids = ints("input_ids", &[1, 3], &[1, 2, 3]);
        let outputs = run(config, &[ids, ints("labels", &[1, 3], &[1, 2, 3])]).unwrap();
        let (shape, logits) = &outputs["logits"];
        assert_eq!(shape, &[1, 3, 7]);
        let cross_entropy = |row: usize, label: usize| {
            let row = &logits[row * 7..][..7];
            row.iter().map(|value| value.exp()).sum::<f32>().ln() - row[label]
        };
        // The label of a token is said where the one before it is read.
        let expected = (cross_entropy(0, 2) + cross_entropy(1, 3)) / 2.0;
        assert!((outputs["loss"].1[0] - expected).abs() < 1e-5, "{config}");
        // The same text behind the padding of a longer row.
        let padded = [
            ints("input_ids", &[1, 4], &[1, 2, 3, 0]),
            ints("attention_mask", &[1, 4], &[1, 1, 1, 0]),
        ];
        let padded = &run(config, &padded).unwrap()["logits"].1;
        assert!(logits.iter().zip(padded).all(|(a, b)| (a - b).abs() < 1e-6), "{config}");
        assert_eq!(padded[3 * 7..], [0.0; 7]);
    }
}

#[test]
fn a_recurrent_encoder_decoder_says_where_it_looked() {
    let source =
        || [ints("input_ids", &[1, 3], &[1, 2, 0]), ints("attention_mask", &[1, 3], &[1, 1, 0])];
    let [ids, mask] = source();
    let given =
        run(RNN_SEQ2SEQ, &[ids, mask, ints("decoder_input_ids", &[1, 2], &[5, 4])]).unwrap();
    assert_eq!(given["logits"].0, [1, 2, 6]);
    let (shape, attention) = &given["attention"];
    assert_eq!(shape, &[1, 2, 3]);
    for row in attention.chunks_exact(3) {
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6 && row[2] == 0.0, "{row:?}");
    }
    // Labels stand in for what the decoder reads, behind the token that begins targets.
    let [ids, mask] = source();
    let shifted = run(RNN_SEQ2SEQ, &[ids, mask, ints("labels", &[1, 2], &[4, 3])]).unwrap();
    assert_eq!(shifted["logits"], given["logits"]);
    assert!(shifted["loss"].1[0] > 0.0);
    let [ids, mask] = source();
    let problem = run(RNN_SEQ2SEQ, &[ids, mask]).unwrap_err().to_string();
    assert!(problem.contains("there is no decoder_input_ids"), "{problem}");
}
