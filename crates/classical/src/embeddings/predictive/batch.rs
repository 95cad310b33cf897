//! The gradients of a few words, and what becomes of them.

use std::ops::Range;

use pulp::{Arch, NullaryFnOnce};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::composition::Composition;
use super::epoch::Epoch;
use super::negatives::Negatives;
use super::rows::{BLOCKS, Rows, stride};
use super::{Architecture, Word2Vec};
use crate::embeddings::kernels::{add_scaled, dot};
use crate::embeddings::stream::END;
use crate::random::below;

/// Places of the text that one task takes. It has a stream of random numbers for them, so this number
/// is part of the results.
const PLACES: usize = 8;

/// Everything that a batch is a function of, but the weights.
pub(super) struct Step<'a> {
    pub options: &'a Word2Vec,
    pub composition: &'a Composition,
    pub negatives: &'a Negatives,
    pub text: &'a Epoch,
    pub learning_rate: f32,
    /// Where the batches' streams of random numbers are counted from.
    pub draws: &'a ChaCha8Rng,
    /// Which batch of the training.
    pub number: u64,
}

/// Room for the gradients of a batch, kept from one to the next.
pub(super) struct Batch {
    stride: usize,
    parts: Vec<Part>,
}

impl Batch {
    pub fn new(dim: usize) -> Self {
        Self { stride: stride(dim), parts: Vec::new() }
    }

    /// Takes the gradients at the weights as they are, then adds them. Each row's changes come in the
    /// order of the text, whoever adds them.
    pub fn learn(
        &mut self,
        step: &Step,
        places: Range<usize>,
        inputs: &mut Rows,
        outputs: &mut Rows,
    ) {
        let parts = places.len().div_ceil(PLACES);
        self.parts.resize_with(parts.max(self.parts.len()), Part::default);
        let parts = &mut self.parts[..parts];
        let stride = self.stride;
        let (from, to): (&Rows, &Rows) = (&*inputs, &*outputs);
        parts.par_iter_mut().enumerate().for_each(|(index, part)| {
            let start = places.start + index * PLACES;
            let places = start..(start + PLACES).min(places.end);
            let mut random = step.draws.clone();
            let most = step.options.batch_words.div_ceil(PLACES) as u64;
            random.set_stream(random.get_stream() + step.number * most + index as u64);
            part.clear(stride);
            let task = Collect { part, step, places, random, inputs: from, outputs: to };
            Arch::new().dispatch(task);
        });
        let parts: &[Part] = parts;
        rayon::join(
            || {
                apply(&mut inputs.blocks, stride, parts, |part| {
                    (&part.inputs[..], &part.gradients[..])
                })
            },
            || {
                apply(&mut outputs.blocks, stride, parts, |part| {
                    (&part.outputs[..], &part.hidden[..])
                })
            },
        );
    }
}

/// Adds changes to the rows of each block.
fn apply(
    blocks: &mut [Vec<f32>],
    stride: usize,
    parts: &[Part],
    changes_of: impl Fn(&Part) -> (&[Vec<Change>], &[f32]) + Sync,
) {
    blocks.par_iter_mut().enumerate().for_each(|(block, values)| {
        for part in parts {
            let (changes, directions) = changes_of(part);
            let changes = &changes[block];
            if !changes.is_empty() {
                Arch::new().dispatch(Add { values, stride, changes, directions });
            }
        }
    });
}

/// A task that is compiled for each set of vector instructions: a closure would not be inlined there.
struct Add<'a> {
    values: &'a mut [f32],
    stride: usize,
    changes: &'a [Change],
    directions: &'a [f32],
}

impl NullaryFnOnce for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for change in self.changes {
            let row = &mut self.values[change.row as usize * self.stride..][..self.stride];
            let direction = &self.directions[change.example as usize * self.stride..];
            add_scaled(row, change.factor, &direction[..self.stride]);
        }
    }
}

/// As [`Add`], for the gradients of some places.
struct Collect<'a> {
    part: &'a mut Part,
    step: &'a Step<'a>,
    places: Range<usize>,
    random: ChaCha8Rng,
    inputs: &'a Rows,
    outputs: &'a Rows,
}

