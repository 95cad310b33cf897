//! From logits to a token, on the host.
//!
//! Three kinds of function work in place on a row of logits, `-inf` meaning "excluded", with the
//! definitions of `transformers`:
//! * what depends on the tokens so far: [`repetition_penalty`], [`no_repeat_ngram`],
//!   [`exclude_sequences`], [`exclude`];
//! * what depends on the distribution: [`temperature`], [`top_k`], [`top_p`], [`min_p`],
//!   [`typical`], [`epsilon`], [`eta`];
//! * the choice: [`argmax`], [`draw`].
//!
//! [`Sampler`] applies them in the order of `transformers`. Nothing sorts the whole vocabulary.

mod choice;
mod entropy;
mod history;
mod sampler;
mod truncation;

pub use choice::{argmax, draw, log_sum_exp, uniform};
pub use entropy::{epsilon, eta, typical};
pub use history::{exclude, exclude_sequences, no_repeat_ngram, repetition_penalty};
pub use sampler::Sampler;
pub(crate) use sampler::check_logits;
pub use truncation::{min_p, temperature, top_k, top_p};
