//! The element-wise part of one step, forward and backward, for some rows of the batch.

use crate::simd::{Kernel, Simd, math};
use crate::{Nonlinearity, RecurrentCell};

/// Rows of one forward step; all slices are row-major over the same rows.
pub struct ForwardRows<'a> {
    /// The equations.
    pub cell: RecurrentCell,
    /// Hidden units.
    pub width: usize,
    /// Which rows take part; all when `None`.
    pub live: Option<&'a [bool]>,
    /// Projected inputs, replaced by the values of the gates.
    pub gates: &'a mut [f32],
    /// Projected states with their bias.
    pub product: &'a [f32],
    /// The state before.
    pub hidden_before: &'a [f32],
    /// The state after, to be written.
    pub hidden: &'a mut [f32],
    /// An LSTM's cells before.
    pub memory_before: &'a [f32],
    /// An LSTM's cells after, or a GRU's projected state before its reset; to be written.
    pub memory: &'a mut [f32],
}

impl<'a> ForwardRows<'a> {
    /// The same in tasks of at most `rows` rows.
    pub fn split(self, rows: usize) -> Vec<Self> {
        let (state, projection) = (self.width, self.cell.gates() * self.width);
        let mut live = self.live.map(|live| live.chunks(rows));
        let gates = self.gates.chunks_mut(rows * projection);
        let product = self.product.chunks(rows * projection);
        let hidden_before = self.hidden_before.chunks(rows * state);
        let hidden = self.hidden.chunks_mut(rows * state);
        let memory_before = self.memory_before.chunks(rows * state);
        let memory = self.memory.chunks_mut(rows * state);
        gates
            .zip(product)
            .zip(hidden_before.zip(hidden))
            .zip(memory_before.zip(memory))
            .map(|(((gates, product), (hidden_before, hidden)), (memory_before, memory))| Self {
                cell: self.cell,
                width: self.width,
                live: live.as_mut().and_then(Iterator::next),
                gates,
                product,
                hidden_before,
                hidden,
                memory_before,
                memory,
            })
            .collect()
    }
}

impl Kernel for ForwardRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let (w, columns) = (self.width, self.cell.gates() * self.width);
        for (row, gates) in self.gates.chunks_exact_mut(columns).enumerate() {
            let product = &self.product[row * columns..][..columns];
            let hidden_before = &self.hidden_before[row * w..][..w];
            let memory_before = &self.memory_before[row * w..][..w];
            let hidden = &mut self.hidden[row * w..][..w];
            let memory = &mut self.memory[row * w..][..w];
            if self.live.is_some_and(|live| !live[row]) {
                hidden.copy_from_slice(hidden_before);
                memory.copy_from_slice(memory_before);
                continue;
            }
            match self.cell {
                RecurrentCell::Elman(f) => elman::<S>(f, gates, product, hidden),
                RecurrentCell::Lstm => lstm::<S>(gates, product, memory_before, memory, hidden),
                RecurrentCell::Gru => gru::<S>(gates, product, hidden_before, memory, hidden),
            }
        }
    }
}

/// `N` rows of equal length that lie one after the other.
#[inline(always)]
fn parts<const N: usize>(row: &[f32]) -> [&[f32]; N] {
    let width = row.len() / N;
    std::array::from_fn(|part| &row[part * width..][..width])
}

#[inline(always)]
fn elman<S: Simd>(f: Nonlinearity, gates: &mut [f32], product: &[f32], hidden: &mut [f32]) {
    for ((gate, hidden), &product) in gates.iter_mut().zip(hidden).zip(product) {
        let x = *gate + product;
        let value = match f {
            Nonlinearity::Relu => math::clamp(x, 0.0, f32::INFINITY),
            Nonlinearity::Sigmoid => math::sigmoid::<S>(x),
            _ => math::tanh::<S>(x),
        };
        *gate = value;
        *hidden = value;
    }
}

