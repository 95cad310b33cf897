//! What a perplexity depends on besides the model.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{EvaluationError, Result};
use crate::words::words;

/// What a text is divided into. Perplexities of different units cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TextUnit {
    /// The tokens of the model's own tokenizer: models with another one cannot be compared.
    Token,
    /// Words between white space, of the text before any tokenizer saw it.
    Word,
    /// Bytes of UTF-8.
    Byte,
    /// Unicode's code points.
    Character,
}

impl TextUnit {
    /// How many there are in a text; none for tokens, which only the tokenizer can count.
    pub fn count(self, text: &str) -> Option<usize> {
        match self {
            Self::Token => None,
            Self::Word => Some(words(text).count()),
            Self::Byte => Some(text.len()),
            Self::Character => Some(text.chars().count()),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Word => "word",
            Self::Byte => "byte",
            Self::Character => "character",
        }
    }
}

impl fmt::Display for TextUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a perplexity was measured: two numbers with the same recipe can be compared, others cannot.
///
/// Printed, it is one line in the manner of sacreBLEU's signatures:
/// `corpus:0a4e55a8|detok:none|context:16|stride:6|unit:token`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// SHA-256 of the text that was scored, as 64 hexadecimal digits; a line shows eight of them.
    pub corpus: String,
    /// What was done to the text before the tokenizer saw it, as `wikitext`; `none` for nothing.
    pub detokenizer: String,
    /// Tokens that the model can see at most.
    pub context: usize,
    /// Tokens by which the window moves on. What an earlier window has scored is context only;
    /// as many as `context` means that windows are apart.
    pub stride: usize,
    /// What the number is per.
    pub unit: TextUnit,
}

impl Recipe {
    /// Errs unless the hash is one, the detokenizer has a name and the stride fits the context.
    pub fn check(&self) -> Result<()> {
        let invalid = |option, expected, found: String| {
            Err(EvaluationError::InvalidOption { option, expected, found })
        };
        if self.corpus.len() != 64 || !self.corpus.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let expected = "the SHA-256 of the corpus as 64 hexadecimal digits";
            return invalid("corpus", expected, self.corpus.clone());
        }
        if self.detokenizer.is_empty() || self.detokenizer.contains(['|', '\n']) {
            let expected = "a name without \"|\" or line break, or \"none\"";
            return invalid("detokenizer", expected, self.detokenizer.clone());
        }
        if self.stride == 0 || self.stride > self.context {
            return invalid("stride", "from 1 to the context", self.stride.to_string());
        }
        Ok(())
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let corpus: String = self.corpus.chars().take(8).collect();
        let Self { detokenizer, context, stride, unit, .. } = self;
        write!(
            f,
            "corpus:{corpus}|detok:{detokenizer}|context:{context}|stride:{stride}|unit:{unit}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe() -> Recipe {
        Recipe {
            corpus: "0a4e55a8".repeat(8),
            detokenizer: "none".to_owned(),
            context: 16,
            stride: 6,
            unit: TextUnit::Token,
        }
    }

    #[test]
    fn a_recipe_is_one_line_and_is_read_back_from_json() {
        let recipe = recipe();
        let line = "corpus:0a4e55a8|detok:none|context:16|stride:6|unit:token";
        assert_eq!(recipe.to_string(), line);
        let json = serde_json::to_string(&recipe).unwrap();
        assert_eq!(serde_json::from_str::<Recipe>(&json).unwrap(), recipe);
    }

    #[test]
    fn recipes_that_nobody_could_repeat_are_errors() {
        assert_eq!(recipe().check(), Ok(()));
        assert!(Recipe { corpus: "wikitext".to_owned(), ..recipe() }.check().is_err());
        assert!(Recipe { detokenizer: String::new(), ..recipe() }.check().is_err());
        assert!(Recipe { stride: 17, ..recipe() }.check().is_err());
        assert!(Recipe { stride: 0, ..recipe() }.check().is_err());
    }

    #[test]
    fn units_of_a_text() {
        let count = |unit: TextUnit| unit.count("两 words");
        assert_eq!(
            [TextUnit::Word, TextUnit::Byte, TextUnit::Character].map(count),
            [Some(2), Some(9), Some(7)]
        );
        assert_eq!(count(TextUnit::Token), None);
    }
}
