//! A mixture of experts: a router gives each token to a few of many MLPs (Shazeer et al. 2017;
//! Jiang et al. 2024, Mixtral).
//!
//! Each expert runs on its own tokens only, so that a token costs `per_token` MLPs however many
//! there are. Which tokens those are is decided on the host.

use std::cell::RefCell;

use burn::module::Module;
use burn::tensor::{Device, IndexingUpdateOp, Int, Tensor, TensorData, activation};

use super::{Linear, Mlp};
use crate::{Architecture, Experts};

/// The router's scores `[tokens, experts]`, layer by layer, for the load-balancing loss.
pub type RouterLogits = RefCell<Vec<Tensor<2>>>;

/// A router, its experts, and an MLP that every token takes besides.
#[derive(Module, Debug)]
pub struct MixtureOfExperts {
    /// `[hidden, experts]`.
    pub router: Linear,
    /// The experts.
    pub experts: Vec<Mlp>,
    /// What every token takes besides.
    pub shared: Option<Mlp>,
    /// `[hidden, 1]`: how much of it, through a sigmoid.
    pub shared_gate: Option<Linear>,
    per_token: usize,
    normalise: bool,
}

impl MixtureOfExperts {
    /// Experts with zero weights.
    pub fn new(architecture: &Architecture, experts: &Experts, device: &Device) -> Self {
        let hidden = architecture.hidden_size;
        let mlp = |inner| Mlp::new(architecture, inner, device);
        let shared = experts.shared_intermediate_size;
        Self {
            router: Linear::zeros(hidden, experts.count, false, device),
            experts: (0..experts.count).map(|_| mlp(experts.intermediate_size)).collect(),
            shared: shared.map(mlp),
            shared_gate: shared.map(|_| Linear::zeros(hidden, 1, false, device)),
            per_token: experts.per_token,
            normalise: experts.normalise,
        }
    }

    /// Parameters of the experts that a token does not take.
    pub fn idle_parameters(&self) -> usize {
        let all: usize = self.experts.iter().map(Module::num_params).sum();
        all / self.experts.len() * (self.experts.len() - self.per_token)
    }

    /// Maps `x` `[batch, seq, hidden]` to the same shape; the router's scores are added to
    /// `router_logits` where they are asked for.
    pub fn forward(&self, x: Tensor<3>, router_logits: Option<&RouterLogits>) -> Tensor<3> {
        let shape = x.dims();
        let [batch, seq, width] = shape;
        let tokens = x.reshape([batch * seq, width]);
        let logits = self.router.forward(tokens.clone()); // [tokens, experts]
        let probabilities = activation::softmax(logits.clone(), 1);
        if let Some(all) = router_logits {
            all.borrow_mut().push(logits);
        }
        let mut sum = self.routed(tokens.clone(), probabilities);
        if let (Some(shared), Some(gate)) = (&self.shared, &self.shared_gate) {
            let weight = activation::sigmoid(gate.forward(tokens.clone())); // [tokens, 1]
            let output = shared.forward(tokens.unsqueeze::<3>()).squeeze_dim::<2>(0);
            sum = sum + output * weight;
        }
        sum.reshape(shape)
    }

    /// The weighted sum of each token's experts, `[tokens, hidden]`.
    fn routed(&self, tokens: Tensor<2>, probabilities: Tensor<2>) -> Tensor<2> {
        let [count, _] = tokens.dims();
        let device = tokens.device();
        let routes = Routes::choose(&probabilities, self.per_token);
        let ints = |values: Vec<i64>| {
            let length = values.len();
            Tensor::<1, Int>::from_data(TensorData::new(values, [length]), &device)
        };
        let chosen = ints(routes.experts.clone()).reshape([count, self.per_token]);
        let mut weights = probabilities.gather(1, chosen); // [tokens, per_token]
        if self.normalise {
            weights = weights.clone() / weights.sum_dim(1);
        }
        let weights = weights.reshape([count * self.per_token]);
        let mut sum = tokens.zeros_like();
        for (index, expert) in self.experts.iter().enumerate() {
            let places = routes.places_of(index);
            if places.is_empty() {
                continue;
            }
            let rows = ints(places.iter().map(|place| place / self.per_token as i64).collect());
            let inputs = tokens.clone().select(0, rows.clone()).unsqueeze::<3>();
            let outputs = expert.forward(inputs).squeeze_dim::<2>(0); // [places, hidden]
            let outputs = outputs * weights.clone().select(0, ints(places)).unsqueeze_dim(1);
            sum = sum.select_assign(0, rows, outputs, IndexingUpdateOp::Add);
        }
        sum
    }
}

/// Which experts each token takes.
struct Routes {
    /// `[tokens, per_token]`, most probable first.
    experts: Vec<i64>,
}

impl Routes {
    /// The `per_token` most probable experts of each row; the first of equals.
    fn choose(probabilities: &Tensor<2>, per_token: usize) -> Self {
        let [_, count] = probabilities.dims();
        let values: Vec<f32> = probabilities.clone().into_data().iter::<f32>().collect();
        let best = |row: &[f32]| {
            let mut order: Vec<usize> = (0..count).collect();
            order.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
            order.truncate(per_token);
            order
        };
        let experts = values.chunks_exact(count).flat_map(best).map(|expert| expert as i64);
        Self { experts: experts.collect() }
    }

    /// Where in `[tokens, per_token]` the expert `index` stands.
    fn places_of(&self, index: usize) -> Vec<i64> {
        let places = self.experts.iter().enumerate();
        places
            .filter(|(_, expert)| **expert == index as i64)
            .map(|(place, _)| place as i64)
            .collect()
    }
}

/// The load-balancing loss of Fedus et al. 2022 (equation 4), as Mixtral's code computes it over
/// all layers at once: `experts · Σ_e f_e · p_e`, where `f_e` is how often an expert is among the
/// `per_token` taken and `p_e` its mean probability. 1 · per_token when all are used alike.
///
/// `None` where no router has run.
pub fn load_balancing_loss(router_logits: &RouterLogits, per_token: usize) -> Option<Tensor<1>> {
    let layers = router_logits.borrow();
    if layers.is_empty() {
        return None;
    }
    let probabilities = activation::softmax(Tensor::cat(layers.clone(), 0), 1); // [rows, experts]
    let [rows, experts] = probabilities.dims();
    let mut taken = vec![0.0_f32; experts];
    for expert in Routes::choose(&probabilities, per_token).experts {
        taken[expert as usize] += 1.0 / rows as f32;
    }
    let device = probabilities.device();
    let taken = Tensor::<1>::from_data(TensorData::new(taken, [experts]), &device);
    let mean = probabilities.mean_dim(0).squeeze_dim::<1>(0);
    Some((mean * taken).sum() * experts as f64)
}
