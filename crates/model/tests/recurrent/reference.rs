//! The models as loops over single numbers in `f64`, written from the formulas in the documentation
//! of `torch.nn.RNN`, `LSTM`, `GRU` and in the papers, on weights as they stand in a file.

use std::collections::HashMap;

use wuji_model::recurrent::{
    AttentionKind, CellKind, FeedForwardConfig, Nonlinearity, RecurrentLmConfig, Seq2SeqConfig,
};
use wuji_model::weights::FileTensor;

/// Named tensors with `f64` values.
pub struct Weights(HashMap<String, (Vec<usize>, Vec<f64>)>);

impl Weights {
    pub fn new(tensors: &[FileTensor]) -> Self {
        let widen = |tensor: &FileTensor| {
            let values = tensor.values.iter().map(|value| f64::from(*value)).collect();
            (tensor.name.clone(), (tensor.shape.clone(), values))
        };
        Self(tensors.iter().map(widen).collect())
    }

    /// Adds `by` to one value.
    pub fn shift(&mut self, name: &str, index: usize, by: f64) {
        self.0.get_mut(name).unwrap().1[index] += by;
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn row(&self, name: &str, row: usize) -> Vec<f64> {
        let (shape, values) = &self.0[name];
        values[row * shape[1]..][..shape[1]].to_vec()
    }

    fn vector(&self, name: &str) -> &[f64] {
        &self.0[name].1
    }

    /// `W x` for a matrix `[outputs, inputs]`.
    fn product(&self, name: &str, x: &[f64]) -> Vec<f64> {
        let (shape, values) = &self.0[name];
        assert_eq!(shape[1], x.len(), "{name}");
        let dot = |row: &[f64]| row.iter().zip(x).map(|(w, x)| w * x).sum();
        values.chunks_exact(shape[1]).map(dot).collect()
    }

    /// `W x + b`, with a bias where there is one.
    fn linear(&self, name: &str, x: &[f64]) -> Vec<f64> {
        let product = self.product(&format!("{name}.weight"), x);
        let bias = format!("{name}.bias");
        if self.has(&bias) { add(&product, self.vector(&bias)) } else { product }
    }
}

fn add(a: &[f64], b: &[f64]) -> Vec<f64> {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

fn concat(parts: &[&[f64]]) -> Vec<f64> {
    parts.concat()
}

fn tanh(x: &[f64]) -> Vec<f64> {
    x.iter().map(|x| x.tanh()).collect()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

pub fn nonlinear(f: Nonlinearity, x: f64) -> f64 {
    match f {
        Nonlinearity::Relu => x.max(0.0),
        Nonlinearity::Sigmoid => sigmoid(x),
        Nonlinearity::Tanh => x.tanh(),
        Nonlinearity::Gelu => x * normal_cdf(x),
        Nonlinearity::Silu => x * sigmoid(x),
    }
}

/// Φ by Simpson's rule from 0.
fn normal_cdf(x: f64) -> f64 {
    const PIECES: usize = 2000;
    let density = |t: f64| (-0.5 * t * t).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let width = x / PIECES as f64;
    let sum: f64 = (0..PIECES)
        .map(|i| {
            let (a, b) = (i as f64 * width, (i + 1) as f64 * width);
            (density(a) + 4.0 * density((a + b) / 2.0) + density(b)) / 6.0
        })
        .sum();
    0.5 + sum * width
}

/// Hidden state and cells of one layer.
#[derive(Clone)]
pub struct State {
    pub h: Vec<f64>,
    pub c: Vec<f64>,
}

impl State {
    fn zeros(size: usize) -> Self {
        Self { h: vec![0.0; size], c: vec![0.0; size] }
    }
}

/// One step of a layer: `extra` is added to the input's projection.
fn cell_step(
    w: &Weights,
    (prefix, suffix): (&str, &str),
    (cell, f): (CellKind, Nonlinearity),
    x: &[f64],
    extra: Option<&[f64]>,
    state: &State,
) -> State {
    let name = |kind: &str| format!("{prefix}.{kind}_{suffix}");
    let mut input = w.product(&name("weight_ih"), x);
    input = add(&input, w.vector(&name("bias_ih")));
    if let Some(extra) = extra {
        input = add(&input, extra);
    }
    let hidden = add(&w.product(&name("weight_hh"), &state.h), w.vector(&name("bias_hh")));
    let size = state.h.len();
    let mut next = State::zeros(size);
    for k in 0..size {
        let gate = |g: usize| input[g * size + k] + hidden[g * size + k];
        match cell {
            CellKind::Elman => next.h[k] = nonlinear(f, gate(0)),
            CellKind::Lstm => {
                let (i, f, g, o) = (gate(0), gate(1), gate(2), gate(3));
                next.c[k] = sigmoid(f) * state.c[k] + sigmoid(i) * g.tanh();
                next.h[k] = sigmoid(o) * next.c[k].tanh();
            }
            CellKind::Gru => {
                let (r, z) = (sigmoid(gate(0)), sigmoid(gate(1)));
                let n = (input[2 * size + k] + r * hidden[2 * size + k]).tanh();
                next.h[k] = (1.0 - z) * n + z * state.h[k];
            }
        }
    }
    next
}

/// Logits of every position of a recurrent language model.
pub fn recurrent_lm(config: &RecurrentLmConfig, w: &Weights, ids: &[i64]) -> Vec<Vec<f64>> {
    let mut states = vec![State::zeros(config.hidden_size); config.num_layers];
    let step = |id: &i64| {
        let mut x = w.row("embedding.weight", *id as usize);
        for (layer, state) in states.iter_mut().enumerate() {
            let cell = (config.cell, config.activation);
            *state = cell_step(w, ("rnn", &format!("l{layer}")), cell, &x, None, state);
            x = state.h.clone();
        }
        if w.has("projection.weight") {
            x = w.linear("projection", &x);
        }
        let head = if config.tie_word_embeddings { "embedding" } else { "head" };
        w.linear(head, &x)
    };
    ids.iter().map(step).collect()
}

/// Logits of every position of a feed-forward language model.
pub fn feed_forward_lm(config: &FeedForwardConfig, w: &Weights, ids: &[i64]) -> Vec<Vec<f64>> {
    let before = if config.learned_padding {
        w.row("padding.weight", 0)
    } else {
        vec![0.0; config.embedding_size]
    };
    let position = |t: usize| {
        let mut window = Vec::new();
        for age in (0..config.context_size).rev() {
            match t.checked_sub(age) {
                Some(t) => window.extend(w.row("embedding.weight", ids[t] as usize)),
                None => window.extend(before.clone()),
            }
        }
        let mut x = window.clone();
        for layer in 0..config.num_layers {
            x = w.linear(&format!("layers.{layer}"), &x);
            x.iter_mut().for_each(|x| *x = nonlinear(config.activation, *x));
        }
        let logits = w.linear("head", &x);
        if config.direct_connections { add(&logits, &w.linear("direct", &window)) } else { logits }
    };
    (0..ids.len()).map(position).collect()
}

/// Logits and attention of every target position.
pub struct Translated {
    pub logits: Vec<Vec<f64>>,
    pub attention: Vec<Vec<f64>>,
}

/// An encoder–decoder over one sentence pair without padding.
pub fn seq2seq(config: &Seq2SeqConfig, w: &Weights, source: &[i64], target: &[i64]) -> Translated {
    let (memory, last) = encode(config, w, source);
    let mut states: Vec<State> = (0..config.num_layers)
        .map(|layer| {
            let both = |pick: fn(&State) -> &Vec<f64>| {
                concat(&[pick(&last[2 * layer]), pick(&last[2 * layer + 1])])
            };
            let rows = if config.cell == CellKind::Lstm { 2 } else { 1 };
            let first = |row: usize, x: Vec<f64>| {
                tanh(&w.linear(&format!("bridge.{}", layer * rows + row), &x))
            };
            let h = first(0, both(|state| &state.h));
            let c = if rows == 2 { first(1, both(|state| &state.c)) } else { vec![0.0; h.len()] };
            State { h, c }
        })
        .collect();
    let readout =
        if config.tie_word_embeddings { config.embedding_size } else { config.hidden_size };
    let mut fed = vec![0.0; readout];
    let mut translated = Translated { logits: Vec::new(), attention: Vec::new() };
    for id in target {
        let token = w.row("target_embedding.weight", *id as usize);
        let additive = config.attention == AttentionKind::Additive;
        let mut read = attend(config.attention, w, &states[states.len() - 1].h, &memory);
        let feed = |x: &[f64]| w.product("decoder.weight_feed_l0", x);
        let extra = match (additive, config.input_feeding) {
            (true, _) => Some(feed(&read.1)),
            (false, true) => Some(feed(&fed)),
            (false, false) => None,
        };
        let mut x = token.clone();
        for (layer, state) in states.iter_mut().enumerate() {
            let extra = if layer == 0 { extra.as_deref() } else { None };
            let names = ("decoder", &*format!("l{layer}"));
            *state = cell_step(w, names, (config.cell, Nonlinearity::Tanh), &x, extra, state);
            x = state.h.clone();
        }
        let combined = if additive {
            concat(&[&read.1, &x, &token])
        } else {
            read = attend(config.attention, w, &x, &memory);
            concat(&[&read.1, &x])
        };
        fed = tanh(&w.linear("combine", &combined));
        let head = if config.tie_word_embeddings { "target_embedding" } else { "head" };
        translated.logits.push(w.linear(head, &fed));
        translated.attention.push(read.0);
    }
    translated
}

/// The last layer's states of both directions side by side, and the final state of each layer and
/// direction.
fn encode(config: &Seq2SeqConfig, w: &Weights, source: &[i64]) -> (Vec<Vec<f64>>, Vec<State>) {
    let mut xs: Vec<_> =
        source.iter().map(|id| w.row("source_embedding.weight", *id as usize)).collect();
    let mut last = Vec::new();
    let size = config.encoder_hidden_size();
    for layer in 0..config.num_layers {
        let run = |suffix: &str, order: Vec<usize>| {
            let mut state = State::zeros(size);
            let mut outputs = vec![Vec::new(); xs.len()];
            for t in order {
                let cell = (config.cell, Nonlinearity::Tanh);
                state = cell_step(w, ("encoder", suffix), cell, &xs[t], None, &state);
                outputs[t] = state.h.clone();
            }
            (outputs, state)
        };
        let (forward, a) = run(&format!("l{layer}"), (0..xs.len()).collect());
        let (backward, b) = run(&format!("l{layer}_reverse"), (0..xs.len()).rev().collect());
        last.extend([a, b]);
        xs = forward.iter().zip(&backward).map(|(f, b)| concat(&[f, b])).collect();
    }
    (xs, last)
}

/// Attention weights and what they read.
fn attend(
    kind: AttentionKind,
    w: &Weights,
    state: &[f64],
    memory: &[Vec<f64>],
) -> (Vec<f64>, Vec<f64>) {
    let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
    let score = |h: &Vec<f64>| match kind {
        AttentionKind::Dot => dot(state, h),
        AttentionKind::General => dot(state, &w.linear("attention.key", h)),
        AttentionKind::Additive => {
            let sum = add(&w.linear("attention.query", state), &w.linear("attention.key", h));
            w.linear("attention.score", &tanh(&sum))[0]
        }
    };
    let weights = softmax(&memory.iter().map(score).collect::<Vec<_>>());
    let read = (0..memory[0].len())
        .map(|k| memory.iter().zip(&weights).map(|(h, weight)| weight * h[k]).sum())
        .collect();
    (weights, read)
}

fn softmax(x: &[f64]) -> Vec<f64> {
    let largest = x.iter().copied().fold(f64::MIN, f64::max);
    let sum: f64 = x.iter().map(|x| (x - largest).exp()).sum();
    x.iter().map(|x| (x - largest).exp() / sum).collect()
}

/// Sum of the cross-entropies.
pub fn loss(logits: &[Vec<f64>], targets: &[i64]) -> f64 {
    let one = |(logits, target): (&Vec<f64>, &i64)| -softmax(logits)[*target as usize].ln();
    logits.iter().zip(targets).map(one).sum()
}
