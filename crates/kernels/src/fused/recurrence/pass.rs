//! The loops over time: forward, keeping what the gradients need, and backward.

use burn::tensor::Shape;
use burn_flex::FlexTensor;

use super::Live;
use super::cells::{BackwardRows, ForwardRows};
use crate::fused::gemm::{Matrix, multiply_add};
use crate::fused::in_parallel;
use crate::fused::memory::{CHUNK, contiguous, floats, from_vec, owned};
use crate::simd::{Kernel, dispatch};
use crate::{Precision, RecurrentCell};

/// One run of a layer over a sequence: what stays the same in all steps.
#[derive(Clone, Debug)]
pub struct Pass {
    weight: FlexTensor,
    initial: FlexTensor,
    cell: RecurrentCell,
    live: Live,
    batch: usize,
    width: usize,
}

/// What a forward pass leaves behind.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Hidden states, then for an LSTM its last cells.
    pub output: FlexTensor,
    /// Values of the gates, `[seq, batch, gates · width]`.
    gates: FlexTensor,
    /// An LSTM's cells or a GRU's projected state before its reset, `[seq, batch, width]`.
    memories: Vec<f32>,
}

/// Gradients of a backward pass.
pub struct Back {
    /// Of the projected inputs.
    pub projected: FlexTensor,
    /// Of the initial state.
    pub initial: FlexTensor,
    /// Of the projected states, where they differ from those of the inputs.
    own_products: Option<FlexTensor>,
}

impl Back {
    /// Gradients of the projected states, `[seq, batch, gates · width]`.
    pub fn products(&self) -> &FlexTensor {
        self.own_products.as_ref().unwrap_or(&self.projected)
    }
}

impl Pass {
    /// A layer with these weights, from this state.
    pub fn new(weight: FlexTensor, initial: FlexTensor, cell: RecurrentCell, live: Live) -> Self {
        let (weight, initial) = (contiguous(weight), contiguous(initial));
        let shape = initial.layout().shape();
        let (batch, width) = (shape[1], shape[2]);
        Self { weight, initial, cell, live, batch, width }
    }

    /// Elements of one state and of one projection of it.
    fn sizes(&self) -> [usize; 2] {
        [self.batch * self.width, self.batch * self.cell.gates() * self.width]
    }

    /// Rows of the batch that make a task.
    fn rows_per_task(&self) -> usize {
        (CHUNK / (self.cell.gates() * self.width).max(1)).max(1)
    }

