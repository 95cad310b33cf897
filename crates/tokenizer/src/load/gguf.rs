//! The tokenizer inside a GGUF file (llama.cpp): its metadata are read, its tensors never touched.
//!
//! Reference: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>. What `tokenizer.ggml.pre` names are the
//! regular expressions of llama.cpp's `llama-vocab.cpp`.

use std::io::BufRead;
use std::path::Path;

use serde_json::{Value, json};

use super::Imported;
use super::scored::{Algorithm, Piece, PieceType, ScoredVocabulary};
use super::vocab_txt::is_lowercase;
use crate::error::TokenizerError;
use crate::gguf::{Header, Metadata};
use crate::pipeline::{self, added_token, byte_level_bpe, template, word_piece};
use crate::special_tokens::{Role, SpecialTokens};
use crate::split_pattern::{SplitPattern, byte_level_after_splits};

/// One of the names of each pre-tokenizer that is known, and the only one that is written.
pub(crate) const PRE_TOKENIZERS: [&str; 7] =
    ["gpt-2", "llama-bpe", "qwen2", "gpt-4o", "starcoder", "falcon", "default"];

/// GPT-2's spelling of falcon's punctuation step.
const PUNCTUATION: &str = r"[\p{P}\$\+<=>\^~\|`]+";

/// Reads the file `path`, open at its beginning.
pub(super) fn import(file: impl BufRead, path: &Path) -> Result<Imported, TokenizerError> {
    let keep = |key: &str| key.starts_with("tokenizer.");
    let metadata =
        Header::read_metadata(file, keep).map_err(|malformed| TokenizerError::Damaged {
            path: path.to_owned(),
            format: "GGUF",
            offset: malformed.offset,
            message: malformed.message,
        })?;
    let vocabulary = Vocabulary { metadata, path };
    match vocabulary.metadata.string("tokenizer.ggml.model") {
        Some("gpt2") => vocabulary.byte_level(),
        Some("llama") => vocabulary.scored(),
        Some("bert") => vocabulary.bert(),
        Some(other) => Err(vocabulary.invalid(
            "tokenizer.ggml.model",
            format!("is {other:?}; supported are \"gpt2\", \"llama\" and \"bert\""),
        )),
        None => Err(vocabulary
            .invalid("tokenizer.ggml.model", "is missing: the file has no tokenizer".to_owned())),
    }
}

struct Vocabulary<'path> {
    metadata: Metadata,
    path: &'path Path,
}

