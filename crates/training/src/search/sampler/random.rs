//! Independent uniform draws (Bergstra & Bengio 2012): what every other sampler has to beat.

use wuji_data::Dice;

use super::{Question, Sampler};
use crate::search::space::{Assignment, Point, SearchSpace};

/// Draws each parameter by itself, uniformly on its scale.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Random;

impl Sampler for Random {
    fn propose(&self, question: &Question) -> Option<Assignment> {
        let point = draw(question.space, &mut question.dice());
        Some(question.space.assignment(&point))
    }
}

/// A uniform point. Draws for every parameter, active or not, so that a parameter's draw does not
/// depend on those before it.
pub(super) fn draw(space: &SearchSpace, dice: &mut Dice) -> Point {
    let units: Vec<f64> = space.parameters().iter().map(|_| dice.fraction()).collect();
    space.snap(&units)
}
