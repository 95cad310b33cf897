//! Limited-memory BFGS (Liu & Nocedal 1989) with a line search for the strong Wolfe conditions
//! (Nocedal & Wright, "Numerical Optimization", algorithms 3.5, 3.6 and 7.4), for smooth functions of
//! many variables: linear models, random fields.

use rayon::prelude::*;

/// When to stop, and how much to remember.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LbfgsOptions {
    /// Steps at most.
    pub max_iterations: usize,
    /// The largest element of the gradient at which the search ends.
    pub tolerance: f64,
    /// Steps from which curvature is estimated.
    pub memory: usize,
}

impl Default for LbfgsOptions {
    fn default() -> Self {
        Self { max_iterations: 100, tolerance: 1e-4, memory: 6 }
    }
}

/// Where a search ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Minimum {
    /// The variables.
    pub x: Vec<f64>,
    /// The function's value there.
    pub value: f64,
    /// Steps made.
    pub iterations: usize,
    /// Whether the gradient is as small as was asked for.
    pub converged: bool,
}

/// Sufficient decrease, and the share of the slope that must be gone.
const DECREASE: f64 = 1e-4;
const CURVATURE: f64 = 0.9;
/// Values of the function in one line search.
const MAX_TRIALS: usize = 25;

/// Searches from `x` for a minimum of `f`, which writes its gradient and returns its value.
pub fn minimize(
    mut x: Vec<f64>,
    options: &LbfgsOptions,
    mut f: impl FnMut(&[f64], &mut [f64]) -> f64,
) -> Minimum {
    let mut gradient = vec![0.0; x.len()];
    let mut value = f(&x, &mut gradient);
    let mut history: Vec<Step> = Vec::new();
    for iterations in 0..options.max_iterations {
        if largest(&gradient) <= options.tolerance {
            return Minimum { x, value, iterations, converged: true };
        }
        let mut direction = descent(&gradient, &history);
        let mut slope = dot(&direction, &gradient);
        if slope >= 0.0 {
            // Rounding has spoilt the curvature: start again from the steepest descent.
            history.clear();
            direction = gradient.par_iter().map(|g| -g).collect();
            slope = dot(&direction, &gradient);
        }
        let first = if history.is_empty() {
            (1.0 / dot(&gradient, &gradient).sqrt()).min(1.0)
        } else {
            1.0
        };
        let found = line_search(&x, &direction, [value, slope], first, &mut f);
        let Some(Point { x: next, value: lower, gradient: next_gradient }) = found else {
            return Minimum { x, value, iterations, converged: false };
        };
        let step = Step::new(&x, &next, &gradient, &next_gradient);
        (x, value, gradient) = (next, lower, next_gradient);
        if let Some(step) = step {
            if history.len() == options.memory.max(1) {
                history.remove(0);
            }
            history.push(step);
        }
    }
    let converged = largest(&gradient) <= options.tolerance;
    Minimum { x, value, iterations: options.max_iterations, converged }
}

/// One step: how the variables and the gradient changed.
struct Step {
    x: Vec<f64>,
    gradient: Vec<f64>,
    /// One over their product.
    rho: f64,
}

impl Step {
    /// Nothing where the curvature is not positive, which would make the estimate useless.
    fn new(x: &[f64], next: &[f64], gradient: &[f64], next_gradient: &[f64]) -> Option<Self> {
        let difference = |a: &[f64], b: &[f64]| {
            a.par_iter().zip(b).with_min_len(CHUNK).map(|(a, b)| a - b).collect::<Vec<_>>()
        };
        let (x, gradient) = (difference(next, x), difference(next_gradient, gradient));
        let product = dot(&x, &gradient);
        (product > 1e-12 * dot(&gradient, &gradient)).then(|| Self {
            x,
            gradient,
            rho: 1.0 / product,
        })
    }
}

/// The two-loop recursion: minus the gradient times the estimate of the inverse of the Hessian.
fn descent(gradient: &[f64], history: &[Step]) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.par_iter().with_min_len(CHUNK).map(|g| -g).collect();
    let mut alphas = Vec::new();
    for step in history.iter().rev() {
        let alpha = step.rho * dot(&step.x, &direction);
        add(&mut direction, -alpha, &step.gradient);
        alphas.push(alpha);
    }
    if let Some(step) = history.last() {
        let scale = 1.0 / (step.rho * dot(&step.gradient, &step.gradient));
        direction.par_iter_mut().with_min_len(CHUNK).for_each(|d| *d *= scale);
    }
    for (step, alpha) in history.iter().zip(alphas.into_iter().rev()) {
        let beta = step.rho * dot(&step.gradient, &direction);
        add(&mut direction, alpha - beta, &step.x);
    }
    direction
}

