//! Words and their vectors.

use super::WordVocabulary;
use super::kernels::dot;
use super::subwords::Subwords;
use crate::{ClassicalError, SparseMatrix};

/// A vector for each word of a vocabulary and, with [`Subwords`], for words outside it.
#[derive(Debug, Clone, PartialEq)]
pub struct WordVectors {
    vocabulary: WordVocabulary,
    dim: usize,
    values: Vec<f32>,
    /// One by the length of each vector; 0 for a vector of zeros.
    inverse_lengths: Vec<f32>,
    pieces: Option<SubwordVectors>,
}

/// A vector for each bucket of pieces.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SubwordVectors {
    pub subwords: Subwords,
    pub values: Vec<f32>,
}

impl WordVectors {
    /// Vectors of `dim` numbers, one behind the other in the order of the words.
    ///
    /// # Errors
    /// Not one vector for each word, a word that comes twice, or a number that is not finite.
    pub fn new(words: Vec<String>, dim: usize, values: Vec<f32>) -> Result<Self, ClassicalError> {
        if words.is_empty() || words.len().checked_mul(dim) != Some(values.len()) {
            let (words, values) = (words.len(), values.len());
            return Err(ClassicalError::VectorShape { words, dim, values });
        }
        let vocabulary = WordVocabulary::from_words(words);
        for (second, word) in vocabulary.words().iter().enumerate() {
            let first = vocabulary.id(word).map_or(second, |first| first as usize);
            if first != second {
                return Err(ClassicalError::RepeatedWord { word: word.clone(), first, second });
            }
        }
        if let Some(position) = values.iter().position(|value| !value.is_finite()) {
            let word = vocabulary.words()[position / dim].clone();
            return Err(ClassicalError::NotFinite { word, found: values[position] });
        }
        let inverse = |word: usize| inverse_length(&values[word * dim..][..dim]);
        let inverse_lengths = (0..vocabulary.len()).map(inverse).collect();
        Ok(Self { vocabulary, dim, values, inverse_lengths, pieces: None })
    }

    pub(super) fn with_pieces(self, pieces: Option<SubwordVectors>) -> Self {
        Self { pieces, ..self }
    }

    /// The words in the order of their vectors.
    pub fn vocabulary(&self) -> &WordVocabulary {
        &self.vocabulary
    }

    /// The words in the order of their vectors.
    pub fn words(&self) -> &[String] {
        self.vocabulary.words()
    }

    /// Number of words.
    pub fn len(&self) -> usize {
        self.vocabulary.len()
    }

    /// Whether there are no words, which is never so.
    pub fn is_empty(&self) -> bool {
        self.vocabulary.is_empty()
    }

    /// Length of a vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// All vectors, one behind the other in the order of the words.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The vector of a word of the vocabulary.
    pub fn vector(&self, word: &str) -> Option<&[f32]> {
        self.vocabulary.id(word).map(|id| self.row(id as usize))
    }

    /// The vector of any word: of one outside the vocabulary, the mean of its pieces, where vectors of
    /// pieces were learnt and the word has any.
    pub fn compose(&self, word: &str) -> Option<Vec<f32>> {
        self.vector(word).map(<[f32]>::to_vec).or_else(|| self.composed(word))
    }

    fn composed(&self, word: &str) -> Option<Vec<f32>> {
        let pieces = self.pieces.as_ref()?;
        let buckets = pieces.subwords.buckets_of(word);
        mean(
            self.dim,
            buckets.iter().map(|&bucket| &pieces.values[bucket as usize * self.dim..][..self.dim]),
        )
    }

    /// The cosine of the angle between the vectors of two words, which may be outside the vocabulary
    /// where they can be composed; 0 beside a vector of zeros.
    ///
    /// # Errors
    /// A word without a vector.
    pub fn similarity(&self, a: &str, b: &str) -> Result<f32, ClassicalError> {
        let [a, b] = [self.known(a)?, self.known(b)?];
        Ok(dot(&a, &b) * inverse_length(&a) * inverse_length(&b))
    }

    /// The mean of the vectors of a text's words. Those without a vector do not count; `None` when no
    /// word has one.
    pub fn pool<T: AsRef<str>>(&self, tokens: impl IntoIterator<Item = T>) -> Option<Vec<f32>> {
        mean(self.dim, tokens.into_iter().filter_map(|token| self.compose(token.as_ref())))
    }

    /// Pooled texts as rows for a [`Classifier`](crate::Classifier): zeros for a text without a known
    /// word.
    pub fn pooled_rows<D, T>(&self, texts: impl IntoIterator<Item = D>) -> SparseMatrix
    where
        D: IntoIterator<Item = T>,
        T: AsRef<str>,
    {
        let rows = texts.into_iter().map(|text| {
            let pooled = self.pool(text).unwrap_or_default();
            (0..).zip(pooled).filter(|(_, value)| *value != 0.0).collect()
        });
        SparseMatrix::from_rows(self.dim, rows)
    }

    pub(super) fn known(&self, word: &str) -> Result<Vec<f32>, ClassicalError> {
        self.compose(word).ok_or_else(|| ClassicalError::UnknownWord { word: word.to_owned() })
    }

    pub(super) fn row(&self, word: usize) -> &[f32] {
        &self.values[word * self.dim..][..self.dim]
    }

    /// The cosine of the angle between a word's vector and a vector of length 1.
    pub(super) fn cosine(&self, word: usize, unit: &[f32]) -> f32 {
        dot(self.row(word), unit) * self.inverse_lengths[word]
    }
}

fn mean<V: AsRef<[f32]>>(dim: usize, vectors: impl Iterator<Item = V>) -> Option<Vec<f32>> {
    let mut sums = vec![0.0; dim];
    let mut count = 0usize;
    for vector in vectors {
        sums.iter_mut().zip(vector.as_ref()).for_each(|(sum, value)| *sum += value);
        count += 1;
    }
    sums.iter_mut().for_each(|sum| *sum /= count as f32);
    (count > 0).then_some(sums)
}

fn inverse_length(vector: &[f32]) -> f32 {
    let length = dot(vector, vector).sqrt();
    if length > 0.0 { length.recip() } else { 0.0 }
}

/// A vector of length 1 in the same direction; zeros stay zeros.
pub(super) fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let scale = inverse_length(&vector);
    vector.iter_mut().for_each(|value| *value *= scale);
    vector
}
