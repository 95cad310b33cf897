//! What there was before neural networks, and what they have to beat: n-grams with modified,
//! interpolated Kneser–Ney and other smoothings over token ids, linear classifiers over TF-IDF, taggers
//! by conditional random fields, and logistic regression and boosted trees over tables. Before those there were rules: see [`grammar`] and [`rules`].
//!
//! They train in seconds on one core, need no tuning, and are the honest baseline to print beside
//! a neural language model: same tokens, same validation text, nats per token.
//!
//! ```
//! use wuji_classical::{KneserNey, KneserNeyConfig};
//!
//! # fn main() -> Result<(), wuji_classical::ClassicalError> {
//! let text = "the cat sat on the mat. the dog sat on the log. the cat saw the dog. ";
//! let tokens: Vec<u32> = text.bytes().map(u32::from).collect();
//!
//! // One running stream of bytes, a trigram model over 256 possible bytes.
//! let model = KneserNey::train(KneserNeyConfig::new(3, 256), [tokens.as_slice()])?;
//!
//! // "th" is always followed by "e" in this text.
//! let context = [u32::from(b't'), u32::from(b'h')];
//! assert!(model.log_prob(&context, u32::from(b'e')) > 0.5_f64.ln());
//!
//! // Every distribution sums to one, also after a context that was never seen.
//! let mut distribution = Vec::new();
//! model.distribution(&[0, 255], &mut distribution);
//! assert!((distribution.iter().sum::<f64>() - 1.0).abs() < 1e-9);
//!
//! // The figure to compare with a neural model.
//! let held_out: Vec<u32> = "the dog sat on the mat. ".bytes().map(u32::from).collect();
//! let score = model.score(&held_out);
//! assert_eq!(score.tokens, 24);
//! assert!(score.nats_per_token() < 256_f64.ln());
//! # Ok(())
//! # }
//! ```
//!
//! # How it is built
//!
//! 1. `corpus` copies the documents into one padded stream and checks every token id.
//! 2. `sort` orders all positions by the tokens before them, read backwards, in linear time. The
//!    contexts of every length are then runs of neighbours: no hash table is needed.
//! 3. [`NgramCounts`] folds the runs, longest context first, into one flat level per context
//!    length, with the two counts that Kneser–Ney needs: how often, and after how many different
//!    tokens. These serve every order up to the longest, exactly.
//! 4. `automaton` turns the counts into a deterministic automaton with failure links: a state per
//!    context, an arc per n-gram that carries its finished probability. Scoring a stream
//!    is a walk, with no look-up of contexts.
//!
//! A model can be pruned and written as an ARPA file, counts can be made on disk
//! ([`ExternalCounter`]), and [`NgramTextModel`] is a model of text for evaluation and generation.
//!
//! The formulas, their references and the figures per order are in `docs/ngram.md`.

mod crf;
mod embeddings;
mod error;
pub mod grammar;
mod hmm;
mod interner;
mod lbfgs;
mod linear;
mod ngram;
mod random;
mod retrieval;
pub mod rules;
mod sparse;
mod streaming;
mod svd;
mod tabular;
mod tfidf;

pub use crf::{
    ChainPosterior, Crf, CrfOptions, LabelPath, LinearChain, TagScheme, TaggedSentence, TaggedSpan,
    Tagger, TaggerConfig, Template, spans,
};
pub use embeddings::{
    Analogy, Architecture, Cooccurrence, DistanceWeighting, GloVe, InitialMatrix, Neighbour, Ppmi,
    PpmiSvd, ProjectedWord, Projection, Subwords, Tsne, VectorFilePlace, Word2Vec, WordVectors,
    WordVocabulary,
};
pub use error::{ClassicalError, IoError};
pub use hmm::{BaumWelch, BaumWelchReport, BestPath, Hmm, Posterior};
pub use lbfgs::{LbfgsOptions, Minimum, minimize};
pub use linear::{
    Classifier, LinearSvm, LogisticOptions, LogisticRegression, NaiveBayes, SvmOptions,
};
pub use ngram::{
    Boundaries, ByteCodec, CharacterCodec, Discounts, Draft, DraftToken, Estimation,
    ExternalCounter, FirstOf, GoodTuring, KneserNey, KneserNeyConfig, MAX_ORDER, MAX_VOCAB_SIZE,
    NgramConfig, NgramCounts, NgramModel, NgramTextModel, OrderSelection, PromptLookup, Score,
    Smoothing, StupidBackoff, TextCodec, UnknownCharacter, Vocabulary, select_order,
    select_order_documents,
};
pub use retrieval::{Bm25, Bm25Options, Hit, InverseFrequency};
pub use sparse::{SparseColumns, SparseMatrix, SparseRow};
pub use svd::{Lsa, SvdOptions, TruncatedSvd};
pub use tabular::{
    BoostingOptions, Column, ColumnKind, GradientBoosting, TableConfig, TableEncoder,
};
pub use tfidf::{Terms, TfIdf, TfIdfConfig};

/// The snippets of the pages, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/classical.md")]
#[doc = include_str!("../../../docs/embeddings.md")]
#[doc = include_str!("../../../docs/ngram.md")]
#[doc = include_str!("../../../docs/rules.md")]
struct Pages;
