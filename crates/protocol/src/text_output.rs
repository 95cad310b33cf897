//! From pieces of a model's output to what a reader gets: complete characters only, nothing of a stop
//! string, and an end when there is a reason for one.

use std::ops::ControlFlow;

use crate::{FinishReason, Sink, StopMatcher, StopStatus};

/// Passes text on to a [`Sink`] as soon as it is safe, and keeps it.
pub struct TextOutput<'s, 'f> {
    stops: StopMatcher,
    sink: &'s mut Sink<'f>,
    /// Bytes of a character that is not complete yet.
    pending: Vec<u8>,
    text: String,
    ended: Option<FinishReason>,
}

impl<'s, 'f> TextOutput<'s, 'f> {
    /// An output that ends before the first of `stops`, none of them empty.
    pub fn new(stops: &[String], sink: &'s mut Sink<'f>) -> Self {
        let stops = StopMatcher::new(stops);
        Self { stops, sink, pending: Vec::new(), text: String::new(), ended: None }
    }

    /// Takes the next piece; `Break` once a stop string has appeared or the reader has had enough.
    /// What comes after that is passed over.
    pub fn push(&mut self, piece: &str) -> ControlFlow<()> {
        if self.ended.is_none() {
            match self.stops.push(piece) {
                StopStatus::Continue(text) => self.emit(&text),
                StopStatus::Stopped(text) => {
                    self.emit(&text);
                    self.ended = Some(FinishReason::StopString);
                }
            }
        }
        if self.ended.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Takes the next bytes, for models whose tokens may end within a character. Bytes
    /// that can be no part of one become U+FFFD.
    pub fn push_bytes(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        self.pending.extend_from_slice(bytes);
        let unfinished = unfinished_bytes(&self.pending);
        let rest = self.pending.split_off(self.pending.len() - unfinished);
        let complete = std::mem::replace(&mut self.pending, rest);
        self.push(&String::from_utf8_lossy(&complete))
    }

    /// Gives out what was held back, unless the text has ended already. Returns the whole text and
    /// why it ended, `otherwise` if nothing in it was the reason.
    pub fn finish(mut self, otherwise: FinishReason) -> (String, FinishReason) {
        let pending = std::mem::take(&mut self.pending);
        if self.push(&String::from_utf8_lossy(&pending)).is_continue() {
            let held = self.stops.finish();
            self.emit(&held);
        }
        (self.text, self.ended.unwrap_or(otherwise))
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

/// How many bytes at the end are the beginning of a character, at most three.
fn unfinished_bytes(bytes: &[u8]) -> usize {
    match bytes.utf8_chunks().last() {
        Some(chunk)
            if std::str::from_utf8(chunk.invalid())
                .is_err_and(|error| error.error_len().is_none()) =>
        {
            chunk.invalid().len()
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pieces that a reader gets of `pieces`, and how it ended.
    fn run(stops: &[&str], pieces: &[&[u8]], limit: usize) -> (Vec<String>, String, FinishReason) {
        let stops: Vec<String> = stops.iter().map(ToString::to_string).collect();
        let mut seen = Vec::new();
        let mut sink = |piece: &str| {
            seen.push(piece.to_owned());
            if seen.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let mut output = TextOutput::new(&stops, &mut sink);
        for piece in pieces {
            if output.push_bytes(piece).is_break() {
                break;
            }
        }
        let (text, reason) = output.finish(FinishReason::Length);
        (seen, text, reason)
    }

    #[test]
    fn a_character_comes_when_it_is_complete() {
        let (seen, text, reason) = run(&[], &[b"a\xe4", b"\xbd", b"\xa0b"], 99);
        assert_eq!(seen, ["a", "你b"]);
        assert_eq!((text.as_str(), reason), ("a你b", FinishReason::Length));
    }

    #[test]
    fn what_is_no_character_is_replaced() {
        assert_eq!(run(&[], &[b"\xff", b"b\xe4"], 99).1, "\u{FFFD}b\u{FFFD}");
    }

    #[test]
    fn a_stop_string_may_lie_across_bytes() {
        let (seen, text, reason) = run(&["極b"], &[b"a\xe6\xa5", b"\xb5", b"b", b"c"], 99);
        assert_eq!(seen, ["a"]);
        assert_eq!((text.as_str(), reason), ("a", FinishReason::StopString));
    }

    #[test]
    fn the_reader_can_end_it_and_gets_no_more() {
        let (seen, text, reason) = run(&["zz"], &[b"a", b"b", b"z"], 2);
        assert_eq!(seen, ["a", "b"]);
        assert_eq!((text.as_str(), reason), ("ab", FinishReason::Cancelled));
    }
}
