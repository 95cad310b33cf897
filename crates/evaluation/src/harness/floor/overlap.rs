//! The sentence of a text that shares most with the question.

use std::collections::HashSet;

use wuji_protocol::Prompt;

use super::copy::sentences;
use super::{Answer, Request};

/// The question is the last line of the prompt that ends with a question mark, or else its last
/// lines; the first of equal sentences is taken.
pub(super) fn overlap(request: &Request) -> Option<Answer> {
    let Request::Generation { request, source } = request else { return None };
    let Prompt::Text(prompt) = &request.prompt else { return None };
    let is_question = |line: &&str| line.trim_end().ends_with(['?', '？']);
    let question = prompt.lines().rev().find(is_question);
    let question = pieces(question.unwrap_or_else(|| prompt.lines().last().unwrap_or("")));
    let shared = |sentence: &str| pieces(sentence).intersection(&question).count();
    let best = sentences(source).fold((0, ""), |best, sentence| {
        let count = shared(sentence);
        if best.1.is_empty() || count > best.0 { (count, sentence) } else { best }
    });
    Some(Answer::Text(best.1.trim().to_owned()))
}

/// Words in lower case, and each character of languages that write without spaces.
fn pieces(text: &str) -> HashSet<String> {
    let mut pieces = HashSet::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        if word.is_ascii() {
            pieces.insert(word.to_lowercase());
        } else {
            pieces.extend(word.chars().map(String::from));
        }
    }
    pieces
}
