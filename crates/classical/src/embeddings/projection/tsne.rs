//! t-SNE (van der Maaten and Hinton 2008, "Visualizing data using t-SNE"), exact: every pair of points
//! counts, which is quick enough for a figure's few hundred words.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::pca;
use crate::ClassicalError;

/// Points at most: work and memory grow with the square.
const MOST_POINTS: usize = 2000;
/// The spread of the points in the beginning, as in the paper.
const FIRST_SPREAD: f64 = 1e-4;
/// Steps in which attraction counts more, so that clusters form early.
const EARLY_STEPS: usize = 250;
/// How much more it counts.
const EXAGGERATION: f64 = 12.0;

/// How points are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tsne {
    /// Neighbours that a point has, smoothly counted; below the number of points.
    pub perplexity: f64,
    /// Steps.
    pub steps: usize,
    /// Step length; `None` is a 48th of the number of points, at least 50, as scikit-learn has it after
    /// Belkina et al. 2019.
    pub learning_rate: Option<f64>,
}

impl Default for Tsne {
    fn default() -> Self {
        Self { perplexity: 15.0, steps: 1000, learning_rate: None }
    }
}

impl Tsne {
    pub(super) fn planar(&self, points: &[Vec<f32>]) -> Result<Vec<[f64; 2]>, ClassicalError> {
        let count = points.len();
        let wrong = |name, found, expected| ClassicalError::Setting { name, found, expected };
        if count > MOST_POINTS {
            return Err(wrong("words", count as f64, "at most 2000"));
        }
        if !(self.perplexity >= 1.0 && self.perplexity < count as f64) {
            let expected = "at least 1 and below the number of words";
            return Err(wrong("perplexity", self.perplexity, expected));
        }
        let rate = self.learning_rate.unwrap_or((count as f64 / EXAGGERATION / 4.0).max(50.0));
        if !(rate > 0.0 && rate.is_finite()) {
            return Err(wrong("learning_rate", rate, "a positive number"));
        }
        let attraction = joint(&conditional(points, self.perplexity));
        let mut layout = Layout::new(pca::planar(points));
        for step in 0..self.steps {
            let (exaggeration, momentum) =
                if step < EARLY_STEPS { (EXAGGERATION, 0.5) } else { (1.0, 0.8) };
            layout.step(&attraction, exaggeration, momentum, rate);
        }
        Ok(layout.points)
    }
}

/// Row by row, the chance that a point would pick each other as its neighbour.
fn conditional(points: &[Vec<f32>], perplexity: f64) -> Vec<Vec<f64>> {
    let row = |index: usize| {
        let distances: Vec<f64> =
            points.iter().map(|point| distance(point, &points[index])).collect();
        // The width of the bell curve, by bisection, so that the choice is as uncertain as asked for.
        let (mut low, mut high, mut precision) = (0.0, f64::INFINITY, 1.0);
        let mut chances = vec![0.0; points.len()];
        for _ in 0..100 {
            let entropy = choose(&distances, index, precision, &mut chances);
            if entropy > perplexity.ln() {
                low = precision;
                precision = if high.is_finite() { (low + high) / 2.0 } else { 2.0 * precision };
            } else {
                high = precision;
                precision = (low + high) / 2.0;
            }
        }
        chances
    };
    (0..points.len()).into_par_iter().map(row).collect()
}

/// Chances that fall with the distance, and their entropy.
fn choose(distances: &[f64], own: usize, precision: f64, chances: &mut [f64]) -> f64 {
    let others = |index: usize| index != own;
    let nearest = (0..distances.len())
        .filter(|&index| others(index))
        .map(|index| distances[index])
        .fold(f64::INFINITY, f64::min);
    for (index, chance) in chances.iter_mut().enumerate() {
        let weight = (-precision * (distances[index] - nearest)).exp();
        *chance = if others(index) { weight } else { 0.0 };
    }
    let sum: f64 = chances.iter().sum();
    let mut entropy = 0.0;
    for chance in chances.iter_mut() {
        *chance /= sum;
        entropy -= if *chance > 0.0 { *chance * chance.ln() } else { 0.0 };
    }
    entropy
}

/// Chances of pairs, the same either way round.
fn joint(conditional: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let count = conditional.len();
    let pair = |a: usize, b: usize| (conditional[a][b] + conditional[b][a]) / (2 * count) as f64;
    (0..count).map(|a| (0..count).map(|b| pair(a, b)).collect()).collect()
}

fn distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum()
}

/// Points on their way.
struct Layout {
    points: Vec<[f64; 2]>,
    velocities: Vec<[f64; 2]>,
    /// Steps grow along a direction that keeps its sign and shrink where it turns (Jacobs 1988).
    gains: Vec<[f64; 2]>,
}

impl Layout {
    fn new(mut points: Vec<[f64; 2]>) -> Self {
        let squares: f64 = points.iter().map(|point| point[0] * point[0]).sum();
        let spread = (squares / points.len() as f64).sqrt();
        let scale = if spread > 0.0 { FIRST_SPREAD / spread } else { 0.0 };
        points.iter_mut().flatten().for_each(|value| *value *= scale);
        let count = points.len();
        Self { points, velocities: vec![[0.0; 2]; count], gains: vec![[1.0; 2]; count] }
    }

