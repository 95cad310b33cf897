//! The regular expressions with which the well-known byte-level tokenizers cut text into pieces before BPE.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokenizers::pre_tokenizers::split::{Split, SplitPattern as RegexOrText};
use tokenizers::{
    OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer, SplitDelimiterBehavior,
};

/// How a byte-level tokenizer cuts text into pieces that merges never cross.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SplitPattern {
    /// GPT-2: contractions, letters, numbers of any length, punctuation, each with one leading space.
    #[default]
    Gpt2,
    /// GPT-3.5 and GPT-4 (`cl100k_base`): numbers in groups of three, newlines kept with punctuation.
    Cl100k,
    /// Llama 3: as `Cl100k`, with runs of newlines together.
    Llama3,
    /// Qwen 2 and 3: as `Llama3`, but every digit alone.
    Qwen2,
    /// GPT-4o (`o200k_base`): words are cut where lower case turns into upper case.
    O200k,
}

impl SplitPattern {
    /// All patterns.
    pub const ALL: [Self; 5] = [Self::Gpt2, Self::Cl100k, Self::Llama3, Self::Qwen2, Self::O200k];

    /// The regular expression, in the syntax of Oniguruma, which the `tokenizers` crate uses.
    ///
    /// Two things differ from the published spellings and match the same text: `\z` stands where they write `$`
    /// (Oniguruma's `$` also matches before a newline), and possessive quantifiers are plain ones (Oniguruma reads
    /// `{1,3}+` as a repetition).
    #[must_use]
    pub fn regex(self) -> &'static str {
        match self {
            Self::Gpt2 => {
                r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
            }
            Self::Cl100k => {
                r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+\z|\s*[\r\n]|\s+(?!\S)|\s"
            }
            Self::Llama3 => {
                r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
            }
            Self::Qwen2 => {
                r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
            }
            Self::O200k => {
                r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
            }
        }
    }

    /// Cuts `text` into pieces; put together again, they are the text.
    #[must_use]
    pub fn split(self, text: &str) -> Vec<&str> {
        static SPLITS: LazyLock<[Split; 5]> = LazyLock::new(|| {
            SplitPattern::ALL.map(|pattern| {
                let regex = RegexOrText::Regex(pattern.regex().to_owned());
                Split::new(regex, SplitDelimiterBehavior::Isolated, false)
                    .expect("the patterns are regular expressions")
            })
        });
        let mut pieces = PreTokenizedString::from(text);
        SPLITS[self as usize]
            .pre_tokenize(&mut pieces)
            .expect("splitting has no way to fail but a bad pattern");
        let splits = pieces.get_splits(OffsetReferential::Original, OffsetType::Byte);
        splits.into_iter().map(|(_, (start, end), _)| &text[start..end]).collect()
    }

    /// The `pre_tokenizer` of a `tokenizer.json` that cuts by this pattern and then spells bytes as characters.
    pub(crate) fn pre_tokenizer(self) -> Value {
        match self {
            // The crate carries GPT-2's pattern inside its byte-level step; this is also how GPT-2's own file is.
            Self::Gpt2 => {
                json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true})
            }
            _ => byte_level_after_splits(&[self.regex()]),
        }
    }
}

/// A pre-tokenizer that applies `patterns` one after another and then spells bytes as characters.
pub(crate) fn byte_level_after_splits(patterns: &[&str]) -> Value {
    let mut steps: Vec<Value> = patterns
        .iter()
        .map(|pattern| {
            json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false})
        })
        .collect();
    steps.push(
        json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}),
    );
    json!({"type": "Sequence", "pretokenizers": steps})
}
