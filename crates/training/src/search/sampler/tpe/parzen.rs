//! A density over some parameters of a space from points where it should be high.
//!
//! Each point is a kernel: a normal distribution, cut off at the ends of the unit interval, for a numeric
//! parameter, and for one without an order a distribution that prefers the point's choice. One more
//! kernel, flat over everything, is the prior.

use wuji_data::Dice;

use crate::search::normal;
use crate::search::space::{Point, SearchSpace};

/// How wide normal kernels are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bandwidth {
    /// As far as the further of the two neighbours (Bergstra et al. 2011).
    Neighbours,
    /// All the same, narrower the more points there are, by Scott's rule for this many dimensions.
    Joint,
}

/// The width of joint kernels around a single point.
const JOINT_WIDTH: f64 = 0.2;
/// Points that count in full; of more, the oldest count less.
const FULL_WEIGHT: usize = 25;

/// A mixture of kernels.
pub(super) struct Parzen<'a> {
    space: &'a SearchSpace,
    group: &'a [usize],
    weights: Vec<f64>,
    /// For each parameter of the group, one kernel per weight.
    kernels: Vec<Vec<Kernel>>,
}

enum Kernel {
    Normal { mean: f64, deviation: f64, inside: f64 },
    Choice(Vec<f64>),
}

impl Kernel {
    fn normal(mean: f64, deviation: f64) -> Self {
        let inside = normal::mass(-mean / deviation, (1.0 - mean) / deviation);
        Self::Normal { mean, deviation, inside }
    }
}

impl<'a> Parzen<'a> {
    /// The density of the parameters at `group`, which are active together, from those of `points` in
    /// which they are.
    pub(super) fn new<'p>(
        space: &'a SearchSpace,
        group: &'a [usize],
        points: impl Iterator<Item = &'p Point>,
        bandwidth: Bandwidth,
    ) -> Self {
        let mut columns: Vec<Vec<f64>> = vec![Vec::new(); group.len()];
        for point in points.filter(|point| point[group[0]].is_some()) {
            for (column, &index) in columns.iter_mut().zip(group) {
                column.push(point[index].expect("a group is active as a whole"));
            }
        }
        let count = columns[0].len();
        let kernels = columns.iter().zip(group).map(|(units, &index)| {
            let domain = &space.parameters()[index].domain;
            if domain.is_categorical() {
                let levels = domain.levels().expect("choices are finitely many") as usize;
                return choices(units.iter().map(|&unit| domain.choice(unit)), levels);
            }
            match bandwidth {
                Bandwidth::Neighbours => neighbours(units),
                Bandwidth::Joint => joint(units, group.len()),
            }
        });
        Self { space, group, weights: weights(count), kernels: kernels.collect() }
    }

    /// A draw: the place of each parameter of the group on the unit interval, snapped to its values.
    pub(super) fn draw(&self, dice: &mut Dice) -> Vec<f64> {
        let which = pick(&self.weights, dice.fraction());
        let draw = |(kernels, &index): (&Vec<Kernel>, &usize)| {
            let fraction = dice.fraction();
            let unit = match &kernels[which] {
                Kernel::Normal { mean, deviation, .. } => {
                    normal::truncated(*mean, *deviation, fraction)
                }
                Kernel::Choice(shares) => {
                    (pick(shares, fraction) as f64 + 0.5) / shares.len() as f64
                }
            };
            self.space.snap_one(index, unit)
        };
        self.kernels.iter().zip(self.group).map(draw).collect()
    }

    /// The logarithm of the density at `units`; of the probability, in parameters with finitely many
    /// values.
    pub(super) fn log_density(&self, units: &[f64]) -> f64 {
        let mut logs: Vec<f64> = self.weights.iter().map(|weight| weight.ln()).collect();
        for ((kernels, &index), &unit) in self.kernels.iter().zip(self.group).zip(units) {
            let domain = &self.space.parameters()[index].domain;
            let bin = domain.levels().and_then(|_| domain.bin(&domain.at(unit)));
            for (log, kernel) in logs.iter_mut().zip(kernels) {
                *log += match kernel {
                    Kernel::Choice(shares) => shares[domain.choice(unit)].ln(),
                    Kernel::Normal { mean, deviation, inside } => {
                        let standard = |unit: f64| (unit - mean) / deviation;
                        match bin {
                            Some((low, high)) => {
                                let mass = normal::mass(standard(low), standard(high));
                                (mass / inside).max(f64::MIN_POSITIVE).ln()
                            }
                            None => normal::log_density(standard(unit)) - (deviation * inside).ln(),
                        }
                    }
                };
            }
        }
        let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        largest + logs.iter().map(|log| (log - largest).exp()).sum::<f64>().ln()
    }
}

