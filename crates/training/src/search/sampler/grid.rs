//! Every combination, each once.

use super::{Question, Sampler, at_least_one};
use crate::search::SearchError;
use crate::search::space::{Assignment, Point, SearchSpace};

/// Combinations at most: more is a mistake, not a search.
const MAX_COMBINATIONS: usize = 1_000_000;

/// All combinations of the values of each parameter: all of a finite domain, and of others a number of
/// them at equal distances. What is not active in a combination does not multiply it.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    points: Vec<Point>,
}

impl Grid {
    /// The grid with at most `points` values of a numeric parameter.
    ///
    /// # Errors
    /// [`SearchError::Invalid`] for no points, or more than a million combinations.
    pub fn new(space: &SearchSpace, points: usize) -> Result<Self, SearchError> {
        at_least_one("points", points)?;
        let mut grid = vec![Point::new()];
        for (index, parameter) in space.parameters().iter().enumerate() {
            let values = parameter.domain.grid(points);
            let units: Vec<Option<f64>> =
                values.iter().map(|value| parameter.domain.unit(value)).collect();
            let mut longer = Vec::with_capacity(grid.len());
            for point in grid {
                let units = if space.is_active(index, &point) { &units[..] } else { &[None] };
                longer.extend(units.iter().map(|unit| [&point[..], &[*unit]].concat()));
                if longer.len() > MAX_COMBINATIONS {
                    let expected = format!("at most {MAX_COMBINATIONS} combinations");
                    return Err(SearchError::invalid("study.sampler.points", expected, "more"));
                }
            }
            grid = longer;
        }
        Ok(Self { points: grid })
    }

    /// Number of combinations.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there are none, which cannot be.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }
}

impl Sampler for Grid {
    fn propose(&self, question: &Question) -> Option<Assignment> {
        let point = self.points.get(usize::try_from(question.number).ok()?)?;
        Some(question.space.assignment(point))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inactive_parameters_do_not_multiply_the_grid() {
        let space = SearchSpace::from_toml(
            "[parameters.a]\nkind='categorical'\nchoices=['x','y','z']\n\
             [parameters.b]\nkind='float'\nlow=0\nhigh=1\nwhen={a=['x']}\n\
             [parameters.c]\nkind='int'\nlow=1\nhigh=100\n",
        )
        .unwrap();
        // x with four b, y, z; each with four c.
        let grid = Grid::new(&space, 4).unwrap();
        assert_eq!(grid.len(), (4 + 1 + 1) * 4);
        let all: std::collections::BTreeSet<String> =
            grid.points.iter().map(|point| space.assignment(point).to_string()).collect();
        assert_eq!(all.len(), grid.len());
        for point in &grid.points {
            space.check(&space.assignment(point)).unwrap();
        }
        let asked = |number| {
            grid.propose(&Question { space: &space, seed: 0, number, history: &[] }).is_some()
        };
        assert!(asked(23) && !asked(24));
        assert!(Grid::new(&space, 0).is_err());
        assert!(Grid::new(&space, 1_000_000).is_err());
    }
}
