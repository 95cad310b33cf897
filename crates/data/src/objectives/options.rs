//! The choice of an objective, as a configuration file makes it, and its use on a batch of text.

use serde::{Deserialize, Serialize};

use super::batch::{MaskedBatch, MaskedExample, Seq2SeqBatch, Seq2SeqExample};
use super::blank_infilling::BlankInfillingOptions;
use super::fim::FillInTheMiddleOptions;
use super::masking::MaskingOptions;
use super::prefix_lm::{PrefixLmOptions, next_tokens, prefix_example, prefix_length};
use super::sequence_to_sequence::Seq2SeqCollation;
use super::span_corruption::{IidDenoisingOptions, SpanCorruptionOptions};
use super::special_ids::SpecialIds;
use crate::error::{DataError, Result};
use crate::loader::{IGNORE_INDEX, TokenBatch};
use crate::random::draw;

/// T5's number of sentinels: one for each span of a window.
const SENTINELS: usize = 100;

/// Keeps these draws apart from those of the loader.
const OBJECTIVE: u64 = 0x0B;

/// What a model learns from plain text.
///
/// ```
/// use wuji_data::objectives::{ObjectiveOptions, SpanCorruptionOptions};
/// let options: ObjectiveOptions =
///     toml::from_str("kind = 'span-corruption'\nnoise_density = 0.3").unwrap();
/// let expected = SpanCorruptionOptions { noise_density: 0.3, ..Default::default() };
/// assert_eq!(options, ObjectiveOptions::SpanCorruption(expected));
/// assert!(toml::from_str::<ObjectiveOptions>("kind = 'prefix-lm'\nprefix = 3").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ObjectiveOptions {
    /// Next-token prediction.
    CausalLm(CausalLmOptions),
    /// Next-token prediction over texts whose middle is written last.
    FillInTheMiddle(FillInTheMiddleOptions),
    /// Hidden tokens are guessed from both sides.
    MaskedLm(MaskingOptions),
    /// A prefix is read from both sides, and continued.
    PrefixLm(PrefixLmOptions),
    /// GLM: spans are blanked, and written behind the text.
    BlankInfilling(BlankInfillingOptions),
    /// T5: a decoder says what spans were.
    SpanCorruption(SpanCorruptionOptions),
    /// A decoder says what single tokens were.
    IidDenoising(IidDenoisingOptions),
    /// A decoder writes the target of a source: learnt from pairs, not from running text.
    SequenceToSequence(SequenceToSequenceOptions),
}

/// Next-token prediction has no options.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CausalLmOptions {}

/// Pairs have no options: their batches are those of [`Seq2SeqCollation`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SequenceToSequenceOptions {}

impl Default for ObjectiveOptions {
    fn default() -> Self {
        Self::CausalLm(CausalLmOptions::default())
    }
}

/// One training example, for one of three kinds of model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Example {
    /// For a causal decoder: what it sees, and the token after each position.
    Causal {
        /// The tokens but the last.
        input_ids: Vec<u32>,
        /// The tokens but the first.
        labels: Vec<i64>,
    },
    /// For an encoder, or a decoder with a prefix.
    Masked(MaskedExample),
    /// For an encoder-decoder.
    Seq2Seq(Seq2SeqExample),
}

/// What became of a batch of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectiveBatch {
    /// For a causal decoder.
    Causal(TokenBatch),
    /// For an encoder, or a decoder with a prefix.
    Masked(MaskedBatch),
    /// For an encoder-decoder.
    Seq2Seq(Seq2SeqBatch),
}

impl ObjectiveBatch {
    /// Number of positions that have a label: the denominator of a mean loss.
    pub fn label_count(&self) -> usize {
        match self {
            Self::Causal(batch) => batch.label_count(),
            Self::Masked(batch) => batch.label_count(),
            Self::Seq2Seq(batch) => batch.label_count(),
        }
    }
}