impl Vocabulary<'_> {
    fn invalid(&self, field: &str, message: String) -> TokenizerError {
        TokenizerError::InvalidDescription {
            path: self.path.to_owned(),
            field: field.to_owned(),
            message,
        }
    }

    fn tokens(&self) -> Result<&[String], TokenizerError> {
        self.metadata
            .strings("tokenizer.ggml.tokens")
            .ok_or_else(|| self.invalid("tokenizer.ggml.tokens", "is missing".to_owned()))
    }

    /// The type of each token; all normal if the file does not say.
    fn types(&self, count: usize) -> Result<Vec<PieceType>, TokenizerError> {
        let key = "tokenizer.ggml.token_type";
        let Some(numbers) = self.metadata.integers(key) else {
            return Ok(vec![PieceType::Normal; count]);
        };
        if numbers.len() != count {
            return Err(
                self.invalid(key, format!("has {} entries for {count} tokens", numbers.len()))
            );
        }
        let kind = |(id, number): (usize, &i64)| {
            u64::try_from(*number).ok().and_then(PieceType::from_number).ok_or_else(|| {
                self.invalid(key, format!("token {id} has the unknown type {number}"))
            })
        };
        numbers.iter().enumerate().map(kind).collect()
    }

    fn id(&self, name: &str) -> Option<u32> {
        self.metadata
            .integer(&format!("tokenizer.ggml.{name}_token_id"))
            .and_then(|id| u32::try_from(id).ok())
    }

    fn roles(&self, tokens: &[String]) -> SpecialTokens {
        let mut roles = SpecialTokens::default();
        let names = [
            (Role::Bos, "bos"),
            (Role::Eos, "eos"),
            (Role::Pad, "padding"),
            (Role::Unk, "unknown"),
            (Role::Mask, "mask"),
            (Role::Cls, "cls"),
            // llama.cpp spells it so.
            (Role::Sep, "seperator"),
        ];
        for (role, name) in names {
            roles.set(role, self.id(name).and_then(|id| tokens.get(id as usize)).cloned());
        }
        roles
    }

    fn byte_level(&self) -> Result<Imported, TokenizerError> {
        let tokens = self.tokens()?;
        let types = self.types(tokens.len())?;
        let vocab = self.vocab(tokens.iter().map(String::as_str))?;
        let merges = self
            .metadata
            .strings("tokenizer.ggml.merges")
            .ok_or_else(|| self.invalid("tokenizer.ggml.merges", "is missing".to_owned()))?
            .iter()
            .map(|rule| Value::from(rule.as_str()))
            .collect();
        let pre = self.metadata.string("tokenizer.ggml.pre").unwrap_or("default");
        let pre_tokenizer = pre_tokenizer(pre).ok_or_else(|| {
            self.invalid("tokenizer.ggml.pre", format!("is {pre:?}, which is not supported"))
        })?;
        let mut description =
            byte_level_bpe(vocab, merges, pre_tokenizer, added_tokens(tokens, &types));
        let llama3 = is_llama3(pre);
        description.model["ignore_merges"] = json!(llama3);
        let bos = self.id("bos").and_then(|id| Some((tokens.get(id as usize)?.as_str(), id)));
        if let Some(bos) =
            bos.filter(|_| self.metadata.flag("tokenizer.ggml.add_bos_token").unwrap_or(llama3))
        {
            description.post_processor = template(Some(bos), None);
        }
        Ok(Imported { description: description.into_json(), special_tokens: self.roles(tokens) })
    }

    fn scored(&self) -> Result<Imported, TokenizerError> {
        let tokens = self.tokens()?;
        let types = self.types(tokens.len())?;
        let key = "tokenizer.ggml.scores";
        let scores =
            self.metadata.floats(key).ok_or_else(|| self.invalid(key, "is missing".to_owned()))?;
        if scores.len() != tokens.len() {
            return Err(self.invalid(
                key,
                format!("has {} entries for {} tokens", scores.len(), tokens.len()),
            ));
        }
        let pieces = tokens
            .iter()
            .zip(scores)
            .zip(types)
            .map(|((text, score), kind)| Piece { text: text.clone(), score: *score as f32, kind })
            .collect();
        let vocabulary = ScoredVocabulary {
            algorithm: Algorithm::Bpe,
            pieces,
            charsmap: None,
            add_dummy_prefix: self.metadata.flag("tokenizer.ggml.add_space_prefix").unwrap_or(true),
            remove_extra_whitespaces: self
                .metadata
                .flag("tokenizer.ggml.remove_extra_whitespaces")
                .unwrap_or(false),
            unknown_surface: " \u{2047} ".to_owned(),
            bos: self.id("bos"),
            eos: self.id("eos"),
            pad: self.id("padding"),
            add_bos: self.metadata.flag("tokenizer.ggml.add_bos_token").unwrap_or(true),
            add_eos: self.metadata.flag("tokenizer.ggml.add_eos_token").unwrap_or(false),
        };
        vocabulary.import(self.path)
    }

    /// WordPiece, of which llama.cpp has turned the spelling around: `▁` begins a word, nothing continues one.
    fn bert(&self) -> Result<Imported, TokenizerError> {
        let tokens = self.tokens()?;
        let types = self.types(tokens.len())?;
        let spelled: Vec<String> = tokens
            .iter()
            .map(|token| match token.strip_prefix(super::scored::SPACE) {
                Some(word) => word.to_owned(),
                None if token.starts_with('[') && token.ends_with(']') => token.clone(),
                None => format!("##{token}"),
            })
            .collect();
        let roles = self.roles(&spelled);
        let unknown = roles.get(Role::Unk).unwrap_or("[UNK]").to_owned();
        let lowercase = is_lowercase(&spelled);
        let vocab = self.vocab(spelled.iter().map(String::as_str))?;
        let description = word_piece(vocab, &unknown, lowercase, added_tokens(&spelled, &types));
        Ok(Imported { description: description.into_json(), special_tokens: roles })
    }

    fn vocab<'tokens>(
        &self,
        tokens: impl ExactSizeIterator<Item = &'tokens str>,
    ) -> Result<Value, TokenizerError> {
        let count = tokens.len();
        let vocab = pipeline::vocab(tokens);
        let distinct = vocab.as_object().map_or(0, serde_json::Map::len);
        if distinct == count {
            return Ok(vocab);
        }
        Err(self.invalid(
            "tokenizer.ggml.tokens",
            format!("has {count} tokens, of which {} repeat", count - distinct),
        ))
    }
}

fn added_tokens(tokens: &[String], types: &[PieceType]) -> Vec<Value> {
    (0..)
        .zip(tokens.iter().zip(types))
        .filter(|(_, (_, kind))| matches!(kind, PieceType::Control | PieceType::UserDefined))
        .map(|(id, (token, kind))| added_token(id, token, *kind == PieceType::Control))
        .collect()
}

pub(crate) fn is_llama3(pre: &str) -> bool {
    matches!(pre, "llama-bpe" | "llama3" | "llama-v3" | "falcon3" | "pixtral")
}

/// The pre-tokenizer that llama.cpp calls `pre`.
pub(crate) fn pre_tokenizer(pre: &str) -> Option<Value> {
    let gpt2 = SplitPattern::Gpt2.regex();
    Some(match pre {
        _ if is_llama3(pre) => SplitPattern::Llama3.pre_tokenizer(),
        "gpt-2" | "phi-2" | "mpt" | "olmo" | "jais" => SplitPattern::Gpt2.pre_tokenizer(),
        "dbrx" | "smaug-bpe" => SplitPattern::Llama3.pre_tokenizer(),
        "qwen2" | "deepseek-r1-qwen" | "stablelm2" => SplitPattern::Qwen2.pre_tokenizer(),
        "gpt-4o" | "llama4" => SplitPattern::O200k.pre_tokenizer(),
        "starcoder" | "refact" | "command-r" | "smollm" | "codeshell" => {
            byte_level_after_splits(&[r"\p{N}", gpt2])
        }
        "falcon" => byte_level_after_splits(&[PUNCTUATION, gpt2, "[0-9][0-9][0-9]"]),
        "default" => byte_level_after_splits(&[PUNCTUATION, gpt2, r"\p{N}+", "[0-9][0-9][0-9]"]),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::tokenizer_json;

    #[test]
    fn every_named_pre_tokenizer_is_one_that_the_crate_accepts() {
        for pre in PRE_TOKENIZERS.into_iter().chain(["dbrx"]) {
            let step = pre_tokenizer(pre).unwrap();
            let description = byte_level_bpe(json!({}), Vec::new(), step, Vec::new()).into_json();
            assert!(tokenizer_json::pipeline(&description).is_ok(), "{pre}");
        }
        assert!(pre_tokenizer("no-such").is_none());
    }
}
