//! Rules over words: patterns in a data file that find, label and rewrite spans of a text.
//!
//! A [`RuleSet`] is read from one TOML file: word lists, named patterns, and rules with an id, a label, a priority, a
//! source and examples, all checked when the file is read. [`RuleSet::find`] gives the spans of a text as byte
//! offsets, [`RuleSet::rewrite`] replaces them by templates, and a [`RuleChat`] answers with them, as Weizenbaum's
//! ELIZA did (1966).
//!
//! ```
//! use wuji_classical::rules::RuleSet;
//!
//! # fn main() -> Result<(), wuji_classical::rules::RuleError> {
//! let rules = RuleSet::parse(r#"
//!     [lists]
//!     symptom = ["fever", "chest pain"]
//!     negation = ["no", "denies"]
//!
//!     [[rule]]
//!     id = "symptom"
//!     label = "finding"
//!     source = "made up for this page"
//!     pattern = "@symptom"
//!     not_before = "@negation inner{0,3}"
//!     matches = ["Chest  pain since Monday."]
//!     no_match = ["The patient denies any chest pain."]
//! "#)?;
//! let text = "No fever. Chest pain at night.";
//! let found = rules.find(text);
//! assert_eq!(found.len(), 1);
//! assert_eq!(&text[found[0].span.clone()], "Chest pain");
//! assert_eq!(found[0].rule.label, "finding");
//! # Ok(())
//! # }
//! ```
//!
//! # How it is built
//!
//! `tokens` divides a text into words, numbers and marks; `lists` finds all phrases of all lists in one pass over a
//! tree of words; `pattern` reads the pattern language and `program` compiles it; `search` runs a program from one
//! word on. Only rules that can begin with a word, or with a list that has a phrase there, are tried at it.
//!
//! Invariant: the time to search a text is proportional to its length. Every program visits each of its instructions
//! at most once per word of a window of [`MAX_WORDS`] words, and regular expressions run in linear time.

mod chat;
mod error;
mod file;
mod lists;
mod pattern;
mod program;
mod rewrite;
mod rule_set;
mod search;
mod template;
mod tokens;

pub use chat::RuleChat;
pub use error::{RuleError, RuleProblem};
pub use rewrite::{Edit, Rewritten};
pub use rule_set::{Rule, RuleMatch, RuleSet, resolve};
pub use search::MAX_WORDS;
