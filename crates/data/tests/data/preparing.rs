//! Text to shards: split as documented, reused when nothing changed, made again when anything did.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use proptest::prelude::*;
use wuji_data::{
    BoxError, ByteEncoder, Corpus, CorpusOptions, DataSource, DocumentMode, Fingerprint,
    GeneratedSource, MemorySource, PreparedCorpus, SourceOptions, Split, SplitOptions, TextEncoder,
    TokenShards, WeightedSource,
};

use crate::support::{directory, join, options, prepare, shared, tokens, write};

const BY_CONTENT: SplitOptions = SplitOptions::ContentHash { validation_fraction: 0.3, seed: 1 };

/// One token per character, as nanoGPT's character data has it.
struct CharacterEncoder;

impl TextEncoder for CharacterEncoder {
    fn encode_ids(&self, text: &str) -> Result<Vec<u32>, BoxError> {
        Ok(text.chars().map(u32::from).collect())
    }

    fn vocab_size(&self) -> usize {
        1 << 21
    }

    fn fingerprint(&self) -> String {
        "characters".to_owned()
    }

    fn separator_id(&self) -> Option<u32> {
        None
    }
}

/// The text that one-token-per-character shards stand for.
fn text(shards: &TokenShards) -> String {
    tokens(shards).into_iter().map(|id| char::from_u32(id).expect("a character")).collect()
}

/// The documents of one-byte-per-token shards, without separators.
fn documents(shards: &TokenShards) -> Vec<String> {
    let of_shard = |shard: &wuji_data::TokenShard| -> Vec<String> {
        (0..shard.len())
            .map(|index| {
                let ids = shard.get(index).expect("in range");
                let bytes = ids.into_iter().filter_map(|id| u8::try_from(id).ok()).collect();
                String::from_utf8(bytes).expect("UTF-8")
            })
            .collect()
    };
    shards.shards().iter().flat_map(|named| of_shard(&named.shard)).collect()
}

#[test]
fn tiny_shakespeare_is_cut_where_nanogpt_cuts_it() {
    let Some(path) = shared("data/pretrain/tinyshakespeare/input.txt.gz") else { return };
    let corpus = Corpus::open(&CorpusOptions { sources: vec![options(&path)] }).expect("opens");
    let directory = directory();
    let split = SplitOptions::default();
    let prepared =
        wuji_data::prepare(&corpus, &CharacterEncoder, &split, directory.path()).expect("prepares");
    // nanoGPT's data/shakespeare_char/prepare.py: "train has 1,003,854 tokens, val has 111,540".
    assert_eq!(prepared.train.token_count(), 1_003_854);
    assert_eq!(prepared.validation.token_count(), 111_540);
    let whole = join(
        corpus.sources()[0]
            .source
            .parts()
            .expect("opens")
            .map(|part| part.expect("text"))
            .collect(),
    );
    assert_eq!(whole, [text(&prepared.train) + &text(&prepared.validation)]);
    assert_eq!(prepared.train.source_bytes() + prepared.validation.source_bytes(), 1_115_394);
    // One nat per character of ASCII is one nat per byte.
    assert!((prepared.validation.bits_per_byte(1.0) - std::f64::consts::LOG2_E).abs() < 1e-12);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn position_cuts_the_whole_text_at_a_character(
        documents in proptest::collection::vec("[a字😀 ]{1,9}", 1..8),
        validation_fraction in 0.05_f64..0.95,
    ) {
        let whole = documents.concat();
        let characters = whole.chars().count();
        let cut = (characters as f64 * (1.0 - validation_fraction)) as usize;
        prop_assume!(cut > 0 && cut < characters);
        let directory = directory();
        let corpus = Corpus::single(MemorySource::new("m", documents));
        let split = SplitOptions::Position { validation_fraction };
        let prepared = wuji_data::prepare(&corpus, &CharacterEncoder, &split, directory.path()).expect("prepares");
        let expected: String = whole.chars().take(cut).collect();
        prop_assert_eq!(text(&prepared.train), expected);
        let expected: String = whole.chars().skip(cut).collect();
        prop_assert_eq!(text(&prepared.validation), expected);
        prop_assert_eq!(prepared.validation.document_start(0), 0);
    }

    #[test]
    fn a_content_split_is_disjoint_complete_and_blind_to_file_order(
        texts in proptest::collection::btree_set("[a-z]{1,12}", 20..60),
        seed: u64,
    ) {
        let split = SplitOptions::ContentHash { validation_fraction: 0.3, seed };
        let sides = |names: &[String]| {
            let directory = directory();
            for (name, text) in names.iter().zip(&texts) {
                write(&directory, name, text);
            }
            let sources = vec![SourceOptions::new([directory.path().to_str().expect("UTF-8")])];
            let corpus = Corpus::open(&CorpusOptions { sources }).expect("opens");
            let side = |split_side| -> BTreeSet<String> {
                let parts = corpus.texts(&split, split_side).expect("opens");
                join(parts.map(|part| part.expect("text")).collect()).into_iter().collect()
            };
            (side(Split::Train), side(Split::Validation))
        };
        let names: Vec<String> = (0..texts.len()).map(|index| format!("{index:03}.txt")).collect();
        let (train, validation) = sides(&names);
        prop_assert!(train.is_disjoint(&validation));
        prop_assert_eq!(&train | &validation, texts.clone());
        let reversed: Vec<String> = names.iter().rev().cloned().collect();
        prop_assert_eq!(sides(&reversed), (train, validation));
    }
}

