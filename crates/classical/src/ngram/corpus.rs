//! All documents in one padded stream of checked token ids.

use super::config::NgramConfig;
use crate::ClassicalError;

/// The training documents, end to end, each behind `order - 1` boundary ids.
///
/// Invariant: every token other than the boundary has at least `order - 1` ids in front of it,
/// so a context can be read backwards without a check.
#[derive(Debug)]
pub(crate) struct Corpus {
    /// The padded stream.
    pub stream: Vec<u32>,
    /// Where in the stream the predicted tokens are.
    pub positions: Vec<u32>,
}

impl Corpus {
    /// Copies `documents`, which must hold ids below `vocab_size` and no boundary id.
    pub fn read<'a>(
        config: &NgramConfig,
        documents: impl IntoIterator<Item = &'a [u32]>,
    ) -> Result<Self, ClassicalError> {
        let mut corpus = Self { stream: Vec::new(), positions: Vec::new() };
        let mut count = 0;
        for (index, document) in documents.into_iter().enumerate() {
            check_tokens(config, index, 0, document)?;
            corpus.push(config, document)?;
            count = index + 1;
        }
        if corpus.positions.is_empty() {
            return Err(ClassicalError::EmptyCorpus { documents: count });
        }
        Ok(corpus)
    }

    fn push(&mut self, config: &NgramConfig, document: &[u32]) -> Result<(), ClassicalError> {
        let eos = config.eos();
        let predicted = document.len() + usize::from(eos.is_some());
        if predicted == 0 {
            return Ok(()); // padding alone teaches nothing
        }
        check_size(config, self.positions.len() + predicted)?;
        self.stream.extend(std::iter::repeat_n(config.boundary(), config.order - 1));
        let first = self.stream.len();
        self.stream.extend_from_slice(document);
        self.stream.extend(eos);
        self.positions.extend(first as u32..(first + predicted) as u32);
        Ok(())
    }
}

/// Checks tokens of a document, `offset` of which came before.
pub(super) fn check_tokens(
    config: &NgramConfig,
    document: usize,
    offset: usize,
    tokens: &[u32],
) -> Result<(), ClassicalError> {
    let boundary = config.boundary();
    let vocab_size = config.vocab_size;
    let bad = |token: u32| token as usize >= vocab_size || token == boundary;
    let Some(position) = tokens.iter().position(|&token| bad(token)) else {
        return Ok(());
    };
    let (token, position) = (tokens[position], offset + position);
    Err(if token as usize >= vocab_size {
        ClassicalError::TokenOutOfRange { document, position, token, vocab_size }
    } else {
        ClassicalError::ReservedToken { document, position, token }
    })
}

/// Each token makes at most one n-gram of each order, and at most `order - 1` ids of padding, so
/// this one product bounds the stream, the contexts and the arcs.
pub(super) fn check_size(config: &NgramConfig, tokens: usize) -> Result<(), ClassicalError> {
    let limit = u32::MAX as usize - config.vocab_size - config.order;
    if tokens.saturating_mul(config.order) > limit {
        return Err(ClassicalError::CorpusTooLarge { tokens, order: config.order, limit });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::config::Boundaries;
    use super::*;

    #[test]
    fn documents_are_padded_by_their_convention() {
        let check = |boundaries, documents: &[&[u32]], stream: &[u32], positions: &[u32]| {
            let config = NgramConfig::new(3, 7).with_boundaries(boundaries);
            let corpus = Corpus::read(&config, documents.iter().copied()).unwrap();
            assert_eq!(corpus.stream, stream);
            assert_eq!(corpus.positions, positions);
        };
        let sentences = |eos| Boundaries::Sentences { bos: 0, eos };
        check(Boundaries::Stream, &[&[1, 2], &[], &[3]], &[7, 7, 1, 2, 7, 7, 3], &[2, 3, 6]);
        check(sentences(None), &[&[1, 2], &[]], &[0, 0, 1, 2], &[2, 3]);
        check(sentences(Some(6)), &[&[1], &[]], &[0, 0, 1, 6, 0, 0, 6], &[2, 3, 6]);
    }

    #[test]
    fn bad_documents_are_named_by_place() {
        let config = NgramConfig::new(2, 4);
        let read = |config: &NgramConfig, documents: &[&[u32]]| {
            Corpus::read(config, documents.iter().copied()).unwrap_err()
        };
        assert_eq!(
            read(&config, &[&[0, 1], &[2, 3, 4]]),
            ClassicalError::TokenOutOfRange { document: 1, position: 2, token: 4, vocab_size: 4 }
        );
        let sentences = config.with_boundaries(Boundaries::Sentences { bos: 1, eos: None });
        assert_eq!(
            read(&sentences, &[&[0, 1]]),
            ClassicalError::ReservedToken { document: 0, position: 1, token: 1 }
        );
        assert_eq!(read(&config, &[&[], &[]]), ClassicalError::EmptyCorpus { documents: 2 });
        assert_eq!(read(&config, &[]), ClassicalError::EmptyCorpus { documents: 0 });
    }

    #[test]
    fn a_corpus_beyond_32_bit_tables_is_refused() {
        let config = NgramConfig::new(9, 100);
        assert!(check_size(&config, 400_000_000).is_ok());
        assert!(matches!(
            check_size(&config, 500_000_000),
            Err(ClassicalError::CorpusTooLarge { tokens: 500_000_000, order: 9, .. })
        ));
    }
}