#[inline(always)]
fn lstm<S: Simd>(
    gates: &mut [f32],
    product: &[f32],
    memory_before: &[f32],
    memory: &mut [f32],
    hidden: &mut [f32],
) {
    let w = hidden.len();
    let (memory_before, memory) = (&memory_before[..w], &mut memory[..w]);
    let (input, rest) = gates.split_at_mut(w);
    let (forget, rest) = rest.split_at_mut(w);
    let (candidate, output) = rest.split_at_mut(w);
    let output = &mut output[..w];
    let [p_input, p_forget, p_candidate, p_output] = parts(product);
    let (p_input, p_forget) = (&p_input[..w], &p_forget[..w]);
    let (p_candidate, p_output) = (&p_candidate[..w], &p_output[..w]);
    for k in 0..w {
        let i = math::sigmoid::<S>(input[k] + p_input[k]);
        let f = math::sigmoid::<S>(forget[k] + p_forget[k]);
        let g = math::tanh::<S>(candidate[k] + p_candidate[k]);
        let o = math::sigmoid::<S>(output[k] + p_output[k]);
        let c = S::mul_add(f, memory_before[k], i * g);
        (input[k], forget[k], candidate[k], output[k]) = (i, f, g, o);
        memory[k] = c;
        hidden[k] = o * math::tanh::<S>(c);
    }
}

#[inline(always)]
fn gru<S: Simd>(
    gates: &mut [f32],
    product: &[f32],
    before: &[f32],
    memory: &mut [f32],
    hidden: &mut [f32],
) {
    let w = hidden.len();
    let (before, memory) = (&before[..w], &mut memory[..w]);
    let (reset, rest) = gates.split_at_mut(w);
    let (update, candidate) = rest.split_at_mut(w);
    let candidate = &mut candidate[..w];
    let [p_reset, p_update, p_candidate] = parts(product);
    let (p_reset, p_update, p_candidate) = (&p_reset[..w], &p_update[..w], &p_candidate[..w]);
    for k in 0..w {
        let r = math::sigmoid::<S>(reset[k] + p_reset[k]);
        let z = math::sigmoid::<S>(update[k] + p_update[k]);
        let n = math::tanh::<S>(S::mul_add(r, p_candidate[k], candidate[k]));
        (reset[k], update[k], candidate[k]) = (r, z, n);
        memory[k] = p_candidate[k];
        hidden[k] = S::mul_add(z, before[k] - n, n);
    }
}

/// Rows of one backward step; all slices are row-major over the same rows.
pub struct BackwardRows<'a> {
    /// The equations.
    pub cell: RecurrentCell,
    /// Hidden units.
    pub width: usize,
    /// Which rows took part; all when `None`.
    pub live: Option<&'a [bool]>,
    /// Values of the gates, replaced by gradients of the projected inputs.
    pub gates: &'a mut [f32],
    /// Gradients of the projected states where they differ from those (GRU), to be written.
    pub product: Option<&'a mut [f32]>,
    /// The state before.
    pub hidden_before: &'a [f32],
    /// An LSTM's cells before.
    pub memory_before: &'a [f32],
    /// As the forward pass left it.
    pub memory: &'a [f32],
    /// The gradient that comes from the output of this step.
    pub grad: &'a [f32],
    /// Gradient of the state after, replaced by that of the state before but for the part through
    /// the product.
    pub d_hidden: &'a mut [f32],
    /// Gradient of an LSTM's cells after, replaced by that of those before.
    pub d_memory: &'a mut [f32],
}

impl<'a> BackwardRows<'a> {
    /// The same rows for a while.
    pub fn reborrow(&mut self) -> BackwardRows<'_> {
        BackwardRows {
            gates: self.gates,
            product: self.product.as_deref_mut(),
            d_hidden: self.d_hidden,
            d_memory: self.d_memory,
            ..*self
        }
    }

    /// The same in tasks of at most `rows` rows.
    pub fn split(self, rows: usize) -> Vec<Self> {
        let (state, projection) = (self.width, self.cell.gates() * self.width);
        let mut live = self.live.map(|live| live.chunks(rows));
        let mut product = self.product.map(|product| product.chunks_mut(rows * projection));
        let mut hidden_before = self.hidden_before.chunks(rows * state);
        let mut memory_before = self.memory_before.chunks(rows * state);
        let gates = self.gates.chunks_mut(rows * projection);
        let memory = self.memory.chunks(rows * state);
        let grad = self.grad.chunks(rows * state);
        let d_hidden = self.d_hidden.chunks_mut(rows * state);
        let d_memory = self.d_memory.chunks_mut(rows * state);
        gates
            .zip(memory.zip(grad))
            .zip(d_hidden.zip(d_memory))
            .map(|((gates, (memory, grad)), (d_hidden, d_memory))| Self {
                cell: self.cell,
                width: self.width,
                live: live.as_mut().and_then(Iterator::next),
                gates,
                product: product.as_mut().and_then(Iterator::next),
                hidden_before: hidden_before.next().unwrap_or_default(),
                memory_before: memory_before.next().unwrap_or_default(),
                memory,
                grad,
                d_hidden,
                d_memory,
            })
            .collect()
    }
}