/// A place on the line with what is known there.
struct Point {
    x: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

/// A step length that decreases the value enough and leaves little slope; `None` where no trial
/// decreases it.
fn line_search(
    x: &[f64],
    direction: &[f64],
    [value, slope]: [f64; 2],
    first: f64,
    f: &mut impl FnMut(&[f64], &mut [f64]) -> f64,
) -> Option<Point> {
    let mut at = |length: f64| {
        let pairs = x.par_iter().zip(direction).with_min_len(CHUNK);
        let moved: Vec<f64> = pairs.map(|(x, d)| x + length * d).collect();
        let mut gradient = vec![0.0; x.len()];
        let value = f(&moved, &mut gradient);
        Point { x: moved, value, gradient }
    };
    // The bracket: a length that decreases enough, and one beyond which it does not.
    let (mut low, mut low_value, mut high) = (0.0, value, f64::INFINITY);
    let mut length = first;
    let mut best: Option<Point> = None;
    for _ in 0..MAX_TRIALS {
        let point = at(length);
        let new_slope = dot(&point.gradient, direction);
        let too_high = !point.value.is_finite() || point.value > value + DECREASE * length * slope;
        if too_high || (low > 0.0 && point.value >= low_value) {
            high = length;
        } else {
            let is_flat = new_slope.abs() <= CURVATURE * slope.abs();
            if new_slope > 0.0 {
                high = length;
            } else {
                (low, low_value) = (length, point.value);
            }
            if is_flat {
                return Some(point);
            }
            if best.as_ref().is_none_or(|best| point.value < best.value) {
                best = Some(point);
            }
        }
        length = if high.is_finite() { 0.5 * (low + high) } else { 2.0 * length };
    }
    best
}

/// Elements per task: fixed, so that sums do not depend on the number of threads, and many, so that a
/// problem of few variables pays for no threads at all.
const CHUNK: usize = 1 << 14;

/// The sum of products.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let sum = |(a, b): (&[f64], &[f64])| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let sums: Vec<f64> = a.par_chunks(CHUNK).zip(b.par_chunks(CHUNK)).map(sum).collect();
    sums.iter().sum()
}

fn add(to: &mut [f64], factor: f64, from: &[f64]) {
    let pairs = to.par_iter_mut().zip(from).with_min_len(CHUNK);
    pairs.for_each(|(to, from)| *to += factor * from);
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| value.abs().max(largest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_valley_of_rosenbrock_is_walked_to_its_end() {
        let options = LbfgsOptions { max_iterations: 200, tolerance: 1e-8, ..Default::default() };
        let found = minimize(vec![-1.2, 1.0, -1.2, 1.0], &options, |x, gradient| {
            let mut value = 0.0;
            for i in [0, 2] {
                let (a, b) = (1.0 - x[i], x[i + 1] - x[i] * x[i]);
                value += a * a + 100.0 * b * b;
                gradient[i] = -2.0 * a - 400.0 * x[i] * b;
                gradient[i + 1] = 200.0 * b;
            }
            value
        });
        assert!(found.converged && found.iterations < 100, "{found:?}");
        assert!(found.x.iter().all(|x| (x - 1.0).abs() < 1e-6), "{found:?}");
    }

    #[test]
    fn a_quadratic_of_many_scales_is_solved() {
        let found = minimize(
            vec![1.0; 50],
            &LbfgsOptions { max_iterations: 500, tolerance: 1e-7, memory: 10 },
            |x, g| {
                (0..50)
                    .map(|i| {
                        let scale = 1.0 + i as f64 * i as f64;
                        g[i] = scale * (x[i] - i as f64);
                        0.5 * scale * (x[i] - i as f64).powi(2)
                    })
                    .sum()
            },
        );
        assert!(found.converged, "{found:?}");
        assert!(found.x.iter().enumerate().all(|(i, x)| (x - i as f64).abs() < 1e-6));
    }

    #[test]
    fn a_start_at_the_minimum_stays_there() {
        let found = minimize(vec![0.0], &LbfgsOptions::default(), |x, g| {
            g[0] = 2.0 * x[0];
            x[0] * x[0]
        });
        assert_eq!((found.iterations, found.converged), (0, true));
    }
}
