//! Counting what a corpus is made of: words after normalising and pre-tokenising, or characters.
//!
//! Texts are taken in batches and counted in parallel; sums of counts do not depend on the order.

use std::collections::HashMap;
use std::hash::Hash;

use rayon::prelude::*;
use tokenizers::pre_tokenizer::PreTokenizedString;
use tokenizers::{OffsetReferential, OffsetType, PreTokenizer};

use crate::byte_pieces::{BytePieces, Piece, spelled};
use crate::error::TokenizerError;
use crate::tokenizer::Pipeline;

/// Bytes of text that are counted together.
const BATCH_BYTES: usize = 8 << 20;

/// Texts beyond this are counted in parts, cut after a newline: pre-tokenising needs tens of bytes for each byte.
const PART_BYTES: usize = 1 << 20;

/// A counted corpus.
pub(super) struct Counts<T> {
    /// What was counted, in ascending order, with how often it occurs.
    pub(super) items: Vec<(T, u64)>,
    /// Number of texts.
    pub(super) texts: u64,
    /// Number of bytes.
    pub(super) bytes: u64,
}

/// Counts the words that `skeleton` (a pipeline without vocabulary) makes of `texts`.
pub(super) fn count_words(
    skeleton: &Pipeline,
    texts: impl Iterator<Item = String>,
) -> Result<Counts<String>, TokenizerError> {
    count(texts, "words", |part, counts: &mut HashMap<String, u64>| {
        each_split(skeleton, part, |split| add_one(counts, split))
    })
}

/// [`count_words`] for a byte-level skeleton: the same counts, without a copy of each occurrence.
pub(super) fn count_byte_pieces(
    skeleton: &Pipeline,
    pieces: &BytePieces,
    texts: impl Iterator<Item = String>,
) -> Result<Counts<String>, TokenizerError> {
    let mut counted = count(texts, "words", |part, counts: &mut HashMap<String, u64>| {
        let each = pieces.each(skeleton, part, |piece| {
            if let Piece::Text(text) = piece {
                add_one(counts, text);
            }
            Ok(())
        });
        each.map_err(|source| TokenizerError::Train { source })
    })?;
    for (piece, _) in &mut counted.items {
        *piece = spelled(piece);
    }
    Ok(counted)
}

fn add_one(counts: &mut HashMap<String, u64>, word: &str) {
    match counts.get_mut(word) {
        Some(count) => *count += 1,
        None => drop(counts.insert(word.to_owned(), 1)),
    }
}

/// Counts the characters that are left of `texts` when `skeleton` has normalised them and taken out special tokens.
pub(super) fn count_characters(
    skeleton: &Pipeline,
    texts: impl Iterator<Item = String>,
) -> Result<Counts<char>, TokenizerError> {
    count(texts, "characters", |part, counts: &mut HashMap<char, u64>| {
        each_split(skeleton, part, |split| {
            for character in split.chars() {
                *counts.entry(character).or_default() += 1;
            }
        })
    })
}

/// Calls `visit` with each piece of `text` that is not an added token.
fn each_split(
    skeleton: &Pipeline,
    text: &str,
    mut visit: impl FnMut(&str),
) -> Result<(), TokenizerError> {
    let added = skeleton.get_added_vocabulary();
    let mut splits: PreTokenizedString =
        added.extract_and_normalize(skeleton.get_normalizer(), text);
    if let Some(pre_tokenizer) = skeleton.get_pre_tokenizer() {
        pre_tokenizer
            .pre_tokenize(&mut splits)
            .map_err(|source| TokenizerError::Train { source })?;
    }
    for (split, _, tokens) in splits.get_splits(OffsetReferential::Original, OffsetType::None) {
        if tokens.is_none() {
            visit(split);
        }
    }
    Ok(())
}

fn count<T, F>(
    mut texts: impl Iterator<Item = String>,
    unit: &'static str,
    visit: F,
) -> Result<Counts<T>, TokenizerError>
where
    T: Eq + Hash + Ord + Send,
    F: Fn(&str, &mut HashMap<T, u64>) -> Result<(), TokenizerError> + Sync,
{
    let mut total: HashMap<T, u64> = HashMap::new();
    let (mut text_count, mut byte_count) = (0, 0);
    loop {
        let batch = next_batch(&mut texts);
        if batch.is_empty() {
            break;
        }
        text_count += batch.len() as u64;
        byte_count += batch.iter().map(|text| text.len() as u64).sum::<u64>();
        let counted = batch
            .par_iter()
            .flat_map_iter(|text| parts(text))
            .try_fold(HashMap::new, |mut counts, part| visit(part, &mut counts).map(|()| counts))
            .try_reduce(HashMap::new, |left, right| Ok(add(left, right)))?;
        total = add(total, counted);
    }
    let mut items: Vec<_> = total.into_iter().collect();
    items.sort_unstable();
    if items.is_empty() {
        return Err(TokenizerError::EmptyCorpus { texts: text_count, bytes: byte_count, unit });
    }
    Ok(Counts { items, texts: text_count, bytes: byte_count })
}

fn next_batch(texts: &mut impl Iterator<Item = String>) -> Vec<String> {
    let mut batch = Vec::new();
    let mut bytes = 0;
    while bytes < BATCH_BYTES
        && let Some(text) = texts.next()
    {
        // A text of no bytes counts too, or a stream of them would never fill a batch.
        bytes += text.len() + 1;
        batch.push(text);
    }
    batch
}

/// Adds the smaller map into the larger one.
fn add<T: Eq + Hash>(left: HashMap<T, u64>, right: HashMap<T, u64>) -> HashMap<T, u64> {
    let (mut sum, smaller) = if left.len() < right.len() { (right, left) } else { (left, right) };
    for (item, count) in smaller {
        *sum.entry(item).or_default() += count;
    }
    sum
}

/// `text` in parts of about [`PART_BYTES`] that end after a newline, or at any character if there is no newline.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let limit = rest.floor_char_boundary(PART_BYTES);
        let end = if rest.len() <= PART_BYTES {
            rest.len()
        } else {
            rest[..limit].rfind('\n').map_or(limit, |newline| newline + 1)
        };
        let part;
        (part, rest) = rest.split_at(end);
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_put_together_are_the_text() {
        let text = "一二三\n".repeat(PART_BYTES / 5);
        let parts: Vec<&str> = parts(&text).collect();
        assert!(parts.len() > 1);
        assert!(parts.iter().all(|part| part.ends_with('\n') && part.len() <= PART_BYTES));
        assert_eq!(parts.concat(), text);
    }

    #[test]
    fn a_long_text_without_newlines_is_cut_between_characters() {
        let text = "三".repeat(PART_BYTES / 2);
        assert_eq!(parts(&text).collect::<Vec<_>>().concat(), text);
    }
}
