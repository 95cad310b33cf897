//! BERT, RoBERTa and DistilBERT with their heads, and sentence embeddings.

use burn::tensor::{Int, Tensor};
use wuji_model::weights::{StoredDtype, named_gradients};
use wuji_model::{BackboneInput, EncoderModel, Pooling};

use crate::support::{
    Golden, LOGITS_TOLERANCE, assert_close, assert_gradients, assert_loss, cases, check_round_trip,
    flex, shared, values,
};

const CASES: [&str; 7] = [
    "bert-pretraining",
    "bert-qa",
    "bert-regression",
    "bert-seqcls",
    "bert-tokencls",
    "distilbert-mlm",
    "roberta-mlm",
];

fn input(golden: &Golden) -> BackboneInput {
    BackboneInput {
        attention_mask: Some(golden.bools("in.attention_mask")),
        token_type_ids: golden.has("in.token_type_ids").then(|| golden.ints("in.token_type_ids")),
        ..BackboneInput::new(golden.ints("in.input_ids"))
    }
}

/// `x` with zeros in rows of padding, as the references are stored.
fn real(x: Tensor<3>, golden: &Golden) -> Vec<f32> {
    let shape = x.dims();
    let mask: Tensor<2, Int> = golden.ints("in.attention_mask");
    values(x * mask.float().unsqueeze_dim::<3>(2).expand(shape))
}

/// The mean over labels that are not −100.
fn cross_entropy(logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    let kept: i64 = labels.clone().not_equal_scalar(-100).int().sum().into_scalar();
    wuji_kernels::cross_entropy_sum(logits, labels, wuji_kernels::CrossEntropy::default())
        / kept as f64
}

fn flat(x: Tensor<3>) -> Tensor<2> {
    x.flatten::<2>(0, 1)
}

#[test]
fn golden_hidden_states_of_encoders_agree() {
    let device = flex();
    for (name, dir) in cases(&CASES) {
        let golden = Golden::open(&dir, &device);
        let model = EncoderModel::from_dir(&dir, &device).unwrap();
        let states = model.encoder.forward_with_hidden_states(input(&golden));
        let last = states.last().cloned().unwrap();
        for (layer, state) in states.into_iter().enumerate() {
            let key = format!("out.hidden.{layer}");
            if golden.has(&key) {
                let what = format!("{name} {key}");
                assert_close(&what, &real(state, &golden), &golden.floats(&key), LOGITS_TOLERANCE);
            }
        }
        if golden.has("out.last_hidden") {
            let expected = golden.floats("out.last_hidden");
            assert_close(name, &real(last.clone(), &golden), &expected, LOGITS_TOLERANCE);
        }
        if golden.has("out.pooled") {
            let pooled = model.pooled(last).unwrap();
            assert_close(name, &values(pooled), &golden.floats("out.pooled"), LOGITS_TOLERANCE);
        }
    }
}

#[test]
fn golden_masked_lm_and_next_sentence_agree() {
    let device = flex().autodiff();
    for (name, dir) in cases(&["bert-pretraining", "distilbert-mlm", "roberta-mlm"]) {
        let golden = Golden::open(&dir, &device);
        let model = EncoderModel::from_dir(&dir, &device).unwrap();
        let hidden = model.forward(input(&golden));
        let logits = model.masked_lm_logits(hidden.clone()).unwrap();
        let key = if golden.has("out.logits") { "out.logits" } else { "out.prediction_logits" };
        let found = real(logits.clone(), &golden);
        assert_close(name, &found, &golden.floats(key), LOGITS_TOLERANCE);
        let labels: Tensor<2, Int> = golden.ints("in.labels");
        let mut loss = cross_entropy(flat(logits), labels.flatten::<1>(0, 1));
        if golden.has("out.mlm_loss") {
            assert_loss(name, &loss, golden.floats("out.mlm_loss")[0]);
            let follows = model.next_sentence_logits(hidden).unwrap();
            let expected = golden.floats("out.seq_relationship_logits");
            assert_close(name, &values(follows.clone()), &expected, LOGITS_TOLERANCE);
            let next = cross_entropy(follows, golden.ints("in.next_sentence_label"));
            assert_loss(name, &next, golden.floats("out.nsp_loss")[0]);
            loss = loss + next;
        }
        assert_loss(name, &loss, golden.floats("out.loss")[0]);
        let gradients = named_gradients(&model, &loss.backward(), model.config().tensor_names());
        assert_gradients(name, &golden, &gradients);
    }
}

