//! What the reference consists of: sections, the structs behind them, and where their comments are.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wuji_data::generate::{DatePairs, StoryCorpusConfig};
use wuji_data::objectives::{
    BlankInfillingOptions, FillInTheMiddleOptions, IidDenoisingOptions, MaskingOptions,
    ObjectiveOptions, PairTask, SentencePairOptions, SpanCorruptionOptions,
};
use wuji_data::{
    DocumentMode, FileFormat, InvalidUtf8, Packing, PairOptions, Sampling, SourceOptions,
};
use wuji_evaluation::bleu::BleuTokenizer;
use wuji_model::Activation;
use wuji_model::families::{
    BertConfig, DistilBertConfig, GlmOriginalConfig, Gpt2Config, GptNeoXConfig, LlamaConfig,
    MarianConfig, MistralConfig, MixtralConfig, Qwen2MoeConfig, QwenConfig, QwenMoeConfig,
    RobertaConfig, T5Config,
};
use wuji_model::recurrent::{FeedForwardConfig, RecurrentLmConfig, Seq2SeqConfig};
use wuji_tokenizer::{SplitPattern, TieBreak, TokenizerKind};
use wuji_training::{NonFinitePolicy, OptimizerKind, Schedule, TrainingConfig, WarmupRule};

use super::source::{self, Field, Variant};
use crate::config::{
    DataConfig, EvaluationConfig, PairsConfig, SampleConfig, TokenizerConfig, TranslationConfig,
};

const SECTIONS: &str = include_str!("../sections.rs");
const SOURCE_OPTIONS: &str = include_str!("../../../../data/src/source/options.rs");
const SPLIT: &str = include_str!("../../../../data/src/split.rs");
const STORIES: &str = include_str!("../../../../data/src/generate/corpus.rs");
const SAMPLING: &str = include_str!("../../../../data/src/loader/sampling.rs");
const PACKING: &str = include_str!("../../../../data/src/loader/packing.rs");
const TOKENIZER: &str = include_str!("../../../../tokenizer/src/train/config.rs");
const KIND: &str = include_str!("../../../../tokenizer/src/kind.rs");
const PATTERN: &str = include_str!("../../../../tokenizer/src/split_pattern.rs");
const GPT2: &str = include_str!("../../../../model/src/families/gpt2.rs");
const LLAMA: &str = include_str!("../../../../model/src/families/llama.rs");
const GPT_NEOX: &str = include_str!("../../../../model/src/families/gpt_neox.rs");
const MISTRAL: &str = include_str!("../../../../model/src/families/mistral.rs");
const MIXTRAL: &str = include_str!("../../../../model/src/families/mixtral.rs");
const QWEN: &str = include_str!("../../../../model/src/families/qwen.rs");
const QWEN_MOE: &str = include_str!("../../../../model/src/families/qwen_moe.rs");
const GLM_ORIGINAL: &str = include_str!("../../../../model/src/families/glm_original.rs");
const BERT: &str = include_str!("../../../../model/src/families/bert.rs");
const DISTILBERT: &str = include_str!("../../../../model/src/families/distilbert.rs");
const T5: &str = include_str!("../../../../model/src/families/t5.rs");
const MARIAN: &str = include_str!("../../../../model/src/families/marian.rs");
const RNN: &str = include_str!("../../../../model/src/recurrent/language_model.rs");
const MLP: &str = include_str!("../../../../model/src/recurrent/feed_forward.rs");
const RNN_SEQ2SEQ: &str = include_str!("../../../../model/src/recurrent/seq2seq_config.rs");
const PAIRS: &str = include_str!("../../../../data/src/pairs.rs");
const DATES: &str = include_str!("../../../../data/src/generate/dates.rs");
const BLEU_TOKENIZER: &str = include_str!("../../../../evaluation/src/bleu/tokenizer.rs");
const OBJECTIVE: &str = include_str!("../../../../data/src/objectives/options.rs");
const MASKING: &str = include_str!("../../../../data/src/objectives/masking.rs");
const SENTENCE_PAIRS: &str = include_str!("../../../../data/src/objectives/sentence_pairs.rs");
const SPAN_CORRUPTION: &str = include_str!("../../../../data/src/objectives/span_corruption.rs");
const BLANK_INFILLING: &str = include_str!("../../../../data/src/objectives/blank_infilling.rs");
const FIM: &str = include_str!("../../../../data/src/objectives/fim.rs");
const ARCHITECTURE: &str = include_str!("../../../../model/src/architecture.rs");
const TRAINING: &str = include_str!("../../../../training/src/config.rs");
const SCHEDULE: &str = include_str!("../../../../training/src/schedule.rs");

