//! Which token plays which part: beginning, end, padding, unknown, mask, classification, separator.
//!
//! A `tokenizer.json` does not say; `tokenizer_config.json` beside it does. Without one, the conventional names decide.

use serde_json::{Map, Value};

/// The parts, in the order of [`SpecialTokens::get`]'s storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Bos,
    Eos,
    Pad,
    Unk,
    Mask,
    Cls,
    Sep,
}

impl Role {
    pub(crate) const ALL: [Self; 7] =
        [Self::Bos, Self::Eos, Self::Pad, Self::Unk, Self::Mask, Self::Cls, Self::Sep];

    /// The key in `tokenizer_config.json` and `special_tokens_map.json`.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Bos => "bos_token",
            Self::Eos => "eos_token",
            Self::Pad => "pad_token",
            Self::Unk => "unk_token",
            Self::Mask => "mask_token",
            Self::Cls => "cls_token",
            Self::Sep => "sep_token",
        }
    }

    /// Names to try when nothing says better, most telling first.
    ///
    /// `<|endoftext|>` is GPT-2's only special token and serves it as beginning and end alike.
    fn conventional_names(self) -> &'static [&'static str] {
        match self {
            Self::Bos => {
                &["<s>", "<bos>", "<|begin_of_text|>", "<|startoftext|>", "[BOS]", "<|endoftext|>"]
            }
            Self::Eos => {
                &["</s>", "<eos>", "<|end_of_text|>", "<|endoftext|>", "[EOS]", "<|im_end|>"]
            }
            Self::Pad => &["<pad>", "[PAD]", "<|pad|>", "<|padding|>", "<|finetune_right_pad_id|>"],
            Self::Unk => &["<unk>", "[UNK]", "<|unk|>"],
            Self::Mask => &["<mask>", "[MASK]", "<|mask|>"],
            Self::Cls => &["[CLS]"],
            Self::Sep => &["[SEP]"],
        }
    }
}

/// The token of each role, as text; `None` where the tokenizer has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SpecialTokens {
    tokens: [Option<String>; 7],
}

impl SpecialTokens {
    pub(crate) fn get(&self, role: Role) -> Option<&str> {
        self.tokens[role as usize].as_deref()
    }

    pub(crate) fn set(&mut self, role: Role, token: Option<String>) {
        self.tokens[role as usize] = token;
    }

    /// Builder form of [`Self::set`].
    pub(crate) fn with(mut self, role: Role, token: impl Into<String>) -> Self {
        self.set(role, Some(token.into()));
        self
    }

    /// Fills the roles that are still open from `config`, which may be a `tokenizer_config.json` or a
    /// `special_tokens_map.json`, then from the conventional names; only tokens that `exists` knows are taken.
    ///
    /// A key with the value `null` says that the tokenizer has no such token, and ends the search.
    pub(crate) fn resolve(
        &self,
        configs: &[&Map<String, Value>],
        exists: impl Fn(&str) -> bool,
    ) -> Self {
        let mut resolved = Self::default();
        for role in Role::ALL {
            let stated = configs.iter().find_map(|config| config.get(role.key()));
            let token = match (self.get(role), stated) {
                (_, Some(value)) => {
                    token_content(value).filter(|token| exists(token)).map(str::to_owned)
                }
                (Some(token), None) => Some(token.to_owned()).filter(|token| exists(token)),
                (None, None) => role
                    .conventional_names()
                    .iter()
                    .find(|name| exists(name))
                    .map(|name| (*name).to_owned()),
            };
            resolved.set(role, token);
        }
        resolved
    }
}

/// The text of a token that a config spells as a string or as an object with `content`.
pub(crate) fn token_content(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("content")?.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn exists(token: &str) -> bool {
        ["<|endoftext|>", "<s>", "[PAD]"].contains(&token)
    }

    #[test]
    fn conventional_names_fill_what_nothing_states() {
        let resolved = SpecialTokens::default().resolve(&[], exists);
        assert_eq!(resolved.get(Role::Bos), Some("<s>"));
        assert_eq!(resolved.get(Role::Eos), Some("<|endoftext|>"));
        assert_eq!(resolved.get(Role::Pad), Some("[PAD]"));
        assert_eq!(resolved.get(Role::Mask), None);
    }

    #[test]
    fn a_config_wins_and_null_means_none() {
        let config = json!({"bos_token": {"content": "<|endoftext|>"}, "pad_token": null, "eos_token": "</s>"});
        let resolved = SpecialTokens::default().resolve(&[config.as_object().unwrap()], exists);
        assert_eq!(resolved.get(Role::Bos), Some("<|endoftext|>"));
        assert_eq!(resolved.get(Role::Pad), None);
        assert_eq!(
            resolved.get(Role::Eos),
            None,
            "a token that the vocabulary lacks plays no part"
        );
    }
}
