//! SentencePiece's normalisation tables (`precompiled_charsmap`), checked, and applied as SentencePiece applies them.
//!
//! A table is a double-array trie over bytes (Darts) followed by the replacement texts. The `tokenizers` crate has a
//! step for it, `Precompiled`, which takes the *shortest* match within a grapheme and drops the rest: of a decomposed
//! `ế` the tone mark is lost. SentencePiece takes the longest match. So a table that comes from a `.model` file is
//! applied here, with the offsets carried along, and marked in `tokenizer.json`, where other tools do not see the
//! mark and do what they always do. A table without the mark is the crate's, so that files of the hub give what they
//! give in `transformers`.
//!
//! The check is for both: the crate follows a table's references without looking, so a damaged one would end in a
//! panic in the middle of some text.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The key that marks a table as SentencePiece's own.
const MARK: &str = "longest_match";

/// A checked table.
#[derive(Debug, Clone)]
pub(crate) struct Charsmap {
    table: Vec<u8>,
    units: Vec<u32>,
    texts: String,
}

impl Charsmap {
    /// Reads a table; refuses one in which some text would lead out of it.
    pub(crate) fn new(table: Vec<u8>) -> Result<Self, String> {
        let (size, rest) =
            table.split_first_chunk().ok_or("it is shorter than its 4-byte header")?;
        let size = u32::from_le_bytes(*size) as usize;
        if rest.len() < size || !size.is_multiple_of(4) || size == 0 {
            return Err(format!("the trie should have {size} bytes, there are {}", rest.len()));
        }
        let (trie, texts) = rest.split_at(size);
        let texts = std::str::from_utf8(texts)
            .map_err(|error| format!("the replacements are not UTF-8: {error}"))?;
        let (units, _) = trie.as_chunks();
        let units: Vec<u32> = units.iter().map(|unit| u32::from_le_bytes(*unit)).collect();
        check(&units, texts)?;
        Ok(Self { texts: texts.to_owned(), units, table })
    }

    /// The `normalizer` step that carries this table, marked.
    pub(crate) fn step(&self) -> Value {
        json!({"type": "Precompiled", "precompiled_charsmap": STANDARD.encode(&self.table), MARK: true})
    }

    /// Checks every table in a `normalizer`; takes a marked one out, which must be the first step.
    pub(crate) fn take_from(normalizer: &mut Value) -> Result<Option<Self>, String> {
        if normalizer["type"] == "Precompiled" {
            let charsmap = Self::decode(normalizer)?;
            if normalizer[MARK] != json!(true) {
                return Ok(None);
            }
            *normalizer = Value::Null;
            return Ok(Some(charsmap));
        }
        let Some(steps) = normalizer.get_mut("normalizers").and_then(Value::as_array_mut) else {
            return Ok(None);
        };
        let mut taken = None;
        for (index, step) in steps.iter_mut().enumerate() {
            let found = Self::take_from(step)?;
            if found.is_some() && index > 0 {
                return Err(format!("a Precompiled step with {MARK} must come first"));
            }
            taken = taken.or(found);
        }
        if taken.is_some() {
            steps.remove(0);
        }
        Ok(taken)
    }

    /// Puts the step back to the front of a `normalizer`.
    pub(crate) fn put_back(&self, normalizer: &mut Value) {
        match normalizer.get_mut("normalizers").and_then(Value::as_array_mut) {
            Some(steps) => steps.insert(0, self.step()),
            None => {
                let rest = std::mem::take(normalizer);
                let steps = [self.step(), rest].into_iter().filter(|step| !step.is_null());
                *normalizer = json!({"type": "Sequence", "normalizers": steps.collect::<Vec<_>>()});
            }
        }
    }

    fn decode(step: &Value) -> Result<Self, String> {
        let encoded =
            step["precompiled_charsmap"].as_str().ok_or("precompiled_charsmap is missing")?;
        let table = STANDARD
            .decode(encoded)
            .map_err(|error| format!("precompiled_charsmap is not base64: {error}"))?;
        Self::new(table).map_err(|message| format!("precompiled_charsmap: {message}"))
    }

    /// Replaces, from the left, the longest match at each place.
    pub(crate) fn normalize(&self, text: &str) -> Normalized {
        let mut normalized =
            Normalized { text: String::with_capacity(text.len()), changes: Vec::new() };
        let mut position = 0;
        while let Some(character) = text[position..].chars().next() {
            match self.longest_match(&text.as_bytes()[position..]) {
                Some((length, replacement)) => {
                    normalized.replace(position..position + length, replacement);
                    position += length;
                }
                None => {
                    normalized.text.push(character);
                    position += character.len_utf8();
                }
            }
        }
        normalized
    }

    /// Length of the longest key that `bytes` begins with, and what replaces it.
    ///
    /// Keys are whole characters, so that the length ends one.
    fn longest_match(&self, bytes: &[u8]) -> Option<(usize, &str)> {
        let mut base = offset(self.units[0]);
        let mut longest = None;
        for (index, &byte) in bytes.iter().enumerate() {
            let node = base ^ usize::from(byte);
            let unit = self.units[node];
            if byte == 0 || label(unit) != usize::from(byte) {
                break;
            }
            base = node ^ offset(unit);
            if has_leaf(unit) {
                longest = Some((index + 1, self.units[base]));
            }
        }
        let (length, leaf) = longest?;
        let replacement = &self.texts[position(leaf)..];
        Some((length, replacement.split('\0').next().unwrap_or(replacement)))
    }
}

/// A normalised text that knows where each part comes from.
#[derive(Debug)]
pub(crate) struct Normalized {
    pub(crate) text: String,
    /// Replacements in their order; between them the text is as it was.
    changes: Vec<Change>,
}

