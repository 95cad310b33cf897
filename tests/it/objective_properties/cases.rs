//! Every objective with the smallest model that learns by it, and a batch of noise as it makes it.

use burn::tensor::Device;
use serde_json::{Value, json};
use wuji::data::objectives::{
    MaskedBatch, MaskingOptions, ObjectiveBatch, ObjectiveOptions, SegmentPair,
    SentencePairOptions, Seq2SeqBatch, Seq2SeqCollation, Seq2SeqExample, SpecialIds, WordRule,
    WordTable, transform_batch,
};
use wuji::data::{IGNORE_INDEX, TokenBatch};
use wuji::model::{CausalLm, EncoderModel, ModelConfig, ModelError, Seq2SeqLm};
use wuji::training::{
    CausalLmObjective, LossScale, MaskedLmObjective, Objective, PrefixLmObjective,
    Seq2SeqObjective, TrainableModel, TrainingBatch,
};

use super::batches::Parts;
use crate::tiny_models::{POSITIONS, VOCAB_SIZE, some_ids};
use crate::trainings::{Run, Same, plain};

/// An objective, a model and a batch, of whatever kinds they are.
pub trait Case {
    /// What the objective is called.
    fn name(&self) -> &str;

    /// Whether a token is said from what comes before it alone.
    fn is_causal(&self) -> bool;

    /// The loss of a model that knows nothing.
    fn guess(&self) -> f64;

    /// A new model's loss on the batch.
    fn fresh_loss(&self, device: &Device) -> f64;

    /// The loss on the batch after `change`, of a model whose outputs depend visibly on all it sees.
    fn lively_loss(&self, change: &dyn Fn(&mut dyn Parts), device: &Device) -> Loss;

    /// The loss after so many steps on nothing but the batch.
    fn learnt_loss(&self, steps: u64, device: &Device) -> f64;
}

/// A sum over labels and how many they are.
#[derive(Debug, Clone, Copy)]
pub struct Loss {
    pub sum: f64,
    pub labels: f64,
}

/// A case of known kinds.
struct Known<M, O: Objective<M>>
where
    M: TrainableModel,
{
    name: String,
    is_causal: bool,
    config: Value,
    init: fn(&ModelConfig, u64, &Device) -> Result<M, ModelError>,
    objective: O,
    batch: O::Batch,
}

impl<M: TrainableModel, O: Objective<M>> Known<M, O> {
    fn model(&self, deviation: f64, device: &Device) -> M {
        let mut keys = self.config.clone();
        let key = if keys["model_type"] == "marian" { "init_std" } else { "initializer_range" };
        keys[key] = deviation.into();
        (self.init)(&ModelConfig::from_json(&keys.to_string()).unwrap(), 1, device).unwrap()
    }
}

impl<M, O> Case for Known<M, O>
where
    M: TrainableModel,
    O: Objective<M>,
    O::Batch: Parts + Clone,
{
    fn name(&self) -> &str {
        &self.name
    }

    fn is_causal(&self) -> bool {
        self.is_causal
    }

    fn guess(&self) -> f64 {
        let about_pairs = if self.batch.sentence_weight() > 0.0 { 2.0_f64.ln() } else { 0.0 };
        (VOCAB_SIZE as f64).ln() + about_pairs
    }

    fn fresh_loss(&self, device: &Device) -> f64 {
        let output = self.objective.loss(&self.model(0.02, device), &self.batch, device);
        output.scaled(LossScale::of(std::slice::from_ref(&self.batch))).into_scalar::<f32>().into()
    }

    fn lively_loss(&self, change: &dyn Fn(&mut dyn Parts), device: &Device) -> Loss {
        let mut batch = self.batch.clone();
        change(&mut batch);
        let output = self.objective.loss(&self.model(0.2, device), &batch, device);
        Loss { sum: output.loss_sum.into_scalar::<f32>().into(), labels: output.weight }
    }

    fn learnt_loss(&self, steps: u64, device: &Device) -> f64 {
        let model = self.model(0.02, &device.clone().autodiff());
        let source = Same(self.batch.clone());
        let made = Run::new(&plain(steps), model, &source).on(device).make_with(&self.objective);
        let last = made.steps.last().unwrap();
        last.loss + last.sentence_loss.unwrap_or_default()
    }
}

/// Every objective.
pub fn cases() -> Vec<Box<dyn Case>> {
    vec![
        case(llama(), CausalLm::init, CausalLmObjective::default(), json!({"kind": "causal-lm"})),
        case(
            llama(),
            CausalLm::init,
            CausalLmObjective::default(),
            json!({"kind": "fill-in-the-middle", "fim_rate": 1.0}),
        ),
        case(
            bert("BertForMaskedLM"),
            EncoderModel::init,
            MaskedLmObjective,
            json!({"kind": "masked-lm", "mlm_probability": 0.3}),
        ),
        case(
            bert("BertForMaskedLM"),
            EncoderModel::init,
            MaskedLmObjective,
            json!({"kind": "masked-lm", "mlm_probability": 0.3, "whole_word": true}),
        ),
        Box::new(Known {
            name: "masked-lm with sentence_pairs".to_string(),
            is_causal: false,
            config: bert("BertForPreTraining"),
            init: EncoderModel::init,
            objective: MaskedLmObjective,
            batch: sentence_pairs(),
        }),
        case(llama(), CausalLm::init, PrefixLmObjective, json!({"kind": "prefix-lm"})),
        case(
            glm(),
            CausalLm::init,
            PrefixLmObjective,
            json!({"kind": "blank-infilling", "mask_ratio": 0.3}),
        ),
        case(
            t5(),
            Seq2SeqLm::init,
            Seq2SeqObjective::default(),
            json!({"kind": "span-corruption", "noise_density": 0.3}),
        ),
        case(
            t5(),
            Seq2SeqLm::init,
            Seq2SeqObjective::default(),
            json!({"kind": "iid-denoising", "noise_density": 0.3}),
        ),
        Box::new(Known {
            name: "sequence-to-sequence".to_string(),
            is_causal: true,
            config: marian(),
            init: Seq2SeqLm::init,
            objective: Seq2SeqObjective::default(),
            batch: pairs(),
        }),
    ]
}