/// A section of the file.
pub(super) struct Section {
    pub heading: &'static str,
    pub text: &'static str,
    pub tables: Vec<Table>,
    pub choices: Vec<Choice>,
}

/// The keys of one struct, or of several that serde flattens into one.
pub(super) struct Table {
    pub title: Option<&'static str>,
    #[cfg_attr(not(test), expect(dead_code, reason = "the tests name it"))]
    pub structure: &'static str,
    sources: Vec<(&'static str, &'static str)>,
    pub defaults: Value,
}

impl Table {
    fn new<T: Serialize + Default>(source: &'static str, structure: &'static str) -> Self {
        let defaults = serde_json::to_value(T::default());
        Self {
            title: None,
            structure,
            sources: vec![(source, structure)],
            defaults: defaults.expect("config structs are maps with string keys"),
        }
    }

    fn titled(self, title: &'static str) -> Self {
        Self { title: Some(title), ..self }
    }

    /// Adds the keys of a flattened struct.
    fn with(mut self, source: &'static str, structure: &'static str) -> Self {
        self.sources.push((source, structure));
        self
    }

    /// Leaves out the keys of flattened structs, which another table has.
    fn without_flattened(mut self) -> Self {
        let own: Vec<String> = self.fields().into_iter().map(|field| field.name).collect();
        if let Value::Object(defaults) = &mut self.defaults {
            defaults.retain(|key, _| own.contains(key));
        }
        self
    }

    pub(super) fn fields(&self) -> Vec<Field> {
        let all = self.sources.iter().flat_map(|(text, name)| source::fields(text, name));
        all.filter(|field| !field.attributes.contains("flatten")).collect()
    }
}

/// The values of a key that is one of a few.
pub(super) struct Choice {
    pub title: &'static str,
    pub name: &'static str,
    source: &'static str,
    /// Whether the choice is a table with a key `kind`.
    pub tagged: bool,
    /// Whether a value under this name can be read.
    #[cfg_attr(not(test), expect(dead_code, reason = "the tests ask it"))]
    pub reads: fn(&str) -> bool,
}

impl Choice {
    fn new<T: DeserializeOwned>(
        title: &'static str,
        source: &'static str,
        name: &'static str,
    ) -> Self {
        let reads = |name: &str| serde_json::from_value::<T>(Value::from(name)).is_ok();
        Self { title, name, source, tagged: false, reads }
    }

    pub(super) fn variants(&self) -> Vec<Variant> {
        source::variants(self.source, self.name)
    }
}

/// All sections, in the order of a file.
pub(super) fn all() -> Vec<Section> {
    vec![data(), tokenizer(), model(), objective(), training(), evaluation()]
}

fn data() -> Section {
    Section {
        heading: "`[data]`",
        text: "What is learnt from, what is held out, and what a batch looks like. [The data page](data.md) explains \
               the choices.",
        tables: vec![
            Table::new::<DataConfig>(SECTIONS, "DataConfig"),
            Table::new::<SourceOptions>(SOURCE_OPTIONS, "SourceOptions")
                .titled("`[[data.sources]]`, one per source"),
            Table::new::<StoryCorpusConfig>(STORIES, "StoryCorpusConfig")
                .titled("`[data.stories]`"),
            Table::new::<PairsConfig>(SECTIONS, "PairsConfig").titled("`[data.pairs]`"),
            Table::new::<PairOptions>(PAIRS, "PairOptions").titled(
                "`[[data.pairs.train]]`, `[[data.pairs.validation]]` and `[[data.pairs.test]]`, whose \
                 `source` and `target` have the keys of `[[data.sources]]`",
            ),
            Table::new::<DatePairs>(DATES, "DatePairs").titled("`[data.pairs.dates]`"),
        ],
        choices: vec![
            Choice {
                tagged: true,
                ..Choice::new::<wuji_data::SplitOptions>("`[data.split]`", SPLIT, "SplitOptions")
            },
            Choice::new::<Sampling>("`data.sampling`", SAMPLING, "Sampling"),
            Choice::new::<Packing>("`data.packing`", PACKING, "Packing"),
            Choice::new::<FileFormat>("`data.sources.format`", SOURCE_OPTIONS, "FileFormat"),
            Choice::new::<DocumentMode>("`data.sources.documents`", SOURCE_OPTIONS, "DocumentMode"),
            Choice::new::<InvalidUtf8>(
                "`data.sources.invalid_utf8`",
                SOURCE_OPTIONS,
                "InvalidUtf8",
            ),
            Choice::new::<wuji_data::generate::CorpusSize>(
                "`data.stories.size`",
                STORIES,
                "CorpusSize",
            ),
        ],
    }
}

