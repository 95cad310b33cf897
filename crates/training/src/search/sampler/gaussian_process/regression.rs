//! Regression with a Gaussian process (Rasmussen & Williams 2006, algorithm 2.1 and section 5.4.1).
//!
//! The kernel is Matérn's with ν = 5/2 and a length for each parameter. Lengths, amplitude and noise have
//! the highest posterior probability: the marginal likelihood times log-normal priors. The prior of the
//! lengths grows with the root of the number of parameters, as distances do (Hvarfner et al. 2024). It is
//! tighter than theirs: over very long lengths everything looks like a slope, and slopes lead into corners.

use wuji_classical::{LbfgsOptions, minimize};

use super::cholesky::{Cholesky, dot};

/// What is added to the diagonal whatever the noise, so that equal rows are no trouble.
const JITTER: f64 = 1e-8;

/// A place where the process is known or asked: the coordinates of each parameter.
pub(super) type Row = Vec<Vec<f64>>;

/// Logarithms of lengths, one per parameter, of the variance, and of the noise's variance.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hyperparameters(Vec<f64>);

/// Mean and deviation of the logarithm under a log-normal prior.
#[derive(Debug, Clone, Copy)]
struct Prior {
    mean: f64,
    deviation: f64,
}

impl Hyperparameters {
    fn priors(parameters: usize) -> Vec<Prior> {
        // Half the unit interval where there is one parameter.
        let length = 0.5_f64.ln() + 0.5 * (parameters as f64).ln();
        let mut priors = vec![Prior { mean: length, deviation: 1.0 }; parameters];
        // Values are scaled to variance one; their noise is anything from none to a part of that.
        priors.push(Prior { mean: 0.0, deviation: 1.0 });
        priors.push(Prior { mean: -7.0, deviation: 2.5 });
        priors
    }

    fn lengths(&self) -> &[f64] {
        &self.0[..self.0.len() - 2]
    }

    fn variance(&self) -> f64 {
        self.0[self.0.len() - 2].exp()
    }

    fn noise(&self) -> f64 {
        self.0[self.0.len() - 1].exp() + JITTER
    }

    /// Those that make `values` at `rows` most probable.
    pub(super) fn fit(rows: &[Row], values: &[f64]) -> Self {
        let parameters = rows[0].len();
        let priors = Self::priors(parameters);
        let squares = Squares::new(rows);
        let options = LbfgsOptions { max_iterations: 30, tolerance: 1e-2, ..Default::default() };
        let start = priors.iter().map(|prior| prior.mean).collect();
        let found = minimize(start, &options, |x, gradient| {
            let mut value = squares.negative_log_likelihood(&Self(x.to_vec()), values, gradient);
            for ((x, prior), gradient) in x.iter().zip(&priors).zip(gradient) {
                let standard = (x - prior.mean) / prior.deviation;
                value += 0.5 * standard * standard;
                *gradient += standard / prior.deviation;
            }
            value
        });
        Self(found.x)
    }
}

/// `k(r)` of Matérn's kernel with ν = 5/2 and variance 1, for a squared distance, and what its derivative
/// by the logarithm of a length is, over that parameter's part of the squared distance.
fn matern(square: f64) -> (f64, f64) {
    let scaled = (5.0 * square).sqrt();
    let decay = (-scaled).exp();
    ((1.0 + scaled + scaled * scaled / 3.0) * decay, 5.0 / 3.0 * (1.0 + scaled) * decay)
}

fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// Squared distances of all pairs of rows, by parameter.
struct Squares {
    /// For each pair `(i, j)` with `j < i`, one after the other, the distance in each parameter.
    pairs: Vec<Vec<f64>>,
    size: usize,
}

impl Squares {
    fn new(rows: &[Row]) -> Self {
        let distances = |i: usize, j: usize| {
            rows[i].iter().zip(&rows[j]).map(|(a, b)| squared_distance(a, b)).collect()
        };
        let pairs = (0..rows.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
        Self { pairs: pairs.map(|(i, j)| distances(i, j)).collect(), size: rows.len() }
    }

    /// Writes the gradient by the logarithms of the hyper-parameters, too.
    fn negative_log_likelihood(
        &self,
        hyper: &Hyperparameters,
        values: &[f64],
        gradient: &mut [f64],
    ) -> f64 {
        let scales: Vec<f64> = hyper.lengths().iter().map(|length| (-2.0 * length).exp()).collect();
        let kernels: Vec<(f64, f64)> =
            self.pairs.iter().map(|squares| matern(dot(squares, &scales))).collect();
        let (variance, noise) = (hyper.variance(), hyper.noise());
        let at = |i: usize, j: usize| i * (i - 1) / 2 + j;
        let factor = Cholesky::new(self.size, |i, j| {
            if i == j { variance + noise } else { variance * kernels[at(i, j)].0 }
        });
        gradient.fill(0.0);
        // The line search steps back from what is infinite.
        let Some(factor) = factor else { return f64::INFINITY };
        let alpha = factor.solve(values);
        let inverse = factor.inverse();
        let parameters = scales.len();
        for i in 0..self.size {
            // dL/dK is ½ (K⁻¹ − α αᵀ); pairs stand for themselves and their mirror image.
            for j in 0..i {
                let pull = variance * (inverse[i][j] - alpha[i] * alpha[j]);
                let (kernel, slope) = kernels[at(i, j)];
                for ((gradient, square), scale) in
                    gradient.iter_mut().zip(&self.pairs[at(i, j)]).zip(&scales)
                {
                    *gradient += pull * slope * square * scale;
                }
                gradient[parameters] += pull * kernel;
            }
            let pull = 0.5 * (inverse[i][i] - alpha[i] * alpha[i]);
            gradient[parameters] += pull * variance;
            gradient[parameters + 1] += pull * (noise - JITTER);
        }
        0.5 * (dot(values, &alpha) + factor.log_determinant())
    }
}

/// A process that has seen some values.
#[derive(Debug, Clone)]
pub(super) struct Process {
    rows: Vec<Row>,
    scales: Vec<f64>,
    variance: f64,
    factor: Cholesky,
    alpha: Vec<f64>,
}

impl Process {
    /// The process with these hyper-parameters that has seen `values` at `rows`. `None` where the kernel
    /// matrix is singular beyond the noise.
    pub(super) fn new(hyper: &Hyperparameters, rows: Vec<Row>, values: &[f64]) -> Option<Self> {
        let scales: Vec<f64> = hyper.lengths().iter().map(|length| (-2.0 * length).exp()).collect();
        let variance = hyper.variance();
        let factor = Cholesky::new(rows.len(), |i, j| {
            let noise = if i == j { hyper.noise() } else { 0.0 };
            variance * correlation(&rows[i], &rows[j], &scales) + noise
        })?;
        let alpha = factor.solve(values);
        Some(Self { rows, scales, variance, factor, alpha })
    }

