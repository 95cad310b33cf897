//! Encoder–decoders: against `transformers`, with a cache and without, in a batch and alone.

use wuji_inference::sampling::Sampler;
use wuji_inference::{
    ConditionalModel, Conditioned, InferenceError, LogitsModel, Session, beam_search,
    beam_search_rows,
};
use wuji_model::Seq2SeqLm;
use wuji_protocol::GenerateOptions;

use crate::reference_models::{BEAM_CASES, BeamSettings, real};
use crate::support::{Expected, flex, greedy, shared};
use crate::tiny::{self, VOCAB, assert_close};

const T5: [&str; 2] = ["t5-v1.0", "t5-v1.1"];

/// The sources of a case, without padding.
fn sources(expected: &Expected) -> Vec<Vec<u32>> {
    let rows = expected.rows("in.input_ids").into_iter().zip(expected.rows("in.attention_mask"));
    rows.map(|(ids, mask)| real(&ids, &mask).collect()).collect()
}

#[test]
fn golden_t5_decodes_greedily_as_transformers_does() {
    for name in T5 {
        let Some(case) = shared(&format!("golden/models/{name}")) else { return };
        let model = Seq2SeqLm::from_dir(&case, &flex()).unwrap();
        let expected = Expected::read(&case);
        let start = model.decoder_start_token_id();
        let eos = BeamSettings::read(&case).eos_token_id;
        for (kind, ends) in [("gen.greedy", vec![]), ("gen.greedy_eos", vec![eos])] {
            for (source, output) in sources(&expected).iter().zip(expected.rows(kind)) {
                let conditioned = Conditioned::new(&model, source).unwrap();
                let new_tokens = output.len() - 1;
                let mut found = greedy(&conditioned, &[start], new_tokens, &ends).unwrap();
                if found.len() < new_tokens {
                    found.extend(&ends);
                    found.resize(new_tokens, 0);
                }
                assert_eq!(found, output[1..], "{name}, {kind}");
            }
        }
    }
}

#[test]
fn golden_t5_beams_are_those_of_transformers_for_a_source_and_for_a_padded_batch() {
    for name in T5 {
        let Some(case) = shared(&format!("golden/models/{name}")) else { return };
        let model = Seq2SeqLm::from_dir(&case, &flex()).unwrap();
        let expected = Expected::read(&case);
        let settings = BeamSettings::read(&case);
        let sources = sources(&expected);
        let rows: Vec<&[u32]> = sources.iter().map(Vec::as_slice).collect();
        let start = model.decoder_start_token_id();
        let all = Conditioned::on_each(&model, &rows).unwrap();
        for case in &BEAM_CASES {
            let sampler = settings.sampler(case.ends);
            let limits = vec![sampler.options().max_new_tokens; rows.len()];
            let starts = vec![start; rows.len()];
            let together = beam_search_rows(&all, &starts, &limits, &sampler).unwrap();
            let outputs = expected.rows(case.tokens);
            let outputs: Vec<_> = outputs.iter().zip(expected.floats(case.scores)).collect();
            let outputs = outputs.chunks(case.hypotheses);
            for ((source, outputs), together) in rows.iter().zip(outputs).zip(&together) {
                let one = Conditioned::new(&model, source).unwrap();
                let alone = beam_search(&one, &[start], &sampler).unwrap();
                for found in [&alone, together] {
                    for (found, (output, score)) in found.iter().zip(outputs) {
                        let mut tokens = found.ids.clone();
                        tokens.extend(found.eos);
                        tokens.resize(output.len() - 1, 0);
                        assert_eq!(tokens, output[1..], "{name}, {}", case.tokens);
                        let off = (found.score - f64::from(*score)).abs();
                        assert!(off <= 1e-4, "{name}, {}: the score is off by {off}", case.tokens);
                    }
                }
            }
        }
    }
}

fn options(num_beams: usize, max_new_tokens: usize) -> Sampler {
    let options = GenerateOptions { num_beams, max_new_tokens, ..GenerateOptions::greedy() };
    Sampler::new(options, Vec::new(), vec![1])
}

/// What must hold of every encoder–decoder.
fn check<M: ConditionalModel>(name: &str, model: &M) {
    decoding_with_a_cache_is_decoding_without(name, model);
    one_beam_is_greedy(name, model);
    rows_are_independent(name, model);
    the_source_matters(name, model);
}

fn decoding_with_a_cache_is_decoding_without<M: ConditionalModel>(name: &str, model: &M) {
    let conditioned = Conditioned::new(model, &tiny::ids(9, 1)).unwrap();
    let target = tiny::ids(12, 2);
    let full = conditioned.logits(&target).unwrap();
    let row = |at: usize| &full[at * VOCAB..(at + 1) * VOCAB];
    let spread = row(11).iter().fold(0.0_f32, |widest, logit| widest.max(logit.abs()));
    assert!(spread > 0.2, "{name}: logits within {spread} would hide a difference");
    let mut session = Session::start(&conditioned, &target[..4], 8).unwrap();
    assert_close(name, session.ids_and_logits().1, row(3));
    for (at, &id) in target.iter().enumerate().skip(4) {
        session.push(id).unwrap();
        assert_close(&format!("{name}, token {at}"), session.ids_and_logits().1, row(at));
    }
}

