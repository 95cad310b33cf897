//! The five sections.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use toml::{Table, Value};
use wuji_data::generate::{DatePairs, StoryCorpusConfig};
use wuji_data::objectives::ObjectiveOptions;
use wuji_data::{CorpusOptions, Packing, PairOptions, Sampling, SourceOptions, SplitOptions};
use wuji_evaluation::bleu::BleuTokenizer;
use wuji_inference::TranslatorOptions;
use wuji_model::{ModelConfig, ModelKind};
use wuji_protocol::{GenerateOptions, GenerateRequest};
use wuji_tokenizer::TokenizerTrainerConfig;
use wuji_training::TrainingConfig;

use super::layers::ConfigLayers;
use super::suggest::{nearest, with_suggestion};
use crate::WujiError;

/// The whole description of a pre-training run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunConfig {
    /// What is learnt from.
    pub data: DataConfig,
    /// How text becomes ids.
    pub tokenizer: TokenizerConfig,
    /// The architecture, in the keys of Hugging Face's `config.json`; `vocab_size` follows the
    /// tokenizer.
    pub model: ModelConfig,
    /// What of the text is to be predicted.
    pub objective: ObjectiveOptions,
    /// How it is learnt.
    pub training: TrainingConfig,
    /// What is reported at the end.
    pub evaluation: EvaluationConfig,
}

/// `[data]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// Files to learn from; none means the embedded story world.
    pub sources: Vec<SourceOptions>,
    /// The embedded story world, where there are no sources.
    pub stories: StoryCorpusConfig,
    /// What is held out.
    pub split: SplitOptions,
    /// Tokens per row of a batch.
    pub context_length: usize,
    /// Which windows of the text a batch holds.
    pub sampling: Sampling,
    /// Whether a row may look across documents.
    pub packing: Packing,
    /// Sources and targets, for the objective `sequence-to-sequence`; in place of `sources`,
    /// `stories` and `split`.
    pub pairs: PairsConfig,
}

/// `[data.pairs]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PairsConfig {
    /// Pairs to learn from; none means the embedded dates.
    pub train: Vec<PairOptions>,
    /// Pairs that are held out.
    pub validation: Vec<PairOptions>,
    /// More pairs to be translated and scored at the end.
    pub test: Vec<PairOptions>,
    /// The embedded dates, where there are no pairs to learn from.
    pub dates: DatePairs,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            sources: Vec::new(),
            stories: StoryCorpusConfig::default(),
            split: SplitOptions::ContentHash { validation_fraction: 0.05, seed: 0 },
            context_length: 256,
            sampling: Sampling::default(),
            packing: Packing::default(),
            pairs: PairsConfig::default(),
        }
    }
}

impl DataConfig {
    /// The sources as the data crate takes them.
    pub fn corpus_options(&self) -> CorpusOptions {
        CorpusOptions { sources: self.sources.clone() }
    }
}

/// `[tokenizer]`
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct TokenizerConfig {
    /// A tokenizer to use as it is: a file or directory. Nothing is trained then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// What to train otherwise.
    #[serde(flatten)]
    pub train: TokenizerTrainerConfig,
}

/// `[evaluation]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvaluationConfig {
    /// Highest order of the n-gram baseline, up to 9; 0 leaves the baseline out.
    pub ngram_max_order: usize,
    /// Training tokens the baseline is built from at most, to bound its memory.
    pub ngram_max_tokens: u64,
    /// Rows per batch of an evaluation.
    pub batch_size: usize,
    /// Random batches of nanoGPT's estimate of the validation loss, reported beside the loss over
    /// the whole split; 0 leaves it out.
    pub random_batches: u64,
    /// Whether the text is continued at the end, and how.
    pub samples: SampleConfig,
    /// How targets are searched for at the end, for the objective `sequence-to-sequence`.
    pub translation: TranslationConfig,
}

impl Default for EvaluationConfig {
    fn default() -> Self {
        Self {
            ngram_max_order: 6,
            ngram_max_tokens: 20_000_000,
            batch_size: 16,
            random_batches: 0,
            samples: SampleConfig::default(),
            translation: TranslationConfig::default(),
        }
    }
}

/// `[evaluation.translation]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TranslationConfig {
    /// Translations that are followed at once; 1 is greedy.
    pub num_beams: usize,
    /// A translation's log-probability is divided by its length in tokens to this power.
    pub length_penalty: f32,
    /// Most tokens of a translation.
    pub max_new_tokens: usize,
    /// How BLEU cuts text into words, as sacreBLEU names it: `13a`, `intl`, `zh`, `char`, `none`.
    pub bleu_tokenizer: BleuTokenizer,
    /// Sentences that are shown with their translations, and where the model looked.
    pub examples: usize,
}

