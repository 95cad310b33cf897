//! A pass of an encoder–decoder.

use burn::tensor::{Device, Tensor};
use wuji_model::layers::{CrossAttentions, Memory};
use wuji_model::weights::FileTensor;
use wuji_model::{BackboneInput, ModelConfig, Seq2SeqLm};

use super::losses::{Logits, Targets, some_targets};
use super::outputs::{Outputs, values};
use super::reader::{Expected, IGNORED_LABEL, Matrix, Reader};
use super::tokens::{Tokens, integers};
use crate::WujiError;

pub(super) fn forward(
    model: &Seq2SeqLm,
    reader: &Reader,
    device: &Device,
) -> Result<Vec<FileTensor>, WujiError> {
    let source = Tokens::read(reader, model.encoder.architecture())?;
    if source.has_pairs() {
        let problem = format!("has three dimensions; expected {:?}", source.shape);
        return Err(reader.bad("attention_mask", problem));
    }
    let start = Some(model.decoder_start_token_id());
    let target = Target::read(model.config(), start, reader, source.shape[0])?;
    let mut outputs = Outputs::new(source.real());
    let memory = encode(model, source.input(device), &mut outputs);
    if let Some(target) = target {
        decode(model, &target, &memory, device, &mut outputs);
    }
    Ok(outputs.finish())
}

/// Adds the encoder's states and gives what the decoder looks at.
fn encode(model: &Seq2SeqLm, source: BackboneInput, outputs: &mut Outputs) -> Memory {
    let mask = source.attention_mask.clone();
    let states = model.encoder.forward_with_hidden_states(source);
    let hidden = states.last().expect("the embeddings are a state").clone();
    for (layer, state) in states.into_iter().enumerate() {
        outputs.add_of_tokens(format!("encoder_hidden.{layer}"), state);
    }
    outputs.add_of_tokens("encoder_hidden", hidden.clone());
    // [batch, source] -> [batch, 1, 1, source]
    let allowed = mask.map(|mask| mask.unsqueeze_dim::<3>(1).unsqueeze_dim::<4>(1));
    Memory { hidden, allowed }
}

fn decode(
    model: &Seq2SeqLm,
    target: &Target,
    memory: &Memory,
    device: &Device,
    outputs: &mut Outputs,
) {
    let ids = BackboneInput::new(integers(&target.ids, target.shape, device));
    let (hidden, mut context) = model.embed_target(ids, memory, 0);
    context.cross_attentions = Some(CrossAttentions::default());
    let states = model.decoder.states(hidden, &context);
    let last = states.last().expect("the embeddings are a state").clone();
    for (layer, state) in states.into_iter().enumerate() {
        outputs.add(format!("decoder_hidden.{layer}"), state);
    }
    outputs.add("decoder_hidden", last.clone());
    let attentions = context.cross_attentions.map(CrossAttentions::into_inner).unwrap_or_default();
    for (layer, probabilities) in attentions.into_iter().enumerate() {
        outputs.add(format!("cross_attention.{layer}"), probabilities);
    }
    let logits = model.logits(last);
    outputs.add("logits", logits.clone());
    target.add_loss(outputs, logits);
}

/// What the decoder reads, `[batch, target]`, and what it is to say there.
pub(super) struct Target {
    pub(super) shape: [usize; 2],
    pub(super) ids: Vec<i64>,
    labels: Option<Targets>,
}

impl Target {
    /// `decoder_input_ids`, or the labels behind the token `start`; `None` where there is neither.
    pub(super) fn read(
        config: &ModelConfig,
        start: Option<u32>,
        reader: &Reader,
        batch: usize,
    ) -> Result<Option<Self>, WujiError> {
        let ids = 0..config.vocab_size() as i64;
        let given = reader.matrix("decoder_input_ids", ids.clone(), &[])?;
        let labels = match &given {
            Some((shape, _)) => {
                let expected = Expected { shape, source: "that of decoder_input_ids" };
                let labels = reader.like("labels", expected, ids, &[IGNORED_LABEL])?;
                labels.map(|labels| (*shape, labels))
            }
            None => reader.matrix("labels", ids, &[IGNORED_LABEL])?,
        };
        let name = if given.is_some() { "decoder_input_ids" } else { "labels" };
        let padding = config.token_id("pad_token_id").unwrap_or(0);
        let shifted = || {
            let (shape, labels) = labels.as_ref()?;
            Some((*shape, shift([start?, padding], *shape, labels)))
        };
        let Some((shape, ids)) = given.or_else(shifted) else { return Ok(None) };
        if shape[0] != batch {
            let problem = format!("has {} rows; expected those of input_ids, {batch}", shape[0]);
            return Err(reader.bad(name, problem));
        }
        let targets =
            |(_, labels): Matrix| some_targets(reader, "labels", Targets::of_rows(&labels));
        Ok(Some(Self { shape, ids, labels: labels.map(targets).transpose()? }))
    }

    /// Adds the loss, where there are labels.
    pub(super) fn add_loss(&self, outputs: &mut Outputs, logits: Tensor<3>) {
        let Some(labels) = &self.labels else { return };
        let [_, _, width] = logits.dims();
        outputs.add_number("loss", labels.loss(&Logits { values: values(logits), width }));
    }
}

/// The labels behind the start token, the last of each row left out, with padding in place of −100.
fn shift([start, padding]: [u32; 2], [_, length]: [usize; 2], labels: &[i64]) -> Vec<i64> {
    let as_input = |label: &i64| if *label == IGNORED_LABEL { i64::from(padding) } else { *label };
    let rows = labels.chunks_exact(length);
    rows.flat_map(|row| {
        std::iter::once(i64::from(start)).chain(row[..length - 1].iter().map(as_input))
    })
    .collect()
}
