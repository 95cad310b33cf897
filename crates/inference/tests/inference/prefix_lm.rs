//! A decoder whose prompt is read in both directions.

use wuji_inference::sampling::{Sampler, log_sum_exp};
use wuji_inference::{LogitsModel, PrefixLm, ScoredSequence, Session, beam_search};
use wuji_protocol::GenerateOptions;

use crate::support::{flex, greedy};
use crate::tiny::{self, VOCAB, assert_close};

#[test]
fn decoding_behind_a_prefix_gives_the_logits_of_a_full_pass_with_its_mask() {
    let decoder = tiny::decoder(&flex());
    let model = PrefixLm(&decoder);
    let ids = tiny::ids(20, 1);
    let full = model.logits_after(&ids, 8).unwrap();
    let row = |at: usize| &full[at * VOCAB..(at + 1) * VOCAB];
    let mut session = Session::start(&model, &ids[..8], 12).unwrap();
    assert_close("prefix", session.ids_and_logits().1, row(7));
    for (at, &id) in ids.iter().enumerate().skip(8) {
        session.push(id).unwrap();
        assert_close(&format!("token {at}"), session.ids_and_logits().1, row(at));
    }
}

#[test]
fn a_prefix_sees_its_end_and_nothing_behind_it() {
    let decoder = tiny::decoder(&flex());
    let model = PrefixLm(&decoder);
    let ids = tiny::ids(10, 1);
    let mut other = ids.clone();
    other[9] = 6 + (other[9] - 5) % 33;
    let rows = |ids: &[u32], prefix| model.logits_after(ids, prefix).unwrap();
    // Behind the prefix, a later token is not seen.
    assert_close("causal", &rows(&ids, 5)[..9 * VOCAB], &rows(&other, 5)[..9 * VOCAB]);
    // Inside, it is.
    let (one, two) = (rows(&ids, 10), rows(&other, 10));
    let apart = one[..VOCAB].iter().zip(&two).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart > 1e-3, "the first token does not see the last: {apart}");
    // A prefix of one token is the causal model.
    assert_close("one", &rows(&ids, 1), &LogitsModel::logits(&decoder, &ids).unwrap());
}

#[test]
fn scores_are_those_of_a_full_pass_and_one_beam_is_greedy() {
    let decoder = tiny::decoder(&flex());
    let model = PrefixLm(&decoder);
    let ids = tiny::ids(12, 2);
    let full = model.logits_after(&ids[..11], 7).unwrap();
    let scores = model.score(&[ScoredSequence { ids: ids.clone(), scored_from: 7 }]).unwrap();
    for (at, score) in (7..12).zip(&scores[0]) {
        let row = &full[(at - 1) * VOCAB..at * VOCAB];
        let expected = f64::from(row[ids[at] as usize]) - log_sum_exp(row);
        assert!((score.log_prob - expected).abs() < 1e-4);
    }
    let options = GenerateOptions { max_new_tokens: 8, ..GenerateOptions::greedy() };
    let sampler = Sampler::new(options, Vec::new(), vec![1]);
    let found = beam_search(&model, &ids, &sampler).unwrap();
    assert_eq!(found[0].ids, greedy(&model, &ids, 8, &[1]).unwrap());
}
