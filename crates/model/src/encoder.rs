//! An encoder with the heads that its checkpoint has: BERT, RoBERTa, DistilBERT.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use crate::layers::{Linear, Norm, activate};
use crate::model_directory::model_directory;
use crate::{
    Activation, Architecture, Backbone, BackboneInput, ModelConfig, ModelError, ModelKind,
    Predictions, Transformer,
};

/// The heads that stand on an encoder, which `architectures` of its config decides.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EncoderHeads {
    /// A dense layer with tanh over the first token.
    pub pooler: bool,
    /// Prediction of masked tokens.
    pub masked_lm: bool,
    /// Whether a second sentence follows the first.
    pub next_sentence: bool,
    /// Labels of a text, of its tokens, or the ends of an answer.
    pub classifier: Option<ClassifierShape>,
}

/// A classification head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassifierShape {
    /// What gets a label.
    pub unit: ClassifiedUnit,
    /// Number of labels.
    pub labels: usize,
    /// A dense layer before the last one, and its non-linearity.
    pub dense: Option<Activation>,
}

/// What a classification head labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassifiedUnit {
    /// The text, from its pooled or first token.
    Text,
    /// Each token.
    Token,
    /// Each token, with two scores: that an answer begins there, and that it ends there.
    AnswerEnds,
}

/// Prediction of tokens: dense, non-linearity, norm, then the token embedding's transpose and a bias.
#[derive(Module, Debug)]
pub struct MaskedLmHead {
    /// `[hidden, hidden]`.
    pub transform: Linear,
    /// Norm of what it gives.
    pub norm: Norm,
    /// `[hidden, vocab_size]`; the token embedding's transpose when absent.
    pub projection: Option<Linear>,
    /// `[vocab_size]`.
    pub bias: Param<Tensor<1>>,
    #[module(skip)]
    activation: Activation,
}

impl MaskedLmHead {
    fn new(a: &Architecture, device: &Device) -> Self {
        let projection = (!a.tie_word_embeddings)
            .then(|| Linear::zeros(a.hidden_size, a.vocab_size, false, device));
        Self {
            transform: Linear::zeros(a.hidden_size, a.hidden_size, true, device),
            norm: Norm::new(a.norm, a.hidden_size, a.norm_epsilon, device),
            projection,
            bias: Param::from_tensor(Tensor::zeros([a.vocab_size], device)),
            activation: a.activation,
        }
    }

    fn predictions(&self, hidden: Tensor<3>, token_embedding: &Param<Tensor<2>>) -> Predictions {
        let transformed = activate(self.activation, self.transform.forward(hidden));
        let hidden = self.norm.forward(transformed);
        let weight = match &self.projection {
            Some(projection) => projection.weight.val(),
            None => token_embedding.val().transpose(),
        };
        Predictions::Projection { hidden, weight, bias: Some(self.bias.val()) }
    }
}

/// One or two linear layers from hidden states to labels.
#[derive(Module, Debug)]
pub struct Classifier {
    /// `[hidden, hidden]`.
    pub dense: Option<Linear>,
    /// `[hidden, labels]`.
    pub output: Linear,
    #[module(skip)]
    activation: Option<Activation>,
}

impl Classifier {
    fn new(shape: ClassifierShape, hidden: usize, device: &Device) -> Self {
        Self {
            dense: shape.dense.map(|_| Linear::zeros(hidden, hidden, true, device)),
            output: Linear::zeros(hidden, shape.labels, true, device),
            activation: shape.dense,
        }
    }

    fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        let hidden = match (&self.dense, self.activation) {
            (Some(dense), Some(activation)) => activate(activation, dense.forward(hidden)),
            _ => hidden,
        };
        self.output.forward(hidden)
    }
}

