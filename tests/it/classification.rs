//! A classifier of texts on every kind of backbone: it learns, it is written and read bit for bit, and an interrupted
//! run ends where the straight one does.

use serde_json::json;
use wuji::data::objectives::LabelledText;
use wuji::model::{
    CausalLm, EncoderModel, ModelConfig, Pooling, Seq2SeqLm, SequenceClassifier, TextStates,
};
use wuji::training::{
    BatchSource, ClassificationBatches, ClassificationObjective, TrainableModel, Trainer,
    TrainingConfig, class_logits, evaluate,
};

use crate::devices::flex;
use crate::tiny_models::{VOCAB_SIZE, fresh};
use crate::trainings::plain;

/// Texts of several lengths whose class is whether token 7 is in them.
fn texts() -> Vec<LabelledText> {
    let text = |number: u32| {
        let class = (number % 2) as usize;
        let token = |at: u32| {
            if class == 1 && at == number % 3 { 7 } else { 8 + (number * 5 + at * 3) % 30 }
        };
        LabelledText { input_ids: (0..4 + number % 5).map(token).collect(), class }
    };
    (0..40).map(text).collect()
}

fn classifier<M: TextStates>(backbone: M) -> SequenceClassifier<M> {
    SequenceClassifier::new(backbone, 2, Pooling::Mean, 3, &flex())
}

fn batches() -> ClassificationBatches {
    ClassificationBatches::shuffled(texts(), 0, (8, 1), 5)
}

fn encoder() -> EncoderModel {
    let keys = json!({
        "model_type": "bert", "architectures": ["BertForMaskedLM"], "vocab_size": VOCAB_SIZE, "hidden_size": 32,
        "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64, "max_position_embeddings": 64,
        "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
    });
    EncoderModel::init(&ModelConfig::from_json(&keys.to_string()).unwrap(), 1, &flex()).unwrap()
}

fn encoder_decoder() -> Seq2SeqLm {
    let keys = json!({
        "model_type": "t5", "vocab_size": VOCAB_SIZE, "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2,
        "num_heads": 4, "dropout_rate": 0.0,
    });
    Seq2SeqLm::init(&ModelConfig::from_json(&keys.to_string()).unwrap(), 1, &flex()).unwrap()
}

fn check_learns<M: TextStates + TrainableModel>(backbone: M) {
    let objective = ClassificationObjective::default();
    let held = ClassificationBatches::in_order(texts(), 0, 16);
    let loss = |model: &SequenceClassifier<M>| {
        let all = held.stream(0..held.batches_per_epoch(), 1).unwrap();
        evaluate(model, &objective, all, &flex()).unwrap().loss
    };
    let model = classifier(backbone);
    let before = loss(&model);
    assert!((before - 2_f64.ln()).abs() < 0.2, "a new head knows nothing: {before}");
    let mut trainer =
        Trainer::new(TrainingConfig { learning_rate: 3e-3, ..plain(120) }, model, &flex()).unwrap();
    trainer.run(&objective, &batches(), None).unwrap();
    let after = loss(&trainer.trained_model());
    assert!(after < 0.2, "{after}");
}

#[test]
fn a_classifier_learns_on_every_kind_of_backbone() {
    check_learns(fresh("gpt2", 1, &flex()));
    check_learns(encoder());
    check_learns(encoder_decoder());
}

#[test]
fn a_classifier_resumed_from_its_checkpoint_ends_where_the_straight_run_ends() {
    let objective = ClassificationObjective::default();
    let held = ClassificationBatches::in_order(texts(), 0, 40);
    let batch = held.batch(0, 0).unwrap();
    let logits = |trainer: &Trainer<SequenceClassifier<CausalLm>>| {
        class_logits(&trainer.trained_model(), &batch, &flex()).into_data()
    };
    let new = |steps| {
        Trainer::new(plain(steps), classifier(fresh("llama", 1, &flex())), &flex()).unwrap()
    };
    let mut straight = new(10);
    straight.run(&objective, &batches(), None).unwrap();

    let dir = tempfile::tempdir().unwrap();
    new(4).with_run_dir(dir.path()).unwrap().run(&objective, &batches(), None).unwrap();
    let mut resumed = new(10).with_run_dir(dir.path()).unwrap();
    assert_eq!(resumed.resume().unwrap(), 4);
    resumed.run(&objective, &batches(), None).unwrap();
    assert_eq!(logits(&resumed), logits(&straight));
}
