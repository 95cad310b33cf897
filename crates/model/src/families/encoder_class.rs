//! The heads that a class of `transformers` puts on an encoder.

use serde_json::{Map, Value};

use crate::{Activation, ClassifiedUnit, ClassifierShape, EncoderHeads, ModelError};

/// How a family differs in its heads.
pub(super) struct EncoderClasses {
    /// What its classes begin with (`Bert`).
    pub prefix: &'static str,
    /// Whether it has a pooler.
    pub pooler: bool,
    /// Whether it has classes that say whether a sentence follows another.
    pub next_sentence: bool,
    /// A dense layer before the labels of a text, instead of a pooler.
    pub text_dense: Option<Activation>,
}

impl EncoderClasses {
    /// The heads of the class that `architectures` names; of the bare model where it names none.
    pub fn heads(&self, keys: &Map<String, Value>) -> Result<EncoderHeads, ModelError> {
        let class = keys.get("architectures").and_then(|classes| classes.get(0));
        let class = class.and_then(Value::as_str);
        let bare = format!("{}Model", self.prefix);
        let class = class.unwrap_or(&bare);
        let classifier = |unit, labels, dense| EncoderHeads {
            classifier: Some(ClassifierShape { unit, labels, dense }),
            ..EncoderHeads::default()
        };
        Ok(match class.strip_prefix(self.prefix).unwrap_or(class) {
            "Model" => EncoderHeads { pooler: self.pooler, ..EncoderHeads::default() },
            "ForMaskedLM" => EncoderHeads { masked_lm: true, ..EncoderHeads::default() },
            "ForPreTraining" if self.next_sentence => EncoderHeads {
                pooler: true,
                masked_lm: true,
                next_sentence: true,
                classifier: None,
            },
            "ForNextSentencePrediction" if self.next_sentence => {
                EncoderHeads { pooler: true, next_sentence: true, ..EncoderHeads::default() }
            }
            "ForSequenceClassification" => EncoderHeads {
                pooler: self.pooler && self.text_dense.is_none(),
                ..classifier(ClassifiedUnit::Text, label_count(keys), self.text_dense)
            },
            "ForTokenClassification" => classifier(ClassifiedUnit::Token, label_count(keys), None),
            "ForQuestionAnswering" => classifier(ClassifiedUnit::AnswerEnds, 2, None),
            _ => {
                let kinds = "Model, ForMaskedLM, ForPreTraining, ForNextSentencePrediction, \
                             ForSequenceClassification, ForTokenClassification or \
                             ForQuestionAnswering";
                let expected = format!("{} with {kinds}", self.prefix);
                return Err(ModelError::invalid("architectures", class, expected));
            }
        })
    }
}

/// `id2label`'s length, or `num_labels`, or 2 as in `transformers`.
fn label_count(keys: &Map<String, Value>) -> usize {
    let names = keys.get("id2label").and_then(Value::as_object).map(Map::len);
    let number = || keys.get("num_labels").and_then(Value::as_u64).map(|count| count as usize);
    names.or_else(number).unwrap_or(2)
}
