//! `8x256,6x6x384,4096`: batch × context, layers × heads × width, vocabulary.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use wuji_model::families::Gpt2Config;
use wuji_model::{Activation, ModelConfig};

use crate::WujiError;

/// The shape of a model and of its batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BenchShape {
    /// Rows of a batch.
    pub batch: usize,
    /// Tokens of a row.
    pub context: usize,
    /// Blocks.
    pub layers: usize,
    /// Attention heads.
    pub heads: usize,
    /// Width of the residual stream.
    pub width: usize,
    /// Token ids.
    pub vocabulary: usize,
}

impl BenchShape {
    /// GPT-2's block (LayerNorm, learned positions, exact GELU) without biases or dropout, and a
    /// head of its own.
    ///
    /// # Errors
    /// A width that the heads do not divide.
    pub fn model(&self) -> Result<ModelConfig, WujiError> {
        let config = ModelConfig::Gpt2(Gpt2Config {
            vocab_size: self.vocabulary,
            n_positions: self.context,
            n_embd: self.width,
            n_layer: self.layers,
            n_head: self.heads,
            activation_function: Activation::Gelu,
            resid_pdrop: 0.0,
            embd_pdrop: 0.0,
            attn_pdrop: 0.0,
            tie_word_embeddings: false,
            bias: false,
            ..Gpt2Config::default()
        });
        config.architecture()?;
        Ok(config)
    }

    /// Tokens of a batch.
    pub fn tokens(&self) -> usize {
        self.batch * self.context
    }

    /// Floating-point operations of a training step of `params` parameters, counted as
    /// `(6 · params + 12 · layers · width · context) · tokens`: embeddings included, so that figures
    /// can be put beside those of other programs.
    pub fn training_flops(&self, params: usize) -> f64 {
        let attention = 12 * self.layers * self.width * self.context;
        (6 * params + attention) as f64 * self.tokens() as f64
    }
}

impl fmt::Display for BenchShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { batch, context, layers, heads, width, vocabulary } = self;
        write!(f, "{batch}x{context},{layers}x{heads}x{width},{vocabulary}")
    }
}

impl Serialize for BenchShape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for BenchShape {
    type Err = WujiError;

    fn from_str(text: &str) -> Result<Self, WujiError> {
        let wrong = |reason: String| {
            let form = "BATCHxCONTEXT,LAYERSxHEADSxWIDTH,VOCABULARY, as in 8x256,6x6x384,4096";
            WujiError::config(format!("shape {text:?}"), format!("{reason}; expected {form}"))
        };
        let mut sizes = Vec::new();
        for part in text.split([',', 'x']) {
            match part.trim().parse::<usize>() {
                Ok(size) if size > 0 => sizes.push(size),
                _ => return Err(wrong(format!("{part:?} is not a whole number above 0"))),
            }
        }
        let separators: String = text.chars().filter(|c| matches!(c, ',' | 'x')).collect();
        match (sizes.as_slice(), separators.as_str()) {
            (&[batch, context, layers, heads, width, vocabulary], "x,xx,") => {
                let shape = Self { batch, context, layers, heads, width, vocabulary };
                shape.model()?;
                Ok(shape)
            }
            _ => Err(wrong(format!("{} numbers, separated by {separators:?}", sizes.len()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_read_and_written_the_same() {
        let shape: BenchShape = "8x256,6x4x384,4096".parse().unwrap();
        assert_eq!((shape.batch, shape.context, shape.layers), (8, 256, 6));
        assert_eq!((shape.heads, shape.width, shape.vocabulary), (4, 384, 4096));
        assert_eq!(shape.to_string(), "8x256,6x4x384,4096");
    }

    #[test]
    fn what_is_no_shape_is_refused_with_the_form() {
        for (text, expected) in [
            ("8x256", "2 numbers"),
            ("8,256,6,6,384,4096", "separated by"),
            ("8x0,6x6x384,4096", "\"0\" is not"),
            ("8xa,6x6x384,4096", "\"a\" is not"),
            ("8x256,6x7x384,4096", "a divisor of n_embd"),
        ] {
            let message = text.parse::<BenchShape>().unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn flops_are_those_of_the_script_for_pytorch() {
        let shape: BenchShape = "8x256,6x6x384,4096".parse().unwrap();
        let expected = (6.0 * 14e6 + 12.0 * 6.0 * 384.0 * 256.0) * 8.0 * 256.0;
        assert_eq!(shape.training_flops(14_000_000), expected);
    }
}
