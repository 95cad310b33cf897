//! GloVe (Pennington, Socher and Manning 2014, "GloVe: global vectors for word representation"):
//! vectors whose products are the logarithms of the counts, fitted by AdaGrad as in the authors' code.
//!
//! The authors' threads write over each other. Here the words are dealt out to [`BLOCKS`] blocks, which
//! cuts the matrix of counts into tiles. Tiles that share neither a block of rows nor one of columns
//! have no weight in common, so they are fitted at the same time without any difference to fitting them
//! one after the other (Gemulla et al. 2011, "Large-scale matrix factorization with distributed
//! stochastic gradient descent").

use pulp::{Arch, NullaryFnOnce};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::kernels::{LANES, dot};
use super::{Cooccurrence, DistanceWeighting, WordVectors, WordVocabulary};
use crate::random::{shuffle, uniform_within};
use crate::{ClassicalError, SparseMatrix};

/// Blocks of words: threads that can work at a time.
const BLOCKS: usize = 16;
/// Elements of a gradient beyond this are cut off.
const LARGEST_GRADIENT: f32 = 100.0;

/// How vectors are fitted to counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GloVe {
    /// How neighbours are counted.
    pub cooccurrence: Cooccurrence,
    /// Length of a vector.
    pub dim: usize,
    /// The count from which on all counts weigh the same. The authors' 100 is for billions of words;
    /// 10 suits a million.
    pub x_max: f64,
    /// The power of `count / x_max` that a smaller count weighs.
    pub alpha: f64,
    /// AdaGrad's step.
    pub learning_rate: f64,
    /// Passes over the counts.
    pub epochs: usize,
    /// Seed of the first weights and of the order.
    pub seed: u64,
}

impl Default for GloVe {
    fn default() -> Self {
        Self {
            cooccurrence: Cooccurrence { window: 10, weighting: DistanceWeighting::Harmonic },
            dim: 100,
            x_max: 100.0,
            alpha: 0.75,
            learning_rate: 0.05,
            epochs: 25,
            seed: 0,
        }
    }
}

impl GloVe {
    /// Vectors of the words of `vocabulary` from documents of their ids: of each word, the sum of its
    /// vector as a word and its vector as a neighbour.
    ///
    /// # Errors
    /// Options that make no sense, an id outside the vocabulary, or no tokens at all.
    pub fn train<D: AsRef<[u32]>>(
        &self,
        vocabulary: &WordVocabulary,
        documents: &[D],
    ) -> Result<WordVectors, ClassicalError> {
        self.check()?;
        let counts = self.cooccurrence.count(vocabulary.len(), documents)?;
        let tiles = self.tiles(&counts);
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let mut sides = [(); 2].map(|()| self.initial(vocabulary.len(), &mut random));
        for epoch in 0..self.epochs {
            let loss = self.pass(&tiles, &mut sides);
            tracing::debug!(epoch, loss = loss / counts.stored() as f64, "GloVe");
        }
        let [words, neighbours] = sides;
        let mut values = Vec::with_capacity(vocabulary.len() * self.dim);
        for word in 0..vocabulary.len() {
            let rows = [&words, &neighbours].map(|side| side[word % BLOCKS].row(word / BLOCKS));
            values.extend(rows[0].iter().zip(rows[1]).take(self.dim).map(|(a, b)| a + b));
        }
        WordVectors::new(vocabulary.words().to_vec(), self.dim, values)
    }

    fn check(&self) -> Result<(), ClassicalError> {
        let positive = [
            ("dim", self.dim as f64),
            ("x_max", self.x_max),
            ("alpha", self.alpha),
            ("learning_rate", self.learning_rate),
        ];
        match positive.into_iter().find(|(_, value)| !(*value > 0.0 && value.is_finite())) {
            Some((name, found)) => {
                Err(ClassicalError::Setting { name, found, expected: "a positive number" })
            }
            None => Ok(()),
        }
    }

    /// The counts of each pair of blocks, in a random order.
    fn tiles(&self, counts: &SparseMatrix) -> Vec<Vec<Count>> {
        let mut tiles: Vec<Vec<Count>> = (0..BLOCKS * BLOCKS).map(|_| Vec::new()).collect();
        for (word, row) in counts.rows().enumerate() {
            for (&neighbour, &count) in row.columns.iter().zip(row.values) {
                let weight = (f64::from(count) / self.x_max).min(1.0).powf(self.alpha);
                tiles[word % BLOCKS * BLOCKS + neighbour as usize % BLOCKS].push(Count {
                    word: (word / BLOCKS) as u32,
                    neighbour: neighbour / BLOCKS as u32,
                    logarithm: count.ln(),
                    weight: weight as f32,
                });
            }
        }
        tiles.par_iter_mut().enumerate().for_each(|(tile, counts)| {
            let mut random = ChaCha8Rng::seed_from_u64(self.seed);
            random.set_stream(1 + tile as u64);
            shuffle(counts, &mut random);
        });
        tiles
    }

