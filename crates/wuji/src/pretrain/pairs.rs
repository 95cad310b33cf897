//! Pairs of texts, tokenized.
//!
//! A source ends with the end-of-text token, as a [`Translator`](wuji_inference::Translator) ends
//! it, and so does a target; both sides share one vocabulary, learnt from both.

use wuji_data::objectives::Seq2SeqExample;
use wuji_data::{Fingerprint, PairOptions, TextPair};
use wuji_tokenizer::Tokenizer;

use super::material::Material;
use super::text::{kept_tokenizer, trainer_config};
use super::{DataSummary, PretrainOptions, Progress, RunDir, TokenizedText};
use crate::WujiError;
use crate::config::RunConfig;

/// Pairs of a run.
pub(super) struct PairedText {
    /// Where the pairs are from.
    sources: Vec<String>,
    /// What is learnt from.
    pub train: TokenizedPairs,
    /// What is held out.
    pub validation: TokenizedPairs,
    /// What is translated and scored at the end: the held-out pairs, then those of each test.
    pub scored: Vec<NamedPairs>,
}

/// Pairs with a name.
pub(super) struct NamedPairs {
    pub name: String,
    pub pairs: Vec<TextPair>,
}

/// Pairs as a model reads them.
pub(super) struct TokenizedPairs {
    pub examples: Vec<Seq2SeqExample>,
    source_bytes: u64,
    pub target_bytes: u64,
}

impl TokenizedPairs {
    /// Tokenizes pairs; those of which a side is longer than `limit` tokens are left out.
    fn new(pairs: &[TextPair], tokenizer: &Tokenizer, limit: usize) -> Result<Self, WujiError> {
        let sides = |side: fn(&TextPair) -> &str| -> Result<Vec<Vec<u32>>, WujiError> {
            let texts: Vec<&str> = pairs.iter().map(side).collect();
            Ok(tokenizer.encode_ids_batch(&texts)?)
        };
        let (sources, targets) = (sides(|pair| &pair.source)?, sides(|pair| &pair.target)?);
        let mut found = Self { examples: Vec::new(), source_bytes: 0, target_bytes: 0 };
        let end = tokenizer.eos_token_id();
        for ((pair, mut source), mut target) in pairs.iter().zip(sources).zip(targets) {
            source.extend(end.filter(|end| source.last() != Some(end)));
            target.extend(end.filter(|end| target.last() != Some(end)));
            if source.len().max(target.len()) <= limit {
                found.examples.push(Seq2SeqExample::new(&source, &target));
                found.source_bytes += pair.source.len() as u64;
                found.target_bytes += pair.target.len() as u64;
            }
        }
        Ok(found)
    }

    /// Identifies the content.
    pub(super) fn fingerprint(&self) -> String {
        let parts = self.examples.iter().map(|example| {
            let source = example.source.iter().flat_map(|id| id.to_le_bytes());
            let separator = u32::MAX.to_le_bytes();
            let target = example.labels.iter().flat_map(|id| id.to_le_bytes());
            source.chain(separator).chain(target).collect::<Vec<u8>>()
        });
        Fingerprint::of_parts(parts).to_string()
    }

    /// The targets one after the other, at most `limit` tokens.
    pub(super) fn target_tokens(&self, limit: usize) -> Vec<u32> {
        let labels = self.examples.iter().flat_map(|example| &example.labels);
        labels.filter_map(|label| u32::try_from(*label).ok()).take(limit).collect()
    }

    /// Tokens of all targets.
    pub(super) fn target_count(&self) -> u64 {
        self.examples.iter().map(|example| example.labels.len() as u64).sum()
    }

    fn tokens(&self) -> u64 {
        let sources: usize = self.examples.iter().map(|example| example.source.len()).sum();
        sources as u64 + self.target_count()
    }
}

