//! A pass of an encoder and its heads.

use burn::tensor::{Device, Tensor};
use wuji_model::weights::FileTensor;
use wuji_model::{ClassifiedUnit, EncoderModel, Pooling};

use super::classification::{TextTargets, add_answers, read_answers};
use super::losses::{Logits, Targets, some_targets};
use super::outputs::{Outputs, values};
use super::reader::{Expected, IGNORED_LABEL, Reader};
use super::tokens::Tokens;
use crate::WujiError;

pub(super) fn forward(
    model: &EncoderModel,
    reader: &Reader,
    device: &Device,
) -> Result<Vec<FileTensor>, WujiError> {
    let tokens = Tokens::read(reader, model.encoder.architecture())?;
    let targets = HeadTargets::read(model, reader, &tokens)?;
    let states = model.encoder.forward_with_hidden_states(tokens.input(device));
    let last = states.last().expect("the embeddings are a state").clone();
    let mut outputs = Outputs::new(tokens.real());
    for (layer, state) in states.into_iter().enumerate() {
        outputs.add_of_tokens(format!("hidden.{layer}"), state);
    }
    outputs.add_of_tokens("last_hidden", last.clone());
    outputs.add("mean_pooled", Pooling::Mean.pool(last.clone(), tokens.real_tensor(device)));
    outputs.add("cls", Pooling::Cls.pool(last.clone(), tokens.real_tensor(device)));
    if let Some(pooled) = model.pooled(last.clone()) {
        outputs.add("pooled", pooled);
    }
    add_pretraining(&mut outputs, model, &last, &targets);
    add_classification(&mut outputs, model, last, targets);
    Ok(outputs.finish())
}

/// What the heads learn from, where it is given.
struct HeadTargets {
    /// Labels of tokens: the masked ones, or of a classification.
    tokens: Option<Targets>,
    next_sentence: Option<Targets>,
    text: Option<TextTargets>,
    /// Where answers begin and end.
    answers: Option<[Targets; 2]>,
}

impl HeadTargets {
    fn read(model: &EncoderModel, reader: &Reader, tokens: &Tokens) -> Result<Self, WujiError> {
        let [batch, _] = tokens.shape;
        let heads = model.config().family().encoder_heads()?;
        let classifier = heads.classifier;
        let is = |unit| classifier.filter(|classifier| classifier.unit == unit);
        let vocab_size = heads.masked_lm.then_some(model.config().vocab_size());
        let token_labels = is(ClassifiedUnit::Token).map(|classifier| classifier.labels);
        let read = |name: &str, expected, range| {
            let labels = reader.like(name, expected, range, &[IGNORED_LABEL])?;
            let targets = |labels: Vec<i64>| some_targets(reader, name, Targets::of_rows(&labels));
            labels.map(targets).transpose()
        };
        let of_tokens = Expected { shape: &tokens.shape, source: "that of input_ids" };
        let of_rows = Expected { shape: &[batch], source: "one for each row" };
        Ok(Self {
            tokens: match vocab_size.or(token_labels) {
                Some(labels) => read("labels", of_tokens, 0..labels as i64)?,
                None => None,
            },
            next_sentence: read("next_sentence_label", of_rows, 0..2)?,
            text: match is(ClassifiedUnit::Text) {
                Some(head) => TextTargets::read(model.config(), reader, batch, head.labels)?,
                None => None,
            },
            answers: read_answers(reader, tokens.shape)?,
        })
    }
}

/// Masked tokens and next sentences; the loss is of all heads that the model has.
fn add_pretraining(
    outputs: &mut Outputs,
    model: &EncoderModel,
    hidden: &Tensor<3>,
    targets: &HeadTargets,
) {
    let has_both = model.masked_lm.is_some() && model.next_sentence.is_some();
    let mut losses = Vec::new();
    if let Some(logits) = model.masked_lm_logits(hidden.clone()) {
        let name = if has_both { "prediction_logits" } else { "logits" };
        outputs.add_of_tokens(name, logits.clone());
        losses.push(("mlm_loss", targets.tokens.as_ref().map(|t| t.loss(&rows(logits)))));
    }
    if let Some(logits) = model.next_sentence_logits(hidden.clone()) {
        outputs.add("seq_relationship_logits", logits.clone());
        let logits = Logits { values: values(logits), width: 2 };
        losses.push(("nsp_loss", targets.next_sentence.as_ref().map(|t| t.loss(&logits))));
    }
    if has_both {
        let known = losses.iter().filter_map(|(name, loss)| Some((name, (*loss)?)));
        known.for_each(|(name, loss)| outputs.add_number(name, loss));
    }
    let sum: Option<f64> = losses.iter().map(|(_, loss)| *loss).sum();
    if let Some(sum) = sum.filter(|_| !losses.is_empty()) {
        outputs.add_number("loss", sum);
    }
}

fn add_classification(
    outputs: &mut Outputs,
    model: &EncoderModel,
    hidden: Tensor<3>,
    targets: HeadTargets,
) {
    match model.classified_unit() {
        None => {}
        Some(ClassifiedUnit::Text) => {
            let Some(logits) = model.text_logits(hidden) else { return };
            let [_, width] = logits.dims();
            outputs.add("logits", logits.clone());
            if let Some(targets) = targets.text {
                outputs.add_number("loss", targets.loss(&Logits { values: values(logits), width }));
            }
        }
        Some(ClassifiedUnit::Token) => {
            let Some(logits) = model.token_logits(hidden) else { return };
            outputs.add_of_tokens("logits", logits.clone());
            if let Some(targets) = targets.tokens {
                outputs.add_number("loss", targets.loss(&rows(logits)));
            }
        }
        Some(ClassifiedUnit::AnswerEnds) => {
            let Some(logits) = model.token_logits(hidden) else { return };
            add_answers(outputs, logits, targets.answers);
        }
    }
}

/// Logits `[batch, seq, width]`, a row for each token.
fn rows(logits: Tensor<3>) -> Logits {
    let [_, _, width] = logits.dims();
    Logits { values: values(logits), width }
}
