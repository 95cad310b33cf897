//! Probabilistic context-free grammars: language models whose rules a person can read.
//!
//! A [`Grammar`] is a text file of rules with probabilities, checked whole when it is read. A [`Parser`] of it finds
//! the best tree of a sentence (CKY with the maximum), its probability over all trees (CKY with the sum: the inside
//! algorithm), and the probability of everything that begins as the sentence does (Jelinek and Lafferty 1991;
//! Stolcke 1995), which makes the grammar a model of the next word. [`Grammar::learn`] estimates the probabilities
//! from sentences alone (inside–outside: Baker 1979; Lari and Young 1990), a [`Sampler`] draws sentences, and a
//! [`GrammarModel`] is a `TextModel` like any other.
//!
//! ```
//! use wuji_classical::grammar::{Grammar, Parser};
//!
//! # fn main() -> Result<(), wuji_classical::grammar::GrammarError> {
//! let grammar = Grammar::parse("
//!     S  -> NP VP
//!     NP -> 'dogs' [0.6] | 'cats' [0.4]
//!     VP -> 'sleep' [0.5] | 'chase' NP [0.5]
//! ")?;
//! let parser = Parser::new(grammar);
//! let best = parser.best(&["dogs", "chase", "cats"]).expect("a sentence of the grammar");
//! assert_eq!(best.derivation.bracketed(parser.grammar()), "(S (NP dogs) (VP chase (NP cats)))");
//! assert!((best.log_probability.exp() - 0.6 * 0.5 * 0.4).abs() < 1e-12);
//!
//! let next = parser.next_word(&["dogs"]).expect("the beginning of a sentence");
//! assert!((next.probability(parser.grammar(), "sleep") - 0.5).abs() < 1e-12);
//! # Ok(())
//! # }
//! ```
//!
//! # How it is built
//!
//! 1. `syntax` reads the file, `structure` finds what is undefined, unreachable or cannot end, `definition` is what
//!    remains: the [`Grammar`].
//! 2. `binary` cuts long rules into pieces with at most two children. A [`Derivation`] is the list of rules in the
//!    order of the leftmost derivation, which cutting does not change: no tree has to be put together again.
//! 3. `masses` solves for the probability that each symbol derives nothing, and that it ends at all; `normal_form`
//!    takes empty and unit rules out by these and by (I − U)⁻¹, so that no probability is lost.
//! 4. `chart` adds one word at a time; `viterbi`, `outside`, `learn` and `language_model` stand on it.

mod binary;
mod chart;
mod chomsky;
mod definition;
mod derivation;
mod error;
mod language_model;
mod learn;
mod masses;
mod matrix;
mod normal_form;
mod outside;
mod parser;
mod sample;
mod structure;
mod syntax;
mod viterbi;

pub use chart::NextWord;
pub use chomsky::ChomskyNormalForm;
pub use definition::{Grammar, Rule, Symbol};
pub use derivation::{Constituent, Derivation};
pub use error::{GrammarError, GrammarProblem};
pub use language_model::GrammarModel;
pub use learn::{InsideOutside, InsideOutsideReport};
pub use parser::{Parse, Parser};
pub use sample::Sampler;
