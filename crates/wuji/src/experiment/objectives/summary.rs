//! The table's numbers, from the files of all runs: means over seeds, and intervals over what the
//! networks were asked.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wuji_classical::{KneserNey, KneserNeyConfig, select_order};
use wuji_evaluation::DocumentMean;
use wuji_evaluation::uncertainty::{
    BootstrapOptions, Estimate, Spread, bootstrap, clustered_bootstrap, paired_bootstrap, spread,
    wilson,
};
use wuji_training::LabelScore;

use super::hidden_tokens::HiddenTokens;
use super::result::{PretrainingResult, RunResult};
use super::tokens::Tokens;
use super::{Condition, ObjectivesSetup, Pretraining};
use crate::WujiError;

/// Longest n-gram of the baseline.
const MAX_ORDER: usize = 5;

/// The comparison: what `--json` prints and `summary.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObjectivesSummary {
    /// Where the runs are.
    pub out: PathBuf,
    /// Whether all runs are there.
    pub complete: bool,
    /// Runs that are there.
    pub runs: usize,
    /// Runs that there are to be.
    pub planned_runs: usize,
    /// Seeds of each row.
    pub seeds: u64,
    /// The numbers of the experiment.
    pub setup: ObjectivesSetup,
    /// Tokens of the vocabulary.
    pub vocab_size: usize,
    /// Training tokens that there are.
    pub train_tokens: u64,
    /// The rows whose runs are all there.
    pub rows: Vec<ObjectivesRow>,
    /// What needs no network.
    pub baselines: Baselines,
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObjectivesRow {
    /// What was learnt, and for how long.
    pub condition: Condition,
    /// The network's family.
    pub model_type: String,
    /// All parameters.
    pub parameters: usize,
    /// Those that multiply an activation.
    pub matrix_parameters: usize,
    /// What pre-training took and gave; nothing where there was none.
    pub pretraining: Option<PretrainingFigures>,
    /// One for each set of labelled texts.
    pub tasks: Vec<TaskFigures>,
}

/// What pre-training took and gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PretrainingFigures {
    /// Optimiser steps.
    pub steps: u64,
    /// Tokens of text that were read.
    pub text_tokens: u64,
    /// Floating-point operations, counted.
    pub operations: f64,
    /// The objective's own loss on held-out text, nats per label: of each objective another thing.
    pub own_loss: Spread,
    /// Nats per hidden token.
    pub hidden_nats: Figure,
    /// Share of the hidden tokens that were the most likely.
    pub hidden_accuracy: Figure,
}

/// How a set's texts were classified.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskFigures {
    /// The set.
    pub task: String,
    /// Share of the texts that were given their class.
    pub accuracy: Figure,
    /// The accuracy less that of the same network without pre-training, on the same texts.
    pub gain: Option<Estimate>,
}

/// A figure of several seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Mean and standard deviation over seeds: the uncertainty of training.
    pub seeds: Spread,
    /// The mean over seeds with its interval over resampled texts: the uncertainty of the sample
    /// that was asked.
    pub texts: Estimate,
}

/// What can be had without a network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baselines {
    /// n-grams of the order that is best on held-back training text, from the tokens before.
    pub ngram: HiddenBaseline,
    /// The frequencies of tokens.
    pub unigram: HiddenBaseline,
    /// The most frequent class of the texts to learn from.
    pub majority: Vec<MajorityBaseline>,
}

/// How an n-gram model does on the hidden tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HiddenBaseline {
    /// Tokens per n-gram.
    pub order: usize,
    /// Nats per hidden token.
    pub nats: Estimate,
    /// Share of the hidden tokens that were the most likely.
    pub accuracy: Estimate,
}

/// A set's most frequent class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MajorityBaseline {
    /// The set.
    pub task: String,
    /// Share of the texts to be classified that are of it.
    pub accuracy: Estimate,
}