fn tokenizer() -> Section {
    Section {
        heading: "`[tokenizer]`",
        text: "How text becomes ids. The tokenizer is trained on the training side of the text, unless `path` names one.",
        tables: vec![
            Table::new::<TokenizerConfig>(SECTIONS, "TokenizerConfig")
                .with(TOKENIZER, "TokenizerTrainerConfig"),
        ],
        choices: vec![
            Choice::new::<TokenizerKind>("`tokenizer.kind`", KIND, "TokenizerKind"),
            Choice::new::<SplitPattern>("`tokenizer.pattern`", PATTERN, "SplitPattern"),
            Choice::new::<TieBreak>("`tokenizer.tie_break`", TOKENIZER, "TieBreak"),
        ],
    }
}

fn model() -> Section {
    Section {
        heading: "`[model]`",
        text: "The architecture, in the keys of Hugging Face's `config.json`. `model_type` says the family, `\"gpt2\"` \
               where it is absent. `vocab_size` is set to that of the tokenizer. `data.context_length` may not exceed \
               the positions (`n_positions`, `max_position_embeddings`). Encoders need `architectures`, the class whose \
               heads they have: `[\"BertForMaskedLM\"]`.\n\n\
               The defaults are those of the families' first members, far too large for a small machine; presets set \
               the sizes. Where positions are rotary, they are set by `rope_parameters`, for instance \
               `{ rope_theta = 500000.0, rope_type = \"llama3\", factor = 8.0, low_freq_factor = 1.0, \
               high_freq_factor = 4.0, original_max_position_embeddings = 8192 }`; `rope_type` is `\"default\"`, \
               `\"linear\"`, `\"llama3\"` or `\"yarn\"`, `partial_rotary_factor` is the part of a head that turns, and \
               `rope_theta` beside `rope_scaling`, the older spelling, is read too.",
        tables: decoders().into_iter().chain(other_families()).collect(),
        choices: vec![Choice::new::<Activation>(
            "`model.activation_function`, `model.hidden_act`, `model.activation`",
            ARCHITECTURE,
            "Activation",
        )],
    }
}

fn decoders() -> Vec<Table> {
    vec![
        Table::new::<Gpt2Config>(GPT2, "Gpt2Config").titled("`model_type = \"gpt2\"`"),
        Table::new::<GptNeoXConfig>(GPT_NEOX, "GptNeoXConfig")
            .titled("`model_type = \"gpt_neox\"`"),
        Table::new::<LlamaConfig>(LLAMA, "LlamaConfig")
            .titled("`model_type = \"llama\"`, `\"glm\"` and `\"glm4\"`"),
        Table::new::<MistralConfig>(MISTRAL, "MistralConfig")
            .without_flattened()
            .titled("`model_type = \"mistral\"`, beside Llama's keys"),
        Table::new::<MixtralConfig>(MIXTRAL, "MixtralConfig")
            .without_flattened()
            .titled("`model_type = \"mixtral\"`, beside Llama's keys"),
        Table::new::<QwenConfig>(QWEN, "QwenConfig")
            .without_flattened()
            .titled("`model_type = \"qwen2\"` and `\"qwen3\"`, beside Llama's keys"),
        Table::new::<QwenMoeConfig>(QWEN_MOE, "QwenMoeConfig")
            .without_flattened()
            .titled("`model_type = \"qwen2_moe\"` and `\"qwen3_moe\"`, beside the keys of Qwen"),
        Table::new::<Qwen2MoeConfig>(QWEN_MOE, "Qwen2MoeConfig")
            .without_flattened()
            .titled("`model_type = \"qwen2_moe\"`, beside these"),
        Table::new::<GlmOriginalConfig>(GLM_ORIGINAL, "GlmOriginalConfig")
            .titled("`model_type = \"glm_original\"`"),
    ]
}

