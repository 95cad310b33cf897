//! Which tokens make up a word, for whole-word masking.
//!
//! Three ways of knowing: the `##` of WordPiece, the mark that a byte-level BPE or SentencePiece
//! vocabulary puts where a space was, and word spans in the text (Chinese, where nothing in the
//! tokens tells). The result is a number per token; tokens with the same number are one word, and
//! `None` is a word of its own.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use wuji_tokenizer::{Tokenizer, TokenizerKind};

use super::chinese::chinese_words;

/// How pieces say where words begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordRule {
    /// A piece that begins with `##` continues the word before it (BERT).
    Continuation,
    /// A piece that begins with white space (`Ġ`, `Ċ`) begins a word, and so does one after a piece
    /// that ends with a line break. Pieces are bytes, spelled in GPT-2's alphabet. Punctuation without a
    /// space before it belongs to the word that it follows, as in RoBERTa's whole-word masking.
    ByteLevel,
    /// The same with SentencePiece's `▁` for a space.
    Metaspace,
    /// Every piece is a word.
    EachPiece,
}

/// The spelling of every id, with the rule that makes words of them. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct WordTable {
    pieces: Arc<[String]>,
    rule: WordRule,
}

impl fmt::Debug for WordTable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "WordTable({} pieces, {:?})", self.pieces.len(), self.rule)
    }
}

impl WordTable {
    /// A table of the pieces of a vocabulary, in the order of their ids.
    pub fn new(rule: WordRule, pieces: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { pieces: pieces.into_iter().map(Into::into).collect(), rule }
    }

    /// The table of a tokenizer; `None` for a kind whose rule is not known.
    pub fn of_tokenizer(tokenizer: &Tokenizer) -> Option<Self> {
        let rule = match tokenizer.kind()? {
            TokenizerKind::WordPiece => WordRule::Continuation,
            TokenizerKind::ByteLevelBpe => WordRule::ByteLevel,
            TokenizerKind::Unigram => WordRule::Metaspace,
            TokenizerKind::Char | TokenizerKind::Word => WordRule::EachPiece,
            _ => return None,
        };
        let ids = 0..u32::try_from(tokenizer.vocab_size()).ok()?;
        Some(Self::new(rule, ids.map(|id| tokenizer.id_to_token(id).unwrap_or_default())))
    }

    /// The ids that end a sentence: those whose text ends with a full stop, a question or exclamation
    /// mark, possibly with closing quotes or brackets behind it, or holds a line break. Abbreviations
    /// end one too.
    ///
    /// ```
    /// use wuji_data::objectives::{WordRule, WordTable};
    /// let table = WordTable::new(WordRule::ByteLevel, ["a", ".", "?\"", "Ġ.\"", "Ċ", "ãĢĤ"]);
    /// assert_eq!(table.sentence_ends(), [1, 2, 3, 4, 5]);
    /// ```
    pub fn sentence_ends(&self) -> Vec<u32> {
        let ends = |piece: &String| ends_sentence(&String::from_utf8_lossy(&self.bytes(piece)));
        (0..).zip(self.pieces.iter()).filter(|(_, piece)| ends(piece)).map(|(id, _)| id).collect()
    }

    /// The words of a sequence of ids. Special tokens belong to no word and end the one before.
    pub fn groups(&self, ids: &[u32], is_special: impl Fn(u32) -> bool) -> Vec<Option<u32>> {
        let pieces = self.spell(ids, is_special);
        match self.rule {
            WordRule::Continuation => continuation_groups(&pieces),
            WordRule::ByteLevel | WordRule::Metaspace => leading_space_groups(&pieces),
            WordRule::EachPiece => vec![None; ids.len()],
        }
    }

    /// The words of a sequence of ids that spell Chinese, by segmenting the text that they spell.
    pub fn chinese_groups(
        &self,
        ids: &[u32],
        is_special: impl Fn(u32) -> bool,
    ) -> Vec<Option<u32>> {
        let (text, spans) = self.text(&self.spell(ids, is_special));
        let mut words = Vec::new();
        let mut at = 0;
        // A window may begin inside a character; whatever is not UTF-8 is in no word.
        for chunk in text.utf8_chunks() {
            let found = chinese_words(chunk.valid()).into_iter();
            words.extend(found.map(|word| at + word.start..at + word.end));
            at += chunk.valid().len() + chunk.invalid().len();
        }
        span_groups(&spans, &words)
    }

