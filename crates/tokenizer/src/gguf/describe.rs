//! A tokenizer in the words of GGUF's metadata, so that llama.cpp makes the same ids of a text.
//!
//! Byte-level BPE with a pre-tokenizer that llama.cpp has a name for becomes its `gpt2`, BPE with byte fallback its
//! `llama`. Anything else is refused with the reason.

use serde_json::Value as Json;

use super::Value;
use super::describe_scored::describe_scored;
use crate::error::TokenizerError;
use crate::load::gguf::{PRE_TOKENIZERS, is_llama3, pre_tokenizer};
use crate::load::scored::PieceType;
use crate::special_tokens::Role;
use crate::split_pattern::SplitPattern;
use crate::tokenizer::Tokenizer;

/// Key–value pairs, in the order in which they are written.
pub(super) type Pairs = Vec<(String, Value)>;

impl Tokenizer {
    /// The `tokenizer.…` metadata of a GGUF file, with `vocab_size` tokens: ids that the tokenizer lacks are unused.
    ///
    /// # Errors
    ///
    /// [`TokenizerError::NotInGguf`] if GGUF has no words for this tokenizer, or if it has more ids than that.
    pub fn gguf_metadata(&self, vocab_size: usize) -> Result<Vec<(String, Value)>, TokenizerError> {
        if self.vocab_size() > vocab_size {
            let reason = format!("it has {} ids, the model {vocab_size}", self.vocab_size());
            return Err(TokenizerError::NotInGguf { reason });
        }
        let description = self.description();
        let model = &description["model"];
        if model["type"] != "BPE" {
            return refused(format!("its model is {}; expected BPE", model["type"]));
        }
        let tokens = Tokens::new(self, &description, vocab_size);
        let mut pairs = match model["byte_fallback"].as_bool() {
            Some(true) => describe_scored(&description, &tokens)?,
            _ => describe_byte_level(&description, &tokens)?,
        };
        self.describe_roles(&mut pairs)?;
        Ok(pairs)
    }

    fn describe_roles(&self, pairs: &mut Pairs) -> Result<(), TokenizerError> {
        let names = [
            (Role::Bos, "bos"),
            (Role::Eos, "eos"),
            (Role::Unk, "unknown"),
            (Role::Pad, "padding"),
        ];
        for (role, name) in names {
            if let Some(id) = self.roles().get(role).and_then(|token| self.token_to_id(token)) {
                pairs.push(pair(&format!("{name}_token_id"), Value::Integer(id.into())));
            }
        }
        // What a template adds is seen on a text.
        let (with, without) = (self.encode("a", true)?.ids, self.encode("a", false)?.ids);
        let added = with.len().saturating_sub(without.len());
        let first = with.first().filter(|_| added > 0).copied();
        let last = with.last().filter(|_| added > 0).copied();
        let add_bos = first.is_some() && first == self.bos_token_id();
        let add_eos = last.is_some() && last == self.eos_token_id() && (added > 1 || !add_bos);
        pairs.push(pair("add_bos_token", Value::Bool(add_bos)));
        pairs.push(pair("add_eos_token", Value::Bool(add_eos)));
        Ok(())
    }
}

/// Every id's text and type.
pub(super) struct Tokens {
    pub(super) texts: Vec<String>,
    pub(super) types: Vec<PieceType>,
}

impl Tokens {
    fn new(tokenizer: &Tokenizer, description: &Json, vocab_size: usize) -> Self {
        let mut tokens = Self {
            texts: (0..vocab_size).map(|id| format!("[PAD{id}]")).collect(),
            types: vec![PieceType::Unused; vocab_size],
        };
        for (text, id) in tokenizer.vocab() {
            tokens.set(id as usize, text, PieceType::Normal);
        }
        for added in description["added_tokens"].as_array().into_iter().flatten() {
            let kind = match added["special"].as_bool() {
                Some(true) => PieceType::Control,
                _ => PieceType::UserDefined,
            };
            if let (Some(id), Some(text)) = (added["id"].as_u64(), added["content"].as_str()) {
                tokens.set(id as usize, text.to_owned(), kind);
            }
        }
        tokens
    }