    /// Mean and standard deviation of the process itself, without noise, at a row.
    pub(super) fn predict(&self, row: &Row) -> (f64, f64) {
        let covariance = |known: &Row| self.variance * correlation(known, row, &self.scales);
        let covariances: Vec<f64> = self.rows.iter().map(covariance).collect();
        let mean = dot(&covariances, &self.alpha);
        let seen = self.factor.forward(&covariances);
        let variance = self.variance - dot(&seen, &seen);
        (mean, variance.max(1e-12 * self.variance).sqrt())
    }
}

fn correlation(a: &Row, b: &Row, scales: &[f64]) -> f64 {
    let squares = a.iter().zip(b).zip(scales);
    matern(squares.map(|((a, b), scale)| squared_distance(a, b) * scale).sum()).0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        [[0.1, 0.2], [0.4, 0.9], [0.5, 0.5], [0.8, 0.1], [0.95, 0.7], [0.3, 0.3]]
            .map(|[a, b]| vec![vec![a], vec![b, 1.0 - b]])
            .to_vec()
    }

    fn values() -> Vec<f64> {
        rows().iter().map(|row| (5.0 * row[0][0]).sin() + row[1][0]).collect()
    }

    #[test]
    fn the_gradient_is_that_of_differences() {
        let squares = Squares::new(&rows());
        let at = vec![-0.3, 0.4, 0.2, -3.0];
        let mut gradient = vec![0.0; 4];
        let mut unused = vec![0.0; 4];
        squares.negative_log_likelihood(&Hyperparameters(at.clone()), &values(), &mut gradient);
        for i in 0..4 {
            let mut value = |step: f64| {
                let mut moved = at.clone();
                moved[i] += step;
                squares.negative_log_likelihood(&Hyperparameters(moved), &values(), &mut unused)
            };
            let expected = (value(1e-5) - value(-1e-5)) / 2e-5;
            assert!((gradient[i] - expected).abs() < 1e-6, "{i}: {} {expected}", gradient[i]);
        }
    }

    #[test]
    fn two_points_by_hand() {
        // Lengths 1, variance 1, noise e⁻²: with k = k(0.5) and v = 1 + noise, the mean at the first
        // point is ((v − k²) y₁ + (k v − k) y₂) / (v² − k²).
        let hyper = Hyperparameters(vec![0.0, 0.0, -2.0]);
        let row = |x: f64| vec![vec![x]];
        let process = Process::new(&hyper, vec![row(0.0), row(0.5)], &[1.0, -1.0]).unwrap();
        let s = 5f64.sqrt() * 0.5;
        let k = (1.0 + s + s * s / 3.0) * (-s).exp();
        let v = 1.0 + (-2f64).exp() + JITTER;
        let determinant = v * v - k * k;
        let (mean, deviation) = process.predict(&row(0.0));
        assert!((mean - ((v - k * k) - (k * v - k)) / determinant).abs() < 1e-12);
        let variance = 1.0 - (v - 2.0 * k * k + k * k * v) / determinant;
        assert!((deviation * deviation - variance).abs() < 1e-12);
    }

    #[test]
    fn what_has_been_seen_is_known_and_what_is_far_is_not() {
        let (rows, values) = (rows(), values());
        let hyper = Hyperparameters::fit(&rows, &values);
        let process = Process::new(&hyper, rows.clone(), &values).unwrap();
        for (row, value) in rows.iter().zip(&values) {
            let (mean, deviation) = process.predict(row);
            assert!((mean - value).abs() < 0.1 && deviation < 0.2, "{mean} ± {deviation}, {value}");
        }
        let (_, near) = process.predict(&rows[0]);
        let (_, far) = process.predict(&vec![vec![30.0], vec![30.0, 1.0]]);
        assert!(far > 3.0 * near);
    }
}