    fn initial(&self, words: usize, random: &mut ChaCha8Rng) -> Vec<Block> {
        let limit = 0.5 / (self.dim + 1) as f32;
        let stride = self.dim.next_multiple_of(LANES);
        let block = |index: usize| {
            let rows = (words + BLOCKS - 1 - index) / BLOCKS;
            let mut vectors = vec![0.0; rows * stride];
            for row in vectors.chunks_exact_mut(stride) {
                row[..self.dim].fill_with(|| uniform_within(random, limit));
            }
            let biases = (0..rows).map(|_| uniform_within(random, limit)).collect();
            let squares = vec![1.0; rows * stride];
            Block { stride, vectors, squares, biases, bias_squares: vec![1.0; rows] }
        };
        (0..BLOCKS).map(block).collect()
    }

    /// Fits every count once, [`BLOCKS`] tiles at a time. Gives the sum of the losses.
    fn pass(&self, tiles: &[Vec<Count>], sides: &mut [Vec<Block>; 2]) -> f64 {
        let [words, neighbours] = sides;
        let mut loss = 0.0;
        for round in 0..BLOCKS {
            let losses: Vec<f64> = words
                .par_iter_mut()
                .zip(neighbours.par_iter_mut())
                .enumerate()
                .map(|(block, (words, neighbours))| {
                    let tile = &tiles[block * BLOCKS + (block + round) % BLOCKS];
                    let learning_rate = self.learning_rate as f32;
                    Arch::new().dispatch(Fit { tile, words, neighbours, learning_rate })
                })
                .collect();
            loss += losses.iter().sum::<f64>();
            // Block i of the words meets block i + 1 of the neighbours next; after the last round, and
            // so for the next pass, everything is back in its place.
            neighbours.rotate_left(1);
        }
        loss
    }
}

/// An element of the matrix: words by their places within blocks.
struct Count {
    word: u32,
    neighbour: u32,
    logarithm: f32,
    weight: f32,
}

/// Weights of some words and the sums of their squared gradients.
struct Block {
    stride: usize,
    vectors: Vec<f32>,
    squares: Vec<f32>,
    biases: Vec<f32>,
    bias_squares: Vec<f32>,
}

impl Block {
    fn row(&self, index: usize) -> &[f32] {
        &self.vectors[index * self.stride..][..self.stride]
    }
}

/// One step per count of a tile: a task that is compiled for each set of vector instructions.
struct Fit<'a> {
    tile: &'a [Count],
    words: &'a mut Block,
    neighbours: &'a mut Block,
    learning_rate: f32,
}

impl NullaryFnOnce for Fit<'_> {
    type Output = f64;

    /// The sum of the losses before each step.
    #[inline(always)]
    fn call(self) -> f64 {
        let mut loss = 0.0;
        for count in self.tile {
            loss += fit(count, self.words, self.neighbours, self.learning_rate);
        }
        loss
    }
}

#[inline(always)]
fn fit(count: &Count, words: &mut Block, neighbours: &mut Block, learning_rate: f32) -> f64 {
    let stride = words.stride;
    let (word, neighbour) = (count.word as usize, count.neighbour as usize);
    let biases = words.biases[word] + neighbours.biases[neighbour];
    let difference = dot(words.row(word), neighbours.row(neighbour)) + biases - count.logarithm;
    let slope = count.weight * difference;
    let [left, left_squares] = [&mut words.vectors, &mut words.squares]
        .map(|values| &mut values[word * stride..][..stride]);
    let [right, right_squares] = [&mut neighbours.vectors, &mut neighbours.squares]
        .map(|values| &mut values[neighbour * stride..][..stride]);
    let weights = left.iter_mut().zip(left_squares).zip(right.iter_mut().zip(right_squares));
    for ((left, left_square), (right, right_square)) in weights {
        let (on_left, on_right) = (slope * *right, slope * *left);
        step(left, left_square, on_left, learning_rate);
        step(right, right_square, on_right, learning_rate);
    }
    for (block, row) in [(&mut *words, word), (&mut *neighbours, neighbour)] {
        step(&mut block.biases[row], &mut block.bias_squares[row], slope, learning_rate);
    }
    0.5 * f64::from(slope * difference)
}

/// AdaGrad as in the authors' code, where the sum holds squared steps rather than squared gradients.
#[inline(always)]
fn step(weight: &mut f32, square: &mut f32, gradient: f32, learning_rate: f32) {
    let step = learning_rate * gradient.clamp(-LARGEST_GRADIENT, LARGEST_GRADIENT);
    *weight -= step / square.sqrt();
    *square += step * step;
}
