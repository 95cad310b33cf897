//! Generated text on its way to a sink: held back as long as it may turn into a stop string.

use std::ops::ControlFlow;

use wuji_protocol::{FinishReason, Sink};

/// Collects text and passes it on.
pub(crate) struct TextStream<'r, 's, 'f> {
    stop: &'r [String],
    sink: &'s mut Sink<'f>,
    text: String,
    /// How much of the text the sink has.
    passed: usize,
    cancelled: bool,
}

impl<'r, 's, 'f> TextStream<'r, 's, 'f> {
    pub fn new(stop: &'r [String], sink: &'s mut Sink<'f>) -> Self {
        Self { stop, sink, text: String::new(), passed: 0, cancelled: false }
    }

    /// Adds a piece; breaks with the reason when generation has to end.
    pub fn push(&mut self, piece: &str) -> ControlFlow<FinishReason> {
        self.text.push_str(piece);
        if let Some(at) = self.stop.iter().filter_map(|stop| self.text.find(stop.as_str())).min() {
            self.text.truncate(at);
            return ControlFlow::Break(FinishReason::StopString);
        }
        let held = self.stop.iter().map(|stop| self.beginning_of(stop)).max().unwrap_or(0);
        self.pass(self.text.len() - held);
        if self.cancelled {
            ControlFlow::Break(FinishReason::Cancelled)
        } else {
            ControlFlow::Continue(())
        }
    }

    /// How many bytes at the end of the text may be the beginning of `stop`.
    fn beginning_of(&self, stop: &str) -> usize {
        let beginnings = stop.char_indices().map(|(at, _)| at).rev();
        beginnings.into_iter().find(|&at| self.text.ends_with(&stop[..at])).unwrap_or(0)
    }

    fn pass(&mut self, end: usize) {
        if end > self.passed && !self.cancelled {
            self.cancelled = (self.sink)(&self.text[self.passed..end]).is_break();
            self.passed = end;
        }
    }

    /// Passes on what was held back. The text is what the sink was given.
    pub fn finish(mut self, reason: FinishReason) -> (String, FinishReason) {
        let is_cancelled = self.cancelled;
        self.pass(self.text.len());
        self.text.truncate(self.passed);
        (self.text, if is_cancelled { FinishReason::Cancelled } else { reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(pieces: &[&str], stop: &[&str], limit: usize) -> (Vec<String>, String, FinishReason) {
        let stop: Vec<String> = stop.iter().map(ToString::to_string).collect();
        let mut given = Vec::new();
        let mut sink = |piece: &str| {
            given.push(piece.to_owned());
            if given.len() == limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let mut stream = TextStream::new(&stop, &mut sink);
        let ended = pieces.iter().find_map(|piece| stream.push(piece).break_value());
        let (text, reason) = stream.finish(ended.unwrap_or(FinishReason::EndOfText));
        (given, text, reason)
    }

    #[test]
    fn what_may_become_a_stop_string_is_held_back() {
        let (given, text, reason) = stream(&["ab", "x", "y", "z"], &["xyz"], 9);
        assert_eq!((text.as_str(), reason), ("ab", FinishReason::StopString));
        assert_eq!(given, ["ab"]);
        let (given, text, reason) = stream(&["無x", "y", "極"], &["xyz"], 9);
        assert_eq!((text.as_str(), reason), ("無xy極", FinishReason::EndOfText));
        assert_eq!(given, ["無", "xy極"]);
    }

    #[test]
    fn the_text_is_what_the_sink_was_given() {
        let (given, text, reason) = stream(&["a", "b", "c"], &[], 2);
        assert_eq!((given.concat(), text.as_str()), ("ab".to_owned(), "ab"));
        assert_eq!(reason, FinishReason::Cancelled);
        // Held back to the end.
        assert_eq!(stream(&["a", "x"], &["xy"], 9).1, "ax");
    }
}
