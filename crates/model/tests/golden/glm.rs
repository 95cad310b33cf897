//! The original GLM: blank infilling with two positions per token.

use burn::tensor::{Int, Tensor};
use wuji_model::weights::{StoredDtype, named_gradients};
use wuji_model::{BackboneInput, CausalLm};

use crate::support::{
    Golden, LOGITS_TOLERANCE, assert_close, assert_gradients, assert_loss, cases, check_round_trip,
    flex, values,
};

const CASES: [&str; 2] = ["glm-original", "glm-original-gmask"];

fn input(golden: &Golden) -> BackboneInput {
    BackboneInput {
        position_ids: Some(golden.ints("in.position_ids")),
        block_position_ids: Some(golden.ints("in.block_position_ids")),
        pair_mask: Some(golden.bools("in.attention_mask")),
        ..BackboneInput::new(golden.ints("in.input_ids"))
    }
}

#[test]
fn golden_blank_infilling_agrees() {
    let device = flex().autodiff();
    for (name, dir) in cases(&CASES) {
        let golden = Golden::open(&dir, &device);
        let model = CausalLm::from_dir(&dir, &device).unwrap();
        // Rows that nothing attends to from are padding, stored as zeros.
        let mask: Tensor<3, Int> = golden.ints("in.attention_mask");
        let ids: Tensor<2, Int> = golden.ints("in.input_ids");
        let is_real = ids.not_equal_scalar(0).float().unsqueeze_dim::<3>(2); // [batch, seq, 1]
        assert_eq!(mask.dims()[1], is_real.dims()[1]);
        let real = |x: Tensor<3>| values(x.clone() * is_real.clone().expand(x.dims()));
        let states = model.decoder.forward_with_hidden_states(input(&golden));
        let last = states.len() - 1;
        for (layer, state) in states.into_iter().enumerate() {
            let key = match layer == last {
                true => "out.hidden.final".to_string(),
                false => format!("out.hidden.{layer}"),
            };
            let expected = golden.tensor_with_zeros(&key, &is_real);
            assert_close(&format!("{name} {key}"), &real(state), &expected, LOGITS_TOLERANCE);
        }
        let logits = model.forward_input(input(&golden));
        let expected = golden.floats("out.logits");
        assert_close(name, &real(logits.clone()), &expected, LOGITS_TOLERANCE);
        let labels: Tensor<2, Int> = golden.ints("in.labels");
        let kept: i64 = labels.clone().not_equal_scalar(-100).int().sum().into_scalar();
        let labels = labels.flatten::<1>(0, 1);
        let loss = wuji_kernels::cross_entropy_sum(
            logits.flatten::<2>(0, 1),
            labels,
            wuji_kernels::CrossEntropy::default(),
        );
        let loss = loss / kept as f64;
        assert_loss(name, &loss, golden.floats("out.loss")[0]);
        let gradients = named_gradients(&model, &loss.backward(), model.config().tensor_names());
        assert_gradients(name, &golden, &gradients);
    }
}

#[test]
fn golden_glm_round_trips_bit_exactly() {
    let device = flex();
    for (name, dir) in cases(&CASES) {
        let model = CausalLm::from_dir(&dir, &device).unwrap();
        check_round_trip(name, &dir, |out| model.save(out, StoredDtype::F32).unwrap());
    }
}
