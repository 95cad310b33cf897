//! The source as the answer: what a summary or a translation must be better than.

use super::{Answer, Request};

/// Sentences of a summary.
const SENTENCES: usize = 3;

/// All of the source.
pub(super) fn copy(request: &Request) -> Option<Answer> {
    let Request::Generation { source, .. } = request else { return None };
    Some(Answer::Text(source.clone()))
}

/// Its first sentences.
pub(super) fn lead_3(request: &Request) -> Option<Answer> {
    let Request::Generation { source, .. } = request else { return None };
    let sentences: Vec<&str> = sentences(source).take(SENTENCES).collect();
    Some(Answer::Text(sentences.concat().trim().to_owned()))
}

/// Sentences with what parts them: they end with a line, with Chinese punctuation, or with a point,
/// a question or an exclamation mark before a space.
pub(super) fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut characters = rest.char_indices().peekable();
        let mut end = rest.len();
        while let Some((at, character)) = characters.next() {
            let next = characters.peek().map(|(_, next)| *next);
            let ends = match character {
                '\n' | '。' | '！' | '？' => true,
                '.' | '?' | '!' => next.is_none_or(char::is_whitespace),
                _ => false,
            };
            if ends {
                end = at + character.len_utf8();
                break;
            }
        }
        let (sentence, after) = rest.split_at(end);
        rest = after;
        Some(sentence)
    })
}
