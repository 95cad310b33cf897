//! Linear-chain conditional random fields (Lafferty, McCallum & Pereira 2001): taggers that weigh hand-made
//! features of every position together with the labels of its neighbours.
//!
//! [`LinearChain`] is the inference alone: sums and best paths over all labellings, for scores from
//! anywhere. [`Crf`] learns the scores of features that are columns of a sparse matrix. [`Tagger`]
//! makes the features out of tokens by [`Template`]s and reads tags of spans (BIO).

mod chain;
mod fit;
mod log_matrix;
mod spans;
mod tagger;
mod templates;

pub use chain::{ChainPosterior, LabelPath, LinearChain};
pub use fit::{Crf, CrfOptions};
pub use spans::{TagScheme, TaggedSpan, spans};
pub use tagger::{TaggedSentence, Tagger, TaggerConfig};
pub use templates::Template;
