//! A classifier of whole texts on any backbone: pooled hidden states and one linear layer.
//!
//! The heads that checkpoints of encoders bring are [`EncoderModel`]'s own; this one is the same for
//! every kind of model, so that what they learnt can be compared. On disk it is the backbone's own
//! directory and one file beside it, [`HEAD_FILE`].

use std::path::Path;

use burn::module::{Module, ModuleDisplay, Param};
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::init::normal;
use crate::layers::Linear;
use crate::weights::{FileTensor, StoredDtype, TensorFiles, save_tensor_file};
use crate::{Backbone, BackboneInput, CausalLm, EncoderModel, ModelError, Pooling, Seq2SeqLm};

/// The file of the head beside the backbone's.
pub const HEAD_FILE: &str = "classifier.safetensors";

/// Standard deviation of a new head's weights, as of BERT's.
const INITIALIZER_RANGE: f64 = 0.02;

/// A model that has a hidden state for each token of a text.
pub trait TextStates: Module + ModuleDisplay {
    /// Width of the states.
    fn state_size(&self) -> usize;

    /// The last hidden states `[batch, seq, state_size]` of texts `[batch, seq]`, of which `mask`
    /// `[batch, seq]` says which tokens are real.
    fn text_states(&self, input_ids: Tensor<2, Int>, mask: Tensor<2, Bool>) -> Tensor<3>;
}

fn masked_input(input_ids: Tensor<2, Int>, mask: Tensor<2, Bool>) -> BackboneInput {
    BackboneInput { attention_mask: Some(mask), ..BackboneInput::new(input_ids) }
}

/// A decoder's states: each token has seen those before it, or, of the original GLM, all of them.
impl TextStates for CausalLm {
    fn state_size(&self) -> usize {
        self.decoder.hidden_size()
    }

    fn text_states(&self, input_ids: Tensor<2, Int>, mask: Tensor<2, Bool>) -> Tensor<3> {
        self.decoder.forward(masked_input(input_ids, mask), None)
    }
}

impl TextStates for EncoderModel {
    fn state_size(&self) -> usize {
        self.encoder.hidden_size()
    }

    fn text_states(&self, input_ids: Tensor<2, Int>, mask: Tensor<2, Bool>) -> Tensor<3> {
        self.forward(masked_input(input_ids, mask))
    }
}

/// The encoder's states alone: their mean serves texts best (Ni et al. 2022, Sentence-T5), and the
/// decoder has only ever seen targets. Its parameters are then idle.
impl TextStates for Seq2SeqLm {
    fn state_size(&self) -> usize {
        self.encoder.hidden_size()
    }

    fn text_states(&self, input_ids: Tensor<2, Int>, mask: Tensor<2, Bool>) -> Tensor<3> {
        self.encoder.forward(masked_input(input_ids, mask), None)
    }
}

/// A backbone and a linear head over its pooled hidden states.
#[derive(Module, Debug)]
pub struct SequenceClassifier<M: Module> {
    /// Texts to hidden states.
    pub backbone: M,
    /// `[state_size, classes]`.
    pub head: Linear,
    #[module(skip)]
    pooling: Pooling,
}

impl<M: TextStates> SequenceClassifier<M> {
    /// A new head for `classes`, with weights drawn from `seed`, on `backbone`, whose weights stay as
    /// they are.
    pub fn new(backbone: M, classes: usize, pooling: Pooling, seed: u64, device: &Device) -> Self {
        let width = backbone.state_size();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let weight = normal(&mut rng, width * classes, INITIALIZER_RANGE);
        let head = head(weight, vec![0.0; classes], [width, classes], device);
        Self { backbone, head, pooling }
    }

    /// Logits `[batch, classes]` of texts `[batch, seq]`, of which `mask` says which tokens are real.
    pub fn forward(&self, input_ids: Tensor<2, Int>, mask: Tensor<2, Bool>) -> Tensor<2> {
        let hidden = self.backbone.text_states(input_ids, mask.clone());
        self.head.forward(self.pooling.pool(hidden, mask))
    }

    /// Writes the head into `dir`, in the orientation of PyTorch's linear layers.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save_head(&self, dir: &Path) -> Result<(), ModelError> {
        let weight = self.head.weight.val().transpose();
        let mut tensors = vec![file_tensor("weight", weight)];
        tensors.extend(self.head.bias.as_ref().map(|bias| file_tensor("bias", bias.val())));
        save_tensor_file(&dir.join(HEAD_FILE), &tensors, StoredDtype::F32)
    }

    /// Puts the head that is stored in `dir` on `backbone`.
    ///
    /// # Errors
    /// A file that is missing, malformed, or of a head for another backbone.
    pub fn with_stored_head(
        backbone: M,
        pooling: Pooling,
        dir: &Path,
        device: &Device,
    ) -> Result<Self, ModelError> {
        let path = dir.join(HEAD_FILE);
        let files = TensorFiles::open(&path)?;
        let (weight, bias) = (files.read_f32("weight")?, files.read_f32("bias")?);
        let (width, classes) = (backbone.state_size(), bias.len());
        if files.shape("weight") != Some(&[classes, width]) {
            let found = files.shape("weight").unwrap_or_default();
            let problem = format!("weight: expected [{classes}, {width}], found {found:?}");
            let origin = path.display().to_string();
            return Err(ModelError::WeightMismatch { origin, problems: vec![problem] });
        }
        let turned = (0..width * classes).map(|at| weight[at % classes * width + at / classes]);
        let head = head(turned.collect(), bias, [width, classes], device);
        Ok(Self { backbone, head, pooling })
    }

    /// How hidden states become one.
    pub fn pooling(&self) -> Pooling {
        self.pooling
    }
}

