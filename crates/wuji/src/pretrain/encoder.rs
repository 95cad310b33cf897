//! Training of encoders: masked windows of text, or masked pairs of sentences with a question about
//! each.

use wuji_data::objectives::{MaskedBatch, MaskingOptions, ObjectiveOptions, SentenceCorpus};
use wuji_model::EncoderModel;
use wuji_training::{BatchSource, MaskedLmObjective, SentencePairBatches};

use super::Job;
use super::learning::{Trained, VALIDATION_SEED};
use crate::WujiError;

impl Job<'_> {
    /// Trains `model` to say masked tokens, and about pairs of sentences if the config asks for them.
    pub(super) fn train_encoder(&mut self, model: EncoderModel) -> Result<Trained, WujiError> {
        let Some(masking) = self.pair_masking() else {
            let [train, held_out] = self.examples()?;
            let passes = self.held_out_batches()?.batches_per_epoch();
            return self.run(model, &MaskedLmObjective, &train, &held_out, passes);
        };
        let training = &self.config.training;
        let shape = (training.micro_batch_size, training.gradient_accumulation_steps);
        let special = self.special_ids();
        let corpus = SentenceCorpus::new(self.text.material.running()?.train.clone(), &special)?;
        let train = SentencePairBatches::shuffled(corpus, masking, special, shape, training.seed)?;
        let held_out = self.held_out_pairs()?;
        let passes = held_out.batches_per_epoch();
        self.run(model, &MaskedLmObjective, &train, &held_out, passes)
    }

    /// The first batch of validation pairs; `None` where the objective is about windows of text.
    pub(super) fn first_held_out_pairs(&self) -> Result<Option<MaskedBatch>, WujiError> {
        match self.pair_masking() {
            Some(_) => Ok(Some(self.held_out_pairs()?.batch(0, 0)?)),
            None => Ok(None),
        }
    }

    /// How pairs are cut and masked, if they are. A row is never longer than the context.
    fn pair_masking(&self) -> Option<MaskingOptions> {
        let ObjectiveOptions::MaskedLm(masking) = &self.config.objective else { return None };
        let mut pairs = masking.sentence_pairs?;
        pairs.max_length = pairs.max_length.min(self.config.data.context_length);
        Some(MaskingOptions { sentence_pairs: Some(pairs), ..masking.clone() })
    }

    fn held_out_pairs(&self) -> Result<SentencePairBatches, WujiError> {
        let special = self.special_ids();
        let corpus =
            SentenceCorpus::new(self.text.material.running()?.validation.clone(), &special)?;
        let masking = self.pair_masking().unwrap_or_default();
        let rows = self.config.evaluation.batch_size;
        Ok(SentencePairBatches::in_order(corpus, masking, special, rows, VALIDATION_SEED)?)
    }
}