    /// The piece of each id; `None` for special tokens and ids outside the table.
    fn spell(&self, ids: &[u32], is_special: impl Fn(u32) -> bool) -> Vec<Option<&str>> {
        ids.iter()
            .map(|&id| {
                let piece = self.pieces.get(id as usize).filter(|_| !is_special(id));
                piece.map(String::as_str)
            })
            .collect()
    }

    /// The bytes that pieces spell, and the bytes of each without white space at its beginning.
    fn text(&self, pieces: &[Option<&str>]) -> (Vec<u8>, Vec<Range<usize>>) {
        let mut text = Vec::new();
        let spans = pieces
            .iter()
            .map(|piece| {
                let mut bytes = self.bytes(piece.unwrap_or("\n"));
                if self.rule == WordRule::Continuation && divides(&text, &bytes, *piece) {
                    text.push(b' ');
                }
                let blank = bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                let start = text.len() + blank;
                text.append(&mut bytes);
                start..text.len()
            })
            .collect();
        (text, spans)
    }

    fn bytes(&self, piece: &str) -> Vec<u8> {
        match self.rule {
            WordRule::Continuation => piece.strip_prefix("##").unwrap_or(piece).into(),
            WordRule::EachPiece => piece.into(),
            WordRule::ByteLevel => piece.chars().flat_map(character_bytes).collect(),
            WordRule::Metaspace => piece.replace('▁', " ").into(),
        }
    }
}

fn ends_sentence(text: &str) -> bool {
    const MARKS: [char; 7] = ['.', '!', '?', '…', '。', '！', '？'];
    const CLOSING: [char; 12] = ['"', '\'', ')', ']', '”', '’', '»', '」', '』', '）', '】', '》'];
    text.contains('\n') || text.trim_end().trim_end_matches(CLOSING).ends_with(MARKS)
}

/// Whether WordPiece lost a space between two Latin words here.
fn divides(text: &[u8], next: &[u8], piece: Option<&str>) -> bool {
    let latin = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    latin(text.last()) && latin(next.first()) && !piece.is_some_and(|p| p.starts_with("##"))
}

/// The bytes behind a character of a byte-level vocabulary.
///
/// GPT-2 writes the bytes that are no printable Latin-1 characters as U+0100 and following, in
/// order; characters that are in neither alphabet spell themselves.
fn character_bytes(character: char) -> Vec<u8> {
    let printable = |byte: u32| matches!(byte, 0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF);
    let code = character as u32;
    match code {
        _ if printable(code) => vec![code as u8],
        0x100..=0x143 => {
            let hidden = (0..256).filter(|&byte| !printable(byte)).nth((code - 0x100) as usize);
            hidden.map(|byte| byte as u8).into_iter().collect()
        }
        _ => character.to_string().into_bytes(),
    }
}

/// WordPiece: a piece that begins with `##` belongs to the word of the piece before it. `None`
/// stands for a special token.
///
/// ```
/// use wuji_data::objectives::continuation_groups;
/// let pieces = [None, Some("un"), Some("##afford"), Some("##able"), Some("!")];
/// assert_eq!(continuation_groups(&pieces), [None, Some(0), Some(0), Some(0), Some(1)]);
/// ```
pub fn continuation_groups(pieces: &[Option<&str>]) -> Vec<Option<u32>> {
    number(pieces, |_, piece| !piece.starts_with("##"))
}

