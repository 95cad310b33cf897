//! What can be wrong with a grammar, always with the line.

use std::fmt;

/// An error of a probabilistic context-free grammar.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GrammarError {
    /// The file does not describe a grammar; all of its problems are listed.
    #[error("problems in the grammar ({}): {}", .problems.len(), join(.problems))]
    File {
        /// The problems in the order of their lines.
        problems: Vec<GrammarProblem>,
    },
    /// Sentences would have no end.
    #[error(
        "the expected length of a sentence is infinite: the spectral radius of the rules is {spectral_radius:.6}, \
         expected less than 1; bound the depth, or make recursion less likely"
    )]
    Endless {
        /// Largest eigenvalue of the matrix of expected children.
        spectral_radius: f64,
    },
    /// No sentence has a tree as shallow as that.
    #[error("no tree of a depth of at most {max_depth}: the shallowest has {shallowest}")]
    Depth {
        /// The depth asked for.
        max_depth: usize,
        /// The smallest that is possible; more than the number of nonterminals when there is none.
        shallowest: usize,
    },
    /// There is nothing to learn from.
    #[error("no sentences to learn from: expected at least one")]
    NoSentences,
    /// A sentence to learn from is none of the grammar.
    #[error("sentence {sentence} has no parse: {found:?}")]
    NoParse {
        /// Which, from 0.
        sentence: usize,
        /// The sentence.
        found: String,
    },
    /// Words of a text are told apart by spaces, so they cannot hold any.
    #[error(
        "the terminal {terminal:?} holds white space: expected one word, or a model by characters"
    )]
    Space {
        /// The terminal.
        terminal: String,
    },
}

/// One thing wrong with a grammar file.
#[derive(Debug, Clone, PartialEq)]
pub enum GrammarProblem {
    /// A line that is not in the format.
    Syntax {
        /// Line, from 1.
        line: usize,
        /// What should be there.
        expected: &'static str,
        /// What is there.
        got: String,
    },
    /// A nonterminal without rules.
    Undefined {
        /// Where it is used first.
        line: usize,
        /// Its name.
        name: String,
    },
    /// A nonterminal that no sentence uses.
    Unreachable {
        /// Where its first rule is.
        line: usize,
        /// Its name.
        name: String,
    },
    /// A nonterminal that never ends in words.
    Unproductive {
        /// Where its first rule is.
        line: usize,
        /// Its name.
        name: String,
    },
    /// The same rule twice.
    Duplicate {
        /// Where the second one is.
        line: usize,
        /// Where the first one is.
        first: usize,
        /// The rule.
        rule: String,
    },
    /// Some rules of a nonterminal have a probability and others have none.
    MixedWeights {
        /// Where the first one without is.
        line: usize,
        /// The nonterminal.
        name: String,
    },
    /// Probabilities of a nonterminal that do not sum to one.
    Sum {
        /// Where its first rule is.
        line: usize,
        /// The nonterminal.
        name: String,
        /// Their sum.
        sum: f64,
        /// What it should be.
        expected: &'static str,
    },
}

impl GrammarProblem {
    /// The line, from 1.
    pub fn line(&self) -> usize {
        match self {
            Self::Syntax { line, .. }
            | Self::Undefined { line, .. }
            | Self::Unreachable { line, .. }
            | Self::Unproductive { line, .. }
            | Self::Duplicate { line, .. }
            | Self::MixedWeights { line, .. }
            | Self::Sum { line, .. } => *line,
        }
    }
}

impl fmt::Display for GrammarProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line())?;
        match self {
            Self::Syntax { expected, got, .. } => write!(f, "expected {expected}, got {got}"),
            Self::Undefined { name, .. } => {
                write!(f, "{name} has no rule: expected one, or quotes around a word")
            }
            Self::Unreachable { name, .. } => {
                write!(f, "{name} is not reachable from the first nonterminal")
            }
            Self::Unproductive { name, .. } => write!(f, "{name} never ends in words"),
            Self::Duplicate { first, rule, .. } => {
                write!(f, "{rule} again: the same rule is in line {first}")
            }
            Self::MixedWeights { name, .. } => write!(
                f,
                "a rule of {name} without a probability: expected one, as its other rules have"
            ),
            Self::Sum { name, sum, expected, .. } => {
                write!(f, "the probabilities of {name} sum to {sum}: expected {expected}")
            }
        }
    }
}

fn join(problems: &[GrammarProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
