//! Which inputs a model takes, by its kind and its heads.

use wuji_model::{AnyModel, ClassifiedUnit, EncoderModel, Positions};

use crate::WujiError;

/// The inputs of `model`, as a file calls them.
pub(super) fn input_names(model: &AnyModel) -> Result<Vec<&'static str>, WujiError> {
    let mut names = vec!["input_ids", "attention_mask"];
    match model {
        AnyModel::CausalLm(model) => {
            names.extend(["position_ids", "labels"]);
            if model.decoder.architecture().positions == Positions::LearnedTwice {
                names.extend(["block_position_ids", "part_a_len"]);
            }
        }
        AnyModel::Encoder(model) => names.extend(encoder_names(model)?),
        AnyModel::EncoderDecoder(_) | AnyModel::RecurrentSeq2Seq(_) => {
            names.extend(["decoder_input_ids", "labels"]);
        }
        AnyModel::Recurrent(_) | AnyModel::FeedForward(_) => names.push("labels"),
    }
    Ok(names)
}

fn encoder_names(model: &EncoderModel) -> Result<Vec<&'static str>, WujiError> {
    let heads = model.config().family().encoder_heads()?;
    let unit = heads.classifier.map(|classifier| classifier.unit);
    let has_answers = unit == Some(ClassifiedUnit::AnswerEnds);
    let has_labels = heads.masked_lm || (unit.is_some() && !has_answers);
    let has_types = model.encoder.architecture().token_types > 0;
    let choices = [
        (has_types, &["token_type_ids"][..]),
        (true, &["position_ids"]),
        (has_labels, &["labels"]),
        (heads.next_sentence, &["next_sentence_label"]),
        (has_answers, &["start_positions", "end_positions"]),
    ];
    let taken = choices.into_iter().filter(|(is_taken, _)| *is_taken);
    Ok(taken.flat_map(|(_, names)| names.iter().copied()).collect())
}
