//! The texts as tokens of one vocabulary, which all networks share.

use serde::{Deserialize, Serialize};
use wuji_data::objectives::{LabelledText, SpecialIds, step_seed};
use wuji_data::{
    BatchLoader, Fingerprint, LoaderOptions, PreparedCorpus, Sampling, Split, TokenShards,
};
use wuji_tokenizer::{Tokenizer, TokenizerKind, TokenizerTrainerConfig};

use super::{LabelledTask, Objective, ObjectivesSetup, ObjectivesTexts};
use crate::WujiError;
use crate::pretrain::{Progress, RunDir};
use crate::tokenizers::train_on_parts;

/// Everything that is read, as tokens.
pub(super) struct Tokens {
    pub tokenizer: Tokenizer,
    pub special: SpecialIds,
    pub prepared: PreparedCorpus,
    pub tasks: Vec<Task>,
}

/// A set of labelled texts, as tokens.
pub(super) struct Task {
    pub name: String,
    pub classes: usize,
    pub train: Vec<LabelledText>,
    /// Shortest first, so that little is padded.
    pub test: Vec<LabelledText>,
}

/// What makes the rows of two runs comparable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TokenFingerprints {
    pub tokenizer: String,
    pub train: String,
    pub validation: String,
    pub tasks: String,
}

impl Tokens {
    /// Trains the tokenizer on the training side and encodes everything, below `out`.
    pub(super) fn prepare(
        texts: &ObjectivesTexts,
        setup: &ObjectivesSetup,
        out: &RunDir,
        progress: &mut dyn Progress,
    ) -> Result<Self, WujiError> {
        progress.stage("training a byte-level-bpe tokenizer");
        let parts = texts.corpus.texts(&texts.split, Split::Train)?;
        let tokenizer = train_on_parts(&tokenizer_config(setup.vocab_size), parts)?;
        progress.stage("tokenizing");
        let data = out.path().join("data");
        let prepared = wuji_data::prepare(&texts.corpus, &tokenizer, &texts.split, &data)?;
        let encode = |task: &LabelledTask| Task::encode(task, &tokenizer, setup);
        let tasks = texts.tasks.iter().map(encode).collect::<Result<Vec<_>, _>>()?;
        progress.note(&format!(
            "{} tokens in the vocabulary; {} training and {} held-out tokens",
            tokenizer.vocab_size(),
            prepared.train.token_count(),
            prepared.validation.token_count(),
        ));
        for task in &tasks {
            let (train, test) = (task.train.len(), task.test.len());
            progress
                .note(&format!("{}: {train} texts to learn from, {test} to classify", task.name));
        }
        let special = SpecialIds::from_tokenizer(&tokenizer);
        Ok(Self { tokenizer, special, prepared, tasks })
    }

    /// Training windows in an order that `seed` decides, the same for every objective.
    pub(super) fn training_windows(
        &self,
        setup: &ObjectivesSetup,
        seed: u64,
    ) -> Result<BatchLoader, WujiError> {
        let options = LoaderOptions { seed, ..options(setup) };
        Ok(BatchLoader::new(self.prepared.train.clone(), options)?)
    }

    /// Held-out windows, whole ones only, in order.
    pub(super) fn held_out_windows(
        &self,
        setup: &ObjectivesSetup,
        rows: usize,
    ) -> Result<BatchLoader, WujiError> {
        let sampling = Sampling::Sequential { include_partial: false };
        let options = LoaderOptions { sampling, micro_batch_size: rows, ..options(setup) };
        Ok(BatchLoader::new(self.prepared.validation.clone(), options)?)
    }

    /// All training tokens in order.
    pub(super) fn training_stream(&self) -> Vec<u32> {
        read(&self.prepared.train)
    }

    pub(super) fn fingerprints(&self) -> TokenFingerprints {
        let examples =
            self.tasks.iter().flat_map(|task| task.train.iter().chain(&task.test)).flat_map(
                |text| {
                    text.input_ids.iter().copied().chain([text.class as u32]).map(u32::to_le_bytes)
                },
            );
        TokenFingerprints {
            tokenizer: self.tokenizer.fingerprint(),
            train: self.prepared.train.fingerprint().to_string(),
            validation: self.prepared.validation.fingerprint().to_string(),
            tasks: Fingerprint::of_parts(examples).to_string(),
        }
    }
}

fn options(setup: &ObjectivesSetup) -> LoaderOptions {
    LoaderOptions {
        context: setup.context_length,
        micro_batch_size: setup.windows_per_step,
        ..LoaderOptions::default()
    }
}

fn read(shards: &TokenShards) -> Vec<u32> {
    let mut tokens = vec![0; shards.token_count() as usize];
    shards.read(0, &mut tokens);
    tokens
}

/// With the special tokens of all objectives, so that each has the same vocabulary.
fn tokenizer_config(vocab_size: usize) -> TokenizerTrainerConfig {
    let mut config = TokenizerTrainerConfig::new(TokenizerKind::ByteLevelBpe, vocab_size);
    let mut special = config.effective_special_tokens();
    for token in
        Objective::ALL.into_iter().flat_map(|objective| objective.options().special_tokens())
    {
        if !special.contains(&token) {
            special.push(token);
        }
    }
    config.special_tokens = special;
    config
}

impl Task {
    fn encode(
        task: &LabelledTask,
        tokenizer: &Tokenizer,
        setup: &ObjectivesSetup,
    ) -> Result<Self, WujiError> {
        let encode = |(text, class): &(String, usize)| -> Result<LabelledText, WujiError> {
            let mut input_ids = tokenizer.encode_ordinary_ids(text)?;
            input_ids.truncate(setup.text_length);
            Ok(LabelledText { input_ids, class: *class })
        };
        let train = task.train.iter().map(encode).collect::<Result<_, _>>()?;
        let chosen = sample(task.test.len(), setup.evaluated_texts);
        let test = chosen.into_iter().map(|index| encode(&task.test[index]));
        let mut test = test.collect::<Result<Vec<_>, _>>()?;
        test.sort_by_key(|text| text.input_ids.len());
        Ok(Self { name: task.name.clone(), classes: task.classes, train, test })
    }
}

/// At most `wanted` of `count` things, the same every time.
fn sample(count: usize, wanted: usize) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..count).collect();
    indices.sort_by_key(|index| step_seed(0, *index as u64, 0));
    indices.truncate(wanted);
    indices
}
