//! A vector per word, such that words used alike have vectors alike (Harris 1954, Firth 1957).
//!
//! From counts: [`Cooccurrence`], [`Ppmi`] and a singular value decomposition ([`PpmiSvd`]), or
//! [`GloVe`]. From prediction: [`Word2Vec`], with or without [`Subwords`]. All of them give
//! [`WordVectors`], which know neighbours, analogies, file formats and projections.
//!
//! Everything here is a function of the documents, the options and the seed: the number of threads
//! changes nothing, not even the last bit.

mod analogy;
mod cooccurrence;
mod file;
mod glove;
mod initial;
mod kernels;
mod nearest;
mod ppmi;
mod predictive;
mod projection;
mod stream;
mod subwords;
mod vectors;
mod vocabulary;

pub use analogy::Analogy;
pub use cooccurrence::{Cooccurrence, DistanceWeighting};
pub use file::VectorFilePlace;
pub use glove::GloVe;
pub use initial::InitialMatrix;
pub use nearest::Neighbour;
pub use ppmi::{Ppmi, PpmiSvd};
pub use predictive::{Architecture, Word2Vec};
pub use projection::{ProjectedWord, Projection, Tsne};
pub use subwords::Subwords;
pub use vectors::WordVectors;
pub use vocabulary::WordVocabulary;
