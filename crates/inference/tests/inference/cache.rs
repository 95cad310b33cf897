//! With a cache or without, in chunks or at once, padded in a batch or alone: the same numbers.

use burn::tensor::Device;
use wuji_inference::{LogitsModel, ScoredSequence, Session};
use wuji_model::{CausalLm, ModelConfig};

use crate::support::flex;

const TOLERANCE: f32 = 1e-4;

fn models(device: &Device) -> Vec<(&'static str, CausalLm)> {
    let configs = [
        (
            "gpt2",
            r#"{"model_type": "gpt2", "vocab_size": 40, "n_positions": 1100, "n_embd": 32,
                "n_layer": 2, "n_head": 4, "initializer_range": 0.3}"#,
        ),
        (
            "llama",
            r#"{"model_type": "llama", "vocab_size": 40, "max_position_embeddings": 1100,
                "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
                "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-5,
                "initializer_range": 0.3}"#,
        ),
    ];
    let build = |(name, json)| {
        let config = ModelConfig::from_json(json).unwrap();
        (name, CausalLm::init(&config, 7, device).unwrap())
    };
    configs.into_iter().map(build).collect()
}

fn ids(length: usize) -> Vec<u32> {
    (0..length as u32).map(|at| at * at * 7 % 40).collect()
}

fn assert_close(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst <= TOLERANCE, "{what}: differs by {worst}");
}

#[test]
fn decoding_with_a_cache_gives_the_logits_of_a_full_pass() {
    for (name, model) in models(&flex()) {
        let ids = ids(30);
        let full = LogitsModel::logits(&model, &ids).unwrap();
        let row = |at: usize| &full[at * 40..(at + 1) * 40];
        let spread = row(29).iter().fold(0.0_f32, |widest, logit| widest.max(logit.abs()));
        assert!(spread > 0.5, "{name}: logits within {spread} would hide a difference");
        let mut session = Session::start(&model, &ids[..11], 19).unwrap();
        assert_close(name, session.ids_and_logits().1, row(10));
        for (at, &id) in ids.iter().enumerate().skip(11) {
            session.push(id).unwrap();
            assert_close(&format!("{name}, token {at}"), session.ids_and_logits().1, row(at));
        }
    }
}

#[test]
fn a_prefill_in_chunks_gives_the_logits_of_a_full_pass() {
    for (name, model) in models(&flex()) {
        let ids = ids(1050); // more than two chunks
        let full = LogitsModel::logits(&model, &ids).unwrap();
        let mut session = Session::start(&model, &ids, 1).unwrap();
        assert_close(name, session.ids_and_logits().1, &full[1049 * 40..]);
    }
}

#[test]
fn scores_in_a_padded_batch_are_those_of_the_sequences_alone() {
    for (name, model) in models(&flex()) {
        let sequences: Vec<ScoredSequence> = [(20, 5), (3, 1), (2, 1), (11, 10)]
            .into_iter()
            .map(|(length, scored_from)| ScoredSequence { ids: ids(length), scored_from })
            .collect();
        let together = model.score(&sequences).unwrap();
        for (sequence, scores) in sequences.iter().zip(together) {
            let logits = LogitsModel::logits(&model, sequence.inputs()).unwrap();
            let rows = logits.chunks_exact(40).skip(sequence.scored_from - 1);
            assert_eq!(scores.len(), sequence.targets().len());
            for ((row, &id), score) in rows.zip(sequence.targets()).zip(scores) {
                let expected =
                    f64::from(row[id as usize]) - wuji_inference::sampling::log_sum_exp(row);
                let difference = (score.log_prob - expected).abs();
                assert!(difference <= 1e-4, "{name}: differs by {difference}");
                let best = wuji_inference::sampling::argmax(row);
                assert_eq!(score.is_greedy, best == Some(id as usize), "{name}");
            }
        }
    }
}

#[test]
fn sequences_of_one_token_have_nothing_to_score() {
    let (_, model) = models(&flex()).remove(0);
    let sequence = ScoredSequence { ids: vec![3], scored_from: 1 };
    assert_eq!(model.score(&[sequence]).unwrap(), [Vec::new()]);
}
