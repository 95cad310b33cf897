//! A pass of a model from before the transformer.

use burn::tensor::Device;
use wuji_model::recurrent::{RecurrentSeq2Seq, Seq2SeqOutput};
use wuji_model::weights::FileTensor;
use wuji_model::{LanguageModel, ModelConfig};

use super::losses::{Logits, Targets, some_targets};
use super::outputs::{Outputs, values};
use super::reader::{Expected, IGNORED_LABEL, Reader};
use super::seq2seq::Target;
use super::tokens::{Tokens, integers};
use crate::WujiError;

/// A model of the next token.
pub(super) fn language_model(
    model: &impl LanguageModel,
    vocab_size: usize,
    reader: &Reader,
    device: &Device,
) -> Result<Vec<FileTensor>, WujiError> {
    let tokens = Tokens::read_unplaced(reader, vocab_size)?;
    let expected = Expected { shape: &tokens.shape, source: "that of input_ids" };
    let ids = 0..vocab_size as i64;
    let labels = reader.like("labels", expected, ids, &[IGNORED_LABEL])?;
    let mut outputs = Outputs::new(tokens.real());
    let logits = model.next_tokens(tokens.input(device)).logits();
    outputs.add_of_tokens("logits", logits.clone());
    if let Some(labels) = labels {
        let targets = Targets::of_next(&labels, tokens.shape[1]);
        let targets = some_targets(reader, "labels", targets)?;
        outputs.add_number(
            "loss",
            targets.loss(&Logits { values: values(logits), width: vocab_size }),
        );
    }
    Ok(outputs.finish())
}

/// An encoder–decoder, which also says where it looked.
pub(super) fn seq2seq(
    model: &RecurrentSeq2Seq,
    reader: &Reader,
    device: &Device,
) -> Result<Vec<FileTensor>, WujiError> {
    let source = Tokens::read_unplaced(reader, model.config().source_vocab_size)?;
    let config = ModelConfig::RecurrentSeq2Seq(model.config().clone());
    let start = config.token_id("decoder_start_token_id").or(config.token_id("bos_token_id"));
    let Some(target) = Target::read(&config, start, reader, source.shape[0])? else {
        return Err(reader.missing("decoder_input_ids"));
    };
    let mut outputs = Outputs::new(None);
    let ids = integers(&target.ids, target.shape, device);
    let mask = Some(source.real_tensor(device));
    let Seq2SeqOutput { logits, attention } = model.forward(source.ids(device), mask, ids);
    outputs.add("logits", logits.clone());
    outputs.add("attention", attention);
    target.add_loss(&mut outputs, logits);
    Ok(outputs.finish())
}
