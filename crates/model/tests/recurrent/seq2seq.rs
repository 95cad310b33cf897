//! Recurrent encoder–decoders.

use burn::tensor::{Int, Tensor};
use wuji_model::recurrent::{AttentionKind, CellKind, RecurrentSeq2Seq, Seq2SeqConfig};
use wuji_model::weights::{StoredDtype, named_gradients, named_tensors};

use crate::reference::{self, Weights};
use crate::support::{
    assert_near, check_gradients, difference, flex, ids, loss, mask, steps_to_overfit, values,
    with_biases,
};

const SOURCE: [i64; 4] = [3, 0, 5, 2];
const TARGET: [i64; 5] = [0, 4, 3, 1, 2];
const LABELS: [i64; 5] = [4, 3, 1, 2, 0];

fn config(cell: CellKind, attention: AttentionKind) -> Seq2SeqConfig {
    Seq2SeqConfig {
        source_vocab_size: 6,
        target_vocab_size: 5,
        embedding_size: 3,
        hidden_size: 4,
        cell,
        attention,
        dropout: 0.0,
        initializer_range: 0.7,
        ..Default::default()
    }
}

/// Both cells with every attention, with and without input feeding, one and two layers, tied and
/// not.
fn configs() -> Vec<Seq2SeqConfig> {
    let mut configs = Vec::new();
    for cell in [CellKind::Lstm, CellKind::Gru] {
        for attention in [AttentionKind::Additive, AttentionKind::General, AttentionKind::Dot] {
            configs.push(config(cell, attention));
        }
        let general = || config(cell, AttentionKind::General);
        configs.push(Seq2SeqConfig { input_feeding: false, ..general() });
        configs.push(Seq2SeqConfig { encoder_hidden_size: Some(3), num_layers: 2, ..general() });
        configs.push(Seq2SeqConfig {
            encoder_hidden_size: Some(3),
            num_layers: 2,
            tie_word_embeddings: true,
            ..config(cell, AttentionKind::Additive)
        });
        configs.push(Seq2SeqConfig { tie_word_embeddings: true, ..general() });
    }
    configs
}

fn describe(config: &Seq2SeqConfig) -> String {
    format!(
        "{:?} {:?} layers {} feeding {} tied {}",
        config.cell,
        config.attention,
        config.num_layers,
        config.input_feeding,
        config.tie_word_embeddings
    )
}

#[test]
fn logits_attention_and_gradients_are_those_of_the_formulas() {
    let device = flex().autodiff();
    for config in configs() {
        let what = describe(&config);
        let model = with_biases(RecurrentSeq2Seq::init(&config, 3, &device).unwrap());
        let tensors = named_tensors(&model, &config);
        let run = |weights: &Weights| reference::seq2seq(&config, weights, &SOURCE, &TARGET);
        let expected = run(&Weights::new(&tensors));
        let output = model.forward(ids(&[SOURCE], &device), None, ids(&[TARGET], &device));
        assert_near(&what, &values(output.logits.clone()), &expected.logits.concat(), 3e-6);
        assert_near(&what, &values(output.attention), &expected.attention.concat(), 2e-6);
        let gradients = loss(output.logits, ids(&[LABELS], &device)).backward();
        let gradients = named_gradients(&model, &gradients, &config);
        check_gradients(&what, &tensors, &gradients, |weights| {
            reference::loss(&run(weights).logits, &LABELS)
        });
    }
}

#[test]
fn changing_a_target_token_leaves_earlier_logits_unchanged() {
    let device = flex();
    for config in configs() {
        let model = RecurrentSeq2Seq::init(&config, 5, &device).unwrap();
        let of = |target: [i64; 5]| {
            let output = model.forward(ids(&[SOURCE], &device), None, ids(&[target], &device));
            values(output.logits)
        };
        let (before, after) = (of(TARGET), of([0, 4, 3, 4, 2]));
        assert_eq!(before[..15], after[..15], "{}", describe(&config));
        assert_ne!(before[15..], after[15..]);
    }
}

