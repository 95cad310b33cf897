//! From token ids to text for a reader: complete characters only, and nothing of a stop string.

use std::ops::ControlFlow;

use wuji_protocol::{FinishReason, Sink, TextOutput};
use wuji_tokenizer::{DecodeStream, Tokenizer};

use crate::InferenceError;

/// Prompt tokens that the decoder is shown: more than any decoder looks back.
const PRIMING: usize = 16;

/// Decodes tokens as they come, looks out for stop strings, and passes on what is safe.
pub struct TextStream<'s, 'f> {
    decoder: DecodeStream,
    output: TextOutput<'s, 'f>,
}

impl<'s, 'f> TextStream<'s, 'f> {
    /// A stream that continues `prompt`, which is not part of the text.
    ///
    /// The decoder must have seen the end of the prompt: some decoders (SentencePiece) give a word
    /// its leading space only when something comes before it.
    ///
    /// # Errors
    /// When the prompt cannot be decoded.
    pub fn new(
        tokenizer: &Tokenizer,
        prompt: &[u32],
        stops: &[String],
        sink: &'s mut Sink<'f>,
    ) -> Result<Self, InferenceError> {
        let mut decoder = tokenizer.decode_stream(true);
        for &id in &prompt[prompt.len().saturating_sub(PRIMING)..] {
            decoder.push(id)?;
        }
        Ok(Self { decoder, output: TextOutput::new(stops, sink) })
    }

    /// Takes the next token; `Break` once a stop string has appeared or the reader has had enough.
    ///
    /// # Errors
    /// When the token cannot be decoded.
    pub fn push(&mut self, id: u32) -> Result<ControlFlow<()>, InferenceError> {
        let piece = self.decoder.push(id)?;
        Ok(self.output.push(piece.as_deref().unwrap_or_default()))
    }

    /// Gives out what was held back, unless the text has ended already. Returns the whole text and
    /// why it ended, `otherwise` if nothing in it was the reason.
    ///
    /// # Errors
    /// When the last tokens cannot be decoded.
    pub fn finish(self, otherwise: FinishReason) -> Result<(String, FinishReason), InferenceError> {
        let Self { decoder, mut output } = self;
        let rest = decoder.finish()?;
        // Passed over where the text has ended already.
        let _ = output.push(rest.as_deref().unwrap_or_default());
        Ok(output.finish(otherwise))
    }
}