impl Kernel for BackwardRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self) {
        let (w, columns) = (self.width, self.cell.gates() * self.width);
        for (d, grad) in self.d_hidden.iter_mut().zip(self.grad) {
            *d += grad;
        }
        for (row, gates) in self.gates.chunks_exact_mut(columns).enumerate() {
            let d_hidden = &mut self.d_hidden[row * w..][..w];
            let d_memory = &mut self.d_memory[row * w..][..w];
            let memory = &self.memory[row * w..][..w];
            let product = self.product.as_mut().map(|all| &mut all[row * columns..][..columns]);
            if self.live.is_some_and(|live| !live[row]) {
                gates.fill(0.0);
                if let Some(product) = product {
                    product.fill(0.0);
                }
                continue;
            }
            match (self.cell, product) {
                (RecurrentCell::Elman(f), _) => elman_back(f, gates, d_hidden),
                (RecurrentCell::Gru, Some(product)) => {
                    let before = &self.hidden_before[row * w..][..w];
                    gru_back::<S>(gates, product, before, memory, d_hidden);
                }
                _ => {
                    let before = &self.memory_before[row * w..][..w];
                    lstm_back::<S>(gates, before, memory, d_hidden, d_memory);
                }
            }
        }
    }
}

#[inline(always)]
fn elman_back(f: Nonlinearity, gates: &mut [f32], d_hidden: &mut [f32]) {
    for (gate, d_hidden) in gates.iter_mut().zip(d_hidden) {
        let y = *gate;
        let slope = match f {
            Nonlinearity::Relu => f32::from(y > 0.0),
            Nonlinearity::Sigmoid => y * (1.0 - y),
            _ => 1.0 - y * y,
        };
        *gate = *d_hidden * slope;
        *d_hidden = 0.0;
    }
}

#[inline(always)]
fn lstm_back<S: Simd>(
    gates: &mut [f32],
    memory_before: &[f32],
    memory: &[f32],
    d_hidden: &mut [f32],
    d_memory: &mut [f32],
) {
    let w = memory.len();
    let (memory_before, d_hidden) = (&memory_before[..w], &mut d_hidden[..w]);
    let d_memory = &mut d_memory[..w];
    let (input, rest) = gates.split_at_mut(w);
    let (forget, rest) = rest.split_at_mut(w);
    let (candidate, output) = rest.split_at_mut(w);
    let output = &mut output[..w];
    for k in 0..w {
        let (i, f, g, o) = (input[k], forget[k], candidate[k], output[k]);
        let squashed = math::tanh::<S>(memory[k]);
        let dh = d_hidden[k];
        let dc = S::mul_add(dh * o, 1.0 - squashed * squashed, d_memory[k]);
        input[k] = dc * g * i * (1.0 - i);
        forget[k] = dc * memory_before[k] * f * (1.0 - f);
        candidate[k] = dc * i * (1.0 - g * g);
        output[k] = dh * squashed * o * (1.0 - o);
        d_memory[k] = dc * f;
        d_hidden[k] = 0.0;
    }
}

#[inline(always)]
fn gru_back<S: Simd>(
    gates: &mut [f32],
    product: &mut [f32],
    before: &[f32],
    memory: &[f32],
    d_hidden: &mut [f32],
) {
    let w = memory.len();
    let (before, d_hidden) = (&before[..w], &mut d_hidden[..w]);
    let (reset, rest) = gates.split_at_mut(w);
    let (update, candidate) = rest.split_at_mut(w);
    let candidate = &mut candidate[..w];
    let (p_reset, rest) = product.split_at_mut(w);
    let (p_update, p_candidate) = rest.split_at_mut(w);
    let p_candidate = &mut p_candidate[..w];
    for k in 0..w {
        let (r, z, n) = (reset[k], update[k], candidate[k]);
        let dh = d_hidden[k];
        let d_n = dh * (1.0 - z) * (1.0 - n * n);
        let d_r = d_n * memory[k] * r * (1.0 - r);
        let d_z = dh * (before[k] - n) * z * (1.0 - z);
        (reset[k], update[k], candidate[k]) = (d_r, d_z, d_n);
        (p_reset[k], p_update[k], p_candidate[k]) = (d_r, d_z, d_n * r);
        d_hidden[k] = dh * z;
    }
}
