//! Recurrent and feed-forward language models: with their state and without, in a batch and alone.

use wuji_inference::sampling::Sampler;
use wuji_inference::{LogitsModel, ScoredSequence, Session, beam_search, beam_search_rows};
use wuji_protocol::GenerateOptions;

use crate::support::{flex, greedy};
use crate::tiny::{self, VOCAB, assert_close};

fn check<M: LogitsModel>(name: &str, model: &M) {
    state_is_full(name, model);
    beams_agree(name, model);
    batches_agree(name, model);
}

fn state_is_full<M: LogitsModel>(name: &str, model: &M) {
    let ids = tiny::ids(30, 1);
    let full = model.logits(&ids).unwrap();
    let row = |at: usize| &full[at * VOCAB..(at + 1) * VOCAB];
    let mut session = Session::start(model, &ids[..11], 19).unwrap();
    assert_close(name, session.ids_and_logits().1, row(10));
    for (at, &id) in ids.iter().enumerate().skip(11) {
        session.push(id).unwrap();
        assert_close(&format!("{name}, token {at}"), session.ids_and_logits().1, row(at));
    }
}

fn options(num_beams: usize) -> Sampler {
    let options = GenerateOptions { num_beams, max_new_tokens: 9, ..GenerateOptions::greedy() };
    Sampler::new(options, Vec::new(), vec![1])
}

fn beams_agree<M: LogitsModel>(name: &str, model: &M) {
    for salt in 0..4 {
        let prompt = tiny::ids(5, salt);
        let expected = greedy(model, &prompt, 9, &[1]).unwrap();
        assert_eq!(beam_search(model, &prompt, &options(1)).unwrap()[0].ids, expected, "{name}");
    }
    let rows = beam_search_rows(model, &[7, 8], &[9, 4], &options(3)).unwrap();
    // Products of few rows round otherwise than those of many, and scores may be as good as equal.
    let alone = beam_search(model, &[7], &options(3)).unwrap();
    for expected in &alone {
        let found = rows[0].iter().find(|found| found.ids == expected.ids);
        let found = found.unwrap_or_else(|| panic!("{name}: {expected:?} is not in {:?}", rows[0]));
        assert!((found.score - expected.score).abs() < 1e-5, "{name}: {found:?} {expected:?}");
    }
    // The score of a beam is that of its tokens.
    for (start, found) in [(7, &rows[0]), (8, &rows[1])] {
        for hypothesis in found {
            let mut ids = vec![start];
            ids.extend(&hypothesis.ids);
            ids.extend(hypothesis.eos);
            let length = (ids.len() - 1) as f64;
            let scored = model.score(&[ScoredSequence { ids, scored_from: 1 }]).unwrap();
            let sum: f64 = scored[0].iter().map(|score| score.log_prob).sum();
            assert!((sum / length - hypothesis.score).abs() < 1e-4, "{name}");
        }
    }
}

fn batches_agree<M: LogitsModel>(name: &str, model: &M) {
    let sequences: Vec<ScoredSequence> = [(20, 5), (3, 1), (2, 1), (1, 1), (11, 10), (700, 600)]
        .into_iter()
        .map(|(length, scored_from)| ScoredSequence { ids: tiny::ids(length, 3), scored_from })
        .collect();
    let together = model.score(&sequences).unwrap();
    for (sequence, scores) in sequences.iter().zip(together) {
        assert_eq!(scores.len(), sequence.targets().len(), "{name}");
        if scores.is_empty() {
            continue;
        }
        let logits = model.logits(sequence.inputs()).unwrap();
        let rows = logits.chunks_exact(VOCAB).skip(sequence.scored_from - 1);
        for ((row, &id), score) in rows.zip(sequence.targets()).zip(scores) {
            let expected = f64::from(row[id as usize]) - wuji_inference::sampling::log_sum_exp(row);
            let difference = (score.log_prob - expected).abs();
            assert!(difference <= 2e-4, "{name}: differs by {difference}");
            let best = wuji_inference::sampling::argmax(row);
            assert_eq!(score.is_greedy, best == Some(id as usize), "{name}");
        }
    }
}

#[test]
fn an_lstm_writes_and_scores_the_same_with_its_state_and_in_any_batch() {
    check("lstm", &tiny::recurrent_lm(&flex()));
}

#[test]
fn a_window_model_writes_and_scores_the_same_from_its_last_tokens_and_in_any_batch() {
    for context_size in [1, 2, 5] {
        let name = format!("window of {context_size}");
        check(&name, &tiny::feed_forward_lm(context_size, &flex()));
    }
}