/// What `options` make of [`noise`].
fn case<M, O>(
    config: Value,
    init: fn(&ModelConfig, u64, &Device) -> Result<M, ModelError>,
    objective: O,
    options: Value,
) -> Box<dyn Case>
where
    M: TrainableModel + 'static,
    O: Objective<M> + 'static,
    O::Batch: TryFrom<ObjectiveBatch, Error = ObjectiveBatch> + Parts + Clone,
{
    let name = options.to_string();
    let options: ObjectiveOptions = serde_json::from_value(options).unwrap();
    let batch = transform_batch(&options, &special(), &noise(), 3).unwrap();
    Box::new(Known {
        name,
        is_causal: !matches!(options, ObjectiveOptions::MaskedLm(_)),
        config,
        init,
        objective,
        batch: O::Batch::try_from(batch).unwrap(),
    })
}

/// Ids below this one are special.
const FIRST_OF_TEXT: u32 = 16;

fn special() -> SpecialIds {
    let pieces = (0..VOCAB_SIZE).map(|id| format!("{}{id}", if id % 2 == 1 { "##" } else { "" }));
    SpecialIds {
        pad: Some(0),
        cls: Some(1),
        sep: Some(2),
        eos: Some(3),
        mask: Some(4),
        start_of_piece: Some(5),
        end_of_piece: Some(6),
        fim_prefix: Some(7),
        fim_middle: Some(8),
        fim_suffix: Some(9),
        sentinels: (10..FIRST_OF_TEXT).collect(),
        words: Some(WordTable::new(WordRule::Continuation, pieces)),
        ..SpecialIds::new(VOCAB_SIZE as u32)
    }
}

/// Text without any rule, which can only be learnt by heart.
fn text(length: usize, salt: u32) -> Vec<u32> {
    let ordinary = VOCAB_SIZE as u32 - FIRST_OF_TEXT;
    some_ids(length, salt).into_iter().map(|id| FIRST_OF_TEXT + id % ordinary).collect()
}

/// Four rows of text, the last of which ends early.
fn noise() -> TokenBatch {
    let (context, lengths) = (16, [16, 16, 16, 9]);
    let mut batch = TokenBatch {
        batch: lengths.len(),
        context,
        input_ids: vec![0; lengths.len() * context],
        labels: vec![IGNORE_INDEX; lengths.len() * context],
        segment_ids: None,
        position_ids: None,
    };
    for (row, length) in lengths.into_iter().enumerate() {
        let start = row * context;
        for (at, ids) in text(length + 1, 5 * (row * row) as u32).windows(2).enumerate() {
            (batch.input_ids[start + at], batch.labels[start + at]) = (ids[0], ids[1].into());
        }
    }
    batch
}

/// Pairs of segments of different lengths, some of which follow one another.
pub fn sentence_pairs() -> MaskedBatch {
    let pair = |row: u32| SegmentPair {
        first: text(6, row * row),
        second: text(9 - row as usize, 40 + 3 * row),
        label: i64::from(row % 2),
    };
    let pairs: Vec<_> = (0..4).map(pair).collect();
    let masking = MaskingOptions { mlm_probability: 0.3, ..MaskingOptions::default() };
    SentencePairOptions::default().batch(&pairs, &masking, &special(), 3).unwrap()
}

/// Pairs of texts of different lengths, each target with an end.
fn pairs() -> Seq2SeqBatch {
    let pair = |row: u32| {
        let target = [text(5 + row as usize, 50 + row * row), vec![3]].concat();
        Seq2SeqExample::new(&text(12 - row as usize, row * row), &target)
    };
    let examples: Vec<_> = (0..4).map(pair).collect();
    Seq2SeqCollation::default().collate(&examples).unwrap()
}

fn llama() -> Value {
    json!({
        "model_type": "llama", "vocab_size": VOCAB_SIZE, "max_position_embeddings": POSITIONS,
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4,
    })
}

/// A BERT with the heads of `class`.
pub fn bert(class: &str) -> Value {
    json!({
        "model_type": "bert", "architectures": [class], "vocab_size": VOCAB_SIZE,
        "max_position_embeddings": POSITIONS, "hidden_size": 32, "intermediate_size": 64,
        "num_hidden_layers": 2, "num_attention_heads": 4, "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    })
}

fn glm() -> Value {
    json!({
        "model_type": "glm_original", "vocab_size": VOCAB_SIZE, "max_sequence_length": POSITIONS,
        "hidden_size": 32, "num_layers": 2, "num_attention_heads": 4,
    })
}

fn t5() -> Value {
    json!({
        "model_type": "t5", "vocab_size": VOCAB_SIZE, "d_model": 32, "d_kv": 8, "d_ff": 64,
        "num_layers": 2, "num_heads": 4, "feed_forward_proj": "gated-gelu",
        "tie_word_embeddings": false, "dropout_rate": 0.0,
    })
}

fn marian() -> Value {
    json!({
        "model_type": "marian", "vocab_size": VOCAB_SIZE, "max_position_embeddings": POSITIONS,
        "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
        "decoder_attention_heads": 4, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "dropout": 0.0,
    })
}
