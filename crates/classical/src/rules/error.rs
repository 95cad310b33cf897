//! What can be wrong with a rule file, always with the line.

use std::fmt;

/// A rule file that cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// The file is not TOML, or has keys that rule files do not have.
    #[error("the rule file is not in the format: {0}")]
    Toml(#[source] Box<toml::de::Error>),
    /// The file does not describe rules; all of its problems are listed.
    #[error("problems in the rule file ({}): {}", .problems.len(), join(.problems))]
    File {
        /// The problems in the order of the file.
        problems: Vec<RuleProblem>,
    },
    /// A conversation needs answers.
    #[error("the rule file has no [chat] section: expected one with `greeting` and `fallback`")]
    NoChat,
}

/// One thing wrong with a rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleProblem {
    /// Line, from 1.
    pub line: usize,
    /// Which rule, list or pattern, and which of its keys.
    pub place: String,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub got: String,
}

impl fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, place, expected, got } = self;
        write!(f, "line {line}, {place}: expected {expected}, got {got}")
    }
}

fn join(problems: &[RuleProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