#[test]
fn a_content_split_takes_about_its_share_and_another_seed_takes_others() {
    let texts: Vec<String> = (0..3000).map(|index| format!("document number {index}")).collect();
    let corpus = Corpus::single(MemorySource::new("m", texts));
    let validation = |seed| -> BTreeSet<String> {
        let split = SplitOptions::ContentHash { validation_fraction: 0.1, seed };
        let parts = corpus.texts(&split, Split::Validation).expect("opens");
        parts.map(|part| part.expect("text").text).collect()
    };
    let (first, second) = (validation(0), validation(1));
    // Binomial with mean 300 and deviation 16.4.
    assert!((220..380).contains(&first.len()), "{}", first.len());
    assert!((5..70).contains(&first.intersection(&second).count()));
}

#[test]
fn near_copies_fall_on_the_same_side() {
    for index in 0..50 {
        let copies = [
            format!("Clause {index}: the Party shall pay."),
            format!("clause {index} the party\nSHALL pay"),
        ];
        let corpus = Corpus::single(MemorySource::new("m", copies));
        let parts = corpus.texts(&BY_CONTENT, Split::Train).expect("opens");
        assert!([0, 2].contains(&parts.count()), "copies of clause {index} were separated");
    }
}

#[test]
fn separators_end_documents_but_not_the_place_of_the_cut() {
    let directory = directory();
    let split = SplitOptions::Position { validation_fraction: 0.4 };
    let prepared = prepare(&directory, &["abc", "defg", "hij"], true, &split);
    let expect = |text: &str| -> Vec<u32> {
        text.bytes().map(|byte| if byte == b'|' { 256 } else { u32::from(byte) }).collect()
    };
    assert_eq!(tokens(&prepared.train), expect("abc|def"));
    assert_eq!(tokens(&prepared.validation), expect("g|hij|"));
    assert_eq!(documents(&prepared.validation), ["g", "hij"]);
    assert_eq!(prepared.train.source_bytes(), 6);
}

#[test]
fn a_validation_file_of_its_own_validates_whole() {
    let directory = directory();
    let train = write(&directory, "train.txt", "learn this");
    let validation = write(&directory, "valid.txt", "hold this out\nand this");
    let corpus = Corpus::open(&CorpusOptions { sources: vec![options(&train)] }).expect("opens");
    let split = SplitOptions::Files {
        validation: Box::new(SourceOptions {
            documents: DocumentMode::Line,
            ..options(&validation)
        }),
    };
    let out = directory.path().join("out");
    let prepared =
        wuji_data::prepare(&corpus, &ByteEncoder::default(), &split, &out).expect("prepares");
    assert_eq!(documents(&prepared.train), ["learn this"]);
    assert_eq!(documents(&prepared.validation), ["hold this out", "and this"]);
    assert_eq!(prepared.manifest.sources[1].train, None);
}

