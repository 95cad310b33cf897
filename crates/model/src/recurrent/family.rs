//! The configs of this folder as families beside the transformers.

use serde_json::{Map, Value};

use super::config::ConfigFile;
use super::{FeedForwardConfig, RecurrentLmConfig, Seq2SeqConfig};
use crate::families::Family;
use crate::weights::TensorNames;
use crate::{Architecture, ModelError, ModelKind};

/// What these families have in common: no stack of blocks, no last position, and one vocabulary,
/// which `$sizes` are the size of; `$vocab_size` is that of the logits.
macro_rules! recurrent_family {
    ($config:ty, $kind:ident, $class:literal, $vocab_size:ident, [$($size:ident),+]) => {
        impl Family for $config {
            fn architecture(&self) -> Result<Architecture, ModelError> {
                let (model_type, found) = (Self::MODEL_TYPE, ModelKind::$kind.description());
                Err(ModelError::WrongKind { model_type, found, expected: "a transformer" })
            }

            fn validate(&self) -> Result<(), ModelError> {
                ConfigFile::validate(self)
            }

            fn kind(&self) -> ModelKind {
                ModelKind::$kind
            }

            fn default_class_name(&self) -> &'static str {
                $class
            }

            fn vocab_size(&self) -> usize {
                self.$vocab_size
            }

            fn set_vocab_size(&mut self, size: usize) {
                $(self.$size = size;)+
            }

            fn max_position_embeddings(&self) -> usize {
                usize::MAX
            }

            fn extra(&self) -> &Map<String, Value> {
                &self.extra
            }

            fn extra_mut(&mut self) -> &mut Map<String, Value> {
                &mut self.extra
            }

            fn tensor_names(&self) -> &dyn TensorNames {
                self
            }
        }
    };
}

recurrent_family!(RecurrentLmConfig, Recurrent, "RecurrentLm", vocab_size, [vocab_size]);
recurrent_family!(FeedForwardConfig, FeedForward, "FeedForwardLm", vocab_size, [vocab_size]);
recurrent_family!(
    Seq2SeqConfig,
    RecurrentEncoderDecoder,
    "RecurrentSeq2Seq",
    target_vocab_size,
    [source_vocab_size, target_vocab_size]
);