impl Default for TranslationConfig {
    fn default() -> Self {
        Self {
            num_beams: 4,
            length_penalty: 1.0,
            max_new_tokens: 128,
            bleu_tokenizer: BleuTokenizer::default(),
            examples: 6,
        }
    }
}

impl TranslationConfig {
    /// The options of the search.
    pub fn options(&self) -> TranslatorOptions {
        TranslatorOptions {
            num_beams: self.num_beams,
            length_penalty: self.length_penalty,
            max_new_tokens: self.max_new_tokens,
            ..TranslatorOptions::default()
        }
    }
}

/// `[evaluation.samples]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SampleConfig {
    /// Texts to continue; an empty one starts from nothing.
    pub prompts: Vec<String>,
    /// Tokens to add at most.
    pub max_new_tokens: usize,
    /// As in `generate`.
    pub temperature: f32,
    /// As in `generate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<usize>,
    /// As in `generate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f32>,
}

impl Default for SampleConfig {
    fn default() -> Self {
        Self {
            prompts: vec![String::new()],
            max_new_tokens: 200,
            temperature: 0.8,
            top_k: None,
            top_p: Some(0.95),
        }
    }
}

impl SampleConfig {
    /// The generation options.
    pub fn options(&self, seed: u64) -> GenerateOptions {
        GenerateOptions {
            max_new_tokens: self.max_new_tokens,
            temperature: self.temperature,
            top_k: self.top_k,
            top_p: self.top_p,
            seed,
            ..GenerateOptions::default()
        }
    }
}

impl RunConfig {
    /// Resolves layers to a config and checks every value.
    ///
    /// # Errors
    /// [`WujiError::Config`] naming section and key, with a suggestion for a misspelt one.
    pub fn resolve(layers: &ConfigLayers) -> Result<Self, WujiError> {
        Self::from_table(layers.merge()?, &layers.origin())
    }

    /// Reads the `config.toml` of a run directory.
    ///
    /// # Errors
    /// As [`RunConfig::resolve`], or the file cannot be read.
    pub fn load(path: &Path) -> Result<Self, WujiError> {
        Self::resolve(&ConfigLayers { file: Some(path.into()), ..ConfigLayers::default() })
    }

    fn from_table(mut table: Table, origin: &str) -> Result<Self, WujiError> {
        let sections = ["data", "tokenizer", "model", "objective", "training", "evaluation"];
        if let Some(unknown) = table.keys().find(|key| !sections.contains(&key.as_str())) {
            let hint = nearest(unknown, sections)
                .map(|near| format!("; did you mean [{near}]?"))
                .unwrap_or_default();
            let problem = format!(
                "unknown section [{unknown}]: expected [data], [tokenizer], [model], [objective], \
                 [training] or [evaluation]{hint}"
            );
            return Err(WujiError::config(origin, problem));
        }
        let config = Self {
            data: section(&mut table, "data", origin)?,
            tokenizer: tokenizer_section(&mut table, origin)?,
            model: model_section(&mut table, origin)?,
            objective: section(&mut table, "objective", origin)?,
            training: section(&mut table, "training", origin)?,
            evaluation: section(&mut table, "evaluation", origin)?,
        };
        config.validate()?;
        Ok(config)
    }

    fn validate(&self) -> Result<(), WujiError> {
        self.training.validate()?;
        let limit = self.model.max_position_embeddings();
        let length = self.data.context_length;
        if length == 0 || length > limit {
            let problem = format!(
                "data.context_length = {length}: expected between 1 and the model's {limit} positions"
            );
            return Err(WujiError::config("config", problem));
        }
        let order = self.evaluation.ngram_max_order;
        if order > wuji_classical::MAX_ORDER {
            let problem = format!(
                "evaluation.ngram_max_order = {order}: expected at most {}",
                wuji_classical::MAX_ORDER
            );
            return Err(WujiError::config("config", problem));
        }
        if self.evaluation.batch_size == 0 {
            return Err(WujiError::config(
                "config",
                "evaluation.batch_size = 0: expected at least 1",
            ));
        }
        self.model.validate()?;
        self.check_objective()?;
        self.check_pairs()?;
        // Wrong sampling options would otherwise be found out only after training.
        let samples = GenerateRequest::new("").with_options(self.evaluation.samples.options(0));
        samples
            .validate()
            .map_err(|error| WujiError::config("[evaluation.samples]", error.to_string()))?;
        Ok(())
    }

