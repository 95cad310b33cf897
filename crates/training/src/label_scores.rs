//! What a model of tokens says of each label by itself, where a loss is only their sum: for
//! (pseudo-)log-likelihoods (Salazar et al. 2020) and for the accuracy of what is filled in.

use burn::module::Module;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use wuji_data::IGNORE_INDEX;

use crate::{Objective, TrainingError, tensors};

/// How likely one label is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LabelScore {
    /// Its natural log-probability.
    pub log_prob: f64,
    /// Whether no token is more likely.
    pub is_best: bool,
}

/// An objective whose labels are tokens.
pub trait TokenObjective<M: Module>: Objective<M> {
    /// The labels of a batch, row by row, [`IGNORE_INDEX`] where there is none.
    fn labels<'a>(&self, batch: &'a Self::Batch) -> &'a [i64];

    /// Logits `[labels, vocab_size]` where there is a label, row by row. Other positions do not go
    /// through the head, which with a large vocabulary is most of what there is.
    fn label_logits(&self, model: &M, batch: &Self::Batch, device: &Device) -> Tensor<2>;
}

/// The scores of all labels of `batches`, in order, under `model` (without autodiff).
///
/// # Errors
/// A batch that cannot be read.
pub fn score_labels<M: Module, O: TokenObjective<M>>(
    model: &M,
    objective: &O,
    batches: impl Iterator<Item = Result<O::Batch, TrainingError>>,
    device: &Device,
) -> Result<Vec<LabelScore>, TrainingError> {
    let mut scores = Vec::new();
    for batch in batches {
        let batch = batch?;
        let Labelled { labels, .. } = labelled(objective.labels(&batch));
        if !labels.is_empty() {
            let logits = objective.label_logits(model, &batch, device);
            scores.extend(score(logits, &labels, device));
        }
    }
    Ok(scores)
}

fn score(logits: Tensor<2>, labels: &[i64], device: &Device) -> Vec<LabelScore> {
    let ids = tensors::labels(labels, device).unsqueeze_dim::<2>(1); // [labels, 1]
    let log_probs = log_softmax(logits, 1);
    let best = log_probs.clone().argmax(1).into_data();
    let log_probs = log_probs.gather(1, ids).into_data();
    let pairs = log_probs.iter::<f32>().zip(best.iter::<i64>().zip(labels));
    pairs
        .map(|(log_prob, (best, label))| LabelScore {
            log_prob: f64::from(log_prob),
            is_best: best == *label,
        })
        .collect()
}

/// The labels that count, and where they are.
pub(crate) struct Labelled {
    pub labels: Vec<i64>,
    places: Vec<i64>,
}

/// Takes the labels out that are not ignored.
pub(crate) fn labelled(labels: &[i64]) -> Labelled {
    let found = labels.iter().enumerate().filter(|(_, label)| **label != IGNORE_INDEX);
    let (places, labels) = found.map(|(place, label)| (place as i64, *label)).unzip();
    Labelled { labels, places }
}

impl Labelled {
    /// The hidden states of these labels, `[1, labels, hidden_size]`, of all, `[batch, seq,
    /// hidden_size]`.
    pub(crate) fn states(&self, hidden: Tensor<3>, device: &Device) -> Tensor<3> {
        let count = self.places.len();
        let places = TensorData::new(self.places.clone(), [count]);
        let places = Tensor::<1, Int>::from_data(places, device);
        hidden.flatten::<2>(0, 1).select(0, places).unsqueeze()
    }
}