impl Baselines {
    /// Counts n-grams and classes.
    pub(super) fn measure(tokens: &Tokens, hidden: &HiddenTokens) -> Result<Self, WujiError> {
        let stream = tokens.training_stream();
        let vocab_size = tokens.tokenizer.vocab_size();
        let best = select_order(&stream, vocab_size, 2..=MAX_ORDER, 0.1)?.best;
        let single = KneserNey::train(KneserNeyConfig::new(1, vocab_size), [stream.as_slice()])?;
        let clusters = hidden.window_of_each();
        Ok(Self {
            ngram: HiddenBaseline::of(&best, hidden, &clusters)?,
            unigram: HiddenBaseline::of(&single, hidden, &clusters)?,
            majority: tokens.tasks.iter().map(majority).collect::<Result<_, _>>()?,
        })
    }
}

impl HiddenBaseline {
    fn of(model: &KneserNey, hidden: &HiddenTokens, clusters: &[usize]) -> Result<Self, WujiError> {
        let scores = hidden.score_ngram(model);
        let estimate = |figure: fn(&LabelScore) -> f64| -> Result<Estimate, WujiError> {
            let figures: Vec<f64> = scores.iter().map(figure).collect();
            let mean = DocumentMean::new(&figures)?;
            Ok(clustered_bootstrap(&mean, clusters, &BootstrapOptions::default())?)
        };
        Ok(Self {
            order: model.order(),
            nats: estimate(|score| -score.log_prob)?,
            accuracy: estimate(|score| f64::from(u8::from(score.is_best)))?,
        })
    }
}

fn majority(task: &super::tokens::Task) -> Result<MajorityBaseline, WujiError> {
    let count = |class: usize| task.train.iter().filter(|text| text.class == class).count();
    let most = (0..task.classes).max_by_key(|class| count(*class)).unwrap_or(0);
    let right = task.test.iter().filter(|text| text.class == most).count();
    let accuracy = wilson(right, task.test.len(), BootstrapOptions::default().confidence)?;
    Ok(MajorityBaseline { task: task.name.clone(), accuracy })
}

/// The runs that are there.
pub(super) struct Runs {
    results: Vec<RunResult>,
    windows: Vec<usize>,
    seeds: u64,
}

impl Runs {
    /// Reads the files of all runs below `out`.
    pub(super) fn load(out: &Path, hidden: &HiddenTokens, seeds: u64) -> Result<Self, WujiError> {
        let mut results = Vec::new();
        for condition in Condition::all() {
            for seed in 0..seeds {
                results.extend(RunResult::load(&out.join(condition.file(seed)))?);
            }
        }
        Ok(Self { results, windows: hidden.window_of_each(), seeds })
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.results.len()
    }

    /// The rows whose runs are all there.
    pub(super) fn rows(&self) -> Result<Vec<ObjectivesRow>, WujiError> {
        let of = Condition::all().into_iter().map(|condition| (condition, self.of(condition)));
        let whole = of.filter(|(_, runs)| runs.len() as u64 == self.seeds);
        whole.map(|(condition, runs)| self.row(condition, &runs)).collect()
    }

    fn of(&self, condition: Condition) -> Vec<&RunResult> {
        self.results.iter().filter(|run| run.condition == condition).collect()
    }

    fn row(&self, condition: Condition, runs: &[&RunResult]) -> Result<ObjectivesRow, WujiError> {
        let first = runs[0];
        let pretraining: Vec<&PretrainingResult> =
            runs.iter().filter_map(|run| run.pretraining.as_ref()).collect();
        let tasks = (0..first.tasks.len()).map(|task| self.task(condition, runs, task));
        Ok(ObjectivesRow {
            condition,
            model_type: first.model_type.clone(),
            parameters: first.parameters,
            matrix_parameters: first.matrix_parameters,
            pretraining: match pretraining.as_slice() {
                [] => None,
                runs => Some(self.pretraining(runs)?),
            },
            tasks: tasks.collect::<Result<_, _>>()?,
        })
    }

