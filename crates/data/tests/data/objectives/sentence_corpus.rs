//! Pairs cut from shards are those cut from the same documents in memory.

use wuji_data::objectives::{
    PairTask, SentenceCorpus, SentenceLengths, SentencePairOptions, Sentences, SpecialIds,
    WordRule, WordTable,
};
use wuji_data::{SplitOptions, TokenShards};

use crate::support::{directory, options, prepare, write};

/// One id for each byte, and a separator behind documents.
fn special() -> SpecialIds {
    let pieces = (0..256_u32).map(|byte| char::from_u32(byte).unwrap_or_default().to_string());
    SpecialIds {
        eos: Some(256),
        words: Some(WordTable::new(WordRule::EachPiece, pieces)),
        ..SpecialIds::new(257)
    }
}

/// Shards of documents, and where they lie.
fn shards(documents: &[&str]) -> (tempfile::TempDir, TokenShards) {
    let dir = directory();
    let validation = Box::new(options(&write(&dir, "held-out.txt", "Held out.")));
    let prepared = prepare(&dir, documents, true, &SplitOptions::Files { validation });
    (dir, prepared.train)
}

const DOCUMENTS: [&str; 3] =
    ["Red. Green!? Blue", "A cat sat. It ate. It slept. It woke.", "Who? Me. You. Them."];

fn sentences(documents: &[&str]) -> Vec<Sentences> {
    let bytes = |text: &str| text.bytes().map(u32::from).collect::<Vec<_>>();
    let cut = |text: &&str| {
        let ends = |at: usize| ".?!".contains(&text[at..=at]);
        let is_last = |at: &usize| ends(*at) && !(at + 1 < text.len() && ends(at + 1));
        let mut bounds: Vec<usize> = (0..text.len()).filter(is_last).map(|at| at + 1).collect();
        bounds.insert(0, 0);
        bounds.push(text.len());
        bounds.dedup();
        bounds.windows(2).map(|ends| bytes(&text[ends[0]..ends[1]])).collect()
    };
    documents.iter().map(cut).collect()
}

#[test]
fn shards_are_cut_as_documents_in_memory_are() {
    let (_dir, shards) = shards(&DOCUMENTS);
    let corpus = SentenceCorpus::new(shards, &special()).expect("cuts");
    let memory = sentences(&DOCUMENTS);
    assert_eq!(corpus.lengths(0), [4, 8, 5], "Red. | Green!? | Blue");
    for task in [PairTask::NextSentence, PairTask::SentenceOrder] {
        let options = SentencePairOptions { task, max_length: 25, ..Default::default() };
        for seed in 0..20 {
            let places = corpus.pass(&options, seed).expect("pairs");
            let found: Vec<_> = places.iter().map(|place| corpus.pair(place)).collect();
            let each = |document| options.pairs(&memory, document, seed).expect("pairs");
            assert_eq!(found, (0..memory.len()).flat_map(each).collect::<Vec<_>>());
            let mut shuffled = corpus.shuffled_pass(&options, seed).expect("pairs");
            let mut in_order = places;
            let key = |place: &wuji_data::objectives::PairPlace| format!("{place:?}");
            shuffled.sort_by_key(key);
            in_order.sort_by_key(key);
            assert_eq!(shuffled, in_order, "a shuffle keeps every pair");
        }
    }
}

#[test]
fn a_text_without_pairs_or_words_is_refused() {
    let (_dir, shards) = shards(&["One sentence", "Another one"]);
    let corpus = SentenceCorpus::new(shards.clone(), &special()).expect("cuts");
    let order = SentencePairOptions { task: PairTask::SentenceOrder, ..Default::default() };
    let error = corpus.pass(&order, 0).expect_err("single sentences").to_string();
    assert!(error.starts_with("sentence_pairs: expected documents of more than one"), "{error}");
    let without = SpecialIds { words: None, ..special() };
    let error = SentenceCorpus::new(shards, &without).expect_err("no words").to_string();
    assert!(error.starts_with("sentence_pairs: expected a tokenizer"), "{error}");
}
