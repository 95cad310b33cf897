//! What `objective.sentence_pairs` needs of the rest of a config.

use wuji_data::Packing;
use wuji_data::objectives::ObjectiveOptions;

use super::RunConfig;
use crate::WujiError;

/// Refuses sentence pairs where the model cannot answer what is asked of them, or where windows of
/// text are described that nobody would read.
pub(super) fn check(config: &RunConfig) -> Result<(), WujiError> {
    let ObjectiveOptions::MaskedLm(masking) = &config.objective else { return Ok(()) };
    if masking.sentence_pairs.is_none() {
        return Ok(());
    }
    let refuse = |section, problem: String| Err(WujiError::config(section, problem));
    if !config.model.family().encoder_heads()?.next_sentence {
        let problem = format!(
            "architectures = {:?}: expected [\"BertForPreTraining\"] with objective.sentence_pairs, \
             the class with a head for questions about pairs",
            config.model.class_name()
        );
        return refuse("[model]", problem);
    }
    let types = config.model.architecture()?.token_types;
    if types < 2 {
        let problem = format!(
            "type_vocab_size = {types}: expected at least 2 with objective.sentence_pairs, one for \
             each segment"
        );
        return refuse("[model]", problem);
    }
    if config.data.packing != Packing::default() {
        let problem = "packing: expected the default with objective.sentence_pairs, whose rows are \
                       no windows of text";
        return refuse("[data]", problem.to_string());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::config::{ConfigLayers, RunConfig};

    fn resolved(preset: &str, options: &[&str]) -> Result<RunConfig, String> {
        let layers = options
            .iter()
            .fold(ConfigLayers::preset(preset), |layers, option| layers.with(*option));
        RunConfig::resolve(&layers).map_err(|error| error.to_string())
    }

    #[test]
    fn a_model_without_the_head_is_refused_by_its_class() {
        for (preset, class) in [("tiny-bert", "BertForMaskedLM"), ("tiny-roberta", "Roberta")] {
            let message = resolved(preset, &["objective.sentence_pairs={}"]).unwrap_err();
            assert!(message.contains("architectures") && message.contains(class), "{message}");
            assert!(message.contains("BertForPreTraining"), "{message}");
        }
    }

    #[test]
    fn segments_windows_and_options_are_checked() {
        for (option, expected) in [
            ("model.type_vocab_size=1", "type_vocab_size = 1: expected at least 2"),
            ("data.packing=document-mask", "packing: expected the default"),
            ("objective.sentence_pairs.task=next", "next-sentence"),
            ("objective.sentence_pairs.length=9", "unknown field `length`"),
        ] {
            let message = resolved("tiny-bert-pairs", &[option]).unwrap_err();
            assert!(message.contains(expected), "{option}: {message}");
        }
        let order = ["objective.sentence_pairs.task=sentence-order"];
        assert!(resolved("tiny-bert-pairs", &order).is_ok());
    }
}