#[test]
fn steps_give_the_logits_of_the_whole_target() {
    let device = flex();
    for config in configs() {
        let model = RecurrentSeq2Seq::init(&config, 5, &device).unwrap();
        let source = ids(&[SOURCE, [1, 1, 4, 5]], &device);
        let target = ids(&[TARGET, LABELS], &device);
        let whole = model.forward(source.clone(), None, target.clone());
        let encoded = model.encode(source, None);
        let mut state = encoded.state;
        let (mut logits, mut attention) = (Vec::new(), Vec::new());
        for t in 0..5 {
            let last: Tensor<1, Int> = target.clone().narrow(1, t, 1).squeeze_dim(1);
            let step = model.step(last, state, &encoded.source);
            logits.push(step.logits.unsqueeze_dim::<3>(1));
            attention.push(step.attention.unsqueeze_dim::<3>(1));
            state = step.state;
        }
        let [logits, attention] = [logits, attention].map(|x| values(Tensor::cat(x, 1)));
        assert!(difference(&logits, &values(whole.logits)) < 1e-6, "{}", describe(&config));
        assert!(difference(&attention, &values(whole.attention)) < 1e-6);
    }
}

#[test]
fn padding_of_the_source_changes_nothing_and_is_never_read() {
    let device = flex();
    for config in configs() {
        let model = RecurrentSeq2Seq::init(&config, 7, &device).unwrap();
        let short = [1, 4];
        let source = ids(&[SOURCE, [1, 4, 0, 0]], &device);
        let real = mask(&[[true; 4], [true, true, false, false]], &device);
        let both = model.forward(source, Some(real), ids(&[LABELS, TARGET], &device));
        let alone = model.forward(ids(&[short], &device), None, ids(&[TARGET], &device));
        let logits = values(both.logits.narrow(0, 1, 1));
        assert!(difference(&logits, &values(alone.logits)) < 1e-6, "{}", describe(&config));
        let attention = values(both.attention);
        for row in attention.chunks_exact(4) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        }
        for row in attention[20..].chunks_exact(4) {
            assert_eq!(row[2..], [0.0, 0.0]);
        }
        let alone = values(alone.attention);
        for (padded, alone) in attention[20..].chunks_exact(4).zip(alone.chunks_exact(2)) {
            assert!(difference(&padded[..2], alone) < 1e-6);
        }
    }
}

#[test]
fn selected_rows_go_on_as_if_they_were_alone() {
    let device = flex();
    for config in configs() {
        let model = RecurrentSeq2Seq::init(&config, 7, &device).unwrap();
        let encoded = model.encode(ids(&[SOURCE, [1, 1, 4, 5]], &device), None);
        let token = |ids: &[i64]| Tensor::<1, Int>::from_data(ids, &device);
        let first = model.step(token(&[0, 3]), encoded.state, &encoded.source);
        let straight = model.step(token(&[2, 4]), first.state.clone(), &encoded.source);
        let swap = token(&[1, 0, 1]);
        let source = encoded.source.select(swap.clone());
        let swapped = model.step(token(&[4, 2, 4]), first.state.select(swap.clone()), &source);
        let expected = values(straight.logits.select(0, swap));
        assert!(difference(&values(swapped.logits), &expected) < 1e-6);
    }
}

