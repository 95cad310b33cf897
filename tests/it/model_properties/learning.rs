//! Losses and gradients: a fresh model knows nothing, and can learn anything that is small.

use std::collections::BTreeMap;

use burn::tensor::{Device, Gradients};
use wuji::data::TokenBatch;
use wuji::model::CausalLm;
use wuji::training::{BatchSource, CausalLmObjective, LossScale, Objective};

use crate::devices::on_each_device;
use crate::tensors::assert_close;
use crate::tiny_models::{FAMILIES, VOCAB_SIZE, fresh, lively, some_ids};
use crate::trainings::{Counting, Run, Same, plain};

on_each_device!(
    the_loss_at_the_start_is_that_of_a_guess,
    one_batch_can_be_overfitted,
    activation_checkpointing_gives_the_plain_gradients,
);

/// Rows without any rule: they can only be learnt by heart.
fn noise() -> TokenBatch {
    let (batch, context) = (4, 16);
    let rows: Vec<_> = (0..batch as u32).map(|row| some_ids(context + 1, 5 * row * row)).collect();
    let labels = |row: &Vec<u32>| row[1..].iter().map(|id| i64::from(*id)).collect::<Vec<_>>();
    TokenBatch {
        batch,
        context,
        input_ids: rows.iter().flat_map(|row| row[..context].to_vec()).collect(),
        labels: rows.iter().flat_map(labels).collect(),
        segment_ids: None,
        position_ids: None,
    }
}

fn the_loss_at_the_start_is_that_of_a_guess(device: &Device) {
    for family in FAMILIES {
        let model = fresh(family, 1, device);
        let output = CausalLmObjective::default().loss(&model, &noise(), device);
        let loss = f64::from(output.loss_sum.into_scalar::<f32>()) / output.weight;
        let guess = (VOCAB_SIZE as f64).ln();
        assert!((loss - guess).abs() < 0.1, "{family}: {loss} nats, expected about {guess}");
    }
}

fn one_batch_can_be_overfitted(device: &Device) {
    for family in FAMILIES {
        let model = fresh(family, 1, &device.clone().autodiff());
        let made = Run::new(&plain(150), model, &Same(noise())).on(device).make();
        let loss = made.steps.last().unwrap().loss;
        assert!(loss < 0.1, "{family}: still {loss} nats after {} steps", made.steps.len());
    }
}

fn activation_checkpointing_gives_the_plain_gradients(device: &Device) {
    let device = device.clone().autodiff();
    let batch = Counting { uneven: true, ..Counting::PLAIN }.batch(0, 0).unwrap();
    for family in FAMILIES {
        let model = lively(family, &device);
        let plain = gradients(&model, &batch, false, &device);
        let checkpointed = gradients(&model, &batch, true, &device);
        let names = |gradients: &Named| gradients.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&checkpointed), names(&plain), "{family}: parameters with a gradient");
        for (name, expected) in &plain {
            assert_close(&format!("{family} {name}"), &checkpointed[name], expected, 1e-5);
        }
    }
}

type Named = BTreeMap<String, Vec<f32>>;

/// The gradient of every parameter, and the loss among them.
fn gradients(
    model: &CausalLm,
    batch: &TokenBatch,
    activation_checkpointing: bool,
    device: &Device,
) -> Named {
    let objective = CausalLmObjective { activation_checkpointing, ..Default::default() };
    let scale = LossScale::of(std::slice::from_ref(batch));
    let mut sums = Named::new();
    let mut add = |gradients: Gradients| {
        let names = model.config().tensor_names();
        for part in wuji::model::weights::named_gradients(model, &gradients, names) {
            let sum = sums.entry(part.name).or_insert_with(|| vec![0.0; part.values.len()]);
            sum.iter_mut().zip(part.values).for_each(|(sum, value)| *sum += value);
        }
    };
    let output = objective.backward(model, batch, device, scale, 1, &mut add);
    let loss = output.loss_sum.into_scalar::<f32>() * scale.labels as f32;
    sums.insert("loss".to_string(), vec![loss]);
    sums
}
