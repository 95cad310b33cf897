//! What real tokenizers tell the objectives: special tokens by their parts, and words.

use std::ops::Range;

use wuji_data::objectives::{MaskingOptions, SpecialIds};
use wuji_tokenizer::{Tokenizer, TokenizerKind, TokenizerTrainerConfig};

const SPECIAL: [&str; 11] = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "[gMASK]",
    "<|startofpiece|>",
    "<|endofpiece|>",
    "<extra_id_0>",
    "<extra_id_1>",
    "<extra_id_2>",
];

fn trained(kind: TokenizerKind, text: &str, vocab_size: usize) -> Tokenizer {
    let config = TokenizerTrainerConfig {
        special_tokens: SPECIAL.map(str::to_owned).to_vec(),
        ..TokenizerTrainerConfig::new(kind, vocab_size)
    };
    Tokenizer::train(&config, std::iter::once(text.to_owned())).expect("trains")
}

fn english() -> String {
    "playing players played a playful game; the gamers gamed games again and again. ".repeat(20)
}

#[test]
fn special_tokens_are_found_by_role_and_name() {
    let tokenizer = trained(TokenizerKind::WordPiece, &english(), 90);
    let special = SpecialIds::from_tokenizer(&tokenizer);
    let id = |token: &str| tokenizer.token_to_id(token);
    assert_eq!(special.vocab_size as usize, tokenizer.vocab_size());
    assert_eq!((special.pad, special.cls, special.sep), (id("[PAD]"), id("[CLS]"), id("[SEP]")));
    assert_eq!((special.mask, special.generation_mask), (id("[MASK]"), id("[gMASK]")));
    assert_eq!(special.start_of_piece, id("<|startofpiece|>"));
    assert_eq!(special.end_of_piece, id("<|endofpiece|>"));
    let sentinels: Vec<u32> = SPECIAL[8..].iter().filter_map(|token| id(token)).collect();
    assert_eq!((special.sentinels.len(), &special.sentinels), (3, &sentinels));
    assert!(SPECIAL.iter().all(|token| special.is_special(id(token).expect("in the vocabulary"))));
    assert!(!special.is_special(id("p").expect("a letter of the text")));
}

/// The words that the table makes of a text, spelled.
fn words(tokenizer: &Tokenizer, text: &str, chinese: bool) -> Vec<String> {
    let encoding = tokenizer.encode_ordinary(text).expect("encodes");
    let special = SpecialIds::from_tokenizer(tokenizer);
    let table = special.words.clone().expect("a known kind");
    let is_special = |id| special.is_special(id);
    let groups = match chinese {
        true => table.chinese_groups(&encoding.ids, is_special),
        false => table.groups(&encoding.ids, is_special),
    };
    assert_eq!(groups.len(), encoding.offsets.len());
    // The mark that SentencePiece puts before a text has the range of its first character, so ranges
    // of a word are united rather than spelled one after the other.
    let mut words: Vec<(Option<u32>, Range<usize>)> = Vec::new();
    for (group, &(start, end)) in groups.into_iter().zip(&encoding.offsets) {
        match words.last_mut() {
            Some((last, word)) if group.is_some() && *last == group => word.end = end,
            _ => words.push((group, start..end)),
        }
    }
    words.into_iter().map(|(_, word)| text[word].trim().to_owned()).collect()
}

#[test]
fn words_of_word_pieces_and_of_bytes_are_those_of_the_text() {
    let text = "the gamers playing games again";
    let expected: Vec<&str> = text.split(' ').collect();
    for kind in [TokenizerKind::WordPiece, TokenizerKind::Unigram] {
        let tokenizer = trained(kind, &english(), 60);
        let pieces = tokenizer.encode_ordinary_ids(text).expect("encodes");
        assert!(pieces.len() > expected.len(), "{kind}: every word is one piece: shows nothing");
        assert_eq!(words(&tokenizer, text, false), expected, "{kind}");
    }
    let tokenizer = trained(TokenizerKind::ByteLevelBpe, &english(), 290);
    let pieces = tokenizer.encode_ordinary_ids(text).expect("encodes");
    assert!(pieces.len() > expected.len(), "every word is one piece: shows nothing");
    assert_eq!(words(&tokenizer, text, false), expected);
}

#[test]
fn chinese_words_are_those_of_the_segmenter_whatever_the_tokens() {
    let text = "我们喜欢语言模型";
    let expected = ["我们", "喜欢", "语言", "模型"];
    // One token per character, and tokens of single bytes.
    let tokenizer = trained(TokenizerKind::WordPiece, &text.repeat(3), 30);
    assert_eq!(words(&tokenizer, text, true), expected);
    let tokenizer = trained(TokenizerKind::Char, text, 30);
    assert_eq!(words(&tokenizer, text, true), expected);
    let tokenizer = trained(TokenizerKind::ByteLevelBpe, &english(), 290);
    let special = SpecialIds::from_tokenizer(&tokenizer);
    let ids = tokenizer.encode_ordinary_ids(text).expect("encodes");
    let table = special.words.clone().expect("a known kind");
    let groups = table.chinese_groups(&ids, |id| special.is_special(id));
    let sizes: Vec<usize> = groups.chunk_by(|a, b| a == b).map(<[_]>::len).collect();
    assert_eq!(sizes, [6; 4], "four words of six bytes");
}

#[test]
fn chinese_words_are_masked_whole() {
    let text = "我们喜欢语言模型，因为语言模型可以学习知识。";
    let tokenizer = trained(TokenizerKind::WordPiece, &text.repeat(3), 60);
    let special = SpecialIds::from_tokenizer(&tokenizer);
    let window = tokenizer.encode_ordinary_ids(text).expect("encodes");
    let groups = special
        .words
        .clone()
        .expect("a known kind")
        .chinese_groups(&window, |id| special.is_special(id));
    let options =
        MaskingOptions { whole_word: true, segment_chinese: true, ..MaskingOptions::default() };
    let mut pairs = 0;
    for seed in 0..100 {
        let labels = options.apply(&special, &window, seed).expect("valid").labels;
        for at in
            (1..groups.len()).filter(|&at| groups[at].is_some() && groups[at] == groups[at - 1])
        {
            assert_eq!(labels[at] == -100, labels[at - 1] == -100, "seed {seed}, token {at}");
            pairs += usize::from(labels[at] != -100);
        }
    }
    assert!(pairs > 50, "{pairs} words of several tokens were masked");
}
