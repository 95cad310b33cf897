//! Neural language models and translators from before the transformer: teaching rungs and
//! baselines.
//!
//! - [`FeedForwardLm`]: a window of tokens through a multi-layer perceptron (Bengio et al. 2003).
//! - [`RecurrentLm`]: Elman, LSTM or GRU over the whole past.
//! - [`RecurrentSeq2Seq`]: a bidirectional encoder and a decoder that attends to it, additively
//!   (Bahdanau et al. 2015) or multiplicatively (Luong et al. 2015), with the attention weights.
//!
//! Each is a model directory on disk (`config.json`, `model.safetensors`), whose recurrent weights
//! are named and laid out as `torch.nn.LSTM` has them. Losses, optimisers, search and text are left
//! to others.
//!
//! ```
//! use burn::tensor::{Int, Tensor};
//! use wuji_device::DeviceSpec;
//! use wuji_model::recurrent::{
//!     AttentionKind, CellKind, FeedForwardConfig, FeedForwardLm, RecurrentLm, RecurrentLmConfig,
//!     RecurrentSeq2Seq, Seq2SeqConfig,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let device = "flex".parse::<DeviceSpec>()?.open()?;
//! let ids = Tensor::<2, Int>::from_data([[5, 6, 7, 8]], &device);
//!
//! // A window of three tokens.
//! let config = FeedForwardConfig { vocab_size: 65, context_size: 3, ..Default::default() };
//! let model = FeedForwardLm::init(&config, 1, &device)?;
//! assert_eq!(model.forward(ids.clone()).dims(), [1, 4, 65]);
//!
//! // An LSTM, first over a prompt, then token by token.
//! let config = RecurrentLmConfig { vocab_size: 65, cell: CellKind::Lstm, ..Default::default() };
//! let model = RecurrentLm::init(&config, 1, &device)?;
//! let (_, state) = model.forward_with_state(ids.clone(), None);
//! let next = Tensor::<2, Int>::from_data([[9]], &device);
//! let (logits, _state) = model.forward_with_state(next, Some(state));
//! assert_eq!(logits.dims(), [1, 1, 65]);
//!
//! // A translator and its heat map.
//! let config = Seq2SeqConfig {
//!     source_vocab_size: 65,
//!     target_vocab_size: 70,
//!     attention: AttentionKind::Additive,
//!     ..Default::default()
//! };
//! let model = RecurrentSeq2Seq::init(&config, 1, &device)?;
//! let target = Tensor::<2, Int>::from_data([[1, 20, 30]], &device);
//! let output = model.forward(ids.clone(), None, target);
//! assert_eq!(output.logits.dims(), [1, 3, 70]);
//! assert_eq!(output.attention.dims(), [1, 3, 4]); // batch, target, source
//! let translations = model.greedy(ids, None, 1, 2, 10);
//! assert!(translations[0].ids.len() <= 10);
//! # Ok(())
//! # }
//! ```

mod attention;
mod cell;
mod config;
mod directory;
mod family;
mod feed_forward;
mod init;
mod language_model;
mod seq2seq;
mod seq2seq_config;
mod seq2seq_greedy;

pub use attention::{AttendedSource, SourceAttention};
pub use cell::{RecurrentLayer, RecurrentStack, RecurrentState};
pub use config::CellKind;
pub use feed_forward::{FeedForwardConfig, FeedForwardLm};
pub use language_model::{RecurrentLm, RecurrentLmConfig};
pub use seq2seq::{DecoderState, DecoderStep, EncodedSource, RecurrentSeq2Seq, Seq2SeqOutput};
pub use seq2seq_config::{AttentionKind, Seq2SeqConfig};
pub use seq2seq_greedy::Translation;
pub use wuji_kernels::{Nonlinearity, RecurrentCell};
