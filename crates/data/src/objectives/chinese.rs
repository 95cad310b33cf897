//! Where the words of a Chinese text begin and end.
//!
//! Chinese writes no spaces, so whole-word masking (Cui et al., "Pre-Training with Whole Word
//! Masking for Chinese BERT", 2019) needs a segmenter. This one is jieba: a dictionary, which comes
//! with the crate, and a hidden Markov model for words that are not in it.

use std::ops::Range;
use std::sync::LazyLock;

use jieba_rs::Jieba;

/// Built at the first call: reading the dictionary takes a fraction of a second.
static JIEBA: LazyLock<Jieba> = LazyLock::new(Jieba::new);

/// The words of `text` as byte ranges, in order. White space is in none of them; punctuation marks
/// are words, and so are runs of Latin letters.
///
/// ```
/// use wuji_data::objectives::chinese_words;
/// let text = "使用语言模型";
/// let words: Vec<&str> = chinese_words(text).into_iter().map(|word| &text[word]).collect();
/// assert_eq!(words, ["使用", "语言", "模型"]);
/// ```
pub fn chinese_words(text: &str) -> Vec<Range<usize>> {
    let mut at = 0;
    let mut words = Vec::new();
    for token in JIEBA.cut(text, true) {
        let start = at;
        at += token.word.len();
        if !token.word.trim().is_empty() {
            words.push(start..at);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_cover_the_text_but_its_white_space() {
        let text = "我喜欢 Rust 语言，\n你呢？ 上海的天气很好。";
        let words = chinese_words(text);
        let joined: String = words.iter().map(|word| &text[word.clone()]).collect();
        let expected: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        assert_eq!(joined, expected);
        assert!(words.windows(2).all(|pair| pair[0].end <= pair[1].start));
    }
}
