//! The name of a model on the Hub: `ORG/NAME`, or `NAME`, and after an `@` a branch, tag or commit.

use std::fmt;
use std::str::FromStr;

/// The branch that is meant where none is named.
const MAIN: &str = "main";
/// Longest part of a name, as the Hub has it.
const LONGEST: usize = 96;

/// A name that the Hub could have. It is safe as a part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelName {
    repository: String,
    revision: String,
}

impl ModelName {
    /// `ORG/NAME`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The branch, tag or commit.
    pub fn revision(&self) -> &str {
        &self.revision
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.repository)?;
        if self.revision == MAIN { Ok(()) } else { write!(f, "@{}", self.revision) }
    }
}

impl FromStr for ModelName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (repository, revision) = text.split_once('@').unwrap_or((text, MAIN));
        let parts: Vec<&str> = repository.split('/').collect();
        let fits = parts.len() <= 2 && parts.iter().chain([&revision]).all(|part| is_part(part));
        if !fits {
            return Err(format!("{text:?} is no name of a model on the Hub: expected ORG/NAME"));
        }
        Ok(Self { repository: repository.to_string(), revision: revision.to_string() })
    }
}

/// Letters, digits, `-`, `_` and `.`, of which the last does not stand at an end or twice.
fn is_part(part: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || ['-', '_', '.'].contains(&c);
    let edge = part.starts_with(['.', '-']) || part.ends_with(['.', '-']);
    let length = (1..=LONGEST).contains(&part.len());
    length && part.chars().all(known) && !edge && !part.contains("..") && !part.contains("--")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_paths() {
        let name = |text: &str| ModelName::from_str(text);
        let qwen = name("Qwen/Qwen2.5-0.5B").unwrap();
        assert_eq!((qwen.repository(), qwen.revision()), ("Qwen/Qwen2.5-0.5B", "main"));
        assert_eq!(qwen.to_string(), "Qwen/Qwen2.5-0.5B");
        let at = name("gpt2@607a30d").unwrap();
        assert_eq!((at.repository(), at.revision()), ("gpt2", "607a30d"));
        assert_eq!(at.to_string(), "gpt2@607a30d");
        for path in
            ["/a/b", "./a", "../a", "a/b/c", "a/", "", "a b", "~/m", "a@", "a\\b", "a/..", "x--y"]
        {
            assert!(name(path).is_err(), "{path}");
        }
    }
}