/// Takes out the kind of batch that a model reads; gives back one of another kind.
macro_rules! one_kind {
    ($($batch:ty = $variant:ident),+) => {
        $(impl TryFrom<ObjectiveBatch> for $batch {
            type Error = ObjectiveBatch;

            fn try_from(batch: ObjectiveBatch) -> std::result::Result<Self, ObjectiveBatch> {
                match batch {
                    ObjectiveBatch::$variant(batch) => Ok(batch),
                    other => Err(other),
                }
            }
        })+
    };
}
one_kind!(TokenBatch = Causal, MaskedBatch = Masked, Seq2SeqBatch = Seq2Seq);

impl ObjectiveOptions {
    /// The name in configuration files.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::CausalLm(_) => "causal-lm",
            Self::FillInTheMiddle(_) => "fill-in-the-middle",
            Self::MaskedLm(_) => "masked-lm",
            Self::PrefixLm(_) => "prefix-lm",
            Self::BlankInfilling(_) => "blank-infilling",
            Self::SpanCorruption(_) => "span-corruption",
            Self::IidDenoising(_) => "iid-denoising",
            Self::SequenceToSequence(_) => "sequence-to-sequence",
        }
    }

    /// Special tokens that a tokenizer trained for this objective must have beside its own.
    pub fn special_tokens(&self) -> Vec<String> {
        let names: &[&str] = match self {
            Self::CausalLm(_) | Self::PrefixLm(_) => &[],
            Self::FillInTheMiddle(_) => &["<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"],
            Self::MaskedLm(_) => &["[PAD]", "[CLS]", "[SEP]", "[MASK]"],
            Self::BlankInfilling(_) => {
                &["[PAD]", "[MASK]", "[sMASK]", "[gMASK]", "<|startofpiece|>", "<|endofpiece|>"]
            }
            Self::SpanCorruption(_) | Self::IidDenoising(_) | Self::SequenceToSequence(_) => {
                &["<pad>", "</s>"]
            }
        };
        let sentinels = match self {
            Self::SpanCorruption(_) | Self::IidDenoising(_) => SENTINELS,
            _ => 0,
        };
        let sentinels = (0..sentinels).map(|k| format!("<extra_id_{k}>"));
        names.iter().map(|name| (*name).to_owned()).chain(sentinels).collect()
    }

    /// Checks the values, and that the vocabulary has the special tokens that they need.
    pub fn validate(&self, special: &SpecialIds) -> Result<()> {
        match self {
            Self::CausalLm(_) | Self::PrefixLm(_) | Self::SequenceToSequence(_) => Ok(()),
            Self::FillInTheMiddle(options) => options.validate(special),
            Self::MaskedLm(options) => options.validate(special),
            Self::BlankInfilling(options) => options.validate(special),
            Self::SpanCorruption(options) => options.validate(special),
            Self::IidDenoising(options) => options.validate(special),
        }
    }

    /// How many tokens of text a row should have for a model that sees `length` positions: more
    /// than `length` for span corruption, whose inputs are shorter than the text; as many for all
    /// others. (Blank infilling makes rows longer by two for each span; its positions stay below
    /// the length of the text.)
    pub fn window_for(&self, length: usize) -> usize {
        match self {
            Self::SpanCorruption(options) => options.window_for(length).tokens_length,
            _ => length,
        }
    }

    /// The example of a window of text; a pure function of its arguments.
    ///
    /// Where the next token is predicted (`causal-lm`, `fill-in-the-middle`, `prefix-lm`) a window
    /// of n tokens gives n − 1 positions.
    pub fn apply(&self, special: &SpecialIds, window: &[u32], seed: u64) -> Result<Example> {
        Ok(match self {
            Self::CausalLm(_) => causal(window),
            Self::FillInTheMiddle(options) => causal(&options.apply(special, window, seed)?),
            Self::MaskedLm(options) => Example::Masked(options.apply(special, window, seed)?),
            Self::PrefixLm(options) => Example::Masked(options.apply(window, seed)),
            Self::BlankInfilling(options) => Example::Masked(options.apply(special, window, seed)?),
            Self::SpanCorruption(options) => {
                Example::Seq2Seq(options.apply(special, window, seed)?)
            }
            Self::IidDenoising(options) => Example::Seq2Seq(options.apply(special, window, seed)?),
            Self::SequenceToSequence(_) => return Err(no_running_text()),
        })
    }
}