fn one_beam_is_greedy<M: ConditionalModel>(name: &str, model: &M) {
    for salt in 0..4 {
        let conditioned = Conditioned::new(model, &tiny::ids(7, salt)).unwrap();
        let expected = greedy(&conditioned, &[0], 10, &[1]).unwrap();
        let found = beam_search(&conditioned, &[0], &options(1, 10)).unwrap();
        assert_eq!(found[0].ids, expected, "{name}");
    }
}

fn rows_are_independent<M: ConditionalModel>(name: &str, model: &M) {
    let sources = [tiny::ids(9, 1), tiny::ids(3, 2), tiny::ids(6, 3), tiny::ids(9, 4)];
    let rows: Vec<&[u32]> = sources.iter().map(Vec::as_slice).collect();
    let all = Conditioned::on_each(model, &rows).unwrap();
    let limits = [8, 3, 8, 6];
    let together = beam_search_rows(&all, &[0; 4], &limits, &options(3, 8)).unwrap();
    for ((source, limit), together) in rows.iter().zip(limits).zip(together) {
        let one = Conditioned::new(model, source).unwrap();
        let alone = beam_search(&one, &[0], &options(3, limit)).unwrap();
        assert_eq!(alone.len(), together.len(), "{name}");
        for (alone, together) in alone.iter().zip(&together) {
            assert_eq!(alone.ids, together.ids, "{name}");
            assert!((alone.score - together.score).abs() <= 1e-4, "{name}");
        }
    }
}

fn the_source_matters<M: ConditionalModel>(name: &str, model: &M) {
    let logits = |salt| {
        let conditioned = Conditioned::new(model, &tiny::ids(7, salt)).unwrap();
        conditioned.logits(&[0, 8, 9]).unwrap()
    };
    let (one, other) = (logits(1), logits(2));
    let apart = one.iter().zip(&other).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart > 1e-2, "{name}: another source changes the logits by {apart}");
}

#[test]
fn transformers_decode_the_same_with_and_without_a_cache_and_in_any_batch() {
    for (name, model) in tiny::seq2seq_models(&flex()) {
        check(name, &model);
    }
}

#[test]
fn recurrent_models_decode_the_same_with_and_without_a_state_and_in_any_batch() {
    for (name, model) in tiny::recurrent_seq2seq_models(&flex()) {
        check(name, &model);
        let source = tiny::ids(7, 1);
        let conditioned = Conditioned::new(&model, &source).unwrap();
        let ids = id_tensor(&source);
        let greedy_of_the_model = model.greedy(ids, None, 0, 1, 10).remove(0);
        assert_eq!(
            greedy(&conditioned, &[0], 10, &[1]).unwrap(),
            greedy_of_the_model.ids,
            "{name}"
        );
        let target = [&[0], greedy_of_the_model.ids.as_slice()].concat();
        let attention = conditioned.attention(&target).unwrap();
        for (row, expected) in attention.iter().zip(&greedy_of_the_model.attention) {
            assert_close(name, row, expected);
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{name}");
        }
    }
}

fn id_tensor(ids: &[u32]) -> burn::tensor::Tensor<2, burn::tensor::Int> {
    let data: Vec<i64> = ids.iter().map(|&id| i64::from(id)).collect();
    let data = burn::tensor::TensorData::new(data, [1, ids.len()]);
    burn::tensor::Tensor::from_data(data, &flex())
}

#[test]
fn the_padding_of_marian_can_be_suppressed() {
    let (_, model) = &tiny::seq2seq_models(&flex())[1];
    let conditioned = Conditioned::new(model, &tiny::ids(7, 1)).unwrap();
    let start = model.decoder_start_token_id();
    let first = |suppressed: Vec<u32>| {
        let sampler = options(2, 4).with_suppressed_ids(suppressed);
        beam_search(&conditioned, &[start], &sampler).unwrap().remove(0).ids
    };
    let best = first(Vec::new());
    let without = first(best.clone());
    assert!(without.iter().all(|id| !best.contains(id)), "{best:?}, {without:?}");
}

#[test]
fn a_source_must_have_tokens_that_fit_and_exist() {
    let (_, model) = &tiny::seq2seq_models(&flex())[1];
    let refuse = |source: &[u32]| Conditioned::new(model, source).unwrap_err();
    assert!(matches!(refuse(&[]), InferenceError::EmptySource));
    assert!(matches!(
        refuse(&[6, 40]),
        InferenceError::TokenOutOfRange { id: 40, position: 1, .. }
    ));
    let long = tiny::ids(65, 1);
    assert!(matches!(refuse(&long), InferenceError::PromptTooLong { context_length: 64, .. }));
}