    /// Refuses an objective that the model has no outputs for.
    fn check_objective(&self) -> Result<(), WujiError> {
        use ObjectiveOptions as O;
        let kind = self.model.kind();
        let (fits, expected) = match kind {
            ModelKind::CausalLm => (
                matches!(
                    self.objective,
                    O::CausalLm(_) | O::FillInTheMiddle(_) | O::PrefixLm(_) | O::BlankInfilling(_)
                ),
                "causal-lm, fill-in-the-middle, prefix-lm or blank-infilling",
            ),
            ModelKind::Recurrent | ModelKind::FeedForward => (
                matches!(self.objective, O::CausalLm(_) | O::FillInTheMiddle(_)),
                "causal-lm or fill-in-the-middle",
            ),
            ModelKind::Encoder => (matches!(self.objective, O::MaskedLm(_)), "masked-lm"),
            ModelKind::EncoderDecoder | ModelKind::RecurrentEncoderDecoder => (
                matches!(
                    self.objective,
                    O::SpanCorruption(_) | O::IidDenoising(_) | O::SequenceToSequence(_)
                ),
                "sequence-to-sequence, span-corruption or iid-denoising",
            ),
        };
        if !fits {
            let problem = format!(
                "kind = {:?}: expected {expected} for model_type {:?}",
                self.objective.kind(),
                self.model.model_type()
            );
            return Err(WujiError::config("[objective]", problem));
        }
        let is_blank_infilling = matches!(self.objective, O::BlankInfilling(_));
        if (self.model.model_type() == "glm_original") != is_blank_infilling {
            let problem = format!(
                "kind = {:?} with model_type {:?}: blank-infilling and glm_original go together, \
                 since the one needs the other's two positions",
                self.objective.kind(),
                self.model.model_type()
            );
            return Err(WujiError::config("[objective]", problem));
        }
        if kind == ModelKind::Encoder && !self.model.family().encoder_heads()?.masked_lm {
            let problem = "architectures: expected the family's class ForMaskedLM or \
                           ForPreTraining, which predict masked tokens";
            return Err(WujiError::config("[model]", problem));
        }
        super::sentence_pairs::check(self)?;
        if self.training.activation_checkpointing {
            let is_plain = kind.is_transformer() && self.model.architecture()?.experts.is_none();
            if !is_plain || !matches!(self.objective, O::CausalLm(_) | O::FillInTheMiddle(_)) {
                let problem = "activation_checkpointing = true: expected false but for next-token \
                               prediction by transformers without experts";
                return Err(WujiError::config("[training]", problem));
            }
        }
        let sampling_is_plain = self.data.packing == Packing::default();
        if !sampling_is_plain && !matches!(self.objective, O::CausalLm(_) | O::MaskedLm(_)) {
            let problem = format!(
                "packing: expected the default with the objective {}, which moves tokens",
                self.objective.kind()
            );
            return Err(WujiError::config("[data]", problem));
        }
        Ok(())
    }

    /// Whether a run learns from pairs of texts rather than from running text.
    pub fn has_pairs(&self) -> bool {
        matches!(self.objective, ObjectiveOptions::SequenceToSequence(_))
    }

    /// Refuses pairs without a use, and half of what is needed of them.
    fn check_pairs(&self) -> Result<(), WujiError> {
        let PairsConfig { train, validation, test, .. } = &self.data.pairs;
        if !self.has_pairs() {
            if train.is_empty() && validation.is_empty() && test.is_empty() {
                return Ok(());
            }
            let kind = self.objective.kind();
            let problem = format!("objective.kind = {kind:?}: expected \"sequence-to-sequence\"");
            return Err(WujiError::config("[data.pairs]", problem));
        }
        if !self.data.sources.is_empty() {
            let problem = "sources: expected none, but [data.pairs], for sequence-to-sequence";
            return Err(WujiError::config("[data]", problem));
        }
        if train.is_empty() != validation.is_empty() {
            let missing = if train.is_empty() { "train" } else { "validation" };
            let problem = format!("{missing}: expected some pairs beside those of the other side");
            return Err(WujiError::config("[data.pairs]", problem));
        }
        if self.evaluation.translation.num_beams == 0 {
            let problem = "num_beams = 0: expected at least 1";
            return Err(WujiError::config("[evaluation.translation]", problem));
        }
        Ok(())
    }

    /// The config as TOML, complete enough to be resolved again to the same.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("sections hold only what TOML can say")
    }
}

fn section<T: DeserializeOwned + Default>(
    table: &mut Table,
    name: &str,
    origin: &str,
) -> Result<T, WujiError> {
    match table.remove(name) {
        None => Ok(T::default()),
        Some(value) => read(value, name, origin),
    }
}

fn read<T: DeserializeOwned>(value: Value, name: &str, origin: &str) -> Result<T, WujiError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let key = if path == "." { String::new() } else { format!("{path}: ") };
        let problem = with_suggestion(error.into_inner().message());
        WujiError::config(format!("{origin}: [{name}]"), format!("{key}{problem}"))
    })
}