/// Shares of `count` kernels, oldest first, and of the prior, which comes last.
fn weights(count: usize) -> Vec<f64> {
    let old = count.saturating_sub(FULL_WEIGHT);
    let faded = |i: usize| {
        let first = 1.0 / count as f64;
        if old < 2 { first } else { first + (1.0 - first) * i as f64 / (old - 1) as f64 }
    };
    let mut weights: Vec<f64> = (0..old).map(faded).collect();
    weights.resize(count + 1, 1.0);
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

/// Normal kernels as wide as the distance to the further neighbour, and the prior.
fn neighbours(units: &[f64]) -> Vec<Kernel> {
    let mut means = units.to_vec();
    means.push(0.5);
    let mut order: Vec<usize> = (0..means.len()).collect();
    order.sort_by(|&a, &b| means[a].total_cmp(&means[b]));
    let narrowest = 1.0 / (means.len() as f64).min(100.0);
    let mut deviations = vec![1.0; means.len()];
    for (place, &which) in order.iter().enumerate() {
        let gap = |a: usize, b: usize| means[order[b]] - means[order[a]];
        let left = if place > 0 { gap(place - 1, place) } else { 0.0 };
        let right = if place + 1 < order.len() { gap(place, place + 1) } else { 0.0 };
        deviations[which] = left.max(right).clamp(narrowest, 1.0);
    }
    deviations[units.len()] = 1.0;
    means.iter().zip(deviations).map(|(&mean, deviation)| Kernel::normal(mean, deviation)).collect()
}

/// Normal kernels of one width, and the prior.
fn joint(units: &[f64], dimensions: usize) -> Vec<Kernel> {
    let count = units.len().max(1) as f64;
    let width = JOINT_WIDTH * count.powf(-1.0 / (dimensions as f64 + 4.0));
    let width = width.max(1.0 / (count + 1.0).min(100.0)).min(1.0);
    let kernels = units.iter().map(|&unit| Kernel::normal(unit, width));
    kernels.chain([Kernel::normal(0.5, 1.0)]).collect()
}

/// Kernels that prefer one choice each, and the prior, which prefers none.
fn choices(chosen: impl ExactSizeIterator<Item = usize>, levels: usize) -> Vec<Kernel> {
    // Each kernel leaves the other choices what one flat kernel among all of them would.
    let rest = 1.0 / (chosen.len() + 1) as f64;
    let sum = 1.0 + rest * levels as f64;
    let kernel = |choice: usize| {
        let mut shares = vec![rest / sum; levels];
        shares[choice] += 1.0 / sum;
        Kernel::Choice(shares)
    };
    let prior = Kernel::Choice(vec![1.0 / levels as f64; levels]);
    chosen.map(kernel).chain([prior]).collect()
}

/// Which of `shares`, which sum to one, a uniform `fraction` falls into.
fn pick(shares: &[f64], fraction: f64) -> usize {
    let mut below = 0.0;
    let falls = |share: &f64| {
        below += share;
        fraction < below
    };
    shares.iter().position(falls).unwrap_or(shares.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space() -> SearchSpace {
        SearchSpace::from_toml(
            "[parameters.a]\nkind='float'\nlow=0\nhigh=1\n\
             [parameters.b]\nkind='int'\nlow=1\nhigh=8\n\
             [parameters.c]\nkind='categorical'\nchoices=['x','y','z']\n",
        )
        .unwrap()
    }

    fn points() -> Vec<Point> {
        let space = space();
        [[0.1, 0.3, 0.9], [0.15, 0.3, 0.9], [0.9, 0.95, 0.1]]
            .map(|units| space.snap(&units))
            .to_vec()
    }

    #[test]
    fn densities_sum_to_one() {
        let space = space();
        let points = points();
        for bandwidth in [Bandwidth::Joint, Bandwidth::Neighbours] {
            for count in 0..=points.len() {
                let parzen = Parzen::new(&space, &[0, 1, 2], points[..count].iter(), bandwidth);
                let mut sum = 0.0;
                for a in 0..200 {
                    for b in 0..8 {
                        for c in 0..3 {
                            let units = [
                                (f64::from(a) + 0.5) / 200.0,
                                (f64::from(b) + 0.5) / 8.0,
                                (f64::from(c) + 0.5) / 3.0,
                            ];
                            sum += parzen.log_density(&units).exp() / 200.0;
                        }
                    }
                }
                assert!((sum - 1.0).abs() < 1e-3, "{bandwidth:?} of {count}: {sum}");
            }
        }
    }

    #[test]
    fn draws_come_from_the_density() {
        let space = space();
        let points = points();
        let parzen = Parzen::new(&space, &[2], points.iter(), Bandwidth::Joint);
        let domain = &space.parameters()[2].domain;
        let mut dice = Dice::new(1, 1);
        let mut counts = [0.0; 3];
        for _ in 0..20_000 {
            counts[domain.choice(parzen.draw(&mut dice)[0])] += 1.0;
        }
        for (choice, count) in counts.iter().enumerate() {
            let expected = parzen.log_density(&[(choice as f64 + 0.5) / 3.0]).exp();
            assert!((count / 20_000.0 - expected).abs() < 0.015, "{count} of {expected}");
        }
    }

    #[test]
    fn old_points_fade() {
        let weights = weights(50);
        assert_eq!(weights.len(), 51);
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((weights[0] * 50.0 - weights[50]).abs() < 1e-12);
        assert!(weights.windows(2).all(|pair| pair[0] <= pair[1] + 1e-15));
    }
}
