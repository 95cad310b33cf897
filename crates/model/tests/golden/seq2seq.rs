//! T5: encoder, decoder, losses and gradients.

use burn::tensor::{Int, Tensor};
use wuji_model::layers::Memory;
use wuji_model::weights::{StoredDtype, named_gradients};
use wuji_model::{Backbone, BackboneInput, Seq2SeqLm};

use crate::support::{
    Golden, LOGITS_TOLERANCE, assert_close, assert_gradients, assert_loss, cases, check_round_trip,
    flex, values,
};

const CASES: [&str; 2] = ["t5-v1.0", "t5-v1.1"];

fn memory(model: &Seq2SeqLm, golden: &Golden) -> Memory {
    model.encode(golden.ints("in.input_ids"), Some(golden.bools("in.attention_mask")))
}

/// `x` with zeros in rows of padding, as the references are stored.
fn real(x: Tensor<3>, golden: &Golden) -> Vec<f32> {
    let shape = x.dims();
    let mask: Tensor<2, Int> = golden.ints("in.attention_mask");
    values(x * mask.float().unsqueeze_dim::<3>(2).expand(shape))
}

#[test]
fn golden_encoders_and_decoders_agree() {
    let device = flex();
    for (name, dir) in cases(&CASES) {
        let golden = Golden::open(&dir, &device);
        let model = Seq2SeqLm::from_dir(&dir, &device).unwrap();
        let source = BackboneInput {
            attention_mask: Some(golden.bools("in.attention_mask")),
            ..BackboneInput::new(golden.ints("in.input_ids"))
        };
        let states = model.encoder.forward_with_hidden_states(source);
        for (layer, state) in states.into_iter().enumerate() {
            let key = format!("out.encoder_hidden.{layer}");
            if golden.has(&key) {
                let what = format!("{name} {key}");
                assert_close(&what, &real(state, &golden), &golden.floats(&key), LOGITS_TOLERANCE);
            }
        }
        let memory = memory(&model, &golden);
        let encoded = real(memory.hidden.clone(), &golden);
        assert_close(name, &encoded, &golden.floats("out.encoder_hidden"), LOGITS_TOLERANCE);
        let target = BackboneInput::new(golden.ints("in.decoder_input_ids"));
        let hidden = model.decode(target, &memory, None);
        let expected = golden.floats("out.decoder_hidden");
        assert_close(name, &values(hidden.clone()), &expected, LOGITS_TOLERANCE);
        let logits = values(model.logits(hidden));
        assert_close(name, &logits, &golden.floats("out.logits"), LOGITS_TOLERANCE);
    }
}

#[test]
fn golden_losses_and_gradients_of_encoder_decoders_agree() {
    let device = flex().autodiff();
    for (name, dir) in cases(&CASES) {
        let golden = Golden::open(&dir, &device);
        let model = Seq2SeqLm::from_dir(&dir, &device).unwrap();
        let target = BackboneInput::new(golden.ints("in.decoder_input_ids"));
        let logits = model.logits(model.decode(target, &memory(&model, &golden), None));
        let labels: Tensor<2, Int> = golden.ints("in.labels");
        let kept: i64 = labels.clone().not_equal_scalar(-100).int().sum().into_scalar();
        let logits = logits.flatten::<2>(0, 1);
        let loss = wuji_kernels::cross_entropy_sum(
            logits,
            labels.flatten::<1>(0, 1),
            wuji_kernels::CrossEntropy::default(),
        );
        let loss = loss / kept as f64;
        assert_loss(name, &loss, golden.floats("out.loss")[0]);
        let gradients = named_gradients(&model, &loss.backward(), model.config().tensor_names());
        assert_gradients(name, &golden, &gradients);
    }
}

#[test]
fn golden_cached_decoding_is_the_uncached_one() {
    let device = flex();
    for (name, dir) in cases(&CASES) {
        let golden = Golden::open(&dir, &device);
        let model = Seq2SeqLm::from_dir(&dir, &device).unwrap();
        let memory = memory(&model, &golden);
        let target: Tensor<2, Int> = golden.ints("in.decoder_input_ids");
        let [_, length] = target.dims();
        let whole = model.decode(BackboneInput::new(target.clone()), &memory, None);
        let mut cache = model.new_cache(length);
        let mut step = |start: usize, count: usize| {
            let tokens = BackboneInput::new(target.clone().narrow(1, start, count));
            model.decode(tokens, &memory, Some(&mut cache))
        };
        let mut pieces = vec![step(0, 3)];
        pieces.extend((3..length).map(|position| step(position, 1)));
        assert_close(name, &values(Tensor::cat(pieces, 1)), &values(whole), 1e-5);
    }
}

#[test]
fn golden_encoder_decoders_round_trip_bit_exactly() {
    let device = flex();
    for (name, dir) in cases(&CASES) {
        let model = Seq2SeqLm::from_dir(&dir, &device).unwrap();
        assert!(model.decoder.hidden_size() > 0);
        check_round_trip(name, &dir, |out| model.save(out, StoredDtype::F32).unwrap());
    }
}
