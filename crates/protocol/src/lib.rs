//! What a language model looks like from outside: strings in, strings and log-probabilities out.
//!
//! Evaluation, the domain pipelines and the server know a model only as a [`TextModel`]. What is behind it, a
//! network on a device, a remote service or the [`testing::ScriptedModel`] of a test, is its own business, and so are
//! tokens: every length that crosses this seam is given in bytes of UTF-8 as well.
//!
//! The three questions are those of lm-evaluation-harness: how likely is this continuation
//! ([`TextModel::loglikelihood`]), how likely is this whole text ([`TextModel::loglikelihood_rolling`]), and what comes
//! next ([`TextModel::generate`]).
//!
//! ```
//! use wuji_protocol::{GenerateRequest, TextModel, testing::ScriptedModel};
//!
//! let model = ScriptedModel::fixed("Paris.");
//! let response = model.complete(&GenerateRequest::new("The capital of France is "))?;
//! assert_eq!(response.text, "Paris.");
//! # Ok::<(), wuji_protocol::TextModelError>(())
//! ```

mod error;
mod generation;
mod likelihood;
mod message;
mod options;
mod stop;
mod text_model;
mod text_output;

pub mod testing;

pub use error::{InvalidOption, TextModelError};
pub use generation::{FinishReason, GenerateRequest, GenerateResponse, Prompt, Usage};
pub use likelihood::{Loglikelihood, LoglikelihoodRequest};
pub use message::{Message, Role};
pub use options::GenerateOptions;
pub use stop::{StopMatcher, StopStatus};
pub use text_model::{Sink, TextModel};
pub use text_output::TextOutput;
