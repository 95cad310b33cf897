//! Encoding and decoding: single texts, pairs, batches, and the fast ways without offsets.

use rayon::prelude::*;

use crate::batch::{BatchConfig, BatchEncoder};
use crate::decode_stream::DecodeStream;
use crate::encoding::Encoding;
use crate::error::TokenizerError;
use crate::ordinary;
use crate::tokenizer::{Pipeline, PipelineError, Tokenizer};

impl Tokenizer {
    /// Encodes `text`; `add_special_tokens` applies the template (`[CLS] … [SEP]`, `<s> …`).
    ///
    /// Special tokens that are spelled out in the text are recognised; see [`Self::encode_ordinary`] for text from
    /// strangers.
    pub fn encode(&self, text: &str, add_special_tokens: bool) -> Result<Encoding, TokenizerError> {
        self.encode_with(&self.inner.pipeline, text, add_special_tokens)
    }

    /// Encodes two texts as one input, as the template joins them (`[CLS] a [SEP] b [SEP]`).
    pub fn encode_pair(
        &self,
        first: &str,
        second: &str,
        add_special_tokens: bool,
    ) -> Result<Encoding, TokenizerError> {
        let prepared = [first, second].map(|text| self.prepare(text));
        let pair = (prepared[0].text(), prepared[1].text());
        let encoded = self.inner.pipeline.encode(pair, add_special_tokens);
        let mut encoding = encoded.map(Encoding::from).map_err(|source| {
            match self.encode_error(first, source) {
                TokenizerError::Encode { source } => self.encode_error(second, source),
                found => found,
            }
        })?;
        for (offsets, side) in encoding.offsets.iter_mut().zip(&encoding.sequence_ids) {
            if let Some(side) = side {
                *offsets = prepared[*side].original(*offsets);
            }
        }
        Ok(encoding)
    }

    /// The ids of `text` without template and without offsets: the fast way, for preparing training data.
    ///
    /// Special tokens that are spelled out in the text are recognised, so that corpora with `<|endoftext|>` between
    /// documents work.
    pub fn encode_ids(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        if let Some(characters) = &self.inner.characters
            && let Some(ids) = characters.encode(text)?
        {
            return Ok(ids);
        }
        self.ids_with(&self.inner.pipeline, text)
    }

    /// Encodes `text` with every special token in it taken as ordinary characters, and without the template.
    ///
    /// For text from outside: a user who types `<|endoftext|>` gets those thirteen characters, not the end of the
    /// text. Added tokens that are not special are still recognised.
    pub fn encode_ordinary(&self, text: &str) -> Result<Encoding, TokenizerError> {
        self.encode_with(self.ordinary()?, text, false)
    }

    /// The ids of [`Self::encode_ordinary`], faster.
    pub fn encode_ordinary_ids(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        self.ids_with(self.ordinary()?, text)
    }

    /// Encodes many texts in parallel, on the current rayon pool.
    pub fn encode_batch<S: AsRef<str> + Sync>(
        &self,
        texts: &[S],
        add_special_tokens: bool,
    ) -> Result<Vec<Encoding>, TokenizerError> {
        texts.par_iter().map(|text| self.encode(text.as_ref(), add_special_tokens)).collect()
    }

    /// [`Self::encode_ids`] of many texts in parallel, on the current rayon pool.
    pub fn encode_ids_batch<S: AsRef<str> + Sync>(
        &self,
        texts: &[S],
    ) -> Result<Vec<Vec<u32>>, TokenizerError> {
        texts.par_iter().map(|text| self.encode_ids(text.as_ref())).collect()
    }

    /// An encoder that truncates and pads, for models that take rectangular batches.
    pub fn batch_encoder(&self, config: &BatchConfig) -> Result<BatchEncoder, TokenizerError> {
        BatchEncoder::new(self, config)
    }

    /// The text of `ids`. Ids outside the vocabulary stand for nothing, as models with a padded vocabulary expect.
    ///
    /// Bytes that are not UTF-8 (a byte-level model may stop inside a character) become U+FFFD.
    pub fn decode(&self, ids: &[u32], skip_special_tokens: bool) -> Result<String, TokenizerError> {
        let decoded = self.inner.pipeline.decode(ids, skip_special_tokens);
        decoded.map_err(|source| TokenizerError::Decode { source })
    }

    /// Decodes many sequences in parallel, on the current rayon pool.
    pub fn decode_batch<S: AsRef<[u32]> + Sync>(
        &self,
        sequences: &[S],
        skip_special_tokens: bool,
    ) -> Result<Vec<String>, TokenizerError> {
        sequences.par_iter().map(|ids| self.decode(ids.as_ref(), skip_special_tokens)).collect()
    }

    /// A decoder that takes one id at a time and gives text as soon as it is complete UTF-8.
    #[must_use]
    pub fn decode_stream(&self, skip_special_tokens: bool) -> DecodeStream {
        DecodeStream::new(self.clone(), skip_special_tokens)
    }

    fn encode_with(
        &self,
        pipeline: &Pipeline,
        text: &str,
        add_special_tokens: bool,
    ) -> Result<Encoding, TokenizerError> {
        if let Some(characters) = &self.inner.characters
            && let Some(encoding) = characters.encode_with_offsets(text)?
        {
            return Ok(encoding);
        }
        let prepared = self.prepare(text);
        let encoded = pipeline.encode(prepared.text(), add_special_tokens);
        let mut encoding =
            encoded.map(Encoding::from).map_err(|source| self.encode_error(text, source))?;
        for (offsets, side) in encoding.offsets.iter_mut().zip(&encoding.sequence_ids) {
            if side.is_some() {
                *offsets = prepared.original(*offsets);
            }
        }
        Ok(encoding)
    }

    fn ids_with(&self, pipeline: &Pipeline, text: &str) -> Result<Vec<u32>, TokenizerError> {
        let prepared = self.prepare(text);
        let ids = match &self.inner.byte_pieces {
            Some(byte_pieces) => byte_pieces.encode(pipeline, prepared.text()),
            None => pipeline
                .encode_fast(prepared.text(), false)
                .map(|encoding| encoding.get_ids().to_vec()),
        };
        ids.map_err(|source| self.encode_error(text, source))
    }

    fn ordinary(&self) -> Result<&Pipeline, TokenizerError> {
        if let Some(pipeline) = self.inner.ordinary.get() {
            return Ok(pipeline);
        }
        let pipeline = ordinary::without_special_tokens(&self.inner.pipeline)?;
        Ok(self.inner.ordinary.get_or_init(|| pipeline))
    }

    /// The crate's error, unless it is a character without a token: then which and where.
    fn encode_error(&self, text: &str, source: PipelineError) -> TokenizerError {
        let unknown = self.inner.characters.as_ref().and_then(|table| table.first_unknown(text));
        unknown.unwrap_or(TokenizerError::Encode { source })
    }
}
