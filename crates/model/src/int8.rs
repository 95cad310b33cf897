//! A decoder for generation with weights of eight bits: a quarter of the memory, and of the time that
//! reading it takes for each token.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use wuji_kernels::Int8Weight;

use crate::layers::Embedding;
use crate::{CausalLm, ModelError};

/// How the matrices of a model are held in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WeightFormat {
    /// As they were read.
    #[default]
    F32,
    /// Eight bits, see [`Int8Weight`].
    Int8,
}

impl WeightFormat {
    /// Bytes of a weight with its share of the scale of its block.
    pub fn bytes_per_weight(self) -> f64 {
        match self {
            Self::F32 => 4.0,
            Self::Int8 => 1.0 + 4.0 / 32.0,
        }
    }
}

impl CausalLm {
    /// The same model with the matrices of its linear layers, and a token embedding that is the head
    /// too, in eight bits. What is only looked up or added, norms, biases and routers, and rows that
    /// are no multiple of 32 wide stay as they are.
    ///
    /// Such a model generates, on the Flex backend. It is not trained, and saving it is an error.
    ///
    /// # Errors
    /// Eight bits for a model on another backend.
    pub fn with_weights(mut self, format: WeightFormat) -> Result<Self, ModelError> {
        if format == WeightFormat::F32 {
            return Ok(self);
        }
        let device = self.decoder.token_table().weight.device();
        if !Int8Weight::is_supported_on(&device) {
            return Err(ModelError::Input(
                "weights of eight bits: expected the device flex".into(),
            ));
        }
        for block in &mut self.decoder.blocks {
            let attentions = [Some(&mut block.attention), block.cross_attention.as_mut()];
            for attention in attentions.into_iter().flatten() {
                attention.qkv.round_to_int8();
                attention.output.round_to_int8();
            }
            let experts = block.experts.iter_mut();
            let experts =
                experts.flat_map(|experts| experts.experts.iter_mut().chain(&mut experts.shared));
            for mlp in block.mlp.iter_mut().chain(experts) {
                mlp.up.round_to_int8();
                mlp.down.round_to_int8();
            }
        }
        match &mut self.head.projection {
            Some(projection) => projection.round_to_int8(),
            None => self.decoder.token_embedding.iter_mut().for_each(Embedding::round_to_int8),
        }
        Ok(self)
    }
}

/// # Errors
/// A model whose matrices are held in eight bits, so that there is nothing to write.
pub(crate) fn expect_floats<M: Module>(model: &M) -> Result<(), ModelError> {
    /// Looks for a parameter that has been emptied.
    struct Empty(bool);
    impl ModuleVisitor for Empty {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0 |= param.val().dims().contains(&0);
        }
    }
    let mut empty = Empty(false);
    model.visit(&mut empty);
    if empty.0 {
        let problem = "a model of eight-bit weights cannot be saved: expected one as it was read";
        return Err(ModelError::Input(problem.to_string()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ModelConfig;
    use burn::tensor::Int;

    fn logits(model: &CausalLm, ids: [i64; 6]) -> Vec<f64> {
        let device = wuji_device::DeviceSpec::default().open().unwrap();
        let ids = Tensor::<1, Int>::from_data(ids, &device).unsqueeze::<2>();
        model.forward(ids).into_data().iter::<f64>().collect()
    }

    #[test]
    fn eight_bits_say_nearly_the_same() {
        let device = wuji_device::DeviceSpec::default().open().unwrap();
        for config in [
            r#"{"model_type": "gpt2", "vocab_size": 50, "n_positions": 16, "n_embd": 64, "n_layer": 2, "n_head": 4}"#,
            r#"{"model_type": "gpt2", "vocab_size": 50, "n_positions": 16, "n_embd": 64, "n_layer": 2, "n_head": 4,
                "tie_word_embeddings": false}"#,
            r#"{"model_type": "llama", "vocab_size": 50, "hidden_size": 64, "intermediate_size": 96,
                "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}"#,
        ] {
            let model =
                CausalLm::init(&ModelConfig::from_json(config).unwrap(), 3, &device).unwrap();
            let exact = logits(&model, [1, 7, 49, 0, 3, 3]);
            let small = model.with_weights(WeightFormat::Int8).unwrap();
            let found = logits(&small, [1, 7, 49, 0, 3, 3]);
            let norm = |values: &[f64]| values.iter().map(|x| x * x).sum::<f64>().sqrt();
            let difference: Vec<f64> = exact.iter().zip(&found).map(|(a, b)| a - b).collect();
            let relative = norm(&difference) / norm(&exact);
            assert!(relative > 0.0 && relative < 0.03, "{relative}: {config}");
        }
    }

    #[test]
    fn a_model_of_eight_bits_is_not_saved_without_its_matrices() {
        let device = wuji_device::DeviceSpec::default().open().unwrap();
        let config = r#"{"model_type": "gpt2", "vocab_size": 50, "n_positions": 16, "n_embd": 32, "n_layer": 1, "n_head": 2}"#;
        let model = CausalLm::init(&ModelConfig::from_json(config).unwrap(), 3, &device).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let small = model.with_weights(WeightFormat::Int8).unwrap();
        let error =
            small.save(dir.path(), crate::weights::StoredDtype::F32).unwrap_err().to_string();
        assert!(error.contains("eight-bit weights cannot be saved"), "{error}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_width_that_is_no_multiple_of_a_block_stays() {
        let device = wuji_device::DeviceSpec::default().open().unwrap();
        let config = r#"{"model_type": "gpt2", "vocab_size": 50, "n_positions": 16, "n_embd": 20, "n_layer": 1, "n_head": 2}"#;
        let model = CausalLm::init(&ModelConfig::from_json(config).unwrap(), 3, &device).unwrap();
        let exact = logits(&model, [1; 6]);
        assert_eq!(logits(&model.with_weights(WeightFormat::Int8).unwrap(), [1; 6]), exact);
    }
}