fn causal(window: &[u32]) -> Example {
    let (input_ids, labels) = next_tokens(window);
    Example::Causal { input_ids, labels }
}

/// The seed of the examples of one micro-step, from the seed of a run.
pub fn step_seed(seed: u64, step: u64, micro_step: u32) -> u64 {
    draw(seed, [OBJECTIVE, step, u64::from(micro_step)])
}

/// Turns a batch of text into a batch of an objective's examples.
///
/// Invariant: a pure function of its arguments, so a resumed run sees the batches that the
/// interrupted one would have seen; `seed` is [`step_seed`]'s. Row r has a seed of its own.
///
/// Batches with `packing = "document-mask"` can be masked (`masked-lm`) and are what `causal-lm`
/// returns; the other objectives move tokens across what the mask says, and refuse them.
pub fn transform_batch(
    options: &ObjectiveOptions,
    special: &SpecialIds,
    batch: &TokenBatch,
    seed: u64,
) -> Result<ObjectiveBatch> {
    options.validate(special)?;
    let rows = Rows { batch, seed };
    if batch.segment_ids.is_some() {
        check_packing(options)?;
    }
    Ok(match options {
        ObjectiveOptions::CausalLm(_) => ObjectiveBatch::Causal(batch.clone()),
        ObjectiveOptions::FillInTheMiddle(options) => {
            ObjectiveBatch::Causal(rearranged(options, special, &rows)?)
        }
        ObjectiveOptions::MaskedLm(options) => {
            let examples = rows.map(|row, seed| masked(options, special, batch, row, seed))?;
            masked_batch(&examples, special, Some(batch.context))?
        }
        ObjectiveOptions::PrefixLm(_) => {
            let examples = rows.map(|row, seed| Ok(prefixed(&rows, row, seed)))?;
            masked_batch(&examples, special, Some(batch.context))?
        }
        ObjectiveOptions::BlankInfilling(options) => {
            let examples = rows.map(|row, seed| options.apply(special, rows.text(row), seed))?;
            masked_batch(&examples, special, options.padded_length)?
        }
        ObjectiveOptions::SpanCorruption(options) => {
            let examples = rows.map(|row, seed| options.apply(special, rows.text(row), seed))?;
            pair_batch(&examples, special)?
        }
        ObjectiveOptions::IidDenoising(options) => {
            let examples = rows.map(|row, seed| options.apply(special, rows.text(row), seed))?;
            pair_batch(&examples, special)?
        }
        ObjectiveOptions::SequenceToSequence(_) => return Err(no_running_text()),
    })
}

fn no_running_text() -> DataError {
    DataError::InvalidOption {
        key: "kind".to_owned(),
        reason: "sequence-to-sequence learns from pairs of texts, got running text".to_owned(),
    }
}

/// The rows of a batch of text, each with its seed.
struct Rows<'a> {
    batch: &'a TokenBatch,
    seed: u64,
}

impl<'a> Rows<'a> {
    fn map<T>(&self, example: impl Fn(usize, u64) -> Result<T>) -> Result<Vec<T>> {
        (0..self.batch.batch).map(|row| example(row, self.row_seed(row))).collect()
    }

    fn row_seed(&self, row: usize) -> u64 {
        draw(self.seed, [row as u64])
    }

