//! Stop strings in streamed text: found across pieces, never let through.

/// Holds back text that may be the beginning of a stop string.
#[derive(Debug, Clone)]
pub struct StopMatcher {
    stops: Vec<String>,
    held: String,
}

/// What is known after a piece of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopStatus {
    /// No stop string so far; this text is safe to show (it may be empty).
    Continue(String),
    /// A stop string appeared; this is the rest of the text before it.
    Stopped(String),
}

impl StopMatcher {
    /// A matcher for `stops`, none of them empty.
    pub fn new(stops: &[String]) -> Self {
        Self { stops: stops.to_vec(), held: String::new() }
    }

    /// Takes the next piece of text.
    pub fn push(&mut self, piece: &str) -> StopStatus {
        self.held.push_str(piece);
        if let Some(at) = self.stops.iter().filter_map(|stop| self.held.find(stop.as_str())).min() {
            self.held.truncate(at);
            return StopStatus::Stopped(std::mem::take(&mut self.held));
        }
        let rest = self.held.split_off(self.safe_length());
        StopStatus::Continue(std::mem::replace(&mut self.held, rest))
    }

    /// Gives out what was held back, when no more text comes.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// Bytes before the first place where a stop string may have begun.
    fn safe_length(&self) -> usize {
        let longest = self.stops.iter().map(String::len).max().unwrap_or(0);
        let earliest = self.held.len().saturating_sub(longest.saturating_sub(1));
        let begins = |&at: &usize| self.stops.iter().any(|stop| stop.starts_with(&self.held[at..]));
        (earliest..self.held.len())
            .filter(|&at| self.held.is_char_boundary(at))
            .find(begins)
            .unwrap_or(self.held.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run<'a>(stops: &[&str], pieces: impl IntoIterator<Item = &'a str>) -> (String, bool) {
        let stops: Vec<String> = stops.iter().map(ToString::to_string).collect();
        let mut matcher = StopMatcher::new(&stops);
        let mut shown = String::new();
        for piece in pieces {
            match matcher.push(piece) {
                StopStatus::Continue(text) => shown.push_str(&text),
                StopStatus::Stopped(text) => return (shown + &text, true),
            }
        }
        (shown + &matcher.finish(), false)
    }

    #[test]
    fn a_stop_string_over_three_pieces_is_found_and_not_shown() {
        assert_eq!(run(&["\n\nQ:"], ["A: yes\n", "\n", "Q: no"]), ("A: yes".into(), true));
    }

    #[test]
    fn a_beginning_that_leads_nowhere_is_shown() {
        assert_eq!(run(&["abc"], ["xab", "ab", "d"]), ("xababd".into(), false));
        assert_eq!(run(&["abc"], ["ab"]), ("ab".into(), false));
    }

    #[test]
    fn text_is_held_back_no_longer_than_needed() {
        let mut matcher = StopMatcher::new(&["\nUser".to_owned()]);
        assert_eq!(matcher.push("hello\nUs"), StopStatus::Continue("hello".into()));
        assert_eq!(matcher.push("e"), StopStatus::Continue(String::new()));
        assert_eq!(matcher.push("s"), StopStatus::Continue("\nUses".into()));
    }

    #[test]
    fn the_earliest_of_several_stops_wins() {
        assert_eq!(run(&["d", "bcd", "c"], ["abcd"]), ("a".into(), true));
    }

    #[test]
    fn multi_byte_text_is_cut_between_characters() {
        assert_eq!(run(&["極致"], ["無極", "致"]), ("無".into(), true));
        assert_eq!(run(&["極致"], ["無極", "無"]), ("無極無".into(), false));
    }

    proptest! {
        #[test]
        fn streaming_equals_searching_the_whole_text(
            pieces in prop::collection::vec("[ab極]{0,3}", 0..12),
            stops in prop::collection::vec("[ab極]{1,4}", 0..3)
        ) {
            let stops: Vec<&str> = stops.iter().map(String::as_str).collect();
            // Generation ends with the first piece that completes a stop string.
            let (mut whole, mut found) = (String::new(), None);
            for piece in &pieces {
                whole.push_str(piece);
                found = stops.iter().filter_map(|stop| whole.find(stop)).min();
                if found.is_some() {
                    break;
                }
            }
            let expected = whole[..found.unwrap_or(whole.len())].to_owned();
            prop_assert_eq!(run(&stops, pieces.iter().map(String::as_str)), (expected, found.is_some()));
        }
    }
}
