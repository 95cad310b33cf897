//! A task as a file: which data, what is asked of a model, and how answers are judged.
//!
//! Templates and expressions are those of minijinja, with the columns of a record as variables, so
//! that prompts read like those of lm-evaluation-harness.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use wuji_data::RecordSource;

use super::extraction::Extraction;
use super::floor::FloorKind;
use super::metric::Metric;

/// A task. Changing what it asks or how it judges changes its version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskFile {
    /// Short name, that of the file.
    pub id: String,
    /// Rises with every change that changes scores.
    pub version: u32,
    /// Name for people.
    pub title: String,
    /// Languages, as ISO 639 codes.
    pub language: Vec<String>,
    /// Where prompt and judgement come from, and where they differ from that.
    pub about: String,
    /// The records.
    pub data: TaskData,
    /// Examples before the question.
    #[serde(default)]
    pub few_shot: FewShot,
    /// What is asked.
    pub request: RequestSpec,
    /// How answers are judged; the first is the one that is named first everywhere.
    pub metrics: Vec<Metric>,
    /// A template: documents with the same result are reported together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<String>,
    /// A template: documents with the same result depend on each other, as questions about one
    /// text, and are resampled together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// What the model is compared with.
    #[serde(default)]
    pub floors: Vec<FloorKind>,
}

/// The records of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskData {
    /// The data set, by its name in the catalogue.
    pub set: String,
    /// What is scored.
    pub test: RecordSource,
    /// What examples are taken from and floors learn from; never scored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train: Option<RecordSource>,
    /// An expression: test records for which it is false are left out. `index` is the number of the
    /// record in its file, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_only: Option<String>,
    /// The same for training records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_only: Option<String>,
}

/// Examples before the question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FewShot {
    /// How many, unless somebody says otherwise.
    pub count: usize,
    /// How they are chosen from the training records.
    pub choice: FewShotChoice,
    /// A template before the examples, with the columns of the question.
    pub description: String,
    /// What stands between examples.
    pub separator: String,
}

impl Default for FewShot {
    fn default() -> Self {
        Self {
            count: 0,
            choice: FewShotChoice::default(),
            description: String::new(),
            separator: "\n\n".to_owned(),
        }
    }
}

/// How examples are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FewShotChoice {
    /// The first of the training records in the question's slice.
    #[default]
    First,
    /// Drawn for each question, by the seed of the run.
    Drawn,
}

/// What is asked about a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum RequestSpec {
    /// Which of several continuations is likeliest.
    Choice {
        /// A template: what comes before.
        #[serde(default)]
        prompt: String,
        /// An expression: a list of texts.
        choices: String,
        /// An expression: the position of the right one, the right one itself, or a list of
        /// positions where several are right.
        answer: String,
        /// What stands between prompt and choice.
        #[serde(default = "space")]
        delimiter: String,
    },
    /// After which of several contexts a continuation is likeliest (WinoGrande).
    Context {
        /// An expression: a list of texts.
        contexts: String,
        /// A template.
        continuation: String,
        /// As for a choice.
        answer: String,
    },
    /// How likely a whole text is.
    Rolling {
        /// A template.
        text: String,
        /// What the text was made from, to count words of, where that is something else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        words_of: Option<String>,
    },
    /// Greedy generation.
    Generation {
        /// A template.
        prompt: String,
        /// An expression: the right answer, or a list of right answers.
        references: String,
        /// A template: the answer in an example, where it is more than the first reference.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        example: Option<String>,
        /// A template: the source text, which floors copy from.
        #[serde(default)]
        source: String,
        /// Tokens at most.
        max_new_tokens: usize,
        /// Strings that end the answer.
        #[serde(default)]
        stop: Vec<String>,
        /// How the answer is found in what was generated; all of it where there are none.
        #[serde(default)]
        extraction: Vec<Extraction>,
        /// Language for metrics that cut texts into words.
        #[serde(default)]
        words: Words,
        /// What stands between prompt and answer in examples.
        #[serde(default = "space")]
        delimiter: String,
    },
    /// One of a fixed set of labels.
    Classification {
        /// A template: the text, for classifiers.
        text: String,
        /// An expression: the label.
        label: String,
        /// All labels, in the order of their numbers.
        labels: Labels,
        /// A template: the question for a language model; it answers with a label's words.
        prompt: String,
        /// Words of each label, in the order of the labels; the labels themselves where absent.
        #[serde(default)]
        words: Vec<String>,
        /// What stands between prompt and words.
        #[serde(default = "space")]
        delimiter: String,
    },
    /// A tag for every token.
    Tagging {
        /// An expression: a list of tokens.
        tokens: String,
        /// An expression: a list of tags.
        tags: String,
    },
    /// An order of candidates.
    Ranking {
        /// A template.
        query: String,
        /// An expression: a list of texts.
        candidates: String,
        /// An expression: how relevant each is, 0 for not at all.
        relevance: String,
    },
}

fn space() -> String {
    " ".to_owned()
}

/// The labels of a classification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Labels {
    /// These.
    Listed(Vec<String>),
    /// Those of the training records, sorted.
    Found(Found),
}

/// Says that labels are those of the training records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Found {
    /// Those of the training records, sorted.
    Train,
}

/// How texts are cut into words where a metric counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Words {
    /// As in languages that write spaces.
    #[default]
    Spaced,
    /// Chinese: each character of it is a word.
    Chinese,
}

impl TaskFile {
    /// Files that the task reads, below a data root.
    pub fn files(&self) -> Vec<PathBuf> {
        let train = self.data.train.iter().flat_map(RecordSource::paths);
        self.data.test.paths().chain(train).map(std::path::Path::to_path_buf).collect()
    }
}
