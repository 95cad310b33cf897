//! A pass of a decoder with a language-model head.

use burn::tensor::{Device, Int, Tensor, TensorData};
use wuji_model::layers::{RouterLogits, load_balancing_loss};
use wuji_model::weights::FileTensor;
use wuji_model::{BackboneInput, CausalLm, Positions};

use super::losses::{Logits, Targets, some_targets};
use super::outputs::{Outputs, values};
use super::reader::{Expected, IGNORED_LABEL, Reader};
use super::tokens::Tokens;
use crate::WujiError;

pub(super) fn forward(
    model: &CausalLm,
    reader: &Reader,
    device: &Device,
) -> Result<Vec<FileTensor>, WujiError> {
    let architecture = model.decoder.architecture();
    let is_glm = architecture.positions == Positions::LearnedTwice;
    let tokens = Tokens::read(reader, architecture)?;
    let targets = read_targets(model, reader, &tokens)?;
    let states = States::of(model, tokens.input(device));
    let mut outputs = Outputs::new(tokens.real());
    let logits = model.logits(states.normed.clone());
    outputs.add_of_tokens("logits", logits.clone());
    states.add_to(&mut outputs, is_glm);
    if let Some(targets) = targets {
        let logits = Logits { values: values(logits), width: architecture.vocab_size };
        if is_glm {
            let [batch, seq] = tokens.shape;
            let losses = targets.loss_of_rows(&logits, batch * seq);
            outputs.add_values("token_loss", &tokens.shape, losses);
        }
        outputs.add_number("loss", targets.loss(&logits));
    }
    add_routers(&mut outputs, model, states.routers, tokens.real());
    Ok(outputs.finish())
}

/// The labels, at the position after the one that predicts them; in the original GLM, which has no
/// order of its own, at the same.
fn read_targets(
    model: &CausalLm,
    reader: &Reader,
    tokens: &Tokens,
) -> Result<Option<Targets>, WujiError> {
    let architecture = model.decoder.architecture();
    let [batch, seq] = tokens.shape;
    // Masks and positions say it already; a length that cannot be is a mistake all the same.
    let lengths = Expected { shape: &[batch], source: "one for each row" };
    reader.like("part_a_len", lengths, 0..seq as i64 + 1, &[])?;
    let expected = Expected { shape: &tokens.shape, source: "that of input_ids" };
    let ids = 0..architecture.vocab_size as i64;
    let Some(labels) = reader.like("labels", expected, ids, &[IGNORED_LABEL])? else {
        return Ok(None);
    };
    let targets = match architecture.causal {
        true => Targets::of_next(&labels, seq),
        false => Targets::of_rows(&labels),
    };
    some_targets(reader, "labels", targets).map(Some)
}

/// What the decoder says on its way.
struct States {
    /// The embeddings and the output of each block, none of them normed.
    raw: Vec<Tensor<3>>,
    /// The last after the final norm.
    normed: Tensor<3>,
    /// The scores of each router.
    routers: Vec<Tensor<2>>,
}

impl States {
    fn of(model: &CausalLm, input: BackboneInput) -> Self {
        let decoder = &model.decoder;
        let (mut hidden, mut context) = decoder.embed(input, 0);
        context.router_logits = Some(RouterLogits::default());
        let mut raw = vec![hidden.clone()];
        for block in &decoder.blocks {
            hidden = block.forward(hidden, &context, None);
            raw.push(hidden.clone());
        }
        let routers = context.router_logits.map(RouterLogits::into_inner).unwrap_or_default();
        Self { raw, normed: decoder.normalise(hidden), routers }
    }

    /// As `transformers` counts them, the last is after the final norm; as GLM's authors do, that
    /// has a name of its own.
    fn add_to(&self, outputs: &mut Outputs, has_final: bool) {
        let last = self.raw.len() - 1;
        for (layer, state) in self.raw.iter().enumerate() {
            let state = if layer == last && !has_final { &self.normed } else { state };
            outputs.add_of_tokens(format!("hidden.{layer}"), state.clone());
        }
        if has_final {
            outputs.add_of_tokens("hidden.final", self.normed.clone());
        }
    }
}

/// The scores of the routers and how evenly they spread the real tokens.
fn add_routers(
    outputs: &mut Outputs,
    model: &CausalLm,
    routers: Vec<Tensor<2>>,
    real: Option<Vec<bool>>,
) {
    for (layer, scores) in routers.iter().enumerate() {
        outputs.add_of_tokens(format!("router_logits.{layer}"), scores.clone());
    }
    let Some(experts) = &model.decoder.architecture().experts else { return };
    let routers = match real {
        None => routers,
        Some(real) => {
            let rows = (0_i64..).zip(real).filter(|(_, is_real)| *is_real).map(|(row, _)| row);
            let rows: Vec<i64> = rows.collect();
            if rows.is_empty() {
                return;
            }
            let select = |scores: Tensor<2>| {
                let rows = TensorData::new(rows.clone(), [rows.len()]);
                let rows = Tensor::<1, Int>::from_data(rows, &scores.device());
                scores.select(0, rows)
            };
            routers.into_iter().map(select).collect()
        }
    };
    if let Some(loss) = load_balancing_loss(&RouterLogits::new(routers), experts.per_token) {
        outputs.add_number("aux_loss", values(loss)[0].into());
    }
}
