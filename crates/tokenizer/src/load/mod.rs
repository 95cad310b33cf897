//! Loading: recognising what a path holds, and reading it.
//!
//! Each format has a module that turns it into a `tokenizer.json`; [`tokenizer_json`] checks that and hands it to the
//! `tokenizers` crate. Files may be gzipped.

mod clip;
mod directory;
mod file;
pub(crate) mod gguf;
mod llama2c;
mod protobuf;
mod read;
pub(crate) mod scored;
mod sentencepiece;
pub(crate) mod tokenizer_json;
mod vocab_merges;
mod vocab_txt;

use std::path::Path;

use serde_json::{Map, Value};

use crate::error::TokenizerError;
use crate::special_tokens::SpecialTokens;
use crate::tokenizer::{Extras, Tokenizer};

/// The readable formats, for messages.
pub(crate) const READABLE: &str = "tokenizer.json, vocab.json with merges.txt, encoder.json with vocab.bpe, \
     BERT's vocab.txt, SentencePiece .model (BPE, Unigram), llama2.c tokenizer .bin, GGUF (gpt2, llama, bert), \
     and CLIP's bpe_simple_vocab_16e6.txt, each plain or .gz";

/// What a format's module gives back: a `tokenizer.json` and the roles that the format states.
#[derive(Debug)]
struct Imported {
    description: Value,
    special_tokens: SpecialTokens,
}

/// The JSON files that may lie beside a tokenizer; empty where there is none.
#[derive(Debug, Default)]
struct Beside {
    /// `tokenizer_config.json`.
    config: Map<String, Value>,
    /// `special_tokens_map.json`.
    special_tokens_map: Map<String, Value>,
}

impl Beside {
    fn flag(&self, key: &str) -> Option<bool> {
        self.config.get(key)?.as_bool()
    }

    fn class(&self) -> Option<&str> {
        self.config.get("tokenizer_class")?.as_str()
    }
}

impl Tokenizer {
    /// Loads the tokenizer in `path`, a file or a directory; what it is, it says itself.
    ///
    /// In a directory, `tokenizer.json` comes before the older formats. `tokenizer_config.json` and
    /// `special_tokens_map.json`, where present, say which token is the beginning, the end and so on.
    ///
    /// # Errors
    ///
    /// If nothing readable is there, or it is damaged; the message names the file and the place in it.
    pub fn load(path: &Path) -> Result<Self, TokenizerError> {
        let file = if path.is_dir() { directory::find(path)? } else { path.to_owned() };
        let beside = directory::read_beside(&file)?;
        let imported = file::import(&file, &beside)?;
        let (pipeline, charsmap) = tokenizer_json::checked_pipeline(imported.description, &file)?;
        Self::new(
            pipeline,
            Extras {
                special_tokens: imported.special_tokens,
                charsmap,
                config: beside.config,
                special_tokens_map: beside.special_tokens_map,
                training: None,
            },
        )
    }
}