#[test]
fn order_is_kept_through_parallel_tokenization() {
    let directory = directory();
    let texts: Vec<String> = (0..40_000).map(|index| format!("{index} ")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let prepared =
        prepare(&directory, &texts, true, &SplitOptions::Position { validation_fraction: 0.5 });
    let found = [documents(&prepared.train), documents(&prepared.validation)].concat();
    assert_eq!(found.concat(), texts.concat());
    assert!(found.len() - texts.len() <= 1);
}

/// Text files under a directory, prepared below `out`.
fn prepare_files(
    directory: &tempfile::TempDir,
    split: &SplitOptions,
    separator: bool,
) -> PreparedCorpus {
    let source = SourceOptions {
        documents: DocumentMode::Line,
        ..SourceOptions::new([directory.path().join("in").to_str().expect("UTF-8")])
    };
    let corpus = Corpus::open(&CorpusOptions { sources: vec![source] }).expect("opens");
    wuji_data::prepare(&corpus, &ByteEncoder { separator }, split, &directory.path().join("out"))
        .expect("prepares")
}

#[test]
fn prepared_text_is_reused_until_something_changes() {
    let directory = directory();
    let by_position = SplitOptions::default();
    write(&directory, "in/a.txt", "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n");
    let first = prepare_files(&directory, &by_position, false);
    assert!(!first.reused);
    let again = prepare_files(&directory, &by_position, false);
    assert!(again.reused);
    assert_eq!(again.manifest, first.manifest);
    assert_eq!(tokens(&again.train), tokens(&first.train));

    assert!(!prepare_files(&directory, &by_position, true).reused, "another tokenizer");
    assert!(!prepare_files(&directory, &BY_CONTENT, false).reused, "another split");
    assert!(prepare_files(&directory, &by_position, false).reused, "both are kept");

    fs::rename(directory.path().join("in/a.txt"), directory.path().join("in/b.txt"))
        .expect("renames");
    let renamed = prepare_files(&directory, &by_position, false);
    assert!(renamed.reused, "another name is the same text");
    assert!(renamed.manifest.sources[0].card.inputs[0].path.ends_with("b.txt"));

    write(&directory, "in/b.txt", "one\ntwo\nthree\nfour\nfive\nsix\nseven\nnine!\n");
    let changed = prepare_files(&directory, &by_position, false);
    assert!(!changed.reused, "the same size, another content");
    assert_ne!(changed.manifest.key, first.manifest.key);
}

#[test]
fn damaged_shards_are_made_again() {
    let directory = directory();
    let split = SplitOptions::default();
    write(&directory, "in/a.txt", "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n");
    let first = prepare_files(&directory, &split, false);
    let expected = tokens(&first.train);
    let shard = first.train.shards()[0].shard.path().to_path_buf();
    let manifest = first.directory.join("manifest.json");
    drop(first);
    let damages: [&dyn Fn(); 5] = [
        &|| {
            let mut bytes = fs::read(&shard).expect("reads");
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            fs::remove_file(&shard).expect("removes");
            fs::write(&shard, bytes).expect("writes");
        },
        &|| fs::write(&shard, "").expect("writes"),
        &|| fs::remove_file(&shard).expect("removes"),
        &|| fs::write(&manifest, "{").expect("writes"),
        &|| fs::remove_file(&manifest).expect("removes"),
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        damage();
        let repaired = prepare_files(&directory, &split, false);
        assert!(!repaired.reused, "damage {number}");
        assert_eq!(tokens(&repaired.train), expected, "damage {number}");
        assert!(prepare_files(&directory, &split, false).reused, "damage {number}");
    }
}

#[test]
fn a_failed_preparation_leaves_nothing_behind() {
    let directory = directory();
    write(&directory, "in/a.txt", "fine\nfine\n");
    write(&directory, "in/b.txt", b"not \xff fine\n");
    let out = directory.path().join("out");
    let source = SourceOptions::new([directory.path().join("in").to_str().expect("UTF-8")]);
    let corpus = Corpus::open(&CorpusOptions { sources: vec![source] }).expect("opens");
    let error =
        wuji_data::prepare(&corpus, &ByteEncoder::default(), &SplitOptions::default(), &out)
            .expect_err("invalid UTF-8");
    assert!(error.to_string().contains("b.txt"), "{error}");
    assert_eq!(fs::read_dir(&out).expect("exists").count(), 0);
}

#[test]
fn two_preparations_at_once_agree() {
    let directory = directory();
    let lines: String = (0..5000).map(|index| format!("line {index}\n")).collect();
    write(&directory, "in/a.txt", lines);
    let prepared: Vec<PreparedCorpus> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| prepare_files(&directory, &SplitOptions::default(), true)))
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("prepares")).collect()
    });
    for other in &prepared {
        assert_eq!(tokens(&other.train), tokens(&prepared[0].train));
    }
    assert_eq!(fs::read_dir(directory.path().join("out")).expect("exists").count(), 1);
}

