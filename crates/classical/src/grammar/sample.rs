//! Sentences drawn from a grammar.
//!
//! A grammar whose sentences have no finite expected length is only sampled with a bound on the depth of the trees.
//! Bounded trees have exactly the distribution of the grammar given that they are no deeper: each rule is weighted by
//! the probability that its children stay within what is left.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::{Derivation, Grammar, GrammarError, Symbol, matrix};
use crate::random::draw;

/// Draws derivations of a grammar.
#[derive(Debug, Clone)]
pub struct Sampler<'g> {
    grammar: &'g Grammar,
    /// Without a bound, empty; else the probability that a tree of each nonterminal has at most so many levels.
    within: Vec<Vec<f64>>,
}

impl Grammar {
    /// A sampler without a bound.
    ///
    /// # Errors
    /// [`GrammarError::Endless`] when the expected length of a sentence is not finite.
    pub fn sampler(&self) -> Result<Sampler<'_>, GrammarError> {
        if !matrix::is_convergent(&self.expected_children()) {
            return Err(GrammarError::Endless { spectral_radius: self.spectral_radius() });
        }
        Ok(Sampler { grammar: self, within: Vec::new() })
    }

    /// A sampler of trees with at most `max_depth` nonterminals above one another.
    ///
    /// # Errors
    /// [`GrammarError::Depth`] when no tree is as shallow as that.
    pub fn sampler_within(&self, max_depth: usize) -> Result<Sampler<'_>, GrammarError> {
        let mut within = vec![vec![0.0; self.nonterminals().len()]];
        // A shallowest tree repeats no nonterminal on its way down.
        let levels = max_depth.max(self.nonterminals().len());
        while within.len() <= levels
            && (within.len() <= max_depth || within[within.len() - 1][0] == 0.0)
        {
            let below = &within[within.len() - 1];
            let mut next = vec![0.0; below.len()];
            for rule in self.rules() {
                next[rule.left] += rule.probability * children_within(&rule.right, below);
            }
            // More levels would change nothing.
            if next == *below && within.len() > self.nonterminals().len() {
                break;
            }
            within.push(next);
        }
        let shallowest = within.iter().position(|level| level[0] > 0.0).unwrap_or(within.len());
        if shallowest > max_depth {
            return Err(GrammarError::Depth { max_depth, shallowest });
        }
        within.truncate(max_depth.saturating_add(1));
        Ok(Sampler { grammar: self, within })
    }
}

/// The probability that all nonterminals of `right` stay within a level.
fn children_within(right: &[Symbol], within: &[f64]) -> f64 {
    let child = |symbol: &Symbol| match symbol {
        Symbol::Nonterminal(child) => within[*child],
        Symbol::Terminal(_) => 1.0,
    };
    right.iter().map(child).product()
}

impl<'g> Sampler<'g> {
    /// Derivations without end, the same ones for the same seed.
    pub fn samples(&self, seed: u64) -> impl Iterator<Item = Derivation> + use<'_, 'g> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        std::iter::repeat_with(move || self.draw(&mut random))
    }

    fn draw(&self, random: &mut ChaCha8Rng) -> Derivation {
        let mut rules = Vec::new();
        // Nonterminals to rewrite with the levels that they may have; the leftmost stands last.
        let mut open = vec![(0, self.within.len().saturating_sub(1))];
        while let Some((nonterminal, levels)) = open.pop() {
            let choices = self.grammar.rules_of(nonterminal);
            let rule = choices[draw(&self.probabilities(choices, levels), random)];
            rules.push(rule);
            for symbol in self.grammar.rules()[rule].right.iter().rev() {
                if let Symbol::Nonterminal(child) = symbol {
                    open.push((*child, levels.saturating_sub(1)));
                }
            }
        }
        Derivation::new(rules)
    }

    /// The probability of each choice, given how many levels are left.
    fn probabilities(&self, choices: &[usize], levels: usize) -> Vec<f64> {
        let rules = choices.iter().map(|&rule| &self.grammar.rules()[rule]);
        if self.within.is_empty() {
            return rules.map(|rule| rule.probability).collect();
        }
        let below = &self.within[levels - 1];
        let weights: Vec<f64> =
            rules.map(|rule| rule.probability * children_within(&rule.right, below)).collect();
        let sum: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / sum).collect()
    }
}
