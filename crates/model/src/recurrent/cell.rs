//! Elman, LSTM and GRU layers: one direction, and stacks of them in one or two directions.
//!
//! The equations and the order of the gates are PyTorch's; they and the loop over time are in
//! [`wuji_kernels::recurrence`]. This file projects the inputs of all steps in one product and
//! keeps states. Tensors are `[seq, batch, ..]` inside, so that a step is adjacent in memory, and
//! `[batch, seq, ..]` at the door of [`RecurrentStack::forward`].

use burn::module::{Module, Param};
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use wuji_kernels::RecurrentCell;

use crate::layers::{Linear, dropout};
use crate::weights::Part;

/// One recurrent layer in one direction.
#[derive(Module, Debug)]
pub struct RecurrentLayer {
    /// Inputs to gates, `[input, gates · hidden]`, with a bias.
    pub input: Linear,
    /// State to gates, `[hidden, gates · hidden]`, with a bias.
    pub hidden: Linear,
    #[module(skip)]
    cell: RecurrentCell,
}

impl RecurrentLayer {
    /// A layer with zero weights, but for the bias of an LSTM's forget gate: it is one, so that a
    /// new layer remembers (Jozefowicz et al. 2015).
    pub fn new(cell: RecurrentCell, input: usize, hidden: usize, device: &Device) -> Self {
        let columns = cell.gates() * hidden;
        let mut layer = Self {
            input: Linear::zeros(input, columns, true, device),
            hidden: Linear::zeros(hidden, columns, true, device),
            cell,
        };
        if cell == RecurrentCell::Lstm {
            let forget = hidden..2 * hidden;
            let bias: Vec<f32> = (0..columns).map(|k| f32::from(forget.contains(&k))).collect();
            let bias = Tensor::from_data(TensorData::new(bias, [columns]), device);
            layer.input.bias = Some(Param::from_tensor(bias));
        }
        layer
    }

    /// Width of the state.
    pub fn hidden_size(&self) -> usize {
        self.hidden.weight.lazy_shape()[0]
    }

    /// A state of zeros, `[states, batch, hidden]`.
    pub fn initial_state(&self, batch: usize, device: &Device) -> Tensor<3> {
        Tensor::zeros([self.cell.states(), batch, self.hidden_size()], device)
    }

    /// Runs over `x` `[seq, batch, input]` from `initial` `[states, batch, hidden]`; where `mask`
    /// `[seq, batch]` is false the state stays. Returns the hidden states `[seq, batch, hidden]`
    /// and the final state.
    pub fn forward(
        &self,
        x: Tensor<3>,
        initial: Tensor<3>,
        mask: Option<Tensor<2, Bool>>,
    ) -> (Tensor<3>, Tensor<3>) {
        self.run(self.input.forward(x), initial, mask)
    }

    /// As [`RecurrentLayer::forward`] for inputs that are projected already,
    /// `[seq, batch, gates · hidden]`.
    pub fn run(
        &self,
        projected: Tensor<3>,
        initial: Tensor<3>,
        mask: Option<Tensor<2, Bool>>,
    ) -> (Tensor<3>, Tensor<3>) {
        let (seq, states) = (projected.dims()[0], self.cell.states());
        let weight = self.hidden.weight.val();
        let bias = match &self.hidden.bias {
            Some(bias) => bias.val(),
            None => Tensor::zeros([weight.dims()[1]], &weight.device()),
        };
        let result = wuji_kernels::recurrence(self.cell, projected, weight, bias, initial, mask);
        match (states, seq) {
            (1, 1) => (result.clone(), result),
            (1, _) => (result.clone(), result.narrow(0, seq - 1, 1)),
            (_, 1) => (result.clone().narrow(0, 0, 1), result),
            _ => (result.clone().narrow(0, 0, seq), result.narrow(0, seq - 1, states)),
        }
    }
}

/// What a stack carries from one call to the next: for each layer (and direction)
/// `[states, batch, hidden]`, the hidden state and, for an LSTM, its cells.
#[derive(Debug, Clone)]
pub struct RecurrentState {
    /// Layer by layer; forward before backward.
    pub layers: Vec<Tensor<3>>,
}

impl RecurrentState {
    /// The state of some rows of the batch, in this order: what beam search does with it.
    pub fn select(&self, rows: Tensor<1, Int>) -> Self {
        let select = |state: &Tensor<3>| state.clone().select(1, rows.clone());
        Self { layers: self.layers.iter().map(select).collect() }
    }
}

/// Layers one on top of the other, in one direction or two.
#[derive(Module, Debug)]
pub struct RecurrentStack {
    /// Layer by layer; with two directions, forward before backward.
    pub layers: Vec<RecurrentLayer>,
    bidirectional: bool,
    dropout: f64,
}

impl RecurrentStack {
    /// `num_layers` layers of `hidden` units in one direction, with dropout between them.
    pub fn new(
        cell: RecurrentCell,
        [input, hidden, num_layers]: [usize; 3],
        dropout: f64,
        device: &Device,
    ) -> Self {
        let width = |layer| if layer == 0 { input } else { hidden };
        let layers =
            (0..num_layers).map(|l| RecurrentLayer::new(cell, width(l), hidden, device)).collect();
        Self { layers, bidirectional: false, dropout }
    }

