//! One forward pass over named tensors, to look inside a model and to compare it with other
//! implementations.
//!
//! Inputs are integer tensors of a safetensors file, `[batch, seq]` unless stated otherwise; what a
//! model does not take is refused. Outputs are everything that these allow, under the names that
//! `transformers` gives them or close to it.
//!
//! A decoder takes `input_ids`, `attention_mask`, `position_ids` and `labels`, and gives
//!
//! * `logits` `[batch, seq, vocab_size]`;
//! * `hidden.0` (the embeddings), `hidden.1` … the output of each block, the last after the final
//!   norm, `[batch, seq, hidden_size]`: transformers' `hidden_states`;
//! * `loss`, given `labels`: the mean cross-entropy of each label but −100 at the position before
//!   it, as transformers' `ForCausalLM` classes compute it;
//! * `router_logits.N` `[batch · seq, experts]` of each block with experts, and `aux_loss`, how
//!   unevenly they are used.
//!
//! The original GLM takes `block_position_ids` and `part_a_len` `[batch]` as well. Its labels stand
//! at the position that predicts them; it gives `token_loss` `[batch, seq]` besides, and
//! `hidden.final` after the norm, its `hidden.N` being before it.
//!
//! An encoder takes `input_ids`, `attention_mask`, `token_type_ids`, `position_ids` and what its
//! heads learn from: `labels`, `next_sentence_label` `[batch]`, `start_positions` and
//! `end_positions` `[batch]`. It gives `hidden.N`, `last_hidden`, `mean_pooled` and `cls`
//! `[batch, hidden_size]`, `pooled` where there is a pooler, and of its heads `logits`
//! (`prediction_logits` and `seq_relationship_logits` where there are both), `start_logits` and
//! `end_logits`, and the losses.
//!
//! An encoder–decoder takes `input_ids`, `attention_mask`, `decoder_input_ids` and `labels`; the
//! labels shifted to the right stand in for absent `decoder_input_ids`. It gives
//! `encoder_hidden`, `encoder_hidden.N`, `decoder_hidden`, `decoder_hidden.N`, `logits` and `loss`.
//!
//! Recurrent and feed-forward models take `input_ids`, `attention_mask` and `labels` and give `logits`
//! and `loss`; a recurrent encoder–decoder takes `decoder_input_ids` as well and also gives
//! `attention` `[batch, target, source]`.
//!
//! Names may be in groups, each with a pass of its own: `pad.input_ids` gives `pad.logits`. Where
//! any name begins with `in.`, only those are inputs, and the prefix is dropped; a file with inputs
//! and reference outputs side by side can so be given as it is.
//!
//! An `attention_mask` `[batch, query, key]` says who sees whom, in place of causality. As in
//! transformers, positions count from 0 whatever the mask says, unless `position_ids` are given.
//! Outputs at padding mean nothing and are written as zeros; with a mask of pairs, padding is what
//! does not see itself.

mod causal;
mod classification;
mod encoder;
mod losses;
mod names;
mod outputs;
mod reader;
mod recurrent;
mod seq2seq;
mod tokens;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::Device;
use serde::Serialize;
use wuji_model::AnyModel;
use wuji_model::weights::{FileTensor, StoredDtype, TensorFiles, save_tensor_file};

use crate::WujiError;
use names::input_names;
use reader::Reader;

/// Name and shape of something that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutputTensor {
    /// Its name in the file.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
}

/// Reads inputs from the file `inputs`, runs `model` and writes the file `outputs`.
///
/// # Errors
/// A file that cannot be read or written, or inputs that do not fit the model or each other.
pub fn forward_file(
    model: &AnyModel,
    inputs: &Path,
    outputs: &Path,
    device: &Device,
) -> Result<Vec<OutputTensor>, WujiError> {
    let files = TensorFiles::open(inputs)?;
    let mut tensors = Vec::new();
    for (group, reader) in groups(inputs, &files, model)? {
        for mut tensor in forward(model, &reader, device)? {
            tensor.name = format!("{group}{}", tensor.name);
            tensors.push(tensor);
        }
    }
    save_tensor_file(outputs, &tensors, StoredDtype::F32)?;
    let describe = |tensor: FileTensor| OutputTensor { name: tensor.name, shape: tensor.shape };
    Ok(tensors.into_iter().map(describe).collect())
}

fn forward(
    model: &AnyModel,
    reader: &Reader,
    device: &Device,
) -> Result<Vec<FileTensor>, WujiError> {
    match model {
        AnyModel::CausalLm(model) => causal::forward(model, reader, device),
        AnyModel::Encoder(model) => encoder::forward(model, reader, device),
        AnyModel::EncoderDecoder(model) => seq2seq::forward(model, reader, device),
        AnyModel::Recurrent(model) => {
            recurrent::language_model(model, model.config().vocab_size, reader, device)
        }
        AnyModel::FeedForward(model) => {
            recurrent::language_model(model, model.config().vocab_size, reader, device)
        }
        AnyModel::RecurrentSeq2Seq(model) => recurrent::seq2seq(model, reader, device),
    }
}

/// The inputs of a file by the prefix of their names (`""`, or with its dot, `pad.`).
fn groups<'a>(
    path: &'a Path,
    files: &'a TensorFiles,
    model: &AnyModel,
) -> Result<BTreeMap<String, Reader<'a>>, WujiError> {
    let names = input_names(model)?;
    let marked = files.names().any(|name| name.starts_with("in."));
    let mut groups: BTreeMap<String, Reader> = BTreeMap::new();
    for full in files.names() {
        let name = match full.strip_prefix("in.") {
            Some(rest) => rest,
            None if marked => continue,
            None => full,
        };
        let end = name.rfind('.').map_or(0, |dot| dot + 1);
        let (group, name) = name.split_at(end);
        let Some(known) = names.iter().copied().find(|known| *known == name) else {
            let expected = names.join(", ");
            let problem = format!("{full} is no input of this model; expected {expected}");
            return Err(WujiError::input(path, problem));
        };
        let reader = groups.entry(group.to_string()).or_insert_with(|| Reader::new(path, files));
        reader.add(known, full);
    }
    if groups.is_empty() {
        return Err(WujiError::input(path, "there is no input_ids"));
    }
    Ok(groups)
}
