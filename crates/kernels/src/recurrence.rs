//! Recurrent layers over whole sequences: Elman, LSTM and GRU, without their input projections.

use std::sync::Arc;

use burn::backend::Dispatch;
use burn::tensor::{Bool, Tensor, activation};

use crate::fused::recurrence::{Live, RecurrenceOps};
use crate::{fused, plain};

/// The non-linearity of an Elman cell, or of a hidden layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nonlinearity {
    /// `max(x, 0)`.
    Relu,
    /// `1 / (1 + e⁻ˣ)`.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// `x · Φ(x)`.
    Gelu,
    /// `x · sigmoid(x)`.
    Silu,
}

impl Nonlinearity {
    /// The non-linearity of every element.
    pub fn apply<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Relu => activation::relu(x),
            Self::Sigmoid => activation::sigmoid(x),
            Self::Tanh => x.tanh(),
            Self::Gelu => crate::gelu(x),
            Self::Silu => activation::silu(x),
        }
    }
}

/// How a recurrent layer goes from one step to the next, with PyTorch's equations.
///
/// `x` are the projected inputs, `a = h·W + b` the projected state, `⊙` the element-wise product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecurrentCell {
    /// `h' = f(x + a)` (Elman 1990).
    Elman(Nonlinearity),
    /// Columns `i, f, g, o`: `c' = σ(f)⊙c + σ(i)⊙tanh(g)`, `h' = σ(o)⊙tanh(c')` (Hochreiter and
    /// Schmidhuber 1997; forget gate: Gers et al. 2000).
    Lstm,
    /// Columns `r, z, n`: `r = σ(x_r + a_r)`, `z = σ(x_z + a_z)`, `n = tanh(x_n + r⊙a_n)`,
    /// `h' = (1 - z)⊙n + z⊙h` (Cho et al. 2014, with the bias inside the reset product).
    Gru,
}

impl RecurrentCell {
    /// Columns of a projection per hidden unit.
    pub fn gates(self) -> usize {
        match self {
            Self::Elman(_) => 1,
            Self::Lstm => 4,
            Self::Gru => 3,
        }
    }

    /// Rows of the state: the hidden state, and for an LSTM its cells.
    pub fn states(self) -> usize {
        match self {
            Self::Lstm => 2,
            Self::Elman(_) | Self::Gru => 1,
        }
    }
}

/// Runs `cell` over a sequence.
///
/// `projected` `[seq, batch, gates · hidden]` are the inputs times their weights plus their bias,
/// `weight` `[hidden, gates · hidden]` and `bias` `[gates · hidden]` those of the state, and
/// `initial` `[states, batch, hidden]` is the state before the first step. Where `mask`
/// `[seq, batch]` is false, a step leaves the state as it was.
///
/// The result is `[seq + states - 1, batch, hidden]`: the hidden state after each step, then for
/// an LSTM its cells after the last. The final state, in the form of `initial`, is therefore
/// `result.narrow(0, seq - 1, states)`.
///
/// # Panics
/// When the shapes do not fit together or there is no step or no hidden unit.
pub fn recurrence(
    cell: RecurrentCell,
    projected: Tensor<3>,
    weight: Tensor<2>,
    bias: Tensor<1>,
    initial: Tensor<3>,
    mask: Option<Tensor<2, Bool>>,
) -> Tensor<3> {
    let [seq, batch, columns] = projected.dims();
    let hidden = weight.dims()[0];
    let fits = columns == cell.gates() * hidden
        && weight.dims()[1] == columns
        && bias.dims() == [columns]
        && initial.dims() == [cell.states(), batch, hidden]
        && mask.as_ref().is_none_or(|mask| mask.dims() == [seq, batch]);
    assert!(
        fits && seq > 0 && hidden > 0,
        "recurrence: {cell:?} over {:?} with a weight of {:?}, a bias of {:?} and a state of {:?} \
         do not fit, or the mask",
        projected.dims(),
        weight.dims(),
        bias.dims(),
        initial.dims()
    );
    let all_on_flex = fused::applies(&projected)
        && fused::applies(&weight)
        && fused::applies(&bias)
        && fused::applies(&initial);
    if !all_on_flex || !fused::recurrence::supports(cell) {
        return plain::recurrence(cell, projected, weight, bias, initial, mask);
    }
    let live = Live(mask.map(|mask| mask.into_data().iter::<bool>().collect::<Arc<[bool]>>()));
    Tensor::from_dispatch(Dispatch::fused_recurrence(
        projected.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        initial.into_dispatch(),
        cell,
        live,
    ))
}

/// `x` `[seq, ..]` in its steps `[1, ..]`.
///
/// It is halved, and its halves too, because burn pads the gradient of a cut to the size of what
/// was cut: cutting off step by step would cost the square of the length.
pub fn time_steps(x: Tensor<3>) -> Vec<Tensor<3>> {
    let length = x.dims()[0];
    if length <= 1 {
        return vec![x];
    }
    let half = length / 2;
    let mut steps = time_steps(x.clone().narrow(0, 0, half));
    steps.extend(time_steps(x.narrow(0, half, length - half)));
    steps
}
