//! Self-supervised objectives as transforms of data: a window of token ids and a seed give a
//! training example.
//!
//! Everything here is a pure function. A model's part in an objective (its head, its loss, its
//! attention mask as a tensor) is elsewhere; what it needs to know is in the batch:
//!
//! - [`MaskedBatch`] for models with one stack: masked language modelling ([`MaskingOptions`],
//!   with [`SentencePairOptions`] for two segments), [`PrefixLmOptions`], [`BlankInfillingOptions`];
//! - [`Seq2SeqBatch`] for encoder-decoders: [`SpanCorruptionOptions`], [`IidDenoisingOptions`], and
//!   pairs of any origin ([`Seq2SeqExample`]);
//! - [`TokenBatch`](crate::TokenBatch) for causal decoders, with [`FillInTheMiddleOptions`];
//! - [`ClassificationBatch`] for a classifier of whole texts, of [`LabelledText`]s.
//!
//! [`ObjectiveOptions`] is the choice among those that learn from plain text, [`transform_batch`]
//! their use on a loader's batch, [`SentenceCorpus`] where pairs of segments are cut from instead. The figures in `docs/objectives.md` show each on a fixed seed.

mod batch;
mod check;
mod options;
mod special_ids;

mod chinese;
mod masking;
mod sentence_corpus;
mod sentence_pairs;
mod sentences;
mod words;

mod blank_infilling;
mod classification;
mod fim;
mod prefix_lm;
mod sequence_to_sequence;
mod span_corruption;

pub use batch::{MaskedBatch, MaskedExample, Seq2SeqBatch, Seq2SeqExample, attention_allowed};
pub use blank_infilling::{BlankInfillingOptions, Blanks, infill};
pub use chinese::chinese_words;
pub use classification::{ClassificationBatch, LabelledText};
pub use fim::{FillInTheMiddleOptions, FimIds, psm, spm};
pub use masking::{MaskDraws, MaskingOptions, apply_draws};
pub use options::{
    CausalLmOptions, Example, ObjectiveBatch, ObjectiveOptions, SequenceToSequenceOptions,
    step_seed, transform_batch,
};
pub use prefix_lm::{PrefixLmOptions, prefix_example, prefix_length};
pub use sentence_corpus::SentenceCorpus;
pub use sentence_pairs::{
    PairPlace, PairTask, Segment, SegmentPair, SentenceLengths, SentencePairOptions, Sentences,
    assemble_pair, longest_first,
};
pub use sentences::sentence_spans;
pub use sequence_to_sequence::{Seq2SeqCollation, length_buckets, shift_right};
pub use span_corruption::{CorruptedLengths, IidDenoisingOptions, SpanCorruptionOptions, corrupt};
pub use special_ids::SpecialIds;
pub use words::{WordRule, WordTable, continuation_groups, leading_space_groups, span_groups};
