//! Feed-forward language models.

use wuji_model::recurrent::{FeedForwardConfig, FeedForwardLm, Nonlinearity};
use wuji_model::weights::{StoredDtype, named_gradients, named_tensors};

use crate::reference::{self, Weights};
use crate::support::{
    assert_near, check_gradients, flex, ids, loss, steps_to_overfit, values, with_biases,
};

const IDS: [i64; 6] = [3, 0, 4, 4, 1, 2];
const TARGETS: [i64; 6] = [0, 4, 4, 1, 2, 3];

fn configs() -> Vec<FeedForwardConfig> {
    let base = FeedForwardConfig {
        vocab_size: 5,
        context_size: 3,
        embedding_size: 2,
        hidden_size: 4,
        initializer_range: 0.7,
        ..Default::default()
    };
    let mut configs = vec![
        FeedForwardConfig { learned_padding: false, direct_connections: true, ..base.clone() },
        FeedForwardConfig { context_size: 1, num_layers: 2, ..base.clone() },
        FeedForwardConfig { context_size: 9, ..base.clone() },
    ];
    let all = [
        Nonlinearity::Relu,
        Nonlinearity::Sigmoid,
        Nonlinearity::Tanh,
        Nonlinearity::Gelu,
        Nonlinearity::Silu,
    ];
    configs.extend(all.map(|activation| FeedForwardConfig { activation, ..base.clone() }));
    configs
}

#[test]
fn logits_and_gradients_are_those_of_the_formulas() {
    let device = flex().autodiff();
    for config in configs() {
        let what = format!("{:?}", config.activation);
        let model = with_biases(FeedForwardLm::init(&config, 3, &device).unwrap());
        let tensors = named_tensors(&model, &config);
        let expected = reference::feed_forward_lm(&config, &Weights::new(&tensors), &IDS);
        let logits = model.forward(ids(&[IDS], &device));
        assert_near(&what, &values(logits.clone()), &expected.concat(), 2e-6);
        if config.context_size == 1 {
            continue; // Its padding is read by nothing and has no gradient.
        }
        let gradients = loss(logits, ids(&[TARGETS], &device)).backward();
        let gradients = named_gradients(&model, &gradients, &config);
        check_gradients(&what, &tensors, &gradients, |weights| {
            reference::loss(&reference::feed_forward_lm(&config, weights, &IDS), &TARGETS)
        });
    }
}

#[test]
fn logits_see_the_window_and_nothing_else() {
    let device = flex();
    for config in configs() {
        let model = FeedForwardLm::init(&config, 5, &device).unwrap();
        let mut changed = IDS;
        changed[1] = 2;
        let before = values(model.forward(ids(&[IDS], &device)));
        let after = values(model.forward(ids(&[changed], &device)));
        for t in 0..6 {
            let at = t * 5..(t + 1) * 5;
            let sees = (1..1 + config.context_size).contains(&t);
            assert_eq!(before[at.clone()] != after[at], sees, "{config:?} at {t}");
        }
    }
}

#[test]
fn one_batch_can_be_overfitted() {
    let device = flex().autodiff();
    for activation in [Nonlinearity::Tanh, Nonlinearity::Gelu] {
        let config = FeedForwardConfig {
            vocab_size: 12,
            context_size: 4,
            embedding_size: 8,
            hidden_size: 32,
            activation,
            direct_connections: true,
            ..Default::default()
        };
        let model = FeedForwardLm::init(&config, 1, &device).unwrap();
        let rows = [[1, 5, 2, 9, 2, 11, 0, 5], [5, 5, 1, 0, 3, 4, 9, 2]];
        let targets = [[5, 2, 9, 2, 11, 0, 5, 7], [5, 1, 0, 3, 4, 9, 2, 6]];
        let steps = steps_to_overfit(model, 0.02, 400, |model| {
            loss(model.forward(ids(&rows, &device)), ids(&targets, &device)) / 16.0
        });
        assert!(steps < 400, "{activation:?}");
    }
}

#[test]
fn the_loss_of_a_new_model_is_that_of_guessing() {
    let device = flex();
    let config =
        FeedForwardConfig { vocab_size: 500, direct_connections: true, ..Default::default() };
    let model = FeedForwardLm::init(&config, 1, &device).unwrap();
    let row: [i64; 32] = std::array::from_fn(|t| (t as i64 * 37 + 11) % 500);
    let next: [i64; 32] = std::array::from_fn(|t| (t as i64 * 91 + 5) % 500);
    let loss = loss(model.forward(ids(&[row], &device)), ids(&[next], &device)) / 32.0;
    let found = values(loss)[0];
    assert!((found - 500f32.ln()).abs() < 0.15, "{found}");
}

#[test]
fn saving_and_loading_changes_no_bit() {
    let device = flex();
    for config in configs() {
        let model = FeedForwardLm::init(&config, 11, &device).unwrap();
        let dir = tempfile::tempdir().unwrap();
        model.save(dir.path(), StoredDtype::F32).unwrap();
        let again = FeedForwardLm::from_dir(dir.path(), &device).unwrap();
        assert_eq!(again.config(), &config);
        assert_eq!(named_tensors(&again, &config), named_tensors(&model, &config));
    }
}

#[test]
fn a_seed_gives_its_weights_on_every_device_and_another_gives_others() {
    let config = &configs()[0];
    let tensors =
        |seed, device| named_tensors(&FeedForwardLm::init(config, seed, &device).unwrap(), config);
    assert_eq!(tensors(4, flex()), tensors(4, flex().autodiff()));
    assert_ne!(tensors(4, flex()), tensors(5, flex()));
}

#[test]
fn a_window_of_nothing_is_refused() {
    let text = r#"{"model_type": "wuji_mlp", "context_size": 0}"#;
    let error = FeedForwardConfig::from_json(text).unwrap_err().to_string();
    assert!(error.contains("context_size"), "{error}");
}
