//! Documents one behind the other, each token id checked once.

use crate::ClassicalError;

/// What stands before, between and behind documents.
pub(super) const END: u32 = u32::MAX;

/// All documents, and how often each word is in them.
pub(super) struct Stream {
    pub tokens: Vec<u32>,
    pub counts: Vec<usize>,
}

impl Stream {
    /// Copies documents of ids below `vocab_size`.
    pub fn new<D: AsRef<[u32]>>(
        vocab_size: usize,
        documents: &[D],
    ) -> Result<Self, ClassicalError> {
        let length: usize = documents.iter().map(|document| document.as_ref().len() + 1).sum();
        let mut tokens = Vec::with_capacity(length + 1);
        let mut counts = vec![0; vocab_size];
        tokens.push(END);
        for (document, ids) in documents.iter().enumerate() {
            for (position, &token) in ids.as_ref().iter().enumerate() {
                let Some(count) = counts.get_mut(token as usize) else {
                    return Err(ClassicalError::TokenOutOfRange {
                        document,
                        position,
                        token,
                        vocab_size,
                    });
                };
                *count += 1;
                tokens.push(token);
            }
            tokens.push(END);
        }
        if tokens.len() == documents.len() + 1 {
            return Err(ClassicalError::EmptyCorpus { documents: documents.len() });
        }
        Ok(Self { tokens, counts })
    }

    /// Number of tokens.
    pub fn len(&self) -> usize {
        self.counts.iter().sum()
    }
}