/// `path` stands beside the keys of what would be trained.
fn tokenizer_section(table: &mut Table, origin: &str) -> Result<TokenizerConfig, WujiError> {
    let Some(Value::Table(mut keys)) = table.remove("tokenizer") else {
        return Ok(TokenizerConfig::default());
    };
    let path = match keys.remove("path") {
        None => None,
        Some(Value::String(path)) => Some(PathBuf::from(path)),
        Some(other) => {
            let problem = format!("path = {other}: expected a string");
            return Err(WujiError::config(format!("{origin}: [tokenizer]"), problem));
        }
    };
    Ok(TokenizerConfig { path, train: read(Value::Table(keys), "tokenizer", origin)? })
}

/// Keys that are legitimate in a `config.json` although no family's struct has a field for them.
const EXTRA_MODEL_KEYS: [&str; 13] = [
    "partial_rotary_factor",
    "rotary_pct",
    "rotary_emb_base",
    "num_labels",
    "id2label",
    "label2id",
    "rope_theta",
    "rope_scaling",
    "rope_parameters",
    "bos_token_id",
    "eos_token_id",
    "pad_token_id",
    "architectures",
];

fn model_section(table: &mut Table, origin: &str) -> Result<ModelConfig, WujiError> {
    let origin = format!("{origin}: [model]");
    let value = table.remove("model").unwrap_or(Value::Table(Table::new()));
    let json = serde_json::to_value(value)
        .map_err(|error| WujiError::config(&origin, error.to_string()))?;
    let serde_json::Value::Object(mut keys) = json else {
        return Err(WujiError::config(&origin, "expected a section"));
    };
    keys.entry("model_type").or_insert_with(|| "gpt2".into());
    let config = ModelConfig::from_keys(keys, &origin)?;
    let known = known_model_keys(&config);
    let known = || known.iter().map(String::as_str).chain(EXTRA_MODEL_KEYS);
    for key in config.extra().keys() {
        if !known().any(|name| name == key) {
            let hint = nearest(key, known())
                .map(|near| format!("; did you mean `{near}`?"))
                .unwrap_or_default();
            let problem = format!("unknown field `{key}` for {}{hint}", config.model_type());
            return Err(WujiError::config(origin, problem));
        }
    }
    Ok(config)
}

/// The field names of the family that `config` belongs to.
fn known_model_keys(config: &ModelConfig) -> Vec<String> {
    let keys = serde_json::json!({ "model_type": config.model_type() });
    let serde_json::Value::Object(keys) = keys else { return Vec::new() };
    let default = ModelConfig::from_keys(keys, "defaults").ok();
    let value = default.and_then(|default| serde_json::to_value(default).ok());
    let mut names: Vec<String> = match value {
        Some(serde_json::Value::Object(fields)) => fields.keys().cloned().collect(),
        _ => Vec::new(),
    };
    // Left out of a file at its default, so not in the list above.
    names.extend(["dropout", "max_window_layers", "scale_decoder_outputs"].map(str::to_string));
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PRESETS;

    #[test]
    fn every_preset_resolves_and_survives_its_own_toml() {
        for preset in PRESETS {
            let config = RunConfig::resolve(&ConfigLayers::preset(preset.name)).unwrap();
            let text = config.to_toml();
            let again = RunConfig::from_table(text.parse().unwrap(), "again").unwrap();
            assert_eq!(config, again, "{}", preset.name);
        }
    }

    fn problem(option: &str) -> String {
        let layers = ConfigLayers::preset("tiny").with(option);
        RunConfig::resolve(&layers).unwrap_err().to_string()
    }

    #[test]
    fn misspelt_keys_are_named_with_the_nearest() {
        for (option, expected) in [
            ("training.lerning_rate=1", "did you mean `learning_rate`?"),
            ("model.n_layr=1", "did you mean `n_layer`?"),
            ("tokenizer.vocabsize=1", "did you mean `vocab_size`?"),
            ("trainin.seed=1", "did you mean [training]?"),
            ("data.split.kind=posision", "did you mean `position`?"),
        ] {
            let message = problem(option);
            assert!(message.contains(expected), "{option}: {message}");
        }
    }

    #[test]
    fn impossible_values_are_refused_with_what_was_expected() {
        for (option, expected) in [
            (
                "training.learning_rate=nan",
                "training.learning_rate = NaN: expected a positive number",
            ),
            ("data.context_length=100000", "expected between 1 and the model's"),
            ("evaluation.ngram_max_order=12", "expected at most 9"),
            ("model.n_head=7", "n_head = 7: expected a divisor of n_embd"),
        ] {
            let message = problem(option);
            assert!(message.contains(expected), "{option}: {message}");
        }
    }
}
