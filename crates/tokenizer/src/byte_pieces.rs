//! The short cut for byte-level BPE: pieces of the text as they are, looked up in a cache of their ids.
//!
//! The `tokenizers` crate copies every piece with an offset for each byte before it asks the model. Where only ids (or
//! counts) are wanted, it is enough to cut the text with the same regular expression; what a piece's ids are, the
//! crate's model still says, once for each distinct piece. The ids are the same (tested), the speed is several times that of
//! the crate's way (`cargo bench -p wuji-tokenizer`).

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use tokenizers::utils::SysRegex;
use tokenizers::{Model, ModelWrapper, OffsetReferential, OffsetType};

use crate::byte_level::byte_char;
use crate::split_pattern::SplitPattern;
use crate::tokenizer::{Pipeline, PipelineError};

/// Distinct pieces that a thread remembers; then it starts afresh.
const CACHE_PIECES: usize = 1 << 16;

/// Pieces longer than this are not remembered: they hardly come again.
const LONGEST_CACHED: usize = 128;

/// With more added tokens than this, looking for each in turn costs more than the crate's search for all.
const FEW_ADDED_TOKENS: usize = 64;

/// Cuts text for a byte-level BPE pipeline.
pub(crate) struct BytePieces {
    /// Tells the caches of different tokenizers apart.
    id: u64,
    regex: SysRegex,
    /// Whether text between matches is a piece too.
    keep_between: bool,
    /// Added tokens; `None` if there are many.
    added: Option<Vec<String>>,
}

/// A part of a text.
pub(crate) enum Piece<'text> {
    /// An added token.
    Added(u32),
    /// Text that the model sees as a whole.
    Text(&'text str),
}

