//! What encoding one text gives.

use serde::Serialize;

/// The tokens of one text (or of a pair), all vectors of the same length.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Encoding {
    /// Token ids.
    pub ids: Vec<u32>,
    /// Tokens as the vocabulary spells them; where a model marks an unknown stretch, that stretch.
    pub tokens: Vec<String>,
    /// Start and end of each token as **byte** offsets into the original text, before any normalisation.
    ///
    /// Always on character boundaries: a token that is one byte of a character has the whole character's range.
    /// Tokens that a template adds have `(0, 0)`. In a pair, each side counts from its own text.
    pub offsets: Vec<(usize, usize)>,
    /// 1 for tokens that the template added (`[CLS]`, `<s>` …), 0 for tokens of the text.
    pub special_tokens_mask: Vec<u32>,
    /// Segment of each token (BERT's token type ids).
    pub type_ids: Vec<u32>,
    /// Index of the pre-token ("word") each token comes from; `None` for added tokens.
    pub word_ids: Vec<Option<u32>>,
    /// 0 for tokens of the first text, 1 for those of the second; `None` for added tokens.
    pub sequence_ids: Vec<Option<usize>>,
}

impl Encoding {
    /// Number of tokens.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are no tokens.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

impl From<tokenizers::Encoding> for Encoding {
    fn from(encoding: tokenizers::Encoding) -> Self {
        Self {
            ids: encoding.get_ids().to_vec(),
            tokens: encoding.get_tokens().to_vec(),
            offsets: encoding.get_offsets().to_vec(),
            special_tokens_mask: encoding.get_special_tokens_mask().to_vec(),
            type_ids: encoding.get_type_ids().to_vec(),
            word_ids: encoding.get_word_ids().to_vec(),
            sequence_ids: encoding.get_sequence_ids(),
        }
    }
}
