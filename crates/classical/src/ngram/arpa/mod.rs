//! ARPA files: a back-off model as text, the format of the SRI, CMU and KenLM toolkits.
//!
//! Every line of a `\N-grams:` section is log10 p, the N words, and log10 of the back-off weight
//! where the n-gram is a context. The start of a document is a single `bos` (`<s>`) with
//! log10 p = -99, also where a model was trained with `order - 1` of them: the probabilities
//! are the same.

mod read;
mod write;

/// What stands for the logarithm of zero.
const LOG_ZERO: f64 = -99.0;
