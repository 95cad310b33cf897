//! Text generation: prefill, decode with a cache, and sampling.
//!
//! From the outside there are four types, each a model directory loaded onto a device:
//! [`Engine`], which continues texts and [`Translator`], which makes texts of others, both
//! [`TextModel`](wuji_protocol::TextModel)s; [`MaskFiller`] and [`BlankFiller`], which fill in what is
//! left out. [`LoadedModel`] is whichever of them a directory holds. Inside, text and tokens are kept
//! apart:
//!
//! * [`LogitsModel`] is what is asked of a model: logits, with a cache or without. It is
//!   implemented for [`wuji_model::CausalLm`], for recurrent and feed-forward language models, for a
//!   decoder that reads its prompt in both directions ([`PrefixLm`]), for an encoder–decoder that has
//!   read its source ([`Conditioned`]), and for a table of numbers in [`testing`].
//! * [`generate()`] is the loop, over a [`Session`] (a growing sequence and its cache) and a
//!   [`sampling::Sampler`] (logits to a token). It knows nothing about text.
//! * [`beam_search`] is the other loop, over several sequences at once; [`beam_search_rows`] runs it
//!   for several sources.
//! * [`fill_mask`] and [`fill_blanks`] fill in token ids.
//! * [`score_all`] scores given tokens in batches; [`windows`] cuts long texts into sequences.
//! * [`StopMatcher`] and the tokenizer's decode stream turn tokens into text for a reader.
//!
//! ```
//! use wuji_inference::{Engine, testing::TableModel};
//! use wuji_protocol::{GenerateOptions, GenerateRequest, TextModel};
//! use wuji_tokenizer::{Tokenizer, TokenizerKind, TokenizerTrainerConfig};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = TokenizerTrainerConfig::new(TokenizerKind::Char, 3);
//! let tokenizer = Tokenizer::train(&config, ["abc".to_owned()].into_iter())?;
//! let [a, b, c] = ["a", "b", "c"].map(|token| tokenizer.token_to_id(token).unwrap());
//! let mut next = [0; 3]; // b after a, c after b, a after c
//! (next[a as usize], next[b as usize], next[c as usize]) = (b, c, a);
//! let engine = Engine::new(TableModel::chain(&next, 8), tokenizer);
//!
//! let options = GenerateOptions { max_new_tokens: 4, ..GenerateOptions::greedy() };
//! let response = engine.complete(&GenerateRequest::new("a").with_options(options))?;
//! assert_eq!(response.text, "bcab");
//! # Ok(())
//! # }
//! ```

mod beam;
mod engine;
mod generate;
pub mod sampling;
mod session;

mod translator;
mod translator_text_model;

mod filling;

mod scoring;
pub mod windows;

mod conditional;
mod logits_model;
mod prefix_lm;
pub mod testing;

mod batching;
mod causal_lm;
mod error;
mod generation_config;
mod id_tensors;
mod loaded_model;
mod recurrent;
mod requests;
mod text_stream;

pub use batching::{BatchLimits, batches};
pub use beam::{Hypothesis, beam_search, beam_search_rows};
pub use conditional::{ConditionalModel, Conditioned, TargetCache};
pub use engine::{Engine, StoredModel};
pub use error::InferenceError;
pub use filling::{
    Blank, BlankFiller, BlankTokens, Candidate, FilledBlanks, FilledMask, FilledText, MaskFiller,
    MaskGuesses, TokenGuess, fill_blanks, fill_mask, filled,
};
pub use generate::{Generation, generate};
pub use loaded_model::LoadedModel;
pub use logits_model::{LogitsModel, ScoredSequence, TokenScore};
pub use prefix_lm::PrefixLm;
pub use recurrent::TokenWindows;
pub use scoring::{score_all, sequences_of};
pub use session::Session;
pub use translator::{AttentionMap, TargetTokens, TranslatedText, Translator, TranslatorOptions};
pub use wuji_protocol::{StopMatcher, StopStatus};
