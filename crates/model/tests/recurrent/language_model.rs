//! Recurrent language models.

use burn::tensor::Tensor;
use wuji_model::ModelError;
use wuji_model::recurrent::{CellKind, Nonlinearity, RecurrentLm, RecurrentLmConfig};
use wuji_model::weights::{StoredDtype, TensorFiles, named_gradients, named_tensors};

use crate::reference::{self, Weights};
use crate::support::{
    assert_near, check_gradients, difference, flex, ids, loss, mask, steps_to_overfit, values,
    with_biases,
};

const IDS: [i64; 6] = [3, 0, 4, 4, 1, 2];
const TARGETS: [i64; 6] = [0, 4, 4, 1, 2, 3];

fn config(cell: CellKind, activation: Nonlinearity) -> RecurrentLmConfig {
    RecurrentLmConfig {
        vocab_size: 5,
        hidden_size: 4,
        embedding_size: 3,
        num_layers: 2,
        cell,
        activation,
        initializer_range: 0.7,
        ..Default::default()
    }
}

/// Every cell, with the head tied through a projection, tied directly, and by itself.
fn configs() -> Vec<RecurrentLmConfig> {
    let mut configs = vec![
        config(CellKind::Lstm, Nonlinearity::Tanh),
        config(CellKind::Gru, Nonlinearity::Tanh),
        RecurrentLmConfig {
            tie_word_embeddings: false,
            ..config(CellKind::Lstm, Nonlinearity::Tanh)
        },
        RecurrentLmConfig {
            embedding_size: 4,
            num_layers: 1,
            ..config(CellKind::Gru, Nonlinearity::Tanh)
        },
    ];
    let all = [
        Nonlinearity::Relu,
        Nonlinearity::Sigmoid,
        Nonlinearity::Tanh,
        Nonlinearity::Gelu,
        Nonlinearity::Silu,
    ];
    configs.extend(all.map(|f| config(CellKind::Elman, f)));
    configs
}

#[test]
fn logits_and_gradients_are_those_of_the_formulas() {
    let device = flex().autodiff();
    for config in configs() {
        let what = format!("{:?} {:?}", config.cell, config.activation);
        let model = with_biases(RecurrentLm::init(&config, 3, &device).unwrap());
        let tensors = named_tensors(&model, &config);
        let expected = reference::recurrent_lm(&config, &Weights::new(&tensors), &IDS);
        let logits = model.forward(ids(&[IDS], &device));
        assert_near(&what, &values(logits.clone()), &expected.concat(), 2e-6);
        let gradients = loss(logits, ids(&[TARGETS], &device)).backward();
        let gradients = named_gradients(&model, &gradients, &config);
        check_gradients(&what, &tensors, &gradients, |weights| {
            reference::loss(&reference::recurrent_lm(&config, weights, &IDS), &TARGETS)
        });
    }
}

#[test]
fn weights_have_the_names_and_shapes_of_torch() {
    let config = config(CellKind::Lstm, Nonlinearity::Tanh);
    let model = RecurrentLm::init(&config, 1, &flex()).unwrap();
    let found: Vec<_> = named_tensors(&model, &config)
        .into_iter()
        .map(|tensor| (tensor.name, tensor.shape))
        .collect();
    let expected: [(&str, &[usize]); 11] = [
        ("embedding.weight", &[5, 3]),
        ("projection.bias", &[3]),
        ("projection.weight", &[3, 4]),
        ("rnn.bias_hh_l0", &[16]),
        ("rnn.bias_hh_l1", &[16]),
        ("rnn.bias_ih_l0", &[16]),
        ("rnn.bias_ih_l1", &[16]),
        ("rnn.weight_hh_l0", &[16, 4]),
        ("rnn.weight_hh_l1", &[16, 4]),
        ("rnn.weight_ih_l0", &[16, 3]),
        ("rnn.weight_ih_l1", &[16, 4]),
    ];
    assert_eq!(found, expected.map(|(name, shape)| (name.to_string(), shape.to_vec())));
}

