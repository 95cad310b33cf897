//! Shards on disk: what goes in comes out, and nothing else is taken for a shard.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use wuji_data::shard::{NamedShard, ShardHeader, ShardSpec, TokenWidth};
use wuji_data::{DataError, DataSource, ShardWriter, TokenShard, TokenShards};

use crate::support::{directory, tokens};

const TOKENIZER: &str = "the tokenizer";

fn write(path: &Path, vocab_size: usize, documents: &[Vec<u32>]) -> ShardHeader {
    let spec = ShardSpec { vocab_size, tokenizer_fingerprint: TOKENIZER.to_owned() };
    let mut writer = ShardWriter::create(path, spec).expect("creates");
    for document in documents {
        writer.begin_document().expect("writes");
        // In two pushes, as a long document arrives.
        let (first, second) = document.split_at(document.len() / 2);
        writer.push(first, first.len() as u64).expect("writes");
        writer.push(second, second.len() as u64 + 1).expect("writes");
    }
    writer.finish().expect("finishes")
}

fn example(path: &Path) {
    write(path, 300, &[vec![1, 2, 3], vec![299, 4]]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn tokens_and_documents_round_trip_in_either_width(
        wide: bool,
        documents in proptest::collection::vec(proptest::collection::vec(0_u32..65_536, 0..50), 0..20),
    ) {
        let directory = directory();
        let path = directory.path().join("t.tokens");
        let vocab_size = if wide { 65_537 } else { 65_536 };
        let header = write(&path, vocab_size, &documents);
        prop_assert_eq!(header.token_width, if wide { TokenWidth::U32 } else { TokenWidth::U16 });
        prop_assert_eq!(fs::metadata(&path).expect("exists").len(), header.file_bytes());

        let shard = TokenShard::open(&path, TOKENIZER).expect("opens");
        prop_assert_eq!(shard.header(), &header);
        prop_assert_eq!(shard.len(), documents.len());
        for (index, document) in documents.iter().enumerate() {
            prop_assert_eq!(&shard.get(index).expect("in range"), document);
        }
        prop_assert!(shard.get(documents.len()).is_err());
        let joined = documents.concat();
        prop_assert_eq!(header.source_bytes as usize, joined.len() + documents.len());
        let holders = documents.iter().enumerate().flat_map(|(index, document)| vec![index as u64; document.len()]);
        for (token, holder) in (0..).zip(holders) {
            prop_assert_eq!(shard.document_of(token), holder);
        }
        prop_assert_eq!(tokens(&TokenShards::single("t", shard)), joined);
    }

    #[test]
    fn a_set_of_shards_reads_as_one_sequence(
        shards in proptest::collection::vec(
            proptest::collection::vec(proptest::collection::vec(0_u32..9, 0..6), 0..5), 1..5),
        range in (0.0..1.0, 0.0..1.0),
    ) {
        let directory = directory();
        let named = shards.iter().enumerate().map(|(index, documents)| {
            let path = directory.path().join(format!("{index}.tokens"));
            write(&path, 9, documents);
            let shard = TokenShard::open(&path, TOKENIZER).expect("opens");
            NamedShard { name: index.to_string(), weight: None, shard }
        });
        let set = TokenShards::new(named.collect()).expect("one tokenizer");
        let documents: Vec<&Vec<u32>> = shards.iter().flatten().collect();
        let joined: Vec<u32> = documents.iter().flat_map(|document| document.iter().copied()).collect();
        prop_assert_eq!(&tokens(&set), &joined);
        prop_assert_eq!(set.document_count() as usize, documents.len());

        let start = (range.0 * joined.len() as f64) as usize;
        let mut some = vec![0; ((joined.len() - start) as f64 * range.1) as usize];
        set.read(start as u64, &mut some);
        prop_assert_eq!(&some[..], &joined[start..start + some.len()]);

        let mut token = 0;
        for (index, document) in documents.iter().enumerate() {
            prop_assert_eq!(set.document_start(index as u64), token);
            for _ in document.iter() {
                prop_assert_eq!(set.document_of(token), index as u64);
                token += 1;
            }
        }
        prop_assert_eq!(set.document_start(documents.len() as u64), token);
    }

    #[test]
    fn any_changed_byte_is_noticed(position in 0.0..1.0, change in 1_u8..=255) {
        let directory = directory();
        let path = directory.path().join("t.tokens");
        example(&path);
        let mut bytes = fs::read(&path).expect("reads");
        let index = (position * bytes.len() as f64) as usize;
        bytes[index] ^= change;
        fs::write(&path, &bytes).expect("writes");
        // Padding between the header and the first token is the one thing that no sum covers.
        let header_end = 72 + TOKENIZER.len();
        if !(header_end..128).contains(&index) {
            prop_assert!(TokenShard::open(&path, TOKENIZER).is_err(), "byte {index}");
        }
    }

    #[test]
    fn any_other_length_is_noticed(kept in 0.0..1.0) {
        let directory = directory();
        let path = directory.path().join("t.tokens");
        example(&path);
        let bytes = fs::read(&path).expect("reads");
        let kept = (kept * bytes.len() as f64) as usize;
        fs::write(&path, &bytes[..kept]).expect("writes");
        let error = TokenShard::open(&path, TOKENIZER).expect_err("cut off");
        let expected = matches!(error, DataError::TruncatedShard { .. } | DataError::EmptyFile { .. });
        prop_assert!(expected, "{kept}: {error}");
        fs::write(&path, [&bytes[..], &[0]].concat()).expect("writes");
        prop_assert!(TokenShard::open(&path, TOKENIZER).is_err());
    }
}

#[test]
fn messages_name_the_file_and_both_sides_of_the_disagreement() {
    let directory = directory();
    let path = directory.path().join("t.tokens");
    example(&path);
    let check = |tokenizer: &str, expected: &[&str]| {
        let message = TokenShard::open(&path, tokenizer).expect_err("refused").to_string();
        for part in [&["t.tokens"], expected].concat() {
            assert!(message.contains(part), "no {part:?} in {message:?}");
        }
    };
    check("another", &["tokenizer the tokenizer", "this one is another"]);
    let bytes = fs::read(&path).expect("reads");
    fs::write(&path, &bytes[..bytes.len() - 1]).expect("writes");
    check(TOKENIZER, &["truncated", "expected 160 bytes, got 159"]);
    fs::write(&path, "some text").expect("writes");
    check(TOKENIZER, &["not a token shard"]);
    fs::remove_file(&path).expect("removes");
    check(TOKENIZER, &["no such file"]);
}

#[test]
fn ids_outside_the_vocabulary_are_refused() {
    let directory = directory();
    let path = directory.path().join("t.tokens");
    let spec = ShardSpec { vocab_size: 10, tokenizer_fingerprint: TOKENIZER.to_owned() };
    let mut writer = ShardWriter::create(&path, spec).expect("creates");
    let message = writer.push(&[9, 10], 2).expect_err("10 of 10").to_string();
    assert!(message.contains("token id 10") && message.contains("vocabulary of 10"), "{message}");
}

#[test]
fn an_unfinished_shard_leaves_nothing_behind() {
    let directory = directory();
    let path = directory.path().join("t.tokens");
    let spec = ShardSpec { vocab_size: 10, tokenizer_fingerprint: TOKENIZER.to_owned() };
    let mut writer = ShardWriter::create(&path, spec).expect("creates");
    writer.push(&[1, 2, 3], 3).expect("writes");
    drop(writer);
    assert_eq!(fs::read_dir(directory.path()).expect("reads").count(), 0);
}

#[test]
fn shards_of_different_tokenizers_do_not_mix() {
    let directory = directory();
    let open = |name: &str, tokenizer: &str| {
        let path = directory.path().join(name);
        let spec = ShardSpec { vocab_size: 10, tokenizer_fingerprint: tokenizer.to_owned() };
        ShardWriter::create(&path, spec).expect("creates").finish().expect("finishes");
        let shard = TokenShard::open(&path, tokenizer).expect("opens");
        NamedShard { name: name.to_owned(), weight: None, shard }
    };
    let error = TokenShards::new(vec![open("a", "one"), open("b", "two")]).expect_err("two");
    assert!(matches!(error, DataError::WrongTokenizer { .. }), "{error}");
}