/// An encoder and its heads.
#[derive(Module, Debug)]
pub struct EncoderModel {
    /// The backbone.
    pub encoder: Transformer,
    /// `[hidden, hidden]`, followed by tanh.
    pub pooler: Option<Linear>,
    /// Prediction of masked tokens.
    pub masked_lm: Option<MaskedLmHead>,
    /// `[hidden, 2]`: 0 for "follows", 1 for "does not".
    pub next_sentence: Option<Linear>,
    /// Labels.
    pub classifier: Option<Classifier>,
    #[module(skip)]
    config: ModelConfig,
}

model_directory!(EncoderModel, encoder);

impl EncoderModel {
    fn zeros(config: &ModelConfig, device: &Device) -> Result<Self, ModelError> {
        config.expect_kind(ModelKind::Encoder)?;
        let architecture = config.architecture()?;
        let hidden = architecture.hidden_size;
        let heads = config.family().encoder_heads()?;
        let linear = |output| Linear::zeros(hidden, output, true, device);
        Ok(Self {
            encoder: Transformer::new(&architecture, device),
            pooler: heads.pooler.then(|| linear(hidden)),
            masked_lm: heads.masked_lm.then(|| MaskedLmHead::new(&architecture, device)),
            next_sentence: heads.next_sentence.then(|| linear(2)),
            classifier: heads.classifier.map(|shape| Classifier::new(shape, hidden, device)),
            config: config.clone(),
        })
    }

    /// Hidden states `[batch, seq, hidden_size]`.
    pub fn forward(&self, input: BackboneInput) -> Tensor<3> {
        self.encoder.forward(input, None)
    }

    /// The first token of `hidden` through the pooler, `[batch, hidden_size]`; `None` where there
    /// is none.
    pub fn pooled(&self, hidden: Tensor<3>) -> Option<Tensor<2>> {
        let first = hidden.narrow(1, 0, 1); // [batch, 1, hidden]
        self.pooler.as_ref().map(|pooler| pooler.forward(first).tanh().squeeze_dim::<2>(1))
    }

    /// Logits `[batch, seq, vocab_size]` of the tokens behind `hidden`; `None` where there is no
    /// such head.
    pub fn masked_lm_logits(&self, hidden: Tensor<3>) -> Option<Tensor<3>> {
        self.masked_tokens(hidden).map(Predictions::logits)
    }

    /// Predictions of the tokens behind `hidden` `[batch, seq, hidden_size]`; `None` where there is
    /// no such head.
    pub fn masked_tokens(&self, hidden: Tensor<3>) -> Option<Predictions> {
        let head = self.masked_lm.as_ref()?;
        Some(head.predictions(hidden, &self.encoder.token_table().weight))
    }

    /// Logits `[batch, 2]` of "follows" and "does not"; `None` where there is no such head.
    pub fn next_sentence_logits(&self, hidden: Tensor<3>) -> Option<Tensor<2>> {
        let head = self.next_sentence.as_ref()?;
        Some(head.forward(self.pooled(hidden)?))
    }

    /// Logits `[batch, labels]` of a text; `None` where there is no such head.
    pub fn text_logits(&self, hidden: Tensor<3>) -> Option<Tensor<2>> {
        let classifier = self.classifier.as_ref()?;
        let text = match &self.pooler {
            Some(_) => self.pooled(hidden)?.unsqueeze_dim::<3>(1),
            None => hidden.narrow(1, 0, 1),
        };
        Some(classifier.logits(text).squeeze_dim::<2>(1))
    }

    /// Logits `[batch, seq, labels]` of each token; for answers the scores of beginning and of end.
    /// `None` where there is no such head.
    pub fn token_logits(&self, hidden: Tensor<3>) -> Option<Tensor<3>> {
        Some(self.classifier.as_ref()?.logits(hidden))
    }

    /// What the classification head labels.
    pub fn classified_unit(&self) -> Option<ClassifiedUnit> {
        let heads = self.config.family().encoder_heads().ok()?;
        heads.classifier.map(|classifier| classifier.unit)
    }
}