#[derive(Debug)]
struct Change {
    normalized: std::ops::Range<usize>,
    original: std::ops::Range<usize>,
}

impl Normalized {
    fn replace(&mut self, original: std::ops::Range<usize>, replacement: &str) {
        let start = self.text.len();
        self.text.push_str(replacement);
        self.changes.push(Change { normalized: start..self.text.len(), original });
    }

    /// The range of the original text that `(start, end)` of the normalised text comes from.
    pub(crate) fn original(&self, (start, end): (usize, usize)) -> (usize, usize) {
        if start == end {
            let place = self.place(start, |change| change.original.start);
            return (place, place);
        }
        let start = self.place(start, |change| change.original.start);
        // The end is that of the last byte's origin.
        let end = self.place(end - 1, |change| change.original.end - 1) + 1;
        (start, end)
    }

    /// The original offset of the byte at `offset`; inside a replacement, what `within` says.
    fn place(&self, offset: usize, within: impl Fn(&Change) -> usize) -> usize {
        let after = self.changes.partition_point(|change| change.normalized.end <= offset);
        match self.changes.get(after) {
            Some(change) if change.normalized.contains(&offset) => within(change),
            _ => match after.checked_sub(1).map(|before| &self.changes[before]) {
                Some(before) => before.original.end + (offset - before.normalized.end),
                None => offset,
            },
        }
    }
}

/// Visits every node that some text can reach.
fn check(units: &[u32], texts: &str) -> Result<(), String> {
    let mut seen = HashSet::new();
    let mut open = vec![offset(units[0])];
    while let Some(base) = open.pop() {
        if !seen.insert(base) {
            continue;
        }
        // From `base`, byte b leads to `base ^ b`: the whole block of 256 must be there.
        if base | 0xFF >= units.len() {
            return Err(format!("node {base} leads beyond the {} units of the trie", units.len()));
        }
        for byte in 1..=255usize {
            let unit = units[base ^ byte];
            if label(unit) != byte {
                continue;
            }
            let next = (base ^ byte) ^ offset(unit);
            if has_leaf(unit) {
                let leaf =
                    *units.get(next).ok_or_else(|| format!("leaf {next} lies beyond the trie"))?;
                let position = position(leaf);
                if !texts.is_char_boundary(position) {
                    return Err(format!(
                        "replacement {position} is not among the {} bytes of text",
                        texts.len()
                    ));
                }
            }
            open.push(next);
        }
    }
    Ok(())
}

// The bit layout of a unit is that of Darts-clone's DoubleArrayUnit.

fn has_leaf(unit: u32) -> bool {
    (unit >> 8) & 1 == 1
}

fn label(unit: u32) -> usize {
    (unit & (1 << 31 | 0xFF)) as usize
}

fn offset(unit: u32) -> usize {
    ((unit >> 10) as usize) << ((unit & (1 << 9)) >> 6)
}

fn position(leaf: u32) -> usize {
    (leaf & 0x7FFF_FFFF) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table in which "a" becomes `replacement` and nothing else is changed: the root's children in the first block
    /// of 256, those of "a" in the second, its value at the leaf.
    fn table(leaf: u32, texts: &str) -> Vec<u8> {
        let mut units = vec![0u32; 512];
        let a = u32::from(b'a');
        units[a as usize] = a | 1 << 8 | 256 << 10;
        units[(a ^ 256) as usize] = leaf;
        let size = (units.len() * 4) as u32;
        size.to_le_bytes()
            .into_iter()
            .chain(units.iter().flat_map(|unit| unit.to_le_bytes()))
            .chain(texts.bytes())
            .collect()
    }

    #[test]
    fn damaged_tables_are_refused() {
        let refused = |table: Vec<u8>| Charsmap::new(table).unwrap_err();
        assert!(refused(vec![1, 0]).contains("header"));
        assert!(refused(vec![8, 0, 0, 0, 1]).contains("8 bytes"));
        assert!(refused([4u32.to_le_bytes(), u32::MAX.to_le_bytes()].concat()).contains("beyond"));
        assert!(refused(table(3, "b\0")).contains("replacement 3"));
    }

    #[test]
    fn replacements_keep_track_of_the_original() {
        let charsmap = Charsmap::new(table(0, "xyz\0")).unwrap();
        let normalized = charsmap.normalize("你a!a");
        assert_eq!(normalized.text, "你xyz!xyz");
        assert_eq!(normalized.original((0, 3)), (0, 3), "你");
        assert_eq!(normalized.original((4, 5)), (3, 4), "y, from a");
        assert_eq!(normalized.original((6, 8)), (4, 6), "!x");
        assert_eq!(normalized.original((0, 10)), (0, 6), "everything");
        assert_eq!(normalized.original((0, 0)), (0, 0), "nothing");
    }

    #[test]
    fn deleted_text_belongs_to_no_token() {
        let charsmap = Charsmap::new(table(0, "\0")).unwrap();
        let normalized = charsmap.normalize("baab");
        assert_eq!(normalized.text, "bb");
        assert_eq!(normalized.original((0, 1)), (0, 1));
        assert_eq!(normalized.original((1, 2)), (3, 4));
    }

    #[test]
    fn a_marked_step_is_taken_out_and_put_back() {
        let charsmap = Charsmap::new(table(0, "b\0")).unwrap();
        let mut normalizer =
            json!({"type": "Sequence", "normalizers": [charsmap.step(), {"type": "NFC"}]});
        let before = normalizer.clone();
        let taken = Charsmap::take_from(&mut normalizer).unwrap().unwrap();
        assert_eq!(normalizer["normalizers"].as_array().unwrap().len(), 1);
        taken.put_back(&mut normalizer);
        assert_eq!(normalizer, before);
    }
}