impl PairedText {
    /// Sizes, of sources and targets together.
    pub(super) fn summary(&self, vocab_size: usize) -> DataSummary {
        let bytes = |side: &TokenizedPairs| side.source_bytes + side.target_bytes;
        let (train, validation) = (&self.train, &self.validation);
        DataSummary {
            sources: self.sources.clone(),
            vocab_size,
            train_tokens: train.tokens(),
            train_documents: train.examples.len() as u64,
            train_bytes: bytes(train),
            validation_tokens: validation.tokens(),
            validation_documents: validation.examples.len() as u64,
            validation_bytes: bytes(validation),
        }
    }
}

/// Reads the pairs, trains or loads the tokenizer, and tokenizes both sides.
pub(super) fn prepare_pairs(
    config: &RunConfig,
    options: &PretrainOptions,
    run_dir: &RunDir,
    progress: &mut dyn Progress,
) -> Result<TokenizedText, WujiError> {
    let Texts { names, train, scored } = Texts::read(config)?;
    let tokenizer = kept_tokenizer(config, options, run_dir, progress, |progress| {
        progress.stage(&format!("training a {} tokenizer", config.tokenizer.train.kind.name()));
        let texts = train.iter().flat_map(|pair| [pair.source.clone(), pair.target.clone()]);
        Ok(Tokenizer::train(&trainer_config(config), texts)?)
    })?;
    progress.stage("tokenizing");
    let limit = config.data.context_length;
    let tokenize = |pairs: &[TextPair]| TokenizedPairs::new(pairs, &tokenizer, limit);
    let held_out = &scored[0].pairs;
    let (learnt, validation) = (tokenize(&train)?, tokenize(held_out)?);
    progress.note(&describe(&learnt, train.len(), limit));
    for (side, what) in [(&learnt, "train"), (&validation, "validation")] {
        if side.examples.is_empty() {
            let problem = format!("{what}: no pair has {limit} tokens or fewer on both sides");
            return Err(WujiError::config("[data.pairs]", problem));
        }
    }
    let material =
        Material::Pairs(PairedText { sources: names, train: learnt, validation, scored });
    Ok(TokenizedText { tokenizer, material })
}

fn describe(train: &TokenizedPairs, all: usize, limit: usize) -> String {
    let count = train.examples.len();
    let longer = match all - count {
        0 => String::new(),
        longer => format!("; {longer} longer than {limit} tokens were left out"),
    };
    format!(
        "{count} training pairs, {:.1} tokens a side{longer}",
        train.tokens() as f64 / (2 * count.max(1)) as f64
    )
}

/// All pairs of a run as texts.
struct Texts {
    names: Vec<String>,
    train: Vec<TextPair>,
    /// The held-out ones first.
    scored: Vec<NamedPairs>,
}

impl Texts {
    fn read(config: &RunConfig) -> Result<Self, WujiError> {
        let pairs = &config.data.pairs;
        let name = "validation".to_string();
        let mut texts = if pairs.train.is_empty() {
            let held_out = NamedPairs { name, pairs: pairs.dates.validation_pairs() };
            Self {
                names: vec!["embedded dates".to_string()],
                train: pairs.dates.training_pairs(),
                scored: vec![held_out],
            }
        } else {
            let held_out = NamedPairs { name, pairs: read_all(&pairs.validation)? };
            let names = pairs.train.iter().map(PairOptions::name).collect::<Result<_, _>>()?;
            Self { names, train: read_all(&pairs.train)?, scored: vec![held_out] }
        };
        for test in &pairs.test {
            let name = test.name()?;
            if texts.scored.iter().any(|set| set.name == name) {
                let problem = format!("test: two sets of pairs are named {name:?}; expected names");
                return Err(WujiError::config("[data.pairs]", problem));
            }
            texts.scored.push(NamedPairs { name, pairs: test.read()? });
        }
        Ok(texts)
    }
}

fn read_all(options: &[PairOptions]) -> Result<Vec<TextPair>, WujiError> {
    let mut pairs = Vec::new();
    for options in options {
        pairs.extend(options.read()?);
    }
    Ok(pairs)
}