    fn pretraining(&self, runs: &[&PretrainingResult]) -> Result<PretrainingFigures, WujiError> {
        let nats = runs.iter().map(|run| run.hidden_log_probs.iter().map(|log| -log).collect());
        let right = runs.iter().map(|run| numbers(&run.hidden_right));
        let own: Vec<f64> = runs.iter().map(|run| run.own_loss.loss).collect();
        Ok(PretrainingFigures {
            steps: runs[0].steps,
            text_tokens: runs[0].text_tokens,
            operations: runs[0].operations,
            own_loss: spread(&own)?,
            hidden_nats: Figure::of(&nats.collect::<Vec<_>>(), Some(&self.windows))?,
            hidden_accuracy: Figure::of(&right.collect::<Vec<_>>(), Some(&self.windows))?,
        })
    }

    fn task(
        &self,
        condition: Condition,
        runs: &[&RunResult],
        task: usize,
    ) -> Result<TaskFigures, WujiError> {
        let right = |runs: &[&RunResult]| -> Vec<Vec<f64>> {
            runs.iter().map(|run| numbers(&run.tasks[task].right)).collect()
        };
        let own = right(runs);
        let untrained = self.of(Condition { pretraining: Pretraining::None, ..condition });
        let is_comparable =
            condition.pretraining != Pretraining::None && untrained.len() as u64 == self.seeds;
        let gain = is_comparable.then(|| gain(&own, &right(&untrained))).transpose()?;
        let name = runs[0].tasks[task].task.clone();
        Ok(TaskFigures { task: name, accuracy: Figure::of(&own, None)?, gain })
    }
}

impl Figure {
    /// From one row of numbers for each seed, all of the same texts; `clusters` says which of them
    /// belong together.
    fn of(seeds: &[Vec<f64>], clusters: Option<&[usize]>) -> Result<Self, WujiError> {
        let means: Vec<f64> =
            seeds.iter().map(|row| row.iter().sum::<f64>() / row.len().max(1) as f64).collect();
        let of_texts = DocumentMean::new(&mean_over_seeds(seeds))?;
        let options = BootstrapOptions::default();
        let texts = match clusters {
            Some(clusters) => clustered_bootstrap(&of_texts, clusters, &options)?,
            None => bootstrap(&of_texts, &options)?,
        };
        Ok(Self { seeds: spread(&means)?, texts })
    }
}

/// The difference of two rows' means, paired text by text.
fn gain(own: &[Vec<f64>], other: &[Vec<f64>]) -> Result<Estimate, WujiError> {
    let own = DocumentMean::new(&mean_over_seeds(own))?;
    let other = DocumentMean::new(&mean_over_seeds(other))?;
    Ok(paired_bootstrap(&own, &other, &BootstrapOptions::default())?.difference)
}

/// The mean over seeds for each text.
fn mean_over_seeds(seeds: &[Vec<f64>]) -> Vec<f64> {
    let texts = seeds.first().map_or(0, Vec::len);
    let mean = |text: usize| seeds.iter().map(|row| row[text]).sum::<f64>() / seeds.len() as f64;
    (0..texts).map(mean).collect()
}

fn numbers(right: &[bool]) -> Vec<f64> {
    right.iter().map(|right| f64::from(u8::from(*right))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_has_the_spread_of_seeds_and_the_interval_of_texts() {
        let seeds = [vec![1.0, 0.0, 1.0, 1.0], vec![1.0, 0.0, 0.0, 1.0]];
        let figure = Figure::of(&seeds, None).unwrap();
        assert_eq!((figure.seeds.mean, figure.seeds.n), (0.625, 2));
        assert!((figure.seeds.sd - 0.125 * 2_f64.sqrt()).abs() < 1e-12);
        assert_eq!((figure.texts.value, figure.texts.n), (0.625, 4));
        let clustered = Figure::of(&seeds, Some(&[0, 0, 1, 1])).unwrap();
        assert_eq!(clustered.texts.value, 0.625);
    }

    #[test]
    fn a_gain_is_paired_text_by_text() {
        let (own, other) = ([vec![1.0, 1.0, 0.0]], [vec![0.0, 1.0, 0.0]]);
        let gain = gain(&own, &other).unwrap();
        assert!((gain.value - 1.0 / 3.0).abs() < 1e-12 && gain.interval.0 >= 0.0);
    }
}
