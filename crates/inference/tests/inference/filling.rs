//! Masks and blanks: against reference outputs, and against a pass without a cache.

use burn::tensor::{Bool, Int, Tensor, TensorData};
use wuji_inference::sampling::{argmax, log_sum_exp};
use wuji_inference::{Blank, BlankTokens, InferenceError, fill_blanks, fill_mask, filled};
use wuji_model::{BackboneInput, CausalLm, EncoderModel};
use wuji_protocol::{FinishReason, GenerateOptions};

use crate::reference_models::real;
use crate::support::{Expected, flex, shared};
use crate::tiny::{self, VOCAB};

const TOKENS: (u32, u32) = (4, 5);

fn blank_tokens() -> BlankTokens {
    let (start_of_piece, end_of_piece) = TOKENS;
    BlankTokens { masks: vec![2, 3], start_of_piece, end_of_piece }
}

fn at_most(max_new_tokens: usize) -> GenerateOptions {
    GenerateOptions { max_new_tokens, ..GenerateOptions::greedy() }
}

#[test]
fn golden_blanks_are_filled_as_the_reference_fills_them() {
    for name in ["glm-original", "glm-original-gmask"] {
        let Some(case) = shared(&format!("golden/models/{name}")) else { return };
        let model = CausalLm::from_dir(&case, &flex()).unwrap();
        let expected = Expected::read(&case);
        let length = expected.rows("in.part_a_len")[0][0] as usize;
        let part_a = &expected.rows("in.input_ids")[0][..length];
        let blanks = fill_blanks(&model, part_a, &blank_tokens(), &at_most(6)).unwrap();
        let expected = expected.rows("gen.fill");
        assert_eq!(blanks.len(), expected.len(), "{name}");
        for (blank, expected) in blanks.iter().zip(expected) {
            let mut found = blank.ids.clone();
            if blank.finish_reason == FinishReason::EndOfText {
                found.push(TOKENS.1);
            }
            found.resize(6, u32::MAX); // -1 for unused
            assert_eq!(found, expected, "{name}");
        }
    }
}

/// The whole input of filled blanks and its logits, without a cache: every piece behind part A, with
/// its two positions and the mask of the paper.
fn full_pass(model: &CausalLm, part_a: &[u32], blanks: &[Blank]) -> (Vec<u32>, Vec<f32>) {
    let mut ids = part_a.to_vec();
    let mut positions: Vec<i64> = (0..part_a.len() as i64).collect();
    let mut places = vec![0_i64; part_a.len()];
    for blank in blanks {
        let read = blank.ids.len() + usize::from(blank.finish_reason == FinishReason::EndOfText);
        let piece = [&[TOKENS.0], blank.ids.as_slice()].concat();
        ids.extend(&piece[..read]);
        positions.extend(std::iter::repeat_n(blank.position as i64, read));
        places.extend(1..=read as i64);
    }
    let seq = ids.len();
    let ints = |data: Vec<i64>| -> Tensor<2, Int> {
        Tensor::from_data(TensorData::new(data, [1, seq]), &flex())
    };
    let sees = |query: usize| (0..seq).map(move |key| key < part_a.len() || key <= query);
    let mask: Vec<bool> = (0..seq).flat_map(sees).collect();
    let mask: Tensor<3, Bool> = Tensor::from_data(TensorData::new(mask, [1, seq, seq]), &flex());
    let input = BackboneInput {
        position_ids: Some(ints(positions)),
        block_position_ids: Some(ints(places)),
        pair_mask: Some(mask),
        ..BackboneInput::new(ints(ids.iter().map(|&id| i64::from(id)).collect()))
    };
    (ids, model.forward_input(input).try_into_vec_as::<f32>().unwrap())
}

#[test]
fn blanks_filled_with_a_cache_are_the_likeliest_tokens_of_a_full_pass() {
    let model = tiny::glm(&flex());
    let part_a = [1, 9, 2, 12, 2, 15, 3];
    let blanks = fill_blanks(&model, &part_a, &blank_tokens(), &at_most(5)).unwrap();
    assert_eq!(blanks.iter().map(|blank| blank.position).collect::<Vec<_>>(), [2, 4, 6]);
    let (_, logits) = full_pass(&model, &part_a, &blanks);
    let best = |at: usize| argmax(&logits[at * VOCAB..(at + 1) * VOCAB]).unwrap() as u32;
    let mut at = part_a.len();
    for blank in &blanks {
        let ends = blank.finish_reason == FinishReason::EndOfText;
        for &id in blank.ids.iter().chain(ends.then_some(&TOKENS.1)) {
            assert_eq!(best(at), id, "position {at}");
            at += 1;
        }
    }
}

