//! Packing against the reference's own numbers.

use std::fs;

use serde_json::Value;
use wuji_data::shard::{NamedShard, ShardSpec};
use wuji_data::{LoaderOptions, Packing, Sampling, ShardWriter, TokenShard, TokenShards};

use crate::support::{directory, epoch, shared};

#[test]
fn packed_blocks_are_those_of_the_reference() {
    let Some(path) = shared("golden/training/objectives/expected.json") else { return };
    let golden: Value =
        serde_json::from_str(&fs::read_to_string(path).expect("reads")).expect("parses");
    let cases = golden["packing"].as_array().expect("a list");
    assert!(!cases.is_empty());
    for case in cases {
        check(case);
    }
}

fn check(case: &Value) {
    let block = case["block"].as_u64().expect("a number") as usize;
    let eos = case["eos"].as_u64().expect("a number") as u32;
    let documents: Vec<Vec<u32>> = from(&case["docs"]);
    let shards = shard(&documents, eos);
    let options = LoaderOptions {
        context: block,
        micro_batch_size: 1,
        // The reference keeps full blocks of input; ours predicts the next token too, so its last
        // full block may be our partial one.
        sampling: Sampling::Sequential { include_partial: true },
        packing: Packing::DocumentMask,
        ..LoaderOptions::default()
    };
    let batches = epoch(&shards, options);
    let blocks = case["blocks"].as_array().expect("a list");
    for (batch, expected) in batches.iter().zip(blocks) {
        assert_eq!(batch.input_ids, from::<Vec<u32>>(&expected["tokens"]));
        assert_eq!(batch.segment_ids, Some(from(&expected["segment"])));
        assert_eq!(batch.position_ids, Some(from(&expected["position"])));
        let attention: Vec<Vec<u8>> = from(&expected["attention"]);
        for (query, row) in attention.iter().enumerate() {
            for (key, &expected) in row.iter().enumerate() {
                assert_eq!(batch.attends(0, query, key), expected == 1, "{query} to {key}");
            }
        }
    }
    let dropped: Vec<u32> = from(&case["dropped"]);
    assert_eq!(shards.token_count() as usize, blocks.len() * block + dropped.len());
    if let Some(rest) = batches.get(blocks.len()) {
        assert_eq!(rest.input_ids[..dropped.len()], dropped);
    }
}

fn shard(documents: &[Vec<u32>], eos: u32) -> TokenShards {
    let directory = directory();
    let path = directory.path().join("packing.tokens");
    let spec = ShardSpec { vocab_size: 100, tokenizer_fingerprint: "reference".to_owned() };
    let mut writer = ShardWriter::create(&path, spec).expect("creates");
    for document in documents {
        writer.begin_document().expect("writes");
        writer.push(document, 0).expect("writes");
        writer.push(&[eos], 0).expect("writes");
    }
    writer.finish().expect("finishes");
    let shard = TokenShard::open(&path, "reference").expect("opens");
    TokenShards::new(vec![NamedShard { name: "packing".to_owned(), weight: None, shard }])
        .expect("one shard")
}

fn from<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).expect("the shape in the reference")
}