fn head(weight: Vec<f32>, bias: Vec<f32>, shape: [usize; 2], device: &Device) -> Linear {
    let bias_data = TensorData::new(bias, [shape[1]]);
    Linear {
        weight: Param::from_tensor(Tensor::from_data(TensorData::new(weight, shape), device)),
        bias: Some(Param::from_tensor(Tensor::from_data(bias_data, device))),
        int8: None,
    }
}

fn file_tensor<const D: usize>(name: &str, tensor: Tensor<D>) -> FileTensor {
    let shape = tensor.dims().to_vec();
    let values = tensor.into_data().iter::<f32>().collect();
    FileTensor { name: name.to_string(), shape, values }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ModelConfig;

    const BERT: &str = r#"{"model_type": "bert", "architectures": ["BertForMaskedLM"], "vocab_size": 20,
        "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16,
        "max_position_embeddings": 8, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}"#;
    const GPT2: &str = r#"{"model_type": "gpt2", "vocab_size": 20, "n_positions": 8, "n_embd": 8, "n_layer": 1,
        "n_head": 2, "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}"#;
    const GLM: &str = r#"{"model_type": "glm_original", "vocab_size": 20, "hidden_size": 8, "num_layers": 1,
        "num_attention_heads": 2, "max_sequence_length": 8}"#;
    const T5: &str = r#"{"model_type": "t5", "vocab_size": 20, "d_model": 8, "d_kv": 4, "d_ff": 16,
        "num_layers": 1, "num_heads": 2, "dropout_rate": 0.0}"#;

    fn flex() -> Device {
        "flex".parse::<wuji_device::DeviceSpec>().unwrap().open().unwrap()
    }

    fn rows(ids: &[i64], length: usize) -> Tensor<2, Int> {
        Tensor::from_data(TensorData::new(ids.to_vec(), [ids.len() / length, length]), &flex())
    }

    /// Logits of a text alone, and of the same text padded.
    fn check_padding<M: TextStates>(backbone: M) {
        let model = SequenceClassifier::new(backbone, 3, Pooling::Mean, 1, &flex());
        let text = rows(&[3, 4, 5], 3);
        let alone = model.forward(text.clone(), text.not_equal_scalar(0));
        let padded = rows(&[3, 4, 5, 0, 0], 5);
        let padded = model.forward(padded.clone(), padded.not_equal_scalar(0));
        let far = (alone.clone() - padded).abs().max().into_scalar::<f32>();
        assert!(far < 1e-6, "{far}");
        assert!(alone.abs().max().into_scalar::<f32>() > 0.0);
    }

    #[test]
    fn padding_changes_no_logits_of_any_kind_of_model() {
        let config = |text| ModelConfig::from_json(text).unwrap();
        let device = flex();
        check_padding(EncoderModel::init(&config(BERT), 1, &device).unwrap());
        check_padding(CausalLm::init(&config(GPT2), 1, &device).unwrap());
        check_padding(CausalLm::init(&config(GLM), 1, &device).unwrap());
        check_padding(Seq2SeqLm::init(&config(T5), 1, &device).unwrap());
    }

    #[test]
    fn a_stored_head_comes_back_and_fits_its_backbone_only() {
        let directory = tempfile::tempdir().unwrap();
        let backbone = CausalLm::init(&ModelConfig::from_json(GPT2).unwrap(), 1, &flex()).unwrap();
        let model = SequenceClassifier::new(backbone.clone(), 3, Pooling::Mean, 1, &flex());
        model.save_head(directory.path()).unwrap();
        let load = |backbone: CausalLm| {
            SequenceClassifier::with_stored_head(backbone, Pooling::Mean, directory.path(), &flex())
        };
        let text = rows(&[3, 4, 5], 3);
        let logits = |model: &SequenceClassifier<CausalLm>| {
            model.forward(text.clone(), text.clone().not_equal_scalar(0)).into_data()
        };
        assert_eq!(logits(&load(backbone).unwrap()), logits(&model));
        let wide = ModelConfig::from_json(&GPT2.replace("\"n_embd\": 8", "\"n_embd\": 16"));
        let error = load(CausalLm::init(&wide.unwrap(), 1, &flex()).unwrap()).unwrap_err();
        assert!(error.to_string().contains("expected [3, 16], found [3, 8]"), "{error}");
    }
}
