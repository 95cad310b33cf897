//! A GPT and its training step, written on the kernels alone.

use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use wuji_kernels::{
    AdamWStep, AttentionOptions, CrossEntropy, adamw_step, attention_packed, cross_entropy_sum,
    embedding, gelu, layer_norm, linear, squared_norm,
};

/// Sizes of a model and its batch.
#[derive(Clone, Copy)]
pub struct Shape {
    /// Sequences.
    pub batch: usize,
    /// Tokens per sequence.
    pub context: usize,
    /// Blocks.
    pub layers: usize,
    /// Heads per block.
    pub heads: usize,
    /// Size of a hidden state.
    pub width: usize,
    /// Number of tokens.
    pub vocabulary: usize,
}

/// A parameter, a matrix or a vector (one row), with its moments.
struct Parameter {
    value: Option<Tensor<2>>,
    moments: Option<[Tensor<2>; 2]>,
}

/// A GPT-2 without biases, its parameters and their moments.
pub struct Model {
    shape: Shape,
    parameters: Vec<Parameter>,
    step: u64,
}

impl Model {
    /// Random weights.
    pub fn new(shape: Shape) -> Self {
        let Shape { context, width, vocabulary, .. } = shape;
        let device = Device::flex();
        let mut sizes = vec![[vocabulary, width], [context, width]];
        for _ in 0..shape.layers {
            sizes.extend([[1, width], [width, 3 * width], [width, width]]);
            sizes.extend([[1, width], [width, 4 * width], [4 * width, width]]);
        }
        sizes.extend([[1, width], [width, vocabulary]]);
        let parameter = |size: [usize; 2]| {
            let value = match size[0] {
                1 => Tensor::ones(size, &device),
                _ => Tensor::random(size, Distribution::Normal(0.0, 0.02), &device),
            };
            let zeros = Tensor::zeros(size, &device);
            Parameter { value: Some(value), moments: Some([zeros.clone(), zeros]) }
        };
        Self { shape, parameters: sizes.into_iter().map(parameter).collect(), step: 0 }
    }

    fn loss(
        &self,
        leaves: &[Tensor<2>],
        ids: Tensor<2, Int>,
        targets: Tensor<1, Int>,
    ) -> Tensor<1> {
        let Shape { batch, context, heads, width, vocabulary, .. } = self.shape;
        let norm = |x: Tensor<3>, weight: &Tensor<2>| {
            layer_norm(x, weight.clone().reshape([width]), None, 1e-5)
        };
        let project = |x: Tensor<3>, weight: &Tensor<2>| linear(x, weight.clone(), None);
        let mut x = embedding(leaves[0].clone(), ids) + leaves[1].clone().unsqueeze();
        for block in leaves[2..leaves.len() - 2].chunks_exact(6) {
            let qkv = project(norm(x.clone(), &block[0]), &block[1]);
            let attended =
                attention_packed(qkv, heads, heads, None, None, &AttentionOptions::causal());
            x = x + project(attended, &block[2]);
            let inner = gelu(project(norm(x.clone(), &block[3]), &block[4]));
            x = x + project(inner, &block[5]);
        }
        let x = norm(x, &leaves[leaves.len() - 2]);
        let logits = project(x, &leaves[leaves.len() - 1]);
        cross_entropy_sum(
            logits.reshape([batch * context, vocabulary]),
            targets,
            CrossEntropy::default(),
        )
    }

    /// One step; returns the loss before it.
    pub fn step(&mut self, ids: &TensorData, targets: &TensorData) -> f32 {
        let tracked = Device::flex().autodiff();
        let ids = Tensor::from_data(ids.clone(), &tracked);
        let targets = Tensor::from_data(targets.clone(), &tracked);
        let leaves: Vec<_> = self
            .parameters
            .iter_mut()
            .map(|parameter| {
                let value = parameter.value.take().expect("a value between steps");
                value.autodiff().require_grad()
            })
            .collect();
        let count = self.shape.batch * self.shape.context;
        let loss = self.loss(&leaves, ids, targets) / count as f64;
        let mut grads = loss.backward();
        let gradients: Vec<_> =
            leaves.iter().map(|leaf| leaf.grad_remove(&mut grads).expect("a gradient")).collect();
        let squared: f32 = gradients.iter().map(|g| squared_norm(g).into_scalar::<f32>()).sum();
        self.step += 1;
        let step = AdamWStep {
            lr: 1e-3,
            beta1: 0.9,
            beta2: 0.99,
            epsilon: 1e-8,
            weight_decay: 0.1,
            step: self.step,
            grad_scale: (1.0 / f64::from(squared).sqrt()).min(1.0),
        };
        let loss = loss.into_scalar::<f32>();
        for ((parameter, leaf), grad) in self.parameters.iter_mut().zip(leaves).zip(gradients) {
            let [m, v] = parameter.moments.take().expect("moments between steps");
            let (value, m, v) = adamw_step(leaf.inner(), grad, m, v, &step);
            *parameter = Parameter { value: Some(value), moments: Some([m, v]) };
        }
        loss
    }
}