#[test]
fn one_batch_can_be_overfitted_and_is_then_translated() {
    let device = flex().autodiff();
    for attention in [AttentionKind::Additive, AttentionKind::General, AttentionKind::Dot] {
        let config = Seq2SeqConfig {
            source_vocab_size: 12,
            target_vocab_size: 12,
            embedding_size: 16,
            hidden_size: 32,
            initializer_range: 0.1,
            ..config(CellKind::Gru, attention)
        };
        let model = RecurrentSeq2Seq::init(&config, 1, &device).unwrap();
        // Copying backwards: 1 begins a target and 2 ends it.
        let source = ids(&[[3, 4, 5, 6], [7, 3, 9, 4], [8, 8, 11, 10]], &device);
        let target = ids(&[[1, 6, 5, 4, 3], [1, 4, 9, 3, 7], [1, 10, 11, 8, 8]], &device);
        let labels = ids(&[[6, 5, 4, 3, 2], [4, 9, 3, 7, 2], [10, 11, 8, 8, 2]], &device);
        let last = std::cell::RefCell::new(model.clone());
        let steps = steps_to_overfit(model, 0.01, 400, |model| {
            *last.borrow_mut() = model.clone();
            let output = model.forward(source.clone(), None, target.clone());
            loss(output.logits, labels.clone()) / 15.0
        });
        assert!(steps < 400, "{attention:?}");
        let translations = last.into_inner().greedy(source.clone(), None, 1, 2, 10);
        let found: Vec<&[u32]> = translations.iter().map(|one| one.ids.as_slice()).collect();
        assert_eq!(found, [[6, 5, 4, 3], [4, 9, 3, 7], [10, 11, 8, 8]], "{attention:?}");
        assert!(translations.iter().all(|one| one.attention.len() == one.ids.len()));
    }
}

#[test]
fn the_loss_of_a_new_model_is_that_of_guessing() {
    let device = flex();
    for attention in [AttentionKind::Additive, AttentionKind::General, AttentionKind::Dot] {
        let config = Seq2SeqConfig { attention, target_vocab_size: 500, ..Default::default() };
        let model = RecurrentSeq2Seq::init(&config, 1, &device).unwrap();
        let row: [i64; 32] = std::array::from_fn(|t| (t as i64 * 37 + 11) % 500);
        let next: [i64; 32] = std::array::from_fn(|t| (t as i64 * 91 + 5) % 500);
        let output = model.forward(ids(&[row], &device), None, ids(&[row], &device));
        let found = values(loss(output.logits, ids(&[next], &device)) / 32.0)[0];
        assert!((found - 500f32.ln()).abs() < 0.1, "{attention:?}: {found}");
    }
}

#[test]
fn saving_and_loading_changes_no_bit() {
    let device = flex();
    for config in configs() {
        let model = RecurrentSeq2Seq::init(&config, 11, &device).unwrap();
        let dir = tempfile::tempdir().unwrap();
        model.save(dir.path(), StoredDtype::F32).unwrap();
        let again = RecurrentSeq2Seq::from_dir(dir.path(), &device).unwrap();
        assert_eq!(again.config(), &config);
        assert_eq!(named_tensors(&again, &config), named_tensors(&model, &config));
    }
}

#[test]
fn a_seed_gives_its_weights_on_every_device_and_another_gives_others() {
    let config = config(CellKind::Lstm, AttentionKind::Additive);
    let tensors = |seed, device| {
        named_tensors(&RecurrentSeq2Seq::init(&config, seed, &device).unwrap(), &config)
    };
    assert_eq!(tensors(4, flex()), tensors(4, flex().autodiff()));
    assert_ne!(tensors(4, flex()), tensors(5, flex()));
}

#[test]
fn configs_that_do_not_fit_are_refused() {
    for (text, expected) in [
        (r#"{"model_type": "wuji_rnn_seq2seq", "cell": "elman"}"#, "cell"),
        (
            r#"{"model_type": "wuji_rnn_seq2seq", "attention": "dot", "encoder_hidden_size": 9}"#,
            "encoder_hidden_size",
        ),
        (r#"{"model_type": "wuji_rnn_seq2seq", "attention": "local"}"#, "local"),
    ] {
        let error = Seq2SeqConfig::from_json(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let text = r#"{"model_type": "wuji_rnn_seq2seq", "attention": "multiplicative"}"#;
    assert_eq!(Seq2SeqConfig::from_json(text).unwrap().attention, AttentionKind::General);
}
