//! Corpus, tokenizer and shards.

use wuji_data::source::DocumentParts;
use wuji_data::{Corpus, Split};
use wuji_tokenizer::{Tokenizer, TokenizerKind, TokenizerTrainerConfig};

use super::material::Material;
use super::pairs::prepare_pairs;
use super::{PretrainOptions, Progress, RunDir, TokenizedText};
use crate::WujiError;
use crate::config::{DataConfig, RunConfig};
use crate::tokenizers::train_on_parts;

/// Opens the corpus, trains or loads the tokenizer, and makes (or finds) the shards.
pub(super) fn prepare_text(
    config: &RunConfig,
    options: &PretrainOptions,
    run_dir: &RunDir,
    progress: &mut dyn Progress,
) -> Result<TokenizedText, WujiError> {
    if config.has_pairs() {
        return prepare_pairs(config, options, run_dir, progress);
    }
    let corpus = open_corpus(&config.data)?;
    let tokenizer = kept_tokenizer(config, options, run_dir, progress, |progress| {
        train(config, &corpus, progress)
    })?;
    progress.stage("tokenizing and sharding");
    let data_dir = run_dir.path().join("data");
    let prepared = wuji_data::prepare(&corpus, &tokenizer, &config.data.split, &data_dir)?;
    progress.note(&format!(
        "{} training and {} validation tokens, {:.2} bytes per token{}",
        prepared.train.token_count(),
        prepared.validation.token_count(),
        prepared.train.source_bytes() as f64 / prepared.train.token_count().max(1) as f64,
        if prepared.reused { " (shards of an earlier run)" } else { "" },
    ));
    Ok(TokenizedText { tokenizer, material: Material::Running(prepared) })
}

fn open_corpus(data: &DataConfig) -> Result<Corpus, WujiError> {
    if data.sources.is_empty() {
        return Ok(Corpus::single(data.stories.source()));
    }
    Ok(Corpus::open(&data.corpus_options())?)
}

/// The tokenizer of a run: the one it began with, the one that the config names, or else what `train`
/// makes; kept in the run directory.
pub(super) fn kept_tokenizer(
    config: &RunConfig,
    options: &PretrainOptions,
    run_dir: &RunDir,
    progress: &mut dyn Progress,
    train: impl FnOnce(&mut dyn Progress) -> Result<Tokenizer, WujiError>,
) -> Result<Tokenizer, WujiError> {
    let kept = run_dir.path().join("tokenizer");
    if options.resume && kept.join("tokenizer.json").is_file() {
        return Ok(Tokenizer::load(&kept)?);
    }
    let tokenizer = match &config.tokenizer.path {
        Some(path) => Tokenizer::load(path)?,
        None => train(progress)?,
    };
    std::fs::create_dir_all(&kept).map_err(|source| WujiError::io("creating", &kept, source))?;
    tokenizer.save(&kept)?;
    progress.note(&format!("{} tokens in the vocabulary", tokenizer.vocab_size()));
    Ok(tokenizer)
}

/// Trains on the training side alone; the alphabet of a character vocabulary is that of the whole
/// text, as nanoGPT takes it, since it has no way to say "unknown".
fn train(
    config: &RunConfig,
    corpus: &Corpus,
    progress: &mut dyn Progress,
) -> Result<Tokenizer, WujiError> {
    let kind = config.tokenizer.train.kind;
    progress.stage(&format!("training a {} tokenizer", kind.name()));
    let split = &config.data.split;
    if !has_text(corpus.texts(split, Split::Train)?)? {
        let problem = "the split leaves no text to train on; use more text or another split";
        return Err(WujiError::config("[data.split]", problem));
    }
    let mut sides = vec![Split::Train];
    if kind == TokenizerKind::Char {
        sides.push(Split::Validation);
    }
    let texts = sides.into_iter().map(|side| corpus.texts(split, side));
    let texts = texts.collect::<Result<Vec<_>, _>>()?;
    train_on_parts(&trainer_config(config), texts.into_iter().flatten())
}

/// What to train: where the config names no special tokens, with those of the kind and those that the
/// objective cannot do without.
pub(super) fn trainer_config(config: &RunConfig) -> TokenizerTrainerConfig {
    let mut trainer = config.tokenizer.train.clone();
    let needed = config.objective.special_tokens();
    let are_given = trainer.no_special_tokens || !trainer.special_tokens.is_empty();
    if needed.is_empty() || are_given {
        return trainer;
    }
    let mut special = trainer.effective_special_tokens();
    for token in needed {
        if !special.contains(&token) {
            special.push(token);
        }
    }
    trainer.special_tokens = special;
    trainer
}

fn has_text(parts: DocumentParts) -> Result<bool, WujiError> {
    for part in parts {
        if !part?.text.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}