#[test]
fn filled_text_has_each_piece_in_the_place_of_its_mask() {
    let blank = |position, ids: &[u32]| Blank {
        position,
        ids: ids.to_vec(),
        finish_reason: FinishReason::Length,
    };
    let blanks = [blank(1, &[7, 8]), blank(3, &[])];
    assert_eq!(filled(&[1, 2, 9, 2, 10], &blanks), [1, 7, 8, 9, 10]);
}

#[test]
fn blanks_stay_within_the_positions_and_sampling_follows_its_seed() {
    let model = tiny::glm(&flex());
    let sample = |seed| {
        let options = GenerateOptions { max_new_tokens: 1000, seed, ..GenerateOptions::default() };
        fill_blanks(&model, &[1, 9, 2, 12, 2], &blank_tokens(), &options).unwrap()
    };
    let one = sample(1);
    assert!(one.iter().all(|blank| blank.ids.len() <= 47), "{one:?}");
    assert_eq!(one, sample(1));
    assert_ne!(one, sample(2));
    assert_ne!(one[0].ids, one[1].ids);
}

#[test]
fn what_cannot_be_filled_is_said() {
    let glm = tiny::glm(&flex());
    let refuse = |model: &CausalLm, ids: &[u32]| {
        fill_blanks(model, ids, &blank_tokens(), &at_most(3)).unwrap_err().to_string()
    };
    let nothing = "there is nothing to fill: the text has none of the mask tokens 2, 3";
    assert_eq!(refuse(&glm, &[7, 8]), nothing);
    assert!(refuse(&glm, &[2; 49]).contains("at most 48"));
    assert!(refuse(&glm, &[2, 40]).contains("token id 40 at position 1"));
    let decoder = tiny::decoder(&flex());
    assert!(refuse(&decoder, &[2]).contains("positions within blanks"));
    let bert = tiny::bert(&flex());
    let error = fill_mask(&bert, &[7, 8], 2, 5).unwrap_err();
    assert!(matches!(error, InferenceError::NothingToFill { .. }), "{error}");
    let error = fill_mask(&bert, &[2; 33], 2, 5).unwrap_err();
    assert!(matches!(error, InferenceError::PromptTooLong { context_length: 32, .. }), "{error}");
}

#[test]
fn golden_masks_are_filled_with_the_probabilities_of_transformers() {
    for name in ["distilbert-mlm", "roberta-mlm"] {
        let Some(case) = shared(&format!("golden/models/{name}")) else { return };
        let model = EncoderModel::from_dir(&case, &flex()).unwrap();
        let expected = Expected::read(&case);
        let logits = expected.floats("out.logits");
        let [_, seq, vocab] = expected.shape("out.logits")[..] else { panic!("three dimensions") };
        let masks = expected.rows("in.attention_mask");
        for (row, (ids, mask)) in expected.rows("in.input_ids").iter().zip(masks).enumerate() {
            let ids: Vec<u32> = real(ids, &mask).collect();
            // Any id will do as the mask: the case's logits are for its ids as they are.
            for filled in fill_mask(&model, &ids, ids[3], 5).unwrap() {
                let at = (row * seq + filled.position) * vocab;
                let expected = &logits[at..at + vocab];
                assert_eq!(ids[filled.position], ids[3]);
                assert_eq!(filled.candidates.len(), 5);
                assert_eq!(Some(filled.candidates[0].id as usize), argmax(expected), "{name}");
                for candidate in filled.candidates {
                    let logit = f64::from(expected[candidate.id as usize]);
                    let probability = (logit - log_sum_exp(expected)).exp();
                    let off = (candidate.probability - probability).abs();
                    assert!(off <= 1e-5, "{name}: off by {off}");
                }
            }
        }
    }
}

#[test]
fn candidates_are_sorted_and_their_probabilities_sum_to_one() {
    let bert = tiny::bert(&flex());
    let ids = [7, 2, 9, 2, 11];
    let filled = fill_mask(&bert, &ids, 2, VOCAB).unwrap();
    assert_eq!(filled.iter().map(|mask| mask.position).collect::<Vec<_>>(), [1, 3]);
    for mask in filled {
        let probabilities: Vec<f64> = mask.candidates.iter().map(|c| c.probability).collect();
        assert!(probabilities.windows(2).all(|pair| pair[0] >= pair[1]));
        assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-5);
    }
}
