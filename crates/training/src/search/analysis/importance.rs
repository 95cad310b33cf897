//! How much each parameter matters: functional ANOVA (Hutter et al. 2014).
//!
//! A forest of regression trees predicts the value anywhere in the space. Its variance over the whole
//! space is taken apart: the share of a parameter is the variance of the mean over all others. Leaves are
//! boxes, so every mean is an exact sum. What the shares leave to one is due to parameters together.

use serde::{Deserialize, Serialize};

use super::forest::{Leaf, Tree, grow};
use crate::search::{Record, SearchSpace};

/// Finished trials that are needed.
const LEAST: usize = 8;

/// The share of a parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Importance {
    /// Its key.
    pub parameter: String,
    /// The part of the variance that it explains alone, from 0 to 1; the mean over trees.
    pub share: f64,
}

impl Record {
    /// The share of each parameter, most important first, from the trials that came to their end. Empty
    /// while there are fewer than eight, or if all values are the same. A parameter counts as standing in
    /// the middle of its domain in trials in which it is not active.
    pub fn importances(&self) -> Vec<Importance> {
        let finished: Vec<(Vec<f64>, f64)> = self
            .trials
            .iter()
            .filter_map(|trial| {
                let point = self.space.point(&trial.parameters);
                let units = point.iter().map(|unit| unit.unwrap_or(0.5)).collect();
                Some((units, trial.value()?))
            })
            .collect();
        if finished.len() < LEAST {
            return Vec::new();
        }
        let (points, values): (Vec<Vec<f64>>, Vec<f64>) = finished.into_iter().unzip();
        shares(&self.space, &grow(&points, &values, self.config.seed))
    }
}

fn shares(space: &SearchSpace, forest: &[Tree]) -> Vec<Importance> {
    let parameters = space.parameters();
    let mut sums = vec![0.0; parameters.len()];
    let mut trees = 0;
    for tree in forest {
        let mean: f64 = tree.iter().map(|leaf| volume(leaf, None) * leaf.value).sum();
        let deviation = |leaf: &Leaf| volume(leaf, None) * (leaf.value - mean).powi(2);
        let variance: f64 = tree.iter().map(deviation).sum();
        // A resample may hold one value only.
        if variance > 0.0 {
            trees += 1;
            for (coordinate, sum) in sums.iter_mut().enumerate() {
                *sum += marginal_variance(tree, coordinate, mean) / variance;
            }
        }
    }
    let share = |(parameter, sum): (&crate::search::Parameter, f64)| Importance {
        parameter: parameter.key.clone(),
        share: sum / f64::from(trees),
    };
    let mut all: Vec<Importance> = match trees {
        0 => Vec::new(),
        _ => parameters.iter().zip(sums).map(share).collect(),
    };
    all.sort_by(|a, b| b.share.total_cmp(&a.share));
    all
}

/// The volume of a leaf, or of its shadow along one coordinate.
fn volume(leaf: &Leaf, without: Option<usize>) -> f64 {
    let sides = leaf.sides.iter().enumerate().filter(|(at, _)| Some(*at) != without);
    sides.map(|(_, (low, high))| high - low).product()
}

/// The variance over one coordinate of the mean over all others.
fn marginal_variance(tree: &Tree, coordinate: usize, mean: f64) -> f64 {
    let mut edges: Vec<f64> = tree.iter().map(|leaf| leaf.sides[coordinate].0).collect();
    edges.sort_by(f64::total_cmp);
    edges.dedup();
    edges.push(1.0);
    let mut variance = 0.0;
    for pair in edges.windows(2) {
        let middle = 0.5 * (pair[0] + pair[1]);
        let spans = |leaf: &&Leaf| {
            let (low, high) = leaf.sides[coordinate];
            low <= middle && middle < high
        };
        let parts = tree.iter().filter(spans);
        let here: f64 = parts.map(|leaf| volume(leaf, Some(coordinate)) * leaf.value).sum();
        variance += (pair[1] - pair[0]) * (here - mean).powi(2);
    }
    variance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variance_of_a_known_tree_is_taken_apart() {
        // 4 where x >= ½, and there 8 more where y >= ½: mean 4, variance over the cube 24. The mean over
        // y is 0 or 8, of variance 16; over x it is 2 or 6, of variance 4; together they have the other 4.
        let leaf = |x: (f64, f64), y: (f64, f64), value| Leaf { sides: vec![x, y], value };
        let tree = vec![
            leaf((0.0, 0.5), (0.0, 1.0), 0.0),
            leaf((0.5, 1.0), (0.0, 0.5), 4.0),
            leaf((0.5, 1.0), (0.5, 1.0), 12.0),
        ];
        assert!((marginal_variance(&tree, 0, 4.0) - 16.0).abs() < 1e-12);
        assert!((marginal_variance(&tree, 1, 4.0) - 4.0).abs() < 1e-12);
        let space = SearchSpace::from_toml(
            "[parameters.x]\nkind='float'\nlow=0\nhigh=1\n[parameters.y]\nkind='bool'",
        )
        .unwrap();
        let shares = shares(&space, &[tree]);
        assert_eq!(shares[0].parameter, "x");
        assert!((shares[0].share - 16.0 / 24.0).abs() < 1e-12);
        assert!((shares[1].share - 4.0 / 24.0).abs() < 1e-12);
    }
}
