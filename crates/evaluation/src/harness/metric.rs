//! The metrics of a task: what each makes of one answer, and of many.
//!
//! A metric first turns every document into a short row of numbers, and then any set of rows into a
//! figure. So intervals, slices and paired comparisons need no second look at the answers, and runs
//! can be compared from what they saved.

use serde::{Deserialize, Serialize};

use super::request::{Answer, Gold, Item, Request};
use super::rows;
use super::task::Words;
use crate::error::{EvaluationError, Result};

/// How answers are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The share of right choices, the likeliest option being chosen; lm-evaluation-harness's `acc`.
    Acc,
    /// The same with likelihoods divided by the characters of the option; its `acc_norm`.
    AccNorm,
    /// The share of questions whose likeliest option is right, where several are (TruthfulQA's MC1
    /// with the first right option alone).
    Mc1,
    /// The probability of all right options together (TruthfulQA's MC2).
    Mc2,
    /// The share of pairs whose first text is likelier (CrowS-Pairs): 0.5 is fair.
    Preference,
    /// Negative logarithm of the probability of the right option, in nats.
    LogLoss,
    /// Expected calibration error over ten bins of confidence.
    Ece,
    /// Mean over classes of F1.
    MacroF1,
    /// The same weighted by how often classes occur.
    WeightedF1,
    /// Mean over classes of recall.
    BalancedAccuracy,
    /// Matthews' correlation coefficient.
    Mcc,
    /// The share of answers that are a reference, after SQuAD's normalisation.
    ExactMatch,
    /// The same for answers that are numbers: without commas, currency and a last point.
    NumberMatch,
    /// F1 of the words of answer and nearest reference, after SQuAD's normalisation; characters in
    /// Chinese.
    TokenF1,
    /// BLEU of the corpus, in percent.
    Bleu,
    /// chrF of the corpus, in percent.
    Chrf,
    /// F1 of single words.
    Rouge1,
    /// F1 of pairs of words.
    Rouge2,
    /// F1 of the longest common subsequence of words.
    RougeL,
    /// Perplexity of a word of the original text.
    WordPerplexity,
    /// Perplexity of a byte of the original text.
    BytePerplexity,
    /// Bits for a byte of the original text.
    BitsPerByte,
    /// F1 of whole entities over all types (seqeval's micro average).
    EntityF1,
    /// The share of right tags.
    TokenAccuracy,
    /// Normalised discounted cumulative gain of the first ten.
    #[serde(rename = "ndcg@10")]
    Ndcg10,
    /// Mean reciprocal rank of the first relevant candidate.
    Mrr,
    /// The share of relevant candidates among the first ten.
    #[serde(rename = "recall@10")]
    Recall10,
}

/// How rows become a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aggregate {
    /// The mean of single numbers.
    Mean,
    /// `exp(-a / b)` of sums.
    Perplexity,
    /// `-a / b / ln 2` of sums.
    Bits,
    /// A figure of pairs (true, predicted) of classes.
    Classes(ClassFigure),
    /// Mean gap of confidence and share of right answers, of pairs (confidence, right).
    Calibration,
    /// `2 a / (b + c)` of sums.
    F1,
    /// BLEU of sums.
    Bleu,
    /// chrF of sums.
    Chrf,
}

/// A figure of how often each class occurs, is predicted, and is predicted rightly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClassFigure {
    MacroF1,
    WeightedF1,
    BalancedAccuracy,
    Matthews,
}

impl Metric {
    /// Its name in task files and results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Acc => "acc",
            Self::AccNorm => "acc_norm",
            Self::Mc1 => "mc1",
            Self::Mc2 => "mc2",
            Self::Preference => "preference",
            Self::LogLoss => "log_loss",
            Self::Ece => "ece",
            Self::MacroF1 => "macro_f1",
            Self::WeightedF1 => "weighted_f1",
            Self::BalancedAccuracy => "balanced_accuracy",
            Self::Mcc => "mcc",
            Self::ExactMatch => "exact_match",
            Self::NumberMatch => "number_match",
            Self::TokenF1 => "token_f1",
            Self::Bleu => "bleu",
            Self::Chrf => "chrf",
            Self::Rouge1 => "rouge1",
            Self::Rouge2 => "rouge2",
            Self::RougeL => "rouge_l",
            Self::WordPerplexity => "word_perplexity",
            Self::BytePerplexity => "byte_perplexity",
            Self::BitsPerByte => "bits_per_byte",
            Self::EntityF1 => "entity_f1",
            Self::TokenAccuracy => "token_accuracy",
            Self::Ndcg10 => "ndcg@10",
            Self::Mrr => "mrr",
            Self::Recall10 => "recall@10",
        }
    }

    /// Whether more is better; none where neither is.
    pub fn higher_is_better(self) -> Option<bool> {
        match self {
            Self::Preference => None,
            Self::LogLoss
            | Self::Ece
            | Self::WordPerplexity
            | Self::BytePerplexity
            | Self::BitsPerByte => Some(false),
            _ => Some(true),
        }
    }

    pub(super) fn aggregate(self) -> Aggregate {
        match self {
            Self::MacroF1 => Aggregate::Classes(ClassFigure::MacroF1),
            Self::WeightedF1 => Aggregate::Classes(ClassFigure::WeightedF1),
            Self::BalancedAccuracy => Aggregate::Classes(ClassFigure::BalancedAccuracy),
            Self::Mcc => Aggregate::Classes(ClassFigure::Matthews),
            Self::Ece => Aggregate::Calibration,
            Self::WordPerplexity | Self::BytePerplexity => Aggregate::Perplexity,
            Self::BitsPerByte => Aggregate::Bits,
            Self::EntityF1 => Aggregate::F1,
            Self::Bleu => Aggregate::Bleu,
            Self::Chrf => Aggregate::Chrf,
            _ => Aggregate::Mean,
        }
    }

    /// The row of one document.
    ///
    /// # Errors
    /// An answer or a truth of a kind that the metric cannot judge.
    pub(super) fn row(self, item: &Item, answer: &Answer, words: Words) -> Result<Vec<f64>> {
        match (&item.request, &item.gold, answer) {
            (Request::Choice { options, .. }, Gold::Options(right), answer) => {
                rows::choice(self, options, right, answer)
            }
            (_, Gold::Size { words, bytes }, Answer::Rolling(likelihood)) => {
                let units = if self == Self::WordPerplexity { *words } else { *bytes };
                Ok(vec![likelihood.log_prob, units as f64])
            }
            (_, Gold::Texts(references), Answer::Text(text)) => {
                rows::text(self, text, references, words)
            }
            (_, Gold::Tags(tags), Answer::Tags(found)) => rows::tags(self, tags, found),
            (_, Gold::Relevance(relevance), Answer::Scores(scores)) => {
                rows::ranking(self, relevance, scores)
            }
            _ => Err(unfit(self, answer.kind())),
        }
    }
}

/// An answer that the metric cannot judge.
pub(super) fn unfit(metric: Metric, kind: &'static str) -> EvaluationError {
    EvaluationError::InvalidOption {
        option: "metrics",
        expected: "a metric for this kind of request and answer",
        found: format!("{} of {kind}", metric.name()),
    }
}