#[test]
fn a_tokenizer_error_names_the_document() {
    struct Failing;
    impl TextEncoder for Failing {
        fn encode_ids(&self, text: &str) -> Result<Vec<u32>, BoxError> {
            if text.contains('!') { Err("no such character".into()) } else { Ok(vec![0]) }
        }
        fn vocab_size(&self) -> usize {
            1
        }
        fn fingerprint(&self) -> String {
            String::new()
        }
        fn separator_id(&self) -> Option<u32> {
            None
        }
    }
    let directory = directory();
    let path = write(&directory, "t.txt", "fine\nnot!\nfine");
    let source = SourceOptions { documents: DocumentMode::Line, ..options(&path) };
    let corpus = Corpus::open(&CorpusOptions { sources: vec![source] }).expect("opens");
    let result = wuji_data::prepare(&corpus, &Failing, &SplitOptions::default(), directory.path());
    let message = result.expect_err("fails").to_string();
    assert!(message.contains("t.txt:2: cannot tokenize: no such character"), "{message}");
}

#[test]
fn sources_are_split_one_by_one_and_keep_their_names() {
    let directory = directory();
    let source = |name: &str, letter: &str| WeightedSource {
        source: Arc::new(MemorySource::new(name, [letter.repeat(10)])),
        weight: None,
    };
    let corpus = Corpus::new(vec![source("first", "a"), source("second", "b")]).expect("two");
    let prepared = wuji_data::prepare(
        &corpus,
        &ByteEncoder::default(),
        &SplitOptions::default(),
        directory.path(),
    )
    .expect("prepares");
    assert_eq!(documents(&prepared.train), ["aaaaaaaaa", "bbbbbbbbb"]);
    assert_eq!(documents(&prepared.validation), ["a", "b"]);
    let names: Vec<&str> =
        prepared.train.shards().iter().map(|shard| shard.name.as_str()).collect();
    assert_eq!(names, ["first", "second"]);
}

#[test]
fn generated_text_is_prepared_like_any_other_and_told_apart_by_its_recipe() {
    let directory = directory();
    let prepare = |count: usize| {
        let source = GeneratedSource::new("numbers", &format!("numbers 0..{count}"), move || {
            (0..count).map(|number| number.to_string())
        });
        let split = SplitOptions::default();
        wuji_data::prepare(
            &Corpus::single(source),
            &ByteEncoder { separator: true },
            &split,
            directory.path(),
        )
        .expect("prepares")
    };
    let first = prepare(100);
    assert_eq!(documents(&first.train)[..3], ["0", "1", "2"]);
    assert!(prepare(100).reused && !prepare(101).reused);
}

#[test]
fn fingerprints_of_inputs_are_those_of_sha256sum() {
    let directory = directory();
    write(&directory, "in/a.txt", "abc");
    let prepared = prepare_files(&directory, &SplitOptions::default(), false);
    let input = &prepared.manifest.sources[0].card.inputs[0];
    assert_eq!((input.bytes, input.sha256), (3, Fingerprint::of(b"abc")));
}
