//! From token ids to text for a reader: complete characters only, and nothing of a stop string.

use std::ops::ControlFlow;

use wuji_protocol::{FinishReason, Sink};
use wuji_tokenizer::{DecodeStream, Tokenizer};

use crate::{InferenceError, StopMatcher, StopStatus};

/// Prompt tokens that the decoder is shown: more than any decoder looks back.
const PRIMING: usize = 16;

/// Decodes tokens as they come, looks out for stop strings, and passes on what is safe.
pub struct TextStream<'s, 'f> {
    decoder: DecodeStream,
    output: Output<'s, 'f>,
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
        let stops = StopMatcher::new(stops);
        Ok(Self { decoder, output: Output { stops, sink, text: String::new(), ended: None } })
    }

    /// Takes the next token; `Break` once a stop string has appeared or the reader has had enough.
    ///
    /// # Errors
    /// When the token cannot be decoded.
    pub fn push(&mut self, id: u32) -> Result<ControlFlow<()>, InferenceError> {
        if let Some(piece) = self.decoder.push(id)? {
            self.output.pass_on(&piece);
        }
        Ok(if self.output.ended.is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    }

    /// Gives out what was held back, unless the text has ended already. Returns the whole text and
    /// why it ended, `otherwise` if nothing in it was the reason.
    ///
    /// # Errors
    /// When the last tokens cannot be decoded.
    pub fn finish(self, otherwise: FinishReason) -> Result<(String, FinishReason), InferenceError> {
        let Self { decoder, mut output } = self;
        if output.ended.is_none()
            && let Some(piece) = decoder.finish()?
        {
            output.pass_on(&piece);
        }
        if output.ended.is_none() {
            let held = output.stops.finish();
            output.emit(&held);
        }
        Ok((output.text, output.ended.unwrap_or(otherwise)))
    }
}

/// What lies behind the decoder.
struct Output<'s, 'f> {
    stops: StopMatcher,
    sink: &'s mut Sink<'f>,
    text: String,
    ended: Option<FinishReason>,
}

impl Output<'_, '_> {
    fn pass_on(&mut self, piece: &str) {
        match self.stops.push(piece) {
            StopStatus::Continue(text) => self.emit(&text),
            StopStatus::Stopped(text) => {
                self.emit(&text);
                self.ended = Some(FinishReason::StopString);
            }
        }
    }

    fn emit(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.text.push_str(text);
        if (self.sink)(text).is_break() {
            self.ended = Some(FinishReason::Cancelled);
        }
    }
}