impl NullaryFnOnce for Collect<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.part.collect(self.step, self.places, self.random, self.inputs, self.outputs);
    }
}

/// `factor` times the direction of an example, to be added to a row of a block.
struct Change {
    row: u32,
    example: u32,
    factor: f32,
}

/// The examples of some places: what predicts, which way it should move, and what else moves.
#[derive(Default)]
struct Part {
    examples: usize,
    /// Vectors that predict, one per example.
    hidden: Vec<f32>,
    /// Their gradients.
    gradients: Vec<f32>,
    /// What the gradients are added to.
    inputs: [Vec<Change>; BLOCKS],
    /// What the vectors are added to.
    outputs: [Vec<Change>; BLOCKS],
    /// Rows that the vector of an example is the mean of.
    rows: Vec<u32>,
}

impl Part {
    fn clear(&mut self, stride: usize) {
        self.examples = 0;
        self.hidden.clear();
        self.gradients.clear();
        self.hidden.resize(PLACES * stride, 0.0);
        self.gradients.resize(PLACES * stride, 0.0);
        self.inputs.iter_mut().for_each(Vec::clear);
        self.outputs.iter_mut().for_each(Vec::clear);
    }

    #[inline(always)]
    fn collect(
        &mut self,
        step: &Step,
        places: Range<usize>,
        mut random: ChaCha8Rng,
        inputs: &Rows,
        outputs: &Rows,
    ) {
        for place in places {
            let word = step.text.tokens[place];
            if word == END {
                continue;
            }
            let width = 1 + below(&mut random, step.options.window);
            let neighbours = step.text.neighbours(place, width);
            self.rows.clear();
            match step.options.architecture {
                Architecture::SkipGram => {
                    self.rows.extend_from_slice(step.composition.rows_of(word));
                    self.begin(inputs);
                    for neighbour in neighbours {
                        self.predict(neighbour, step, &mut random, outputs);
                    }
                    self.end();
                }
                Architecture::Cbow => {
                    for neighbour in neighbours {
                        self.rows.extend_from_slice(step.composition.rows_of(neighbour));
                    }
                    if !self.rows.is_empty() {
                        self.begin(inputs);
                        self.predict(word, step, &mut random, outputs);
                        self.end();
                    }
                }
            }
        }
    }

    /// The mean of the rows is what predicts.
    #[inline(always)]
    fn begin(&mut self, inputs: &Rows) {
        let stride = self.hidden.len() / PLACES;
        let hidden = &mut self.hidden[self.examples * stride..][..stride];
        let share = 1.0 / self.rows.len() as f32;
        for &row in &self.rows {
            add_scaled(hidden, share, inputs.row(row));
        }
    }

    /// One right word and some others.
    #[inline(always)]
    fn predict(&mut self, right: u32, step: &Step, random: &mut ChaCha8Rng, outputs: &Rows) {
        self.target(right, 1.0, step.learning_rate, outputs);
        for _ in 0..step.options.negatives {
            let other = step.negatives.draw(random);
            // As word2vec: what was drawn by mistake is not drawn again.
            if other != right {
                self.target(other, 0.0, step.learning_rate, outputs);
            }
        }
    }

    #[inline(always)]
    fn target(&mut self, word: u32, label: f32, learning_rate: f32, outputs: &Rows) {
        let stride = self.hidden.len() / PLACES;
        let output = outputs.row(word);
        let example = self.examples;
        let score = dot(&self.hidden[example * stride..][..stride], output);
        let factor = learning_rate * (label - 1.0 / (1.0 + (-score).exp()));
        add_scaled(&mut self.gradients[example * stride..][..stride], factor, output);
        self.outputs[word as usize % BLOCKS].push(Change {
            row: word / BLOCKS as u32,
            example: example as u32,
            factor,
        });
    }

    /// Every row moves by the whole gradient, not by its share, as in word2vec and fastText.
    #[inline(always)]
    fn end(&mut self) {
        for &row in &self.rows {
            self.inputs[row as usize % BLOCKS].push(Change {
                row: row / BLOCKS as u32,
                example: self.examples as u32,
                factor: 1.0,
            });
        }
        self.examples += 1;
    }
}
