//! Counts as one model sees them: which it uses, which n-grams it keeps.

use super::config::{Boundaries, NgramConfig};
use super::estimate::{Estimate, Histogram, Share};
use super::level::{Context, Level, Successor};
use super::smoothing::{Estimation, Smoothing};

/// What the construction makes of counts.
#[derive(Debug)]
pub(super) enum Method<'a> {
    /// Probabilities.
    Smoothed(&'a Estimation),
    /// Relative frequencies and a fixed factor for what was not seen.
    StupidBackoff(f64),
}

impl Method<'_> {
    /// Whether orders below the longest count left neighbours instead of occurrences.
    fn counts_continuations(&self) -> bool {
        matches!(self, Self::Smoothed(Estimation { smoothing: Smoothing::KneserNey, .. }))
    }

    /// How often an n-gram of `order` must have occurred to be kept.
    fn min_count(&self, order: usize) -> u32 {
        match self {
            Self::Smoothed(estimation) => estimation.min_count(order),
            Self::StupidBackoff(_) => 1,
        }
    }

    /// What it learns from the counts of one context length.
    pub fn estimate(&self, counted: &Counted) -> Estimate {
        match self {
            Self::Smoothed(estimation) => {
                Estimate::learn(estimation.smoothing, &counted.histogram())
            }
            // What no text held at all has the score zero.
            Self::StupidBackoff(_) if counted.length == 0 => Estimate::Relative { backoff: 0.0 },
            Self::StupidBackoff(factor) => Estimate::Relative { backoff: *factor },
        }
    }
}

/// A level seen with the eyes of one model: which contexts it keeps, which count it uses.
pub(super) struct Counted<'a> {
    pub config: &'a NgramConfig,
    pub level: &'a Level,
    /// Tokens per context.
    pub length: usize,
    counts_continuations: bool,
    min_count: u32,
}

impl<'a> Counted<'a> {
    pub fn new(
        config: &'a NgramConfig,
        method: &Method<'_>,
        level: &'a Level,
        length: usize,
    ) -> Self {
        let order = length + 1;
        let counts_continuations = method.counts_continuations() && order < config.order;
        Self { config, level, length, counts_continuations, min_count: method.min_count(order) }
    }

    /// Whether the context reaches over the start of a document.
    fn at_start(&self, context: &Context) -> bool {
        self.length > 0 && context.oldest == self.config.boundary()
    }

    /// In a running stream nothing stands before a document, so such a context is none.
    fn counts(&self, context: &Context) -> bool {
        self.config.boundaries != Boundaries::Stream || !self.at_start(context)
    }

    /// The count that the smoothing uses. After the start of a sentence there is only one left
    /// neighbour to have, so raw counts stay there.
    fn count(&self, context: &Context, successor: &Successor) -> u32 {
        if self.counts_continuations && !self.at_start(context) {
            successor.left_neighbours
        } else {
            successor.occurrences
        }
    }

    fn is_kept(&self, successor: &Successor) -> bool {
        successor.occurrences >= self.min_count
    }

    /// All contexts that count, each with its successors.
    fn contexts(&self) -> impl Iterator<Item = (usize, &Context, &[Successor])> {
        let contexts = self.level.contexts.iter().enumerate();
        contexts
            .filter(|(_, context)| self.counts(context))
            .map(|(index, context)| (index, context, self.level.successors(index)))
    }

    /// The contexts that become states: those with a successor that is kept. The empty one always is.
    pub fn kept(&self) -> impl Iterator<Item = (usize, &Context, &[Successor])> {
        self.contexts().filter(|(_, _, successors)| {
            self.length == 0 || successors.iter().any(|successor| self.is_kept(successor))
        })
    }

    /// How many n-grams are kept.
    pub fn ngrams(&self) -> usize {
        let kept = |successors: &[Successor]| successors.iter().filter(|s| self.is_kept(s)).count();
        self.contexts().map(|(_, _, successors)| kept(successors)).sum()
    }

    /// How many n-grams, kept or not, have each count.
    fn histogram(&self) -> Histogram {
        // Nearly all counts are small: an array for them, a map for the others.
        let mut small = [0_u64; 256];
        let mut histogram = Histogram::new();
        for (_, context, successors) in self.contexts() {
            for successor in successors {
                let count = self.count(context, successor);
                match small.get_mut(count as usize) {
                    Some(number) => *number += 1,
                    None => *histogram.entry(count).or_default() += 1,
                }
            }
        }
        let occurring = small.into_iter().enumerate().filter(|&(_, number)| number > 0);
        histogram.extend(occurring.map(|(count, number)| (count as u32, number)));
        histogram
    }

    /// The successors of `context` as shares, without their probabilities in the shorter context.
    pub fn shares(&self, context: &Context, successors: &[Successor], into: &mut Vec<Share>) {
        into.clear();
        into.extend(successors.iter().map(|successor| Share {
            count: self.count(context, successor),
            kept: self.is_kept(successor),
            probability: 0.0,
        }));
    }
}
