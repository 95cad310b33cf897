//! What a model that does not simply continue text makes of validation text: what it was shown, what
//! was hidden, and what it says.

use burn::tensor::{Bool, Int, Tensor, TensorData};
use wuji_data::IGNORE_INDEX;
use wuji_data::objectives::{MaskedBatch, Seq2SeqBatch};
use wuji_data::objectives::{ObjectiveBatch, step_seed, transform_batch};
use wuji_model::{AnyModel, EncoderDecoder};
use wuji_tokenizer::Tokenizer;
use wuji_training::{BatchSource, PrefixLmObjective};

use super::{Job, Sample, samples};
use crate::WujiError;

/// Windows of validation text that are shown.
const WINDOWS: usize = 3;

impl Job<'_> {
    /// Samples of the trained model, also as `samples.txt`.
    pub(super) fn write_samples(&mut self, model: &AnyModel) -> Result<Vec<Sample>, WujiError> {
        let (config, tokenizer) = (self.config, &self.text.tokenizer);
        match model {
            AnyModel::CausalLm(model) if self.predicts_every_token() => {
                samples::write(config, model, tokenizer, self.run_dir)
            }
            AnyModel::Recurrent(model) if self.predicts_every_token() => {
                samples::write(config, model, tokenizer, self.run_dir)
            }
            AnyModel::FeedForward(model) if self.predicts_every_token() => {
                samples::write(config, model, tokenizer, self.run_dir)
            }
            // Translations say it better.
            _ if self.config.has_pairs() => Ok(Vec::new()),
            _ => {
                let samples = self.reconstruct(model)?;
                let block = |sample: &Sample| format!("{}\n{}\n", sample.prompt, sample.text);
                let blocks: Vec<String> = samples.iter().map(block).collect();
                self.run_dir.write("samples.txt", &blocks.join("\n----\n\n"))?;
                Ok(samples)
            }
        }
    }

    /// Examples of the objective from the beginning of the validation text.
    fn shown_batch(&self) -> Result<ObjectiveBatch, WujiError> {
        if let Some(pairs) = self.first_held_out_pairs()? {
            return Ok(ObjectiveBatch::Masked(pairs));
        }
        let mut text = self.held_out_batches()?.batch(0, 0)?;
        let rows = text.batch.min(WINDOWS);
        text.input_ids.truncate(rows * text.context);
        text.labels.truncate(rows * text.context);
        text.batch = rows;
        let seed = step_seed(self.config.training.seed, 0, 0);
        Ok(transform_batch(&self.config.objective, &self.special_ids(), &text, seed)?)
    }

    fn reconstruct(&self, model: &AnyModel) -> Result<Vec<Sample>, WujiError> {
        let batch = self.shown_batch()?;
        let tokenizer = &self.text.tokenizer;
        Ok(match (model, batch) {
            (AnyModel::Encoder(model), ObjectiveBatch::Masked(batch)) => {
                let said = said_by_encoder(model, &batch, self);
                describe_masked(tokenizer, &batch, &said)
            }
            (AnyModel::CausalLm(model), ObjectiveBatch::Masked(batch)) => {
                let input = PrefixLmObjective::input(&batch, self.plain_device());
                let said = best(model.forward_input(input));
                describe_masked(tokenizer, &batch, &said)
            }
            (AnyModel::EncoderDecoder(model), ObjectiveBatch::Seq2Seq(batch)) => {
                let said = said_by_decoder(model, &batch, self);
                describe_pairs(tokenizer, &batch, &said)
            }
            (AnyModel::RecurrentSeq2Seq(model), ObjectiveBatch::Seq2Seq(batch)) => {
                let said = said_by_decoder(model, &batch, self);
                describe_pairs(tokenizer, &batch, &said)
            }
            _ => Vec::new(),
        })
    }
}

fn said_by_encoder(model: &wuji_model::EncoderModel, batch: &MaskedBatch, job: &Job) -> Vec<i64> {
    let hidden = model.forward(wuji_training::MaskedLmObjective::input(batch, job.plain_device()));
    model.masked_lm_logits(hidden).map(best).unwrap_or_default()
}

fn said_by_decoder(model: &impl EncoderDecoder, batch: &Seq2SeqBatch, job: &Job) -> Vec<i64> {
    let device = job.plain_device();
    let ids = |values: &[u32], length: usize| {
        let values: Vec<i64> = values.iter().map(|id| i64::from(*id)).collect();
        Tensor::<2, Int>::from_data(TensorData::new(values, [batch.batch, length]), device)
    };
    let mask: Tensor<2, Bool> = ids(&batch.attention_mask, batch.source_len).not_equal_scalar(0);
    let source = ids(&batch.input_ids, batch.source_len);
    let target = ids(&batch.decoder_input_ids, batch.target_len);
    best(model.target_tokens(source, mask, target).logits())
}

/// The most likely token at each position.
fn best(logits: Tensor<3>) -> Vec<i64> {
    logits.argmax(2).into_data().iter::<i64>().collect()
}

fn describe_masked(tokenizer: &Tokenizer, batch: &MaskedBatch, said: &[i64]) -> Vec<Sample> {
    let row = |row: usize| {
        let places = row * batch.seq..(row + 1) * batch.seq;
        let is_real = |place: &usize| batch.attention_mask[*place] == 1;
        let shown: Vec<u32> =
            places.clone().filter(is_real).map(|place| batch.input_ids[place]).collect();
        sample(tokenizer, &shown, &batch.labels[places.clone()], &said[places])
    };
    (0..batch.batch.min(WINDOWS)).map(row).collect()
}

fn describe_pairs(tokenizer: &Tokenizer, batch: &Seq2SeqBatch, said: &[i64]) -> Vec<Sample> {
    let row = |row: usize| {
        let source = row * batch.source_len..(row + 1) * batch.source_len;
        let target = row * batch.target_len..(row + 1) * batch.target_len;
        let is_real = |place: &usize| batch.attention_mask[*place] == 1;
        let shown: Vec<u32> = source.filter(is_real).map(|place| batch.input_ids[place]).collect();
        sample(tokenizer, &shown, &batch.labels[target.clone()], &said[target])
    };
    (0..batch.batch).map(row).collect()
}

/// What was shown, and beneath it what was hidden and what the model says, given what was before.
fn sample(tokenizer: &Tokenizer, shown: &[u32], labels: &[i64], said: &[i64]) -> Sample {
    let hidden = labels.iter().zip(said).filter(|(label, _)| **label != IGNORE_INDEX);
    let (hidden, said): (Vec<u32>, Vec<u32>) =
        hidden.map(|(label, said)| (*label as u32, *said as u32)).unzip();
    let right = hidden.iter().zip(&said).filter(|(hidden, said)| hidden == said).count();
    let decode = |ids: &[u32]| tokenizer.decode(ids, false).unwrap_or_default();
    let tokens = |ids: &[u32]| {
        let texts: Vec<String> = ids.iter().map(|id| decode(&[*id])).collect();
        texts.join("|")
    };
    Sample {
        prompt: format!("shown   {}", decode(shown)),
        text: format!(
            "hidden  {}\nsaid    {}\n{right} of {} right",
            tokens(&hidden),
            tokens(&said),
            hidden.len()
        ),
    }
}