    fn step(&mut self, attraction: &[Vec<f64>], exaggeration: f64, momentum: f64, rate: f64) {
        let gradients = self.gradients(attraction, exaggeration);
        let points = self.points.as_flattened_mut().iter_mut();
        let motion =
            self.velocities.as_flattened_mut().iter_mut().zip(self.gains.as_flattened_mut());
        for ((value, (velocity, gain)), gradient) in
            points.zip(motion).zip(gradients.as_flattened())
        {
            let turns = (*gradient > 0.0) == (*velocity > 0.0);
            *gain = if turns { (*gain * 0.8).max(0.01) } else { *gain + 0.2 };
            *velocity = momentum * *velocity - rate * *gain * gradient;
            *value += *velocity;
        }
    }

    /// Of each point, four times the sum over the others of
    /// `(attraction − likeness / sum of all) · likeness · difference`.
    fn gradients(&self, attraction: &[Vec<f64>], exaggeration: f64) -> Vec<[f64; 2]> {
        let forces: Vec<Forces> = (0..self.points.len())
            .into_par_iter()
            .map(|own| self.forces(own, &attraction[own]))
            .collect();
        let total: f64 = forces.iter().map(|forces| forces.likeness).sum();
        let gradient = |forces: &Forces| {
            [0, 1].map(|axis| 4.0 * (exaggeration * forces.pull[axis] - forces.push[axis] / total))
        };
        forces.iter().map(gradient).collect()
    }

    fn forces(&self, own: usize, attraction: &[f64]) -> Forces {
        let mut forces = Forces { likeness: 0.0, pull: [0.0; 2], push: [0.0; 2] };
        let here = self.points[own];
        for (there, attraction) in self.points.iter().zip(attraction) {
            let difference = [here[0] - there[0], here[1] - there[1]];
            let likeness =
                1.0 / (1.0 + difference[0] * difference[0] + difference[1] * difference[1]);
            forces.likeness += likeness;
            for (axis, difference) in difference.iter().enumerate() {
                forces.pull[axis] += attraction * likeness * difference;
                forces.push[axis] += likeness * likeness * difference;
            }
        }
        // A point is not its own neighbour; its pull and push are zero as they stand.
        forces.likeness -= 1.0;
        forces
    }
}

/// What the other points do to one.
struct Forces {
    likeness: f64,
    pull: [f64; 2],
    push: [f64; 2],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_as_uncertain_as_asked_for() {
        let points: Vec<Vec<f32>> =
            (0..30).map(|i| vec![(i * i) as f32 / 50.0, (i % 7) as f32]).collect();
        for chances in conditional(&points, 5.0) {
            let entropy: f64 = chances.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum();
            assert!((entropy.exp() - 5.0).abs() < 1e-6, "{}", entropy.exp());
            assert!((chances.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn the_gradient_is_that_of_the_divergence() {
        let points: Vec<Vec<f32>> = (0..6).map(|i| vec![i as f32, (i * i % 5) as f32]).collect();
        let attraction = joint(&conditional(&points, 2.0));
        let layout =
            Layout::new(points.iter().map(|p| [f64::from(p[0]), f64::from(p[1])]).collect());
        let layout =
            Layout { points: layout.points.iter().map(|p| p.map(|v| v * 1e4)).collect(), ..layout };
        let divergence = |points: &[[f64; 2]]| {
            let likeness = |a: usize, b: usize| {
                let squares = [0, 1].map(|axis| (points[a][axis] - points[b][axis]).powi(2));
                1.0 / (1.0 + squares[0] + squares[1])
            };
            let pairs: Vec<(usize, usize)> =
                (0..6).flat_map(|a| (0..6).map(move |b| (a, b))).filter(|(a, b)| a != b).collect();
            let total: f64 = pairs.iter().map(|&(a, b)| likeness(a, b)).sum();
            let term = |&(a, b): &(usize, usize)| {
                attraction[a][b] * (attraction[a][b] * total / likeness(a, b)).ln()
            };
            pairs.iter().map(term).sum::<f64>()
        };
        for (index, gradient) in layout.gradients(&attraction, 1.0).iter().enumerate() {
            for axis in 0..2 {
                let moved = |by: f64| {
                    let mut points = layout.points.clone();
                    points[index][axis] += by;
                    divergence(&points)
                };
                let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                assert!((gradient[axis] - slope).abs() < 1e-7, "{} and {slope}", gradient[axis]);
            }
        }
    }

    #[test]
    fn options_that_make_no_sense_are_named() {
        let points = vec![vec![0.0, 1.0]; 10];
        let setting = |options: Tsne| match options.planar(&points).unwrap_err() {
            ClassicalError::Setting { name, .. } => name,
            other => panic!("{other}"),
        };
        assert_eq!(setting(Tsne::default()), "perplexity");
        let rate = Tsne { perplexity: 3.0, learning_rate: Some(f64::NAN), ..Tsne::default() };
        assert_eq!(setting(rate), "learning_rate");
        assert!(Tsne::default().planar(&vec![vec![0.0]; 2001]).is_err());
    }
}