#[test]
fn changing_a_token_leaves_earlier_logits_unchanged() {
    let device = flex();
    for config in configs() {
        let model = RecurrentLm::init(&config, 5, &device).unwrap();
        let mut changed = IDS;
        changed[4] = 0;
        let before = values(model.forward(ids(&[IDS], &device)));
        let after = values(model.forward(ids(&[changed], &device)));
        let earlier = 4 * config.vocab_size;
        assert_eq!(before[..earlier], after[..earlier]);
        assert_ne!(before[earlier..], after[earlier..]);
    }
}

#[test]
fn reading_in_pieces_gives_the_logits_of_reading_the_whole() {
    let device = flex();
    for config in configs() {
        let model = RecurrentLm::init(&config, 5, &device).unwrap();
        let all = ids(&[IDS, TARGETS], &device);
        let mut state = None;
        let mut pieces = Vec::new();
        for (start, length) in [(0, 3), (3, 1), (4, 1), (5, 1)] {
            let piece = all.clone().narrow(1, start, length);
            let (logits, next) = model.forward_with_state(piece, state);
            pieces.push(logits);
            state = Some(next);
        }
        let pieces = values(Tensor::cat(pieces, 1));
        assert!(difference(&pieces, &values(model.forward(all))) < 1e-6);
    }
}

#[test]
fn padding_changes_no_logit_and_no_final_state() {
    let device = flex();
    for config in configs() {
        let model = RecurrentLm::init(&config, 7, &device).unwrap();
        let short = [3, 0, 4];
        let padded = ids(&[IDS, [3, 0, 4, 1, 1, 1]], &device);
        let real = mask(&[[true; 6], [true, true, true, false, false, false]], &device);
        let (hidden, state) = model.hidden_states(padded, None, Some(real));
        let logits = values(model.logits(hidden).narrow(0, 1, 1).narrow(1, 0, 3));
        let (alone, alone_state) = model.forward_with_state(ids(&[short], &device), None);
        assert!(difference(&logits, &values(alone)) < 1e-6);
        for (padded, alone) in state.layers.into_iter().zip(alone_state.layers) {
            assert!(difference(&values(padded.narrow(1, 1, 1)), &values(alone)) < 1e-6);
        }
    }
}

#[test]
fn one_batch_can_be_overfitted() {
    let device = flex().autodiff();
    for (cell, activation) in [
        (CellKind::Lstm, Nonlinearity::Tanh),
        (CellKind::Gru, Nonlinearity::Tanh),
        (CellKind::Elman, Nonlinearity::Tanh),
        (CellKind::Elman, Nonlinearity::Relu),
    ] {
        let config = RecurrentLmConfig {
            vocab_size: 12,
            hidden_size: 32,
            embedding_size: 16,
            cell,
            activation,
            ..Default::default()
        };
        let model = RecurrentLm::init(&config, 1, &device).unwrap();
        let rows = [[1, 5, 2, 9, 2, 11, 0, 5], [5, 5, 1, 0, 3, 4, 9, 2]];
        let targets = [[5, 2, 9, 2, 11, 0, 5, 7], [5, 1, 0, 3, 4, 9, 2, 6]];
        let steps = steps_to_overfit(model, 0.02, 400, |model| {
            loss(model.forward(ids(&rows, &device)), ids(&targets, &device)) / 16.0
        });
        assert!(steps < 400, "{cell:?} {activation:?}");
    }
}