    /// The same in both directions: every layer sees `2 · hidden` values of the one below, forward
    /// before backward.
    pub fn bidirectional(
        cell: RecurrentCell,
        [input, hidden, num_layers]: [usize; 3],
        dropout: f64,
        device: &Device,
    ) -> Self {
        let width = |layer| if layer == 0 { input } else { 2 * hidden };
        let layers = (0..2 * num_layers)
            .map(|l| RecurrentLayer::new(cell, width(l / 2), hidden, device))
            .collect();
        Self { layers, bidirectional: true, dropout }
    }

    fn directions(&self) -> usize {
        1 + usize::from(self.bidirectional)
    }

    /// The state before the first token.
    pub fn initial_state(&self, batch: usize, device: &Device) -> RecurrentState {
        let layers = self.layers.iter().map(|layer| layer.initial_state(batch, device)).collect();
        RecurrentState { layers }
    }

    /// Runs over `x` `[batch, seq, input]` from `state` (zeros when absent). Where `mask`
    /// `[batch, seq]` is false there is padding, on which states stay as they are.
    ///
    /// Returns the last layer's hidden states `[batch, seq, directions · hidden]` and the final
    /// state; that of a backward layer is after the first token.
    pub fn forward(
        &self,
        x: Tensor<3>,
        state: Option<RecurrentState>,
        mask: Option<Tensor<2, Bool>>,
    ) -> (Tensor<3>, RecurrentState) {
        let mask = mask.map(Tensor::transpose);
        let (hidden, state) = self.forward_time_major(x.swap_dims(0, 1), state, mask);
        (hidden.swap_dims(0, 1), state)
    }

    /// As [`RecurrentStack::forward`] with time before the batch: `x` `[seq, batch, input]`, `mask`
    /// `[seq, batch]`.
    pub fn forward_time_major(
        &self,
        x: Tensor<3>,
        state: Option<RecurrentState>,
        mask: Option<Tensor<2, Bool>>,
    ) -> (Tensor<3>, RecurrentState) {
        let state = state.unwrap_or_else(|| self.initial_state(x.dims()[1], &x.device()));
        let mut states = state.layers.into_iter();
        let mut hidden = x;
        let mut layers = Vec::with_capacity(self.layers.len());
        for (index, pair) in self.layers.chunks(self.directions()).enumerate() {
            if index > 0 {
                hidden = dropout(hidden, self.dropout);
            }
            let mut outputs = Vec::with_capacity(pair.len());
            for (backward, (layer, initial)) in pair.iter().zip(&mut states).enumerate() {
                let (output, last) = match backward {
                    0 => layer.forward(hidden.clone(), initial, mask.clone()),
                    _ => reversed(layer, hidden.clone(), initial, mask.clone()),
                };
                outputs.push(output);
                layers.push(last);
            }
            hidden = match outputs.len() {
                1 => outputs.remove(0),
                _ => Tensor::cat(outputs, 2),
            };
        }
        (hidden, RecurrentState { layers })
    }
}

impl RecurrentStack {
    /// One step of a stack in one direction, from what the first layer's input projection gives,
    /// `[1, batch, gates · hidden]`. Returns the last layer's hidden state `[1, batch, hidden]` and
    /// the new state.
    pub(super) fn step(
        &self,
        projected: Tensor<3>,
        state: RecurrentState,
    ) -> (Tensor<3>, RecurrentState) {
        let mut states = state.layers.into_iter();
        let mut hidden = projected;
        let mut layers = Vec::with_capacity(self.layers.len());
        for (index, (layer, initial)) in self.layers.iter().zip(&mut states).enumerate() {
            if index > 0 {
                hidden = layer.input.forward(dropout(hidden, self.dropout));
            }
            let (output, last) = layer.run(hidden, initial, None);
            hidden = output;
            layers.push(last);
        }
        (hidden, RecurrentState { layers })
    }
}

/// A layer from the last token to the first; padding, which then comes first, changes nothing.
fn reversed(
    layer: &RecurrentLayer,
    x: Tensor<3>,
    initial: Tensor<3>,
    mask: Option<Tensor<2, Bool>>,
) -> (Tensor<3>, Tensor<3>) {
    let mask = mask.map(|mask| mask.flip([0]));
    let (output, last) = layer.run(layer.input.forward(x).flip([0]), initial, mask);
    (output.flip([0]), last)
}

/// The tensor on disk of `path` inside a stack (`layers.1.input.weight`), as `torch.nn.LSTM` names
/// it: `prefix.weight_ih_l0_reverse`.
pub(super) fn stack_tensor(prefix: &str, path: &str, bidirectional: bool) -> Option<Vec<Part>> {
    let (index, rest) = path.strip_prefix("layers.")?.split_once('.')?;
    let (matrix, kind) = rest.split_once('.')?;
    let index: usize = index.parse().ok()?;
    let matrix = match matrix {
        "input" => "ih",
        "hidden" => "hh",
        _ => return None,
    };
    let (layer, suffix) = match (bidirectional, index % 2) {
        (true, 1) => (index / 2, "_reverse"),
        (true, _) => (index / 2, ""),
        (false, _) => (index, ""),
    };
    Some(Part::linear(format!("{prefix}.{kind}_{matrix}_l{layer}{suffix}")))
}
