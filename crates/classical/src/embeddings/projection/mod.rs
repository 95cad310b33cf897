//! Word vectors on a plane, to be looked at: what lies together is alike; what lies apart may be alike
//! all the same.

mod pca;
mod svg;
mod tsne;

pub use tsne::Tsne;

use super::WordVectors;
use super::vectors::unit;
use crate::ClassicalError;

/// Words on a plane.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    /// The words in the given order.
    pub words: Vec<ProjectedWord>,
}

/// A word and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct ProjectedWord {
    /// The word.
    pub word: String,
    /// From left to right.
    pub x: f64,
    /// From bottom to top.
    pub y: f64,
    /// A number that the figure's colour stands for, as a part of speech or a topic; 0 at first.
    pub group: usize,
}

impl WordVectors {
    /// Words along the two directions in which their vectors, made of length 1, differ most (principal
    /// component analysis).
    ///
    /// # Errors
    /// A word without a vector.
    pub fn project_pca<T: AsRef<str>>(&self, words: &[T]) -> Result<Projection, ClassicalError> {
        Ok(Projection::new(words, pca::planar(&self.units(words)?)))
    }

    /// Words such that neighbours stay neighbours (t-SNE, from where the principal components put
    /// them).
    ///
    /// # Errors
    /// A word without a vector, or options that make no sense for this number of words.
    pub fn project_tsne<T: AsRef<str>>(
        &self,
        words: &[T],
        options: &Tsne,
    ) -> Result<Projection, ClassicalError> {
        Ok(Projection::new(words, options.planar(&self.units(words)?)?))
    }

    fn units<T: AsRef<str>>(&self, words: &[T]) -> Result<Vec<Vec<f32>>, ClassicalError> {
        words.iter().map(|word| self.known(word.as_ref()).map(unit)).collect()
    }
}

impl Projection {
    fn new<T: AsRef<str>>(words: &[T], points: Vec<[f64; 2]>) -> Self {
        let place = |(word, [x, y]): (&T, [f64; 2])| ProjectedWord {
            word: word.as_ref().to_owned(),
            x,
            y,
            group: 0,
        };
        Self { words: words.iter().zip(points).map(place).collect() }
    }
}