impl BytePieces {
    /// The short cut for `pipeline`, if it is a byte-level BPE that cuts text with one regular expression.
    pub(crate) fn of(pipeline: &Pipeline) -> Option<Self> {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        let ModelWrapper::BPE(model) = pipeline.get_model() else { return None };
        if model.dropout.is_some_and(|dropout| dropout > 0.0) {
            return None;
        }
        let step = serde_json::to_value(pipeline.get_pre_tokenizer()?).ok()?;
        let (pattern, keep_between) = pattern_of(&step)?;
        let added = pipeline.get_added_vocabulary().get_vocab();
        Some(Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            regex: SysRegex::new(&pattern).ok()?,
            keep_between,
            added: (added.len() <= FEW_ADDED_TOKENS).then(|| added.keys().cloned().collect()),
        })
    }

    /// Calls `visit` with the pieces of `text`, in their order.
    pub(crate) fn each(
        &self,
        pipeline: &Pipeline,
        text: &str,
        mut visit: impl FnMut(Piece<'_>) -> Result<(), PipelineError>,
    ) -> Result<(), PipelineError> {
        let plain = pipeline.get_normalizer().is_none()
            && self
                .added
                .as_ref()
                .is_some_and(|added| !added.iter().any(|token| text.contains(token.as_str())));
        if plain {
            return self.cut(text, &mut visit);
        }
        let added = pipeline.get_added_vocabulary();
        let parts = added.extract_and_normalize(pipeline.get_normalizer(), text);
        for (part, _, tokens) in parts.get_splits(OffsetReferential::Original, OffsetType::None) {
            match tokens {
                Some(tokens) => {
                    tokens.iter().try_for_each(|token| visit(Piece::Added(token.id)))?
                }
                None => self.cut(part, &mut visit)?,
            }
        }
        Ok(())
    }

    /// The ids of `text`.
    pub(crate) fn encode(
        &self,
        pipeline: &Pipeline,
        text: &str,
    ) -> Result<Vec<u32>, PipelineError> {
        let mut ids = Vec::with_capacity(text.len() / 3);
        CACHE.with_borrow_mut(|cache| {
            cache.belong_to(self.id);
            self.each(pipeline, text, |piece| match piece {
                Piece::Added(id) => {
                    ids.push(id);
                    Ok(())
                }
                Piece::Text(piece) => cache.push_ids(piece, pipeline, &mut ids),
            })
        })?;
        Ok(ids)
    }

    fn cut(
        &self,
        text: &str,
        visit: &mut impl FnMut(Piece<'_>) -> Result<(), PipelineError>,
    ) -> Result<(), PipelineError> {
        let between =
            |piece: &str, visit: &mut dyn FnMut(Piece<'_>) -> Result<(), PipelineError>| {
                if self.keep_between && !piece.is_empty() {
                    visit(Piece::Text(piece))
                } else {
                    Ok(())
                }
            };
        let mut last = 0;
        for (start, end) in self.regex.find_iter(text) {
            between(&text[last..start], visit)?;
            if start < end {
                visit(Piece::Text(&text[start..end]))?;
            }
            last = end;
        }
        between(&text[last..], visit)
    }
}

/// `piece` in GPT-2's spelling of bytes.
pub(crate) fn spelled(piece: &str) -> String {
    piece.bytes().map(byte_char).collect()
}

/// The regular expression of a `pre_tokenizer` that cuts with one and then spells bytes; and whether what it does not
/// match stays.
fn pattern_of(step: &Value) -> Option<(String, bool)> {
    let spells_bytes = |step: &Value, use_regex: bool| {
        step["type"] == "ByteLevel"
            && step["add_prefix_space"] == json!(false)
            && step["use_regex"] == json!(use_regex)
    };
    if spells_bytes(step, true) {
        return Some((SplitPattern::Gpt2.regex().to_owned(), true));
    }
    let [split, bytes] = &step["pretokenizers"].as_array()?[..] else { return None };
    if split["type"] != "Split" || !spells_bytes(bytes, false) {
        return None;
    }
    let pattern = split["pattern"]["Regex"].as_str()?.to_owned();
    match (split["behavior"].as_str()?, split["invert"].as_bool()?) {
        ("Isolated", _) => Some((pattern, true)),
        ("Removed", true) => Some((pattern, false)),
        _ => None,
    }
}

thread_local! {
    static CACHE: RefCell<Cache> = RefCell::default();
}

/// The ids of pieces that were seen before; all in one list, to save an allocation for each.
#[derive(Default)]
struct Cache {
    owner: u64,
    places: HashMap<Box<str>, (u32, u32)>,
    ids: Vec<u32>,
}

impl Cache {
    fn belong_to(&mut self, owner: u64) {
        if self.owner != owner {
            self.owner = owner;
            self.clear();
        }
    }

    fn clear(&mut self) {
        self.places.clear();
        self.ids.clear();
    }

    fn push_ids(
        &mut self,
        piece: &str,
        pipeline: &Pipeline,
        ids: &mut Vec<u32>,
    ) -> Result<(), PipelineError> {
        if let Some(&(start, end)) = self.places.get(piece) {
            ids.extend_from_slice(&self.ids[start as usize..end as usize]);
            return Ok(());
        }
        let tokens = pipeline.get_model().tokenize(&spelled(piece))?;
        ids.extend(tokens.iter().map(|token| token.id));
        if piece.len() <= LONGEST_CACHED {
            if self.places.len() >= CACHE_PIECES {
                self.clear();
            }
            let start = self.ids.len() as u32;
            self.ids.extend(tokens.iter().map(|token| token.id));
            self.places.insert(piece.into(), (start, self.ids.len() as u32));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_pre_tokenizers_are_recognised_and_others_are_not() {
        for pattern in SplitPattern::ALL {
            assert_eq!(
                pattern_of(&pattern.pre_tokenizer()),
                Some((pattern.regex().to_owned(), true))
            );
        }
        let prefixed = json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true});
        assert_eq!(pattern_of(&prefixed), None);
        assert_eq!(pattern_of(&json!({"type": "Whitespace"})), None);
    }
}
