//! Cuts long text into parts at places where a tokenizer does not notice.

use super::{DocumentPart, Origin};

/// About how long a part is.
///
/// Long enough that a token more or less at a cut is nothing (one in tens of thousands), short
/// enough that a tokenizer's working memory, often 100 bytes per byte of text, stays small.
pub const PART_BYTES: usize = 1 << 17;

/// How many bytes before the desired end are searched for a good place.
const SEARCHED_BYTES: usize = PART_BYTES / 4;

/// Turns one document's text, arriving in chunks, into parts.
pub(super) struct PartCutter {
    buffer: String,
    begun: bool,
}

impl PartCutter {
    pub(super) fn new() -> Self {
        Self { buffer: String::new(), begun: false }
    }

    /// Appends text; full parts go to `emit`. What follows the last cut always stays behind, so
    /// that the part which ends the document is not empty.
    pub(super) fn push(
        &mut self,
        text: &str,
        origin: &Origin,
        emit: &mut impl FnMut(DocumentPart),
    ) {
        self.buffer.push_str(text);
        let mut start = 0;
        while self.buffer.len() - start > PART_BYTES {
            let end = start + cut(&self.buffer[start..]);
            emit(self.part(self.buffer[start..end].to_owned(), origin, false));
            self.begun = true;
            start = end;
        }
        self.buffer.drain(..start);
    }

    /// Ends the document, if it has any text, and gets ready for the next one.
    pub(super) fn end(&mut self, origin: &Origin, emit: &mut impl FnMut(DocumentPart)) {
        let text = std::mem::take(&mut self.buffer);
        if !text.is_empty() || self.begun {
            emit(self.part(text, origin, true));
        }
        self.begun = false;
    }

    fn part(&self, text: String, origin: &Origin, ends: bool) -> DocumentPart {
        DocumentPart { text, origin: origin.clone(), begins: !self.begun, ends }
    }
}

/// The parts of a document that is in memory as a whole; none if it has no text.
pub(super) fn parts_of(text: String, origin: &Origin) -> Vec<DocumentPart> {
    if text.is_empty() {
        return Vec::new();
    }
    if text.len() <= PART_BYTES {
        return vec![DocumentPart { text, origin: origin.clone(), begins: true, ends: true }];
    }
    let mut parts = Vec::new();
    let mut cutter = PartCutter::new();
    cutter.push(&text, origin, &mut |part| parts.push(part));
    cutter.end(origin, &mut |part| parts.push(part));
    parts
}

/// Where to cut text longer than [`PART_BYTES`]: after at most that many bytes.
///
/// After a single line end between visible characters the pre-tokenizers of GPT-2, GPT-4, Llama
/// and Qwen always begin a new piece (GPT-4o's not before a slash), and so they do before a space
/// between a letter and something visible: these two kinds of place are taken first. Otherwise
/// any character boundary serves.
fn cut(text: &str) -> usize {
    let last = text.floor_char_boundary(PART_BYTES);
    let first = text.floor_char_boundary(PART_BYTES - SEARCHED_BYTES);
    let candidates = || text[first..last].char_indices().rev().map(|(index, _)| first + index);
    let after_line = |at: &usize| {
        let mut before = text[..*at].chars().rev();
        before.next() == Some('\n')
            && before.next().is_some_and(visible)
            && starts_visible(text, *at)
            && !text[*at..].starts_with('/')
    };
    let before_space = |at: &usize| {
        let before = text[..*at].chars().next_back();
        before.is_some_and(char::is_alphanumeric)
            && text[*at..].starts_with(' ')
            && starts_visible(text, at + 1)
    };
    candidates().find(after_line).or_else(|| candidates().find(before_space)).unwrap_or(last)
}

fn starts_visible(text: &str, at: usize) -> bool {
    text[at..].chars().next().is_some_and(visible)
}

fn visible(character: char) -> bool {
    !character.is_whitespace()
}

#[cfg(test)]
mod tests {
    use super::super::Place;
    use super::*;
    use proptest::prelude::*;

    fn parts(text: &str) -> Vec<DocumentPart> {
        parts_of(text.to_owned(), &Origin::new(std::path::Path::new("f"), Place::Whole))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn parts_join_to_the_text_and_mark_its_ends(word in "[a-z字😀 \n]{1,12}", repeats in 1_usize..60_000) {
            let text = word.repeat(repeats);
            let parts = parts(&text);
            let joined: String = parts.iter().map(|part| part.text.as_str()).collect();
            prop_assert_eq!(joined, text);
            for (index, part) in parts.iter().enumerate() {
                prop_assert!(part.text.len() <= PART_BYTES && !part.text.is_empty());
                prop_assert_eq!(part.begins, index == 0);
                prop_assert_eq!(part.ends, index + 1 == parts.len());
            }
        }
    }

    #[test]
    fn lines_are_preferred_to_words_and_words_to_characters() {
        let lines = parts(&"one two\n".repeat(PART_BYTES / 4));
        assert!(lines[0].text.ends_with("two\n") && lines[1].text.starts_with("one"));
        let words = parts(&"one two ".repeat(PART_BYTES / 4));
        assert!(words[0].text.ends_with(char::is_alphabetic) && words[1].text.starts_with(' '));
        let characters = parts(&"字".repeat(PART_BYTES));
        assert_eq!(characters[0].text.len(), PART_BYTES / 3 * 3);
    }
}
