//! How likely each symbol derives nothing, and how likely it ends at all.
//!
//! Both are least solutions of x = Σ p · Π x over the rules. Newton's method reaches them from zero, from below and
//! without overshooting (Etessami and Yannakakis 2009). Where recursion is exactly critical it halves the distance at
//! each step, and rounding ends it about 1e-8 short.

use super::binary::{Binary, Body, Piece};
use super::matrix;

const MAX_STEPS: usize = 200;

/// The largest part of a mass that may be missing, apart from rounding.
const TOLERANCE: f64 = 1e-16;

/// The probability that each symbol derives the empty string.
pub(super) fn empty(binary: &Binary) -> Vec<f64> {
    least_solution(binary, false)
}

/// The probability that each symbol derives a finite string: one, unless recursion goes too far.
pub(super) fn finite(binary: &Binary) -> Vec<f64> {
    least_solution(binary, true)
}

fn least_solution(binary: &Binary, words: bool) -> Vec<f64> {
    let symbols = binary.symbols();
    // Only symbols with a mass take part; all others are zero and would make the system singular.
    let active: Vec<usize> = {
        let holds = binary.reachable_upwards(words);
        (0..symbols).filter(|&symbol| holds[symbol]).collect()
    };
    let mut masses = vec![0.0; symbols];
    for _ in 0..MAX_STEPS {
        let (values, slopes) = evaluate(binary, &masses, words);
        let missing: Vec<f64> = active.iter().map(|&s| (values[s] - masses[s]).max(0.0)).collect();
        if missing.iter().all(|missing| *missing <= TOLERANCE) {
            break;
        }
        let restricted: Vec<Vec<f64>> = active
            .iter()
            .map(|&row| active.iter().map(|&column| slopes[row][column]).collect())
            .collect();
        // At a critical solution the slopes are too steep to solve for: what is missing is a step too, if a short one.
        let step = matrix::solve(&restricted, &missing).unwrap_or(missing);
        for (&symbol, step) in active.iter().zip(step) {
            masses[symbol] = (masses[symbol] + step).min(1.0);
        }
    }
    masses
}

/// The right sides of the equations at `masses`, and their derivatives.
fn evaluate(binary: &Binary, masses: &[f64], words: bool) -> (Vec<f64>, Vec<Vec<f64>>) {
    let mut values = vec![0.0; masses.len()];
    let mut slopes = vec![vec![0.0; masses.len()]; masses.len()];
    for &Piece { left, body, probability, .. } in &binary.pieces {
        values[left] += probability
            * match body {
                Body::Empty => 1.0,
                Body::Word(_) => f64::from(words),
                Body::One(child) => {
                    slopes[left][child] += probability;
                    masses[child]
                }
                Body::Two(first, second) => {
                    slopes[left][first] += probability * masses[second];
                    slopes[left][second] += probability * masses[first];
                    masses[first] * masses[second]
                }
            };
    }
    (values, slopes)
}
