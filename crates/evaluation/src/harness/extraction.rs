//! The answer in what a model wrote.

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::error::HarnessError;

/// How an answer is found. A task has a strict and a lenient way where they differ, and both scores
/// are reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extraction {
    /// Its name, as `strict` or `lenient`.
    pub name: String,
    /// A regular expression; its first group that took part is the answer, or all of the match.
    pub pattern: String,
    /// Which match counts.
    #[serde(default)]
    pub take: Take,
}

/// Which of several matches counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Take {
    /// The first.
    #[default]
    First,
    /// The last.
    Last,
}

/// An [`Extraction`] ready for use.
#[derive(Clone, Debug)]
pub(super) struct Extractor {
    name: String,
    pattern: Regex,
    take: Take,
}

impl Extractor {
    pub(super) fn new(extraction: &Extraction, task: &str) -> Result<Self, HarnessError> {
        let pattern = Regex::new(&extraction.pattern).map_err(|error| HarnessError::Task {
            task: task.to_owned(),
            key: "request.extraction.pattern".to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Self { name: extraction.name.clone(), pattern, take: extraction.take })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The answer; none where nothing matches.
    pub(super) fn find<'t>(&self, text: &'t str) -> Option<&'t str> {
        let mut matches = self.pattern.captures_iter(text);
        let found = match self.take {
            Take::First => matches.next(),
            Take::Last => matches.last(),
        }?;
        let group = found.iter().skip(1).flatten().next();
        group.or_else(|| found.get(0)).map(|found| found.as_str().trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(pattern: &str, take: Take, text: &str) -> Option<String> {
        let extraction = Extraction { name: "x".to_owned(), pattern: pattern.to_owned(), take };
        Extractor::new(&extraction, "t").unwrap().find(text).map(str::to_owned)
    }

    #[test]
    fn the_first_or_the_last_match_counts() {
        let text = "2 + 3 = 5\n#### 1,234";
        assert_eq!(find(r"#### (-?[0-9.,]+)", Take::First, text).unwrap(), "1,234");
        assert_eq!(find(r"-?[0-9.,]+", Take::Last, text).unwrap(), "1,234");
        assert_eq!(find(r"-?[0-9.,]+", Take::First, text).unwrap(), "2");
        assert_eq!(find(r"#### (-?[0-9.,]+)", Take::First, "5"), None);
        assert_eq!(find(r"a(b)?|(c)", Take::First, "xc").unwrap(), "c");
    }

    #[test]
    fn a_pattern_that_is_none_is_an_error_of_the_task() {
        let extraction =
            Extraction { name: "x".to_owned(), pattern: "(".to_owned(), take: Take::First };
        let error = Extractor::new(&extraction, "t").unwrap_err().to_string();
        assert!(error.starts_with("task t, request.extraction.pattern: "), "{error}");
    }
}
