//! Weights: the same seed gives the same model anywhere, and a saved model is the model.

use burn::tensor::Device;
use wuji::model::CausalLm;
use wuji::model::weights::{FileTensor, StoredDtype};

use crate::devices::{flex, on_each_device};
use crate::tensors::{assert_close, bits, ids, values};
use crate::tiny_models::{FAMILIES, fresh, lively, some_ids};

on_each_device!(
    the_same_seed_gives_the_weights_and_logits_of_flex,
    another_seed_gives_other_weights,
    a_saved_model_is_read_back_to_the_last_bit,
);

fn logits(model: &CausalLm, device: &Device) -> Vec<f32> {
    values(model.forward(ids(&[some_ids(16, 0), some_ids(16, 1)], device)))
}

fn weight_bits(tensors: &[FileTensor]) -> Vec<(&str, Vec<u32>)> {
    tensors.iter().map(|tensor| (tensor.name.as_str(), bits(&tensor.values))).collect()
}

fn the_same_seed_gives_the_weights_and_logits_of_flex(device: &Device) {
    let flex = flex();
    for family in FAMILIES {
        let (here, there) = (lively(family, device), lively(family, &flex));
        assert_eq!(weight_bits(&here.file_tensors()), weight_bits(&there.file_tensors()));
        assert_close(family, &logits(&here, device), &logits(&there, &flex), 1e-4);
    }
}

fn another_seed_gives_other_weights(device: &Device) {
    for family in FAMILIES {
        let (one, other) = (fresh(family, 1, device), fresh(family, 2, device));
        let pairs = one.file_tensors().into_iter().zip(other.file_tensors());
        // Norms and biases begin the same with every seed.
        for (one, other) in pairs.filter(|(one, _)| one.shape.len() == 2) {
            assert_ne!(one.values, other.values, "{family} {}", one.name);
        }
    }
}

fn a_saved_model_is_read_back_to_the_last_bit(device: &Device) {
    for family in FAMILIES {
        let dir = tempfile::tempdir().unwrap();
        let model = lively(family, device);
        model.save(dir.path(), StoredDtype::F32).unwrap();
        let again = CausalLm::from_dir(dir.path(), device).unwrap();
        assert_eq!(weight_bits(&again.file_tensors()), weight_bits(&model.file_tensors()));
        assert_eq!(bits(&logits(&again, device)), bits(&logits(&model, device)), "{family}");
    }
}
