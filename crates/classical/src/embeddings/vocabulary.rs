//! Words and their numbers.

use std::collections::HashMap;

/// The words that have vectors, each once. A word's id is its place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WordVocabulary {
    words: Vec<String>,
    ids: HashMap<String, u32>,
}

impl WordVocabulary {
    /// The words that `documents` have at least `min_count` times, the most frequent first, equally
    /// frequent ones in the order of their letters.
    pub fn build<D, T>(documents: impl IntoIterator<Item = D>, min_count: usize) -> Self
    where
        D: IntoIterator<Item = T>,
        T: AsRef<str>,
    {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for token in documents.into_iter().flatten() {
            match counts.get_mut(token.as_ref()) {
                Some(count) => *count += 1,
                None => {
                    counts.insert(token.as_ref().to_owned(), 1);
                }
            }
        }
        let mut kept: Vec<(String, usize)> =
            counts.into_iter().filter(|(_, count)| *count >= min_count).collect();
        kept.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Self::from_words(kept.into_iter().map(|(word, _)| word))
    }

    /// Given words in their order, as a tokenizer has them. Of a word that comes again, the first place
    /// counts.
    pub fn from_words(words: impl IntoIterator<Item = String>) -> Self {
        let mut vocabulary = Self::default();
        for word in words {
            let id = vocabulary.words.len() as u32;
            vocabulary.ids.entry(word.clone()).or_insert(id);
            vocabulary.words.push(word);
        }
        vocabulary
    }

    /// Number of words.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there are no words.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The words in the order of their ids.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// A word's id.
    pub fn id(&self, word: &str) -> Option<u32> {
        self.ids.get(word).copied()
    }

    /// The ids of a document. Words without one are left out, so that their neighbours come together,
    /// as word2vec has it.
    pub fn encode<T: AsRef<str>>(&self, document: impl IntoIterator<Item = T>) -> Vec<u32> {
        document.into_iter().filter_map(|token| self.id(token.as_ref())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_words_come_first_and_rare_ones_not_at_all() {
        let documents = ["b a c b".split(' '), "a b d c".split(' ')];
        let vocabulary = WordVocabulary::build(documents, 2);
        assert_eq!(vocabulary.words(), ["b", "a", "c"]);
        assert_eq!(vocabulary.encode("c d b".split(' ')), [2, 0]);
        assert_eq!((vocabulary.id("d"), vocabulary.len()), (None, 3));
        assert!(WordVocabulary::default().is_empty());
    }
}