/// Byte-level BPE and SentencePiece: a piece begins a word if it begins with the mark of white space,
/// or follows a piece that ends with a line break or a tab. `None` stands for a special token.
///
/// ```
/// use wuji_data::objectives::leading_space_groups;
/// let pieces = [Some("The"), Some("Ġquick"), Some("est"), Some("Ċ"), Some("fox")];
/// let groups = leading_space_groups(&pieces);
/// assert_eq!(groups, [Some(0), Some(1), Some(1), Some(2), Some(3)]);
/// ```
pub fn leading_space_groups(pieces: &[Option<&str>]) -> Vec<Option<u32>> {
    // Newline, tab and carriage return of the byte-level alphabet. A space is cut off with the word
    // that follows it, so a piece that is only a space is the beginning of that word.
    let breaks = ['Ċ', 'ĉ', 'č'];
    let space = ['Ġ', '▁'];
    number(pieces, |before, piece| {
        before.ends_with(breaks) || piece.starts_with(breaks) || piece.starts_with(space)
    })
}

/// Numbers words; `begins(before, piece)` says whether a piece begins one. A piece at the beginning
/// or after a special token always does.
fn number(pieces: &[Option<&str>], begins: impl Fn(&str, &str) -> bool) -> Vec<Option<u32>> {
    let mut words = 0_u32;
    let mut before: Option<&str> = None;
    let mut groups = Vec::with_capacity(pieces.len());
    for &piece in pieces {
        if let Some(piece) = piece {
            let begins = before.is_none_or(|before| begins(before, piece));
            words += u32::from(begins);
        }
        groups.push(piece.map(|_| words - 1));
        before = piece;
    }
    groups
}

/// Words given as spans of the text: a token belongs to the word in which it begins. Both are byte
/// ranges, and `words` is in order.
///
/// ```
/// use wuji_data::objectives::span_groups;
/// // 喜欢 is one word of two three-byte characters; the last token is in no word.
/// let groups = span_groups(&[0..3, 3..6, 6..9], &[0..6]);
/// assert_eq!(groups, [Some(0), Some(0), None]);
/// ```
pub fn span_groups(tokens: &[Range<usize>], words: &[Range<usize>]) -> Vec<Option<u32>> {
    tokens
        .iter()
        .map(|token| {
            let word = words.partition_point(|word| word.end <= token.start);
            let inside = words.get(word).is_some_and(|word| word.start <= token.start);
            (inside && !token.is_empty()).then_some(word as u32)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_special_token_ends_a_word() {
        let table = WordTable::new(WordRule::Continuation, ["[SEP]", "play", "##ing"]);
        let groups = table.groups(&[1, 2, 0, 2, 1], |id| id == 0);
        assert_eq!(groups, [Some(0), Some(0), None, Some(1), Some(2)]);
    }

    #[test]
    fn chinese_words_hold_the_characters_of_word_piece() {
        let table =
            WordTable::new(WordRule::Continuation, ["[CLS]", "我", "喜", "欢", "play", "##ing"]);
        let groups = table.chinese_groups(&[0, 1, 2, 3, 4, 5, 4], |id| id == 0);
        assert_eq!(groups[0], None);
        assert_eq!(groups[2], groups[3], "喜欢 is a word: {groups:?}");
        assert_ne!(groups[1], groups[2], "我 is a word: {groups:?}");
        assert_eq!(groups[4], groups[5], "playing is a word: {groups:?}");
        assert_ne!(groups[5], groups[6], "the next play is another: {groups:?}");
    }

    #[test]
    fn byte_level_pieces_may_cut_a_character() {
        // 喜 is E5 96 9C and 欢 is E6 AC A2; the first piece is the end of another character.
        let table = WordTable::new(WordRule::ByteLevel, ["\u{122}", "åĸ", "ľ", "æ¬¢"]);
        let groups = table.chinese_groups(&[0, 1, 2, 3], |_| false);
        assert_eq!(groups[0], None);
        assert!(groups[1].is_some());
        assert_eq!(groups[1..], [groups[1]; 3]);
    }

    #[test]
    fn the_byte_alphabet_spells_every_byte_once() {
        let mut bytes: Vec<u8> = (0x21..0x144)
            .filter_map(char::from_u32)
            .filter(|c| !matches!(*c as u32, 0x7F..=0xA0 | 0xAD))
            .flat_map(character_bytes)
            .collect();
        bytes.sort_unstable();
        assert_eq!(bytes, (0..=255).collect::<Vec<u8>>());
        assert_eq!(character_bytes('Ġ'), b" ");
        assert_eq!(character_bytes('Ċ'), b"\n");
    }
}
