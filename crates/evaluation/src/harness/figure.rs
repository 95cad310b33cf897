//! The figure of a metric as a function of sums over documents, so that the bootstrap, permutation
//! tests and comparisons of this crate serve every metric of the harness.

use super::measurement::Measurement;
use super::metric::{Aggregate, ClassFigure};
use crate::bleu::{BleuOptions, CorpusBleu};
use crate::chrf::{ChrfOptions, CorpusChrf};
use crate::classification::{Average, BinaryCounts, average, matthews_of_margins};
use crate::error::Result;
use crate::statistics::{CorpusMetric, Statistics};

/// Bins of the calibration error.
const BINS: usize = 10;

/// A metric over some documents or clusters of them.
pub(super) struct Figure {
    aggregate: Aggregate,
    statistics: Statistics,
    bleu: CorpusBleu,
    chrf: CorpusChrf,
}

impl Figure {
    /// Of these documents of a measurement.
    pub(super) fn new(measurement: &Measurement, documents: &[usize]) -> Result<Self> {
        let aggregate = measurement.metric.aggregate();
        let rows = &measurement.rows;
        let classes = match aggregate {
            Aggregate::Classes(_) => {
                rows.iter().flatten().fold(0.0f64, |a, b| a.max(*b)) as usize + 1
            }
            _ => 0,
        };
        let width = width(aggregate, rows.first().map_or(1, Vec::len), classes);
        let mut statistics = Statistics::new(width);
        let mut expanded = vec![0.0; width];
        for &document in documents {
            expand(aggregate, &rows[document], classes, &mut expanded);
            statistics.push(&expanded);
        }
        let bleu = CorpusBleu::new(BleuOptions::default())?;
        let chrf = CorpusChrf::new(ChrfOptions::default())?;
        Ok(Self { aggregate, statistics, bleu, chrf })
    }

    /// The same with documents of one cluster as one.
    pub(super) fn clustered(self, cluster_of: &[&str]) -> Result<Self> {
        let statistics = self.statistics.clustered(cluster_of)?;
        Ok(Self { statistics, ..self })
    }
}

/// How wide a row of sums is.
fn width(aggregate: Aggregate, row: usize, classes: usize) -> usize {
    match aggregate {
        Aggregate::Mean => 2,
        Aggregate::Classes(_) => 3 * classes,
        Aggregate::Calibration => 2 * BINS + 1,
        _ => row,
    }
}

/// Makes the row of sums of a row.
fn expand(aggregate: Aggregate, row: &[f64], classes: usize, to: &mut [f64]) {
    to.fill(0.0);
    match aggregate {
        Aggregate::Mean => to.copy_from_slice(&[row[0], 1.0]),
        Aggregate::Classes(_) => {
            // Hits, occurrences and predictions of each class.
            let (truth, predicted) = (row[0] as usize, row[1] as usize);
            to[truth] = f64::from(u8::from(truth == predicted));
            to[classes + truth] = 1.0;
            to[2 * classes + predicted] = 1.0;
        }
        Aggregate::Calibration => {
            let bin = ((row[0] * BINS as f64) as usize).min(BINS - 1);
            to[2 * bin] = row[0];
            to[2 * bin + 1] = row[1];
            to[2 * BINS] = 1.0;
        }
        _ => to.copy_from_slice(row),
    }
}

impl CorpusMetric for Figure {
    fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    fn score_of(&self, sums: &[f64]) -> f64 {
        let ratio = |above: f64, below: f64| if below == 0.0 { 0.0 } else { above / below };
        match self.aggregate {
            Aggregate::Mean => ratio(sums[0], sums[1]),
            Aggregate::Perplexity => ratio(-sums[0], sums[1]).exp(),
            Aggregate::Bits => ratio(-sums[0] / std::f64::consts::LN_2, sums[1]),
            Aggregate::F1 => ratio(2.0 * sums[0], sums[1] + sums[2]),
            Aggregate::Classes(figure) => of_classes(figure, sums),
            Aggregate::Calibration => {
                let (bins, _) = sums.as_chunks::<2>();
                let gap: f64 =
                    bins.iter().map(|[confidence, right]| (confidence - right).abs()).sum();
                ratio(gap, sums[2 * BINS])
            }
            Aggregate::Bleu => self.bleu.score_of(sums),
            Aggregate::Chrf => self.chrf.score_of(sums),
        }
    }
}

/// A figure of hits, occurrences and predictions of each class.
fn of_classes(figure: ClassFigure, sums: &[f64]) -> f64 {
    let classes = sums.len() / 3;
    let count = |part: usize, class: usize| sums[part * classes + class] as u64;
    let [hits, truth, predicted] =
        [0, 1, 2].map(|part| (0..classes).map(|class| count(part, class)).collect::<Vec<u64>>());
    let total: u64 = truth.iter().sum();
    let counts = |class: usize| BinaryCounts {
        true_positives: hits[class],
        false_positives: predicted[class] - hits[class],
        false_negatives: truth[class] - hits[class],
        true_negatives: total + hits[class] - truth[class] - predicted[class],
    };
    let counts: Vec<BinaryCounts> = (0..classes).map(counts).collect();
    match figure {
        // As scikit-learn: classes that neither occur nor are predicted do not count.
        ClassFigure::MacroF1 => average(&counts, Average::Macro, BinaryCounts::f1),
        ClassFigure::WeightedF1 => average(&counts, Average::Weighted, BinaryCounts::f1),
        ClassFigure::BalancedAccuracy => {
            let recalls: Vec<f64> = counts
                .iter()
                .filter(|class| class.support() > 0)
                .map(BinaryCounts::recall)
                .collect();
            recalls.iter().sum::<f64>() / recalls.len().max(1) as f64
        }
        ClassFigure::Matthews => matthews_of_margins(hits.iter().sum(), &truth, &predicted),
    }
}