#[test]
fn the_loss_of_a_new_model_is_that_of_guessing() {
    let device = flex();
    for cell in [CellKind::Lstm, CellKind::Gru, CellKind::Elman] {
        for tie_word_embeddings in [true, false] {
            let config = RecurrentLmConfig {
                vocab_size: 500,
                cell,
                tie_word_embeddings,
                ..Default::default()
            };
            let model = RecurrentLm::init(&config, 1, &device).unwrap();
            let row: [i64; 32] = std::array::from_fn(|t| (t as i64 * 37 + 11) % 500);
            let next: [i64; 32] = std::array::from_fn(|t| (t as i64 * 91 + 5) % 500);
            let loss = loss(model.forward(ids(&[row], &device)), ids(&[next], &device)) / 32.0;
            let found = values(loss)[0];
            assert!((found - 500f32.ln()).abs() < 0.1, "{cell:?}: {found}");
        }
    }
}

#[test]
fn saving_and_loading_changes_no_bit() {
    let device = flex();
    for config in configs() {
        let model = RecurrentLm::init(&config, 11, &device).unwrap();
        let dir = tempfile::tempdir().unwrap();
        model.save(dir.path(), StoredDtype::F32).unwrap();
        let again = RecurrentLm::from_dir(dir.path(), &device).unwrap();
        assert_eq!(again.config(), &config);
        assert_eq!(named_tensors(&again, &config), named_tensors(&model, &config));
        let of = |model: &RecurrentLm| values(model.forward(ids(&[IDS], &device)));
        assert_eq!(of(&model), of(&again));
        assert!(TensorFiles::open_dir(dir.path()).unwrap().shape("rnn.weight_hh_l0").is_some());
    }
}

#[test]
fn a_seed_gives_its_weights_on_every_device_and_another_gives_others() {
    let config = config(CellKind::Lstm, Nonlinearity::Tanh);
    let tensors =
        |seed, device| named_tensors(&RecurrentLm::init(&config, seed, &device).unwrap(), &config);
    assert_eq!(tensors(4, flex()), tensors(4, flex().autodiff()));
    assert_ne!(tensors(4, flex()), tensors(5, flex()));
}

#[test]
fn dropout_acts_in_training_only() {
    let config = RecurrentLmConfig { dropout: 0.5, ..config(CellKind::Gru, Nonlinearity::Tanh) };
    let of = |device: burn::tensor::Device| {
        let model = RecurrentLm::init(&config, 2, &device).unwrap();
        let once = values(model.forward(ids(&[IDS], &device)));
        (once, values(model.forward(ids(&[IDS], &device))))
    };
    let (once, twice) = of(flex());
    assert_eq!(once, twice);
    let (once, twice) = of(flex().autodiff());
    assert_ne!(once, twice);
}

#[test]
fn a_config_is_read_with_defaults_and_its_mistakes_are_named() {
    let text = r#"{"model_type": "wuji_rnn", "vocab_size": 9, "cell": "elman", "activation": "silu",
        "eos_token_id": 2}"#;
    let config = RecurrentLmConfig::from_json(text).unwrap();
    assert_eq!((config.vocab_size, config.hidden_size), (9, 256));
    assert_eq!((config.cell, config.activation), (CellKind::Elman, Nonlinearity::Silu));
    assert_eq!(config.extra["eos_token_id"], 2);
    for (text, expected) in [
        (r#"{"model_type": "gpt2"}"#, "gpt2"),
        (r#"{"vocab_size": 9}"#, "(absent)"),
        (r#"{"model_type": "wuji_rnn", "hidden_size": 0}"#, "hidden_size"),
        (r#"{"model_type": "wuji_rnn", "dropout": 1.0}"#, "dropout"),
        (r#"{"model_type": "wuji_rnn", "cell": "rwkv"}"#, "rwkv"),
        (r#"{"model_type": "wuji_rnn", "activation": "cosine"}"#, "cosine"),
    ] {
        let error = RecurrentLmConfig::from_json(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let model = RecurrentLm::init(&config, 1, &flex()).unwrap();
    assert!(model.check_input(&[0, 8]).is_ok());
    assert!(matches!(model.check_input(&[0, 9]), Err(ModelError::Input(_))));
}
