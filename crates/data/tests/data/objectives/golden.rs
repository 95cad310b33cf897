//! Each transform against the reference's own, with the random draws given. Integers: exact.

use std::fs;
use std::ops::Range;
use std::path::Path;

use safetensors::SafeTensors;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wuji_data::objectives::{
    Blanks, FimIds, MaskDraws, MaskedBatch, MaskedExample, SpecialIds, apply_draws,
    attention_allowed, corrupt, infill, prefix_example, psm, spm,
};

use crate::support::shared;

const SENTINELS: u32 = 20;
const VOCAB_SIZE: u32 = 100;

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).expect("reads")).expect("parses")
}

/// The cases of one transform.
fn cases<T: DeserializeOwned>(name: &str) -> Option<Vec<T>> {
    let path = shared("golden/training/objectives/expected.json")?;
    let cases: Vec<T> = serde_json::from_value(json(&path)[name].clone()).expect("known cases");
    assert!(!cases.is_empty(), "no case of {name}");
    Some(cases)
}

fn bools(bits: &[u8]) -> Vec<bool> {
    bits.iter().map(|&bit| bit == 1).collect()
}

#[derive(Deserialize)]
struct SpanCorruption {
    tokens: Vec<u32>,
    noise_mask: Vec<u8>,
    inputs: Vec<u32>,
    targets: Vec<u32>,
}

#[test]
fn golden_span_corruption() {
    let Some(cases) = cases::<SpanCorruption>("t5_span_corruption") else { return };
    let sentinels = SpecialIds::new(VOCAB_SIZE).with_descending_sentinels(SENTINELS).sentinels;
    for case in cases {
        let noise = bools(&case.noise_mask);
        let corrupted = corrupt(&case.tokens, &noise, &sentinels, 1).expect("enough sentinels");
        assert_eq!(corrupted, (case.inputs, case.targets));
    }
}

#[derive(Deserialize)]
struct FillInTheMiddle {
    tokens: Vec<u32>,
    middle: [usize; 2],
    psm: Vec<u32>,
    spm: Vec<u32>,
}

#[test]
fn golden_fill_in_the_middle() {
    let Some(cases) = cases::<FillInTheMiddle>("fim") else { return };
    let ids = FimIds { prefix: 82, middle: 83, suffix: 84 };
    for case in cases {
        let [start, end] = case.middle;
        assert_eq!(psm(&case.tokens, start..end, ids), case.psm);
        assert_eq!(spm(&case.tokens, start..end, ids), case.spm);
    }
}

#[derive(Deserialize)]
struct MaskedLm {
    tokens: Vec<u32>,
    selected: Vec<u8>,
    uniform: Vec<f64>,
    random_tokens: Vec<u32>,
    mask_id: u32,
    inputs: Vec<u32>,
    labels: Vec<i64>,
}

#[test]
fn golden_masked_lm() {
    let Some(cases) = cases::<MaskedLm>("mlm") else { return };
    for case in cases {
        let selected = bools(&case.selected);
        let draws = MaskDraws {
            selected: &selected,
            uniform: &case.uniform,
            random_tokens: &case.random_tokens,
        };
        let masked = apply_draws(&case.tokens, &draws, case.mask_id, 0.8, 0.1);
        assert_eq!(masked, (case.inputs, case.labels));
    }
}

#[derive(Deserialize)]
struct PrefixLm {
    length: usize,
    prefix: usize,
    mask: Vec<Vec<u8>>,
    loss_positions: Vec<usize>,
}

#[test]
fn golden_prefix_lm() {
    let Some(cases) = cases::<PrefixLm>("prefix_lm") else { return };
    for case in cases {
        let mask: Vec<Vec<bool>> = case.mask.iter().map(|row| bools(row)).collect();
        assert_eq!(attention_allowed(case.prefix, case.length), mask);
        // Token t of the text is its position, so a label says which target it is.
        let labels: Vec<i64> = (1..case.length as i64).collect();
        let inputs: Vec<u32> = (0..case.length as u32 - 1).collect();
        let example = prefix_example(inputs, labels, case.prefix);
        let targets = example.labels.iter().filter_map(|&label| usize::try_from(label).ok());
        assert_eq!(targets.collect::<Vec<_>>(), case.loss_positions);
    }
}

#[derive(Deserialize)]
struct Infilling {
    tokens: Vec<String>,
    spans: Vec<[usize; 2]>,
    order: Vec<usize>,
    mask: Option<String>,
}

#[test]
fn golden_blank_infilling_with_short_spans() {
    check_infilling("glm-original");
}

#[test]
fn golden_blank_infilling_of_the_end() {
    check_infilling("glm-original-gmask");
}

fn check_infilling(case: &str) {
    let Some(folder) = shared(&format!("golden/models/{case}")) else { return };
    let vocabulary: Vec<String> =
        serde_json::from_value(json(&folder.join("vocab.json"))["tokens"].clone()).expect("tokens");
    let options = json(&folder.join("case.json"))["options"]["examples"].clone();
    let examples: Vec<Infilling> = serde_json::from_value(options).expect("examples");
    let examples: Vec<MaskedExample> =
        examples.iter().map(|example| infilled(example, &vocabulary)).collect();
    let special = SpecialIds { pad: Some(0), ..SpecialIds::new(64) };
    let batch = MaskedBatch::collate(&examples, &special, None).expect("collates");
    let bytes = fs::read(folder.join("expected.safetensors")).expect("reads");
    compare(&batch, &SafeTensors::deserialize(&bytes).expect("safetensors"));
}

fn infilled(example: &Infilling, vocabulary: &[String]) -> MaskedExample {
    let id = |token: &str| {
        vocabulary.iter().position(|known| known == token).expect("a known token") as u32
    };
    let text: Vec<u32> = example.tokens.iter().map(|token| id(token)).collect();
    let spans: Vec<Range<usize>> = example.spans.iter().map(|&[start, end]| start..end).collect();
    let mask = id(example.mask.as_deref().unwrap_or("[MASK]"));
    let blanks = Blanks { mask, spans, order: example.order.clone() };
    infill(&text, &blanks, id("<|startofpiece|>"), id("<|endofpiece|>"))
}

fn compare(batch: &MaskedBatch, expected: &SafeTensors<'_>) {
    assert_eq!(expected.tensor("in.input_ids").expect("ids").shape(), [batch.batch, batch.seq]);
    let ints = |name: &str| -> Vec<i64> {
        let tensor = expected.tensor(name).expect("a tensor of the case");
        tensor
            .data()
            .chunks_exact(8)
            .map(|bytes| i64::from_le_bytes(bytes.try_into().unwrap()))
            .collect()
    };
    let check = |found: &[u32], name: &str| {
        let found: Vec<i64> = found.iter().map(|&value| i64::from(value)).collect();
        assert_eq!(found, ints(name), "{name}");
    };
    check(&batch.input_ids, "in.input_ids");
    check(batch.position_ids.as_ref().expect("positions"), "in.position_ids");
    check(batch.block_position_ids.as_ref().expect("positions"), "in.block_position_ids");
    check(batch.prefix_len.as_ref().expect("part A"), "in.part_a_len");
    assert_eq!(batch.labels, ints("in.labels"));
    let attends: Vec<i64> = (0..batch.batch * batch.seq * batch.seq)
        .map(|at| (at / batch.seq.pow(2), at / batch.seq % batch.seq, at % batch.seq))
        .map(|(row, query, key)| i64::from(batch.attends(row, query, key)))
        .collect();
    assert_eq!(attends, ints("in.attention_mask"));
}
