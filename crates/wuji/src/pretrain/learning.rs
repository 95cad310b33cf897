//! What is trained on which batches: a model of the config's kind, its objective, and the loader's
//! text as that objective wants it.

use burn::tensor::Device;
use wuji_data::objectives::{ObjectiveBatch, ObjectiveOptions, Seq2SeqCollation, SpecialIds};
use wuji_data::{Packing, Sampling, TokenBatch};
use wuji_model::{AnyModel, CausalLm, EncoderDecoder, ModelConfig};
use wuji_training::{
    BatchSource, CausalLmObjective, JsonlObserver, LoaderBatches, Objective, ObjectiveBatches,
    PairBatches, PrefixLmObjective, Seq2SeqObjective, TrainSummary, TrainableModel, Trainer,
    Validation,
};

use super::{Job, run_dir};
use crate::WujiError;

/// A trained model and how it went.
pub(super) struct Trained {
    pub model: AnyModel,
    pub summary: TrainSummary,
}

/// Examples of validation text do not change while a run goes on.
pub(super) const VALIDATION_SEED: u64 = 0x5eed;

impl Job<'_> {
    /// Trains the model that the config describes.
    pub(super) fn train(&mut self) -> Result<Trained, WujiError> {
        let (config, device) = (self.model_config(), self.device.clone().autodiff());
        let seed = self.config.training.seed;
        match AnyModel::init(&config, seed, &device)? {
            AnyModel::CausalLm(model) => self.train_causal(model),
            AnyModel::Encoder(model) => self.train_encoder(model),
            AnyModel::EncoderDecoder(model) => self.train_with_source(model),
            AnyModel::Recurrent(model) => self.train_next_token(model),
            AnyModel::FeedForward(model) => self.train_next_token(model),
            AnyModel::RecurrentSeq2Seq(model) => self.train_with_source(model),
        }
    }

    /// Trains a model of targets given sources: of given pairs, or of what is made of running text.
    fn train_with_source<M>(&mut self, model: M) -> Result<Trained, WujiError>
    where
        M: TrainableModel + EncoderDecoder + Into<AnyModel>,
    {
        let objective = self.seq2seq_objective();
        if self.config.has_pairs() {
            let [train, held_out] = self.pair_batches()?;
            let passes = held_out.batches_per_epoch();
            return self.run(model, &objective, &train, &held_out, passes);
        }
        let [train, held_out] = self.examples()?;
        let passes = self.held_out_batches()?.batches_per_epoch();
        self.run(model, &objective, &train, &held_out, passes)
    }

    /// Training pairs in buckets of similar length, and the held-out ones in their order.
    fn pair_batches(&self) -> Result<[PairBatches; 2], WujiError> {
        let pairs = self.text.material.pairs()?;
        let pad = self.special_ids().padding();
        let collation = Seq2SeqCollation { pad, decoder_start: pad, ..Seq2SeqCollation::default() };
        let training = &self.config.training;
        let shape = (training.micro_batch_size, training.gradient_accumulation_steps);
        let (train, held_out) = (pairs.train.examples.clone(), pairs.validation.examples.clone());
        Ok([
            PairBatches::shuffled(train, collation, shape, training.seed),
            PairBatches::in_order(held_out, collation, self.config.evaluation.batch_size),
        ])
    }

    fn train_causal(&mut self, model: CausalLm) -> Result<Trained, WujiError> {
        match self.config.objective {
            ObjectiveOptions::PrefixLm(_) | ObjectiveOptions::BlankInfilling(_) => {
                let [train, held_out] = self.examples()?;
                let passes = self.held_out_batches()?.batches_per_epoch();
                self.run(model, &PrefixLmObjective, &train, &held_out, passes)
            }
            _ => self.train_next_token(model),
        }
    }

    /// Trains a model of the next token.
    fn train_next_token<M>(&mut self, model: M) -> Result<Trained, WujiError>
    where
        M: TrainableModel + Into<AnyModel>,
        CausalLmObjective: Objective<M, Batch = TokenBatch>,
    {
        let held_out = self.held_out_batches()?;
        let passes = held_out.batches_per_epoch();
        match self.config.objective {
            ObjectiveOptions::FillInTheMiddle(_) => {
                let [train, held_out] = self.examples()?;
                self.run(model, &self.causal_objective(), &train, &held_out, passes)
            }
            _ => {
                let train = self.train_batches()?;
                self.run(model, &self.causal_objective(), &train, &held_out, passes)
            }
        }
    }

    fn causal_objective(&self) -> CausalLmObjective {
        CausalLmObjective {
            label_smoothing: self.config.training.label_smoothing,
            z_loss: self.config.training.z_loss,
            activation_checkpointing: self.config.training.activation_checkpointing,
        }
    }

    fn seq2seq_objective(&self) -> Seq2SeqObjective {
        Seq2SeqObjective { label_smoothing: self.config.training.label_smoothing }
    }

    /// The special tokens of the run's tokenizer.
    pub(super) fn special_ids(&self) -> SpecialIds {
        SpecialIds::from_tokenizer(&self.text.tokenizer)
    }

    /// Training and validation text as examples of the objective.
    pub(super) fn examples<B: TryFrom<ObjectiveBatch>>(
        &self,
    ) -> Result<[ObjectiveBatches<B>; 2], WujiError> {
        let make = |text: LoaderBatches, seed: u64| {
            ObjectiveBatches::new(text, self.config.objective.clone(), self.special_ids(), seed)
        };
        Ok([
            make(self.train_batches()?, self.config.training.seed)?,
            make(self.held_out_batches()?, VALIDATION_SEED)?,
        ])
    }

    /// The whole validation text, once, in order.
    pub(super) fn held_out_batches(&self) -> Result<LoaderBatches, WujiError> {
        // A part of a window is for next tokens; other objectives take whole windows.
        let include_partial = matches!(self.config.objective, ObjectiveOptions::CausalLm(_));
        let whole = Sampling::Sequential { include_partial };
        self.validation_batches(whole, self.config.evaluation.batch_size)
    }

    /// The model's config with what the tokenizer decides.
    fn model_config(&self) -> ModelConfig {
        let mut config = self.config.model.clone();
        let tokenizer = &self.text.tokenizer;
        config.set_vocab_size(tokenizer.vocab_size());
        let special = self.special_ids();
        let start = config.kind().has_source().then(|| special.padding());
        for (key, id) in [
            ("bos_token_id", tokenizer.bos_token_id().or(tokenizer.eos_token_id())),
            ("eos_token_id", tokenizer.eos_token_id()),
            ("pad_token_id", tokenizer.pad_token_id()),
            ("mask_token_id", special.mask.filter(|_| config.model_type() == "glm_original")),
            ("gmask_token_id", special.generation_mask),
            ("smask_token_id", special.sentence_mask),
            ("sop_token_id", special.start_of_piece),
            ("eop_token_id", special.end_of_piece),
            ("decoder_start_token_id", start),
        ] {
            let is_usual = matches!(key, "bos_token_id" | "eos_token_id" | "pad_token_id");
            if id.is_some() || is_usual {
                config.set_extra(key, id.into());
            }
        }
        if matches!(self.config.objective, ObjectiveOptions::PrefixLm(_)) {
            // Whoever generates with the model must let the prompt see all of itself.
            config.set_extra("prefix_lm", true.into());
        }
        config
    }

    /// The loop, whatever is learnt.
    pub(super) fn run<M, O>(
        &mut self,
        model: M,
        objective: &O,
        train: &dyn BatchSource<O::Batch>,
        held_out: &dyn BatchSource<O::Batch>,
        batches: u64,
    ) -> Result<Trained, WujiError>
    where
        M: TrainableModel + Into<AnyModel>,
        O: Objective<M>,
    {
        let parameters = model.num_params();
        let validation = Validation { source: held_out, batches };
        let mut trainer = Trainer::new(self.config.training.clone(), model, &self.device)?
            .with_run_dir(self.run_dir.path())?
            .with_stop_signal(self.options.stop.clone());
        let resumed_at = if self.options.resume { trainer.resume()? } else { 0 };
        if self.options.resume {
            // What this resumption was told, the next one must know without being told.
            self.run_dir.write("config.toml", &self.config.to_toml())?;
        }
        let metrics = JsonlObserver::open(&self.run_dir.path().join("metrics.jsonl"), resumed_at)?;
        let bar = self.progress.training(parameters, resumed_at, self.config.training.max_steps);
        let tokenizer = run_dir::TokenizerBesideCheckpoints::new(self.text.tokenizer.clone());
        let mut trainer =
            trainer.with_observer(metrics).with_observer(tokenizer).with_boxed_observer(bar);
        let summary = trainer.run(objective, train, Some(&validation))?;
        Ok(Trained { model: trainer.trained_model().into(), summary })
    }

    /// Training text in batches.
    fn train_batches(&self) -> Result<LoaderBatches, WujiError> {
        let training = &self.config.training;
        let options = wuji_data::LoaderOptions {
            context: self.config.data.context_length,
            micro_batch_size: training.micro_batch_size,
            gradient_accumulation_steps: training.gradient_accumulation_steps,
            sampling: self.config.data.sampling,
            packing: self.config.data.packing,
            seed: training.seed,
        };
        Ok(LoaderBatches::new(self.loader(&self.text.material.running()?.train, options)?))
    }

    /// Validation text in batches of `rows`.
    pub(super) fn validation_batches(
        &self,
        sampling: Sampling,
        rows: usize,
    ) -> Result<LoaderBatches, WujiError> {
        let options = wuji_data::LoaderOptions {
            context: self.config.data.context_length,
            micro_batch_size: rows,
            gradient_accumulation_steps: 1,
            sampling,
            packing: match sampling {
                Sampling::Sequential { .. } => self.config.data.packing,
                _ => Packing::default(),
            },
            seed: self.config.training.seed,
        };
        Ok(LoaderBatches::new(self.loader(&self.text.material.running()?.validation, options)?))
    }

    /// Where tensors without gradients live.
    pub(super) fn plain_device(&self) -> &Device {
        &self.device
    }
}