#[test]
fn golden_labels_of_texts_agree() {
    let device = flex().autodiff();
    for (name, dir) in cases(&["bert-seqcls", "bert-regression"]) {
        let golden = Golden::open(&dir, &device);
        let model = EncoderModel::from_dir(&dir, &device).unwrap();
        let logits = model.text_logits(model.forward(input(&golden))).unwrap();
        let found = values(logits.clone());
        assert_close(name, &found, &golden.floats("out.logits"), LOGITS_TOLERANCE);
        let loss = if name == "bert-seqcls" {
            cross_entropy(logits, golden.ints("in.labels"))
        } else {
            let targets = golden.float_tensor::<1>("in.labels");
            (logits.squeeze_dim::<1>(1) - targets).powf_scalar(2.0).mean()
        };
        assert_loss(name, &loss, golden.floats("out.loss")[0]);
        let gradients = named_gradients(&model, &loss.backward(), model.config().tensor_names());
        assert_gradients(name, &golden, &gradients);
    }
}

#[test]
fn golden_labels_of_tokens_agree() {
    let device = flex().autodiff();
    for (name, dir) in cases(&["bert-tokencls"]) {
        let golden = Golden::open(&dir, &device);
        let model = EncoderModel::from_dir(&dir, &device).unwrap();
        let logits = model.token_logits(model.forward(input(&golden))).unwrap();
        let found = real(logits.clone(), &golden);
        assert_close(name, &found, &golden.floats("out.logits"), LOGITS_TOLERANCE);
        let labels: Tensor<2, Int> = golden.ints("in.labels");
        let loss = cross_entropy(flat(logits), labels.flatten::<1>(0, 1));
        assert_loss(name, &loss, golden.floats("out.loss")[0]);
    }
}

#[test]
fn golden_ends_of_answers_agree() {
    let device = flex().autodiff();
    for (name, dir) in cases(&["bert-qa"]) {
        let golden = Golden::open(&dir, &device);
        let model = EncoderModel::from_dir(&dir, &device).unwrap();
        let logits = model.token_logits(model.forward(input(&golden))).unwrap();
        let ends = real(logits.clone(), &golden);
        let every_second =
            |first: usize| -> Vec<f32> { ends.iter().skip(first).step_by(2).copied().collect() };
        assert_close(name, &every_second(0), &golden.floats("out.start_logits"), LOGITS_TOLERANCE);
        assert_close(name, &every_second(1), &golden.floats("out.end_logits"), LOGITS_TOLERANCE);
        let end = |index: usize| logits.clone().narrow(2, index, 1).squeeze_dim::<2>(2);
        let start = cross_entropy(end(0), golden.ints("in.start_positions"));
        let stop = cross_entropy(end(1), golden.ints("in.end_positions"));
        assert_loss(name, &((start + stop) / 2.0), golden.floats("out.loss")[0]);
    }
}

#[test]
fn golden_encoders_round_trip_bit_exactly() {
    let device = flex();
    for (name, dir) in cases(&CASES) {
        let model = EncoderModel::from_dir(&dir, &device).unwrap();
        check_round_trip(name, &dir, |out| model.save(out, StoredDtype::F32).unwrap());
    }
}

#[test]
fn golden_text_classification_and_pooling_agree() {
    let Some(shared) = shared() else { return };
    let (device, dir) = (flex(), shared.join("golden/pipelines/text-classification"));
    let golden = Golden::open(&dir, &device);
    let model = EncoderModel::from_dir(&dir, &device).unwrap();
    let hidden = model.forward(input(&golden));
    let logits = model.text_logits(hidden.clone()).unwrap();
    let name = "text-classification";
    assert_close(name, &values(logits), &golden.floats("out.logits"), LOGITS_TOLERANCE);
    let mask = || golden.bools("in.attention_mask");
    let mean = Pooling::Mean.pool(hidden.clone(), mask());
    assert_close(name, &values(mean), &golden.floats("out.mean_pooled"), LOGITS_TOLERANCE);
    let first = Pooling::Cls.pool(hidden, mask());
    assert_close(name, &values(first), &golden.floats("out.cls"), LOGITS_TOLERANCE);
}