    fn set(&mut self, id: usize, text: String, kind: PieceType) {
        if id < self.texts.len() {
            (self.texts[id], self.types[id]) = (text, kind);
        }
    }

    /// `tokens` and `token_type`.
    pub(super) fn pairs(&self) -> [(String, Value); 2] {
        let types = self.types.iter().map(|kind| kind.number()).collect();
        [
            pair("tokens", Value::Strings(self.texts.clone())),
            pair("token_type", Value::Integers(types)),
        ]
    }
}

pub(super) fn pair(key: &str, value: Value) -> (String, Value) {
    (format!("tokenizer.ggml.{key}"), value)
}

pub(super) fn refused<T>(reason: String) -> Result<T, TokenizerError> {
    Err(TokenizerError::NotInGguf { reason })
}

/// The two sides of each merge rule.
pub(super) fn merge_rules(description: &Json) -> Vec<(String, String)> {
    let rule = |rule: &Json| match rule {
        Json::Array(sides) => {
            Some((sides.first()?.as_str()?.to_owned(), sides.get(1)?.as_str()?.to_owned()))
        }
        rule => {
            let (left, right) = rule.as_str()?.split_once(' ')?;
            Some((left.to_owned(), right.to_owned()))
        }
    };
    description["model"]["merges"].as_array().into_iter().flatten().filter_map(rule).collect()
}

fn describe_byte_level(description: &Json, tokens: &Tokens) -> Result<Pairs, TokenizerError> {
    let normalizer = &description["normalizer"];
    // llama.cpp leaves NFC to whoever makes the text, and the files of Qwen do too.
    if !normalizer.is_null() && normalizer["type"] != "NFC" {
        return refused(format!("it normalises text by {}", normalizer["type"]));
    }
    let Some(cuts) = cuts(&description["pre_tokenizer"]) else {
        return refused("its pre-tokenizer does not spell bytes as characters".to_owned());
    };
    let named = PRE_TOKENIZERS
        .into_iter()
        .find(|pre| pre_tokenizer(pre).and_then(|step| self::cuts(&step)).as_ref() == Some(&cuts));
    let Some(pre) = named else {
        return refused("llama.cpp has no name for the pattern of its pre-tokenizer".to_owned());
    };
    let ignores = description["model"]["ignore_merges"].as_bool().unwrap_or(false);
    if ignores != is_llama3(pre) {
        return refused(format!("ignore_merges = {ignores}, unlike what {pre:?} stands for"));
    }
    let merges = merge_rules(description);
    let merges = merges.into_iter().map(|(left, right)| format!("{left} {right}")).collect();
    let mut pairs = vec![
        pair("model", Value::String("gpt2".to_owned())),
        pair("pre", Value::String(pre.to_owned())),
    ];
    pairs.extend(tokens.pairs());
    pairs.push(pair("merges", Value::Strings(merges)));
    Ok(pairs)
}

/// The patterns at which a byte-level pre-tokenizer cuts, one after another; `None` if it is not one.
fn cuts(pre_tokenizer: &Json) -> Option<Vec<String>> {
    let mut cuts = Vec::new();
    let mut spells_bytes = false;
    for step in steps(pre_tokenizer, "pretokenizers") {
        match step["type"].as_str()? {
            "Split" if step["behavior"] == "Isolated" && step["invert"] == false => {
                cuts.push(step["pattern"]["Regex"].as_str()?.to_owned());
            }
            "Digits" if step["individual_digits"] == true => cuts.push(r"\p{N}".to_owned()),
            "ByteLevel" if step["add_prefix_space"] != true => {
                spells_bytes = true;
                if step["use_regex"] != false {
                    cuts.push(SplitPattern::Gpt2.regex().to_owned());
                }
            }
            _ => return None,
        }
    }
    spells_bytes.then_some(cuts)
}

/// The steps of a sequence, or the one step, or none.
pub(super) fn steps<'json>(step: &'json Json, key: &str) -> Vec<&'json Json> {
    match step {
        Json::Null => Vec::new(),
        step if step["type"] == "Sequence" => {
            step[key].as_array().into_iter().flatten().flat_map(|step| steps(step, key)).collect()
        }
        step => vec![step],
    }
}
