//! Recurrent layers as one operation: a product and an element-wise pass per step.
//!
//! Taken apart into tensor operations, every step would add a matrix to the gradient of the weight
//! and pad the gradients of its gates. Here the backward pass (backpropagation through time,
//! Werbos 1990) keeps the gradients of all steps side by side and makes the weight's gradient one
//! product at the end.

mod cells;
mod pass;

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};
use burn_flex::FlexTensor;

use crate::{Nonlinearity, RecurrentCell};
use pass::{Pass, Trace};

/// Which rows of the batch take part in which step, `[seq, batch]`; all when `None`.
#[derive(Clone, Debug)]
pub struct Live(pub Option<Arc<[bool]>>);

/// Whether there is a fused body: the slope of the non-linearity must follow from its value.
pub fn supports(cell: RecurrentCell) -> bool {
    !matches!(cell, RecurrentCell::Elman(Nonlinearity::Gelu | Nonlinearity::Silu))
}

/// Recurrent layers registered with burn's dispatch.
#[backend_extension(Flex, Autodiff)]
pub trait RecurrenceOps: Backend {
    /// See [`crate::recurrence`].
    fn fused_recurrence(
        projected: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        initial: FloatTensor<Self>,
        cell: RecurrentCell,
        live: Live,
    ) -> FloatTensor<Self>;
}

impl RecurrenceOps for Flex {
    fn fused_recurrence(
        projected: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        initial: FlexTensor,
        cell: RecurrentCell,
        live: Live,
    ) -> FlexTensor {
        Pass::new(weight, initial, cell, live).forward(projected, bias).output
    }
}

impl<C: CheckpointStrategy> RecurrenceOps for Autodiff<Flex, C> {
    fn fused_recurrence(
        projected: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        initial: FloatTensor<Self>,
        cell: RecurrentCell,
        live: Live,
    ) -> FloatTensor<Self> {
        let (projected, projected_node) = projected.into_parts();
        let (weight, weight_node) = weight.into_parts();
        let (bias, bias_node) = bias.into_parts();
        let (initial, initial_node) = initial.into_parts();
        let nodes = [projected_node, weight_node, bias_node, initial_node];
        let pass = Pass::new(weight, initial, cell, live);
        let trace = pass.forward(projected, bias);
        match RecurrenceStep.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let output = trace.output.clone();
                prep.finish((pass, trace), output)
            }
            OpsKind::UnTracked(prep) => prep.finish(trace.output),
        }
    }
}

#[derive(Debug)]
struct RecurrenceStep;

impl Backward<Flex, 4> for RecurrenceStep {
    type State = (Pass, Trace);

    fn backward(self, ops: Ops<Self::State, 4>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<Flex>(&ops.node);
        let (pass, trace) = ops.state;
        let [projected, weight, bias, initial] = ops.parents;
        let output = trace.output.clone();
        let back = pass.backward(trace, grad);
        if let Some(parent) = weight {
            grads.register::<Flex>(parent.id, pass.weight_gradient(&output, back.products()));
        }
        if let Some(parent) = bias {
            let gradient = super::linear::bias_gradient(back.products());
            grads.register::<Flex>(parent.id, gradient);
        }
        if let Some(parent) = initial {
            grads.register::<Flex>(parent.id, back.initial);
        }
        if let Some(parent) = projected {
            grads.register::<Flex>(parent.id, back.projected);
        }
    }
}