    /// What a row holds of text.
    fn text(&self, row: usize) -> &'a [u32] {
        let start = row * self.batch.context;
        &self.batch.input_ids[start..start + self.batch.text_len(row)]
    }

    /// The labels beside it.
    fn labels(&self, row: usize) -> &'a [i64] {
        let start = row * self.batch.context;
        &self.batch.labels[start..start + self.batch.text_len(row)]
    }

    /// The text and the token after it, if the row knows it.
    fn window(&self, row: usize) -> Vec<u32> {
        let next = self.labels(row).last().and_then(|&label| u32::try_from(label).ok());
        self.text(row).iter().copied().chain(next).collect()
    }
}

fn check_packing(options: &ObjectiveOptions) -> Result<()> {
    match options {
        ObjectiveOptions::CausalLm(_) => Ok(()),
        ObjectiveOptions::MaskedLm(masking) if !masking.add_special_tokens => Ok(()),
        _ => Err(DataError::InvalidOption {
            key: "packing".to_owned(),
            reason: format!(
                "expected \"documents-cross\" for the objective {}, got \"document-mask\"",
                options.kind()
            ),
        }),
    }
}

/// Masks a row, whose documents stay apart if they were.
fn masked(
    options: &MaskingOptions,
    special: &SpecialIds,
    batch: &TokenBatch,
    row: usize,
    seed: u64,
) -> Result<MaskedExample> {
    let start = row * batch.context;
    let range = start..start + batch.text_len(row);
    let part = |ids: &Option<Vec<u32>>| ids.as_ref().map(|ids| ids[range.clone()].to_vec());
    let example = options.apply(special, &batch.input_ids[range.clone()], seed)?;
    Ok(MaskedExample {
        segment_ids: part(&batch.segment_ids),
        position_ids: part(&batch.position_ids),
        ..example
    })
}

/// A row with a prefix. Its labels are the row's own: where a row runs over the end of the text
/// into its beginning, the next token is not the next label.
fn prefixed(rows: &Rows<'_>, row: usize, seed: u64) -> MaskedExample {
    let (inputs, labels) = (rows.text(row), rows.labels(row));
    let known = labels.last().is_some_and(|&label| label != IGNORE_INDEX);
    let prefix = prefix_length(inputs.len() + usize::from(known), seed);
    prefix_example(inputs.to_vec(), labels.to_vec(), prefix)
}

/// A batch of next-token prediction over rearranged rows.
fn rearranged(
    options: &FillInTheMiddleOptions,
    special: &SpecialIds,
    rows: &Rows<'_>,
) -> Result<TokenBatch> {
    let context = rows.batch.context;
    let mut out = TokenBatch {
        input_ids: vec![special.padding(); rows.batch.batch * context],
        labels: vec![IGNORE_INDEX; rows.batch.batch * context],
        ..rows.batch.clone()
    };
    for row in 0..rows.batch.batch {
        let window = options.apply(special, &rows.window(row), rows.row_seed(row))?;
        let start = row * context;
        for (slot, &id) in out.input_ids[start..start + context].iter_mut().zip(&window) {
            *slot = id;
        }
        let next = window.iter().skip(1);
        for (slot, &id) in out.labels[start..start + context].iter_mut().zip(next) {
            *slot = i64::from(id);
        }
    }
    Ok(out)
}

fn masked_batch(
    examples: &[MaskedExample],
    special: &SpecialIds,
    length: Option<usize>,
) -> Result<ObjectiveBatch> {
    MaskedBatch::collate(examples, special, length).map(ObjectiveBatch::Masked)
}

/// T5's decoder starts with the padding token.
fn pair_batch(examples: &[Seq2SeqExample], special: &SpecialIds) -> Result<ObjectiveBatch> {
    let pad = special.padding();
    let collation = Seq2SeqCollation { pad, decoder_start: pad, ..Seq2SeqCollation::default() };
    collation.collate(examples).map(ObjectiveBatch::Seq2Seq)
}