    fn weight(&self) -> Matrix<'_> {
        let columns = self.cell.gates() * self.width;
        Matrix::row_major(floats(&self.weight), [self.width, columns])
    }

    /// Which rows are live in step `t`.
    fn live_at(&self, t: usize) -> Option<&[bool]> {
        self.live.0.as_ref().map(|live| &live[t * self.batch..][..self.batch])
    }

    /// Runs over `projected` `[seq, batch, gates · width]`.
    pub fn forward(&self, projected: FlexTensor, bias: FlexTensor) -> Trace {
        let [state, projection] = self.sizes();
        let seq = projected.layout().shape()[0];
        let bias = contiguous(bias);
        let mut gates = owned(projected);
        let mut memories = vec![0.0; seq * state];
        let rows = seq + self.cell.states() - 1;
        let mut output = vec![0.0; rows * state];
        let mut product = vec![0.0; projection];
        for t in 0..seq {
            let gates = &mut gates.storage_mut::<f32>()[t * projection..][..projection];
            let (hidden_before, hidden) = around(&mut output, t, state, self.initial_hidden());
            let (memory_before, memory) = around(&mut memories, t, state, self.initial_memory());
            for row in product.chunks_exact_mut(floats(&bias).len().max(1)) {
                row.copy_from_slice(floats(&bias));
            }
            let before = Matrix::row_major(hidden_before, [self.batch, self.width]);
            multiply_add(Precision::F32, before, self.weight(), &mut product);
            let step = ForwardRows {
                cell: self.cell,
                width: self.width,
                live: self.live_at(t),
                gates,
                product: &product,
                hidden_before,
                hidden,
                memory_before,
                memory,
            };
            in_tasks(step.split(self.rows_per_task()));
        }
        if self.cell.states() == 2 {
            output[seq * state..].copy_from_slice(&memories[(seq - 1) * state..]);
        }
        let output = from_vec(output, [rows, self.batch, self.width]);
        Trace { output, gates, memories }
    }

    fn initial_hidden(&self) -> &[f32] {
        &floats(&self.initial)[..self.batch * self.width]
    }

    /// An LSTM's first cells; other cells have no memory and do not read it.
    fn initial_memory(&self) -> &[f32] {
        let state = self.batch * self.width;
        &floats(&self.initial)[(self.cell.states() - 1) * state..]
    }

    /// Gradients from that of the output, but for the weights'.
    pub fn backward(&self, trace: Trace, grad: FlexTensor) -> Back {
        let [state, projection] = self.sizes();
        let Trace { output, gates, memories } = trace;
        let (grad, mut gates) = (contiguous(grad), owned(gates));
        let (grad, output) = (floats(&grad), floats(&output));
        let shape: Shape = gates.layout().shape().clone();
        let seq = shape[0];
        let apart = self.cell == RecurrentCell::Gru;
        let mut products = vec![0.0; if apart { seq * projection } else { 0 }];
        let mut d_hidden = vec![0.0; state];
        let mut d_memory = vec![0.0; state];
        if self.cell.states() == 2 {
            d_memory.copy_from_slice(&grad[seq * state..]);
        }
        for t in (0..seq).rev() {
            let of_step = t * projection..(t + 1) * projection;
            self.step_back(BackwardRows {
                cell: self.cell,
                width: self.width,
                live: self.live_at(t),
                gates: &mut gates.storage_mut::<f32>()[of_step.clone()],
                product: apart.then(|| &mut products[of_step]),
                hidden_before: before(output, t, state, self.initial_hidden()),
                memory_before: before(&memories, t, state, self.initial_memory()),
                memory: &memories[t * state..][..state],
                grad: &grad[t * state..][..state],
                d_hidden: &mut d_hidden,
                d_memory: &mut d_memory,
            });
        }
        if self.cell.states() == 2 {
            d_hidden.extend(d_memory);
        }
        let initial = from_vec(d_hidden, self.initial.layout().shape().clone());
        let own_products = apart.then(|| from_vec(products, shape));
        Back { projected: gates, initial, own_products }
    }

    /// One step back: element by element, then through the product.
    fn step_back(&self, mut step: BackwardRows) {
        in_tasks(step.reborrow().split(self.rows_per_task()));
        let product: &[f32] = step.product.as_deref().unwrap_or(&*step.gates);
        let product = Matrix::row_major(product, [self.batch, self.cell.gates() * self.width]);
        multiply_add(Precision::F32, product, self.weight().transposed(), step.d_hidden);
    }

    /// The weight's gradient from `output` and the gradients of the projected states.
    pub fn weight_gradient(&self, output: &FlexTensor, products: &FlexTensor) -> FlexTensor {
        let columns = self.cell.gates() * self.width;
        let (output, products) = (floats(output), floats(products));
        let (first, later) = products.split_at(self.batch * columns);
        let mut total = vec![0.0; self.width * columns];
        let mut add = |states: &[f32], products: &[f32]| {
            let rows = products.len() / columns.max(1);
            let states = Matrix::row_major(&states[..rows * self.width], [rows, self.width]);
            let products = Matrix::row_major(products, [rows, columns]);
            multiply_add(Precision::F32, states.transposed(), products, &mut total);
        };
        add(self.initial_hidden(), first);
        if !later.is_empty() {
            add(output, later);
        }
        from_vec(total, [self.width, columns])
    }
}

/// The state before step `t` and room for the one after it.
fn around<'a>(
    states: &'a mut [f32],
    t: usize,
    size: usize,
    initial: &'a [f32],
) -> (&'a [f32], &'a mut [f32]) {
    let (past, rest) = states.split_at_mut(t * size);
    let before = if t == 0 { initial } else { &past[(t - 1) * size..] };
    (before, &mut rest[..size])
}

/// The state before step `t`.
fn before<'a>(states: &'a [f32], t: usize, size: usize, initial: &'a [f32]) -> &'a [f32] {
    if t == 0 { initial } else { &states[(t - 1) * size..][..size] }
}

/// Runs the tasks of one step; a single one stays on this thread.
fn in_tasks<K: Kernel<Output = ()> + Send>(tasks: Vec<K>) {
    if tasks.len() == 1 {
        tasks.into_iter().for_each(dispatch);
    } else {
        in_parallel(tasks, dispatch);
    }
}