fn other_families() -> Vec<Table> {
    vec![
        Table::new::<BertConfig>(BERT, "BertConfig").titled("`model_type = \"bert\"`"),
        Table::new::<RobertaConfig>(BERT, "RobertaConfig")
            .without_flattened()
            .titled("`model_type = \"roberta\"`, beside BERT's keys"),
        Table::new::<DistilBertConfig>(DISTILBERT, "DistilBertConfig")
            .titled("`model_type = \"distilbert\"`"),
        Table::new::<T5Config>(T5, "T5Config").titled("`model_type = \"t5\"`"),
        Table::new::<MarianConfig>(MARIAN, "MarianConfig").titled("`model_type = \"marian\"`"),
        Table::new::<RecurrentLmConfig>(RNN, "RecurrentLmConfig")
            .titled("`model_type = \"wuji_rnn\"`"),
        Table::new::<FeedForwardConfig>(MLP, "FeedForwardConfig")
            .titled("`model_type = \"wuji_mlp\"`"),
        Table::new::<Seq2SeqConfig>(RNN_SEQ2SEQ, "Seq2SeqConfig")
            .titled("`model_type = \"wuji_rnn_seq2seq\"`"),
    ]
}

fn objective() -> Section {
    Section {
        heading: "`[objective]`",
        text: "What of the text is to be predicted: `kind` and the keys of that kind. [The page about \
               objectives](objectives.md) shows each. `causal-lm`, where the section is absent, and `prefix-lm` have \
               no keys.",
        tables: vec![
            Table::new::<MaskingOptions>(MASKING, "MaskingOptions")
                .titled("`kind = \"masked-lm\"`"),
            Table::new::<SentencePairOptions>(SENTENCE_PAIRS, "SentencePairOptions")
                .titled("`[objective.sentence_pairs]`, with `kind = \"masked-lm\"`"),
            Table::new::<SpanCorruptionOptions>(SPAN_CORRUPTION, "SpanCorruptionOptions")
                .titled("`kind = \"span-corruption\"`"),
            Table::new::<IidDenoisingOptions>(SPAN_CORRUPTION, "IidDenoisingOptions")
                .titled("`kind = \"iid-denoising\"`"),
            Table::new::<BlankInfillingOptions>(BLANK_INFILLING, "BlankInfillingOptions")
                .titled("`kind = \"blank-infilling\"`"),
            Table::new::<FillInTheMiddleOptions>(FIM, "FillInTheMiddleOptions")
                .titled("`kind = \"fill-in-the-middle\"`"),
        ],
        choices: vec![
            Choice {
                tagged: true,
                ..Choice::new::<ObjectiveOptions>("`[objective]`", OBJECTIVE, "ObjectiveOptions")
            },
            Choice::new::<PairTask>("`objective.sentence_pairs.task`", SENTENCE_PAIRS, "PairTask"),
        ],
    }
}

fn training() -> Section {
    Section {
        heading: "`[training]`",
        text: "How it is learnt. [The training page](training.md) says which of these matter when.",
        tables: vec![Table::new::<TrainingConfig>(TRAINING, "TrainingConfig")],
        choices: vec![
            Choice::new::<OptimizerKind>("`training.optimizer`", TRAINING, "OptimizerKind"),
            Choice::new::<Schedule>("`training.schedule`", SCHEDULE, "Schedule"),
            Choice::new::<WarmupRule>("`training.warmup_rule`", TRAINING, "WarmupRule"),
            Choice::new::<NonFinitePolicy>("`training.on_non_finite`", TRAINING, "NonFinitePolicy"),
        ],
    }
}

fn evaluation() -> Section {
    Section {
        heading: "`[evaluation]`",
        text: "What is reported at the end. The validation loss is always over the whole validation split.",
        tables: vec![
            Table::new::<EvaluationConfig>(SECTIONS, "EvaluationConfig"),
            Table::new::<SampleConfig>(SECTIONS, "SampleConfig").titled("`[evaluation.samples]`"),
            Table::new::<TranslationConfig>(SECTIONS, "TranslationConfig")
                .titled("`[evaluation.translation]`"),
        ],
        choices: vec![Choice::new::<BleuTokenizer>(
            "`evaluation.translation.bleu_tokenizer`",
            BLEU_TOKENIZER,
            "BleuTokenizer",
        )],
    }
}
