//! Recurrent layers, one step after the other.

use burn::tensor::{Bool, Tensor, activation};

use crate::RecurrentCell;

/// See [`crate::recurrence`].
pub fn recurrence(
    cell: RecurrentCell,
    projected: Tensor<3>,
    weight: Tensor<2>,
    bias: Tensor<1>,
    initial: Tensor<3>,
    mask: Option<Tensor<2, Bool>>,
) -> Tensor<3> {
    let states = cell.states();
    let mut hidden = matrix(initial.clone(), 0); // [batch, hidden]
    let mut memory = matrix(initial, states - 1); // the cells of an LSTM
    let mut outputs = Vec::new();
    for (t, x) in crate::time_steps(projected).into_iter().enumerate() {
        let x = x.squeeze_dim(0); // [batch, gates · hidden]
        let before = (hidden.clone(), memory.clone());
        let a = super::linear(hidden, weight.clone(), Some(bias.clone()));
        (hidden, memory) = step(cell, x, a, before.clone());
        if let Some(mask) = &mask {
            let [batch, width] = hidden.dims();
            let padding = mask.clone().narrow(0, t, 1).bool_not().reshape([batch, 1]);
            let padding = padding.expand([batch, width]);
            hidden = hidden.mask_where(padding.clone(), before.0);
            memory = memory.mask_where(padding, before.1);
        }
        outputs.push(hidden.clone());
    }
    if states == 2 {
        outputs.push(memory);
    }
    Tensor::stack(outputs, 0)
}

/// The matrix at `index` of the first dimension.
fn matrix(x: Tensor<3>, index: usize) -> Tensor<2> {
    x.narrow(0, index, 1).squeeze_dim(0)
}

/// Hidden state and memory after one step, from projected inputs `x` and projected state `a`.
fn step(
    cell: RecurrentCell,
    x: Tensor<2>,
    a: Tensor<2>,
    (hidden, memory): (Tensor<2>, Tensor<2>),
) -> (Tensor<2>, Tensor<2>) {
    match cell {
        RecurrentCell::Elman(nonlinearity) => {
            let hidden = nonlinearity.apply(x + a);
            (hidden.clone(), hidden)
        }
        RecurrentCell::Lstm => {
            let [i, f, g, o] = gates(x + a);
            let kept = activation::sigmoid(f) * memory;
            let memory = kept + activation::sigmoid(i) * g.tanh();
            (activation::sigmoid(o) * memory.clone().tanh(), memory)
        }
        RecurrentCell::Gru => {
            let ([x_r, x_z, x_n], [a_r, a_z, a_n]) = (gates(x), gates(a));
            let (r, z) = (activation::sigmoid(x_r + a_r), activation::sigmoid(x_z + a_z));
            let n = (x_n + r * a_n).tanh();
            let hidden = n.clone() + z * (hidden - n);
            (hidden.clone(), hidden)
        }
    }
}

/// The columns of each gate.
fn gates<const N: usize>(x: Tensor<2>) -> [Tensor<2>; N] {
    let width = x.dims()[1] / N;
    std::array::from_fn(|gate| x.clone().narrow(1, gate * width, width))
}
