//! BM25 (Robertson and Zaragoza 2009, "The probabilistic relevance framework: BM25 and beyond") over an
//! inverted index: per term, the documents that have it and what it adds to their scores.
//!
//! A document's score for a query is the sum over the query's terms of
//!
//! ```text
//! idf(term) · count · (k1 + 1) / (count + k1 · (1 − b + b · length / mean length))
//! ```
//!
//! All of it but the sum is known before any query, and computed then (Lù 2024, "BM25S").

use std::collections::{BinaryHeap, HashMap};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ClassicalError;

/// How much a term's rarity counts, for N documents of which n have the term. Which of them people mean
/// by BM25: Kamphuis et al. 2020.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InverseFrequency {
    /// `ln(1 + (N − n + ½) / (n + ½))`, as Lucene has it: always positive.
    #[default]
    Lucene,
    /// `ln((N − n + ½) / (n + ½))`, as in the paper, and 0 for terms that more than half of the
    /// documents have, which would count against a document.
    Robertson,
    /// `ln(N / n)`, as ATIRE has it.
    Atire,
}

impl InverseFrequency {
    fn of(self, documents: usize, with_term: usize) -> f64 {
        let (all, with) = (documents as f64, with_term as f64);
        let odds = (all - with + 0.5) / (with + 0.5);
        match self {
            Self::Lucene => odds.ln_1p(),
            Self::Robertson => odds.ln().max(0.0),
            Self::Atire => (all / with).ln(),
        }
    }
}

/// The constants of the formula.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bm25Options {
    /// How soon more occurrences of a term add little; 0 counts only whether it is there.
    pub k1: f64,
    /// How much a document's length counts against it, from 0 to 1.
    pub b: f64,
    /// How much a term's rarity counts.
    pub inverse_frequency: InverseFrequency,
}

impl Default for Bm25Options {
    fn default() -> Self {
        Self { k1: 1.5, b: 0.75, inverse_frequency: InverseFrequency::default() }
    }
}

/// A document that answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Which document, from 0.
    pub document: usize,
    /// Its score.
    pub score: f64,
}

/// An index over lists of terms.
#[derive(Debug, Clone, PartialEq)]
pub struct Bm25 {
    terms: HashMap<String, u32>,
    /// Where each term's documents begin in `postings`, and where the last one's end.
    starts: Vec<usize>,
    /// Documents in their order, and what the term adds to their scores.
    postings: Vec<(u32, f32)>,
    documents: usize,
}

impl Bm25 {
    /// Indexes documents.
    ///
    /// # Errors
    /// A `k1` that is negative, a `b` that is not from 0 to 1.
    pub fn index<D, T>(
        options: &Bm25Options,
        documents: impl IntoIterator<Item = D>,
    ) -> Result<Self, ClassicalError>
    where
        D: IntoIterator<Item = T>,
        T: AsRef<str>,
    {
        let setting =
            |name, found, expected| Err(ClassicalError::Setting { name, found, expected });
        if !(options.k1 >= 0.0 && options.k1.is_finite()) {
            return setting("k1", options.k1, "a number that is not negative");
        }
        if !(0.0..=1.0).contains(&options.b) {
            return setting("b", options.b, "a number from 0 to 1");
        }
        Ok(Counts::of(documents).weigh(options))
    }

    /// Number of documents.
    pub fn len(&self) -> usize {
        self.documents
    }

    /// Whether there are no documents.
    pub fn is_empty(&self) -> bool {
        self.documents == 0
    }

    /// The score of every document. A term counts as often as the query has it; terms of no document
    /// count nothing.
    pub fn scores<T: AsRef<str>>(&self, query: impl IntoIterator<Item = T>) -> Vec<f64> {
        let mut scores = vec![0.0; self.documents];
        for term in query {
            for &(document, weight) in self.postings_of(term.as_ref()) {
                scores[document as usize] += f64::from(weight);
            }
        }
        scores
    }

    /// The `count` documents of the highest scores above 0, the highest first, equals in their order.
    pub fn search<T: AsRef<str>>(
        &self,
        query: impl IntoIterator<Item = T>,
        count: usize,
    ) -> Vec<Hit> {
        let mut best = BinaryHeap::new();
        for (document, score) in self.scores(query).into_iter().enumerate() {
            if score > 0.0
                && (best.len() < count || best.peek().is_some_and(|worst| beats(score, worst)))
            {
                best.push(Worst(Hit { document, score }));
                if best.len() > count {
                    best.pop();
                }
            }
        }
        best.into_sorted_vec().into_iter().map(|Worst(hit)| hit).collect()
    }

    /// [`search`](Self::search) for each of many queries, in parallel.
    pub fn search_all<Q, T>(&self, queries: &[Q], count: usize) -> Vec<Vec<Hit>>
    where
        Q: AsRef<[T]> + Sync,
        T: AsRef<str> + Sync,
    {
        queries.par_iter().map(|query| self.search(query.as_ref(), count)).collect()
    }

    fn postings_of(&self, term: &str) -> &[(u32, f32)] {
        let Some(&id) = self.terms.get(term) else { return &[] };
        &self.postings[self.starts[id as usize]..self.starts[id as usize + 1]]
    }
}

/// A hit in a heap whose top is the worst one.
struct Worst(Hit);

/// A later document has to score more than the worst that is kept.
fn beats(score: f64, worst: &Worst) -> bool {
    score > worst.0.score
}

impl Ord for Worst {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let by_score = other.0.score.total_cmp(&self.0.score);
        by_score.then(self.0.document.cmp(&other.0.document))
    }
}

impl PartialOrd for Worst {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Worst {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Worst {}

/// How often each document has each term.
#[derive(Default)]
struct Counts {
    terms: HashMap<String, u32>,
    /// Per document, terms ascending and their counts, one document behind the other.
    counts: Vec<(u32, u32)>,
    ends: Vec<usize>,
    lengths: Vec<usize>,
}

impl Counts {
    fn of<D, T>(documents: impl IntoIterator<Item = D>) -> Self
    where
        D: IntoIterator<Item = T>,
        T: AsRef<str>,
    {
        let mut all = Self::default();
        let mut ids = Vec::new();
        for document in documents {
            ids.clear();
            ids.extend(document.into_iter().map(|term| all.id(term.as_ref())));
            ids.sort_unstable();
            all.counts.extend(ids.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as u32)));
            all.ends.push(all.counts.len());
            all.lengths.push(ids.len());
        }
        all
    }

    fn id(&mut self, term: &str) -> u32 {
        match self.terms.get(term) {
            Some(&id) => id,
            None => {
                let id = self.terms.len() as u32;
                self.terms.insert(term.to_owned(), id);
                id
            }
        }
    }

    /// The counts of each term instead of each document, turned into weights.
    fn weigh(self, options: &Bm25Options) -> Bm25 {
        let documents = self.lengths.len();
        let mut starts = vec![0; self.terms.len() + 1];
        for &(term, _) in &self.counts {
            starts[term as usize + 1] += 1;
        }
        let rarity: Vec<f64> = starts[1..]
            .iter()
            .map(|&with_term| options.inverse_frequency.of(documents, with_term))
            .collect();
        for term in 0..self.terms.len() {
            starts[term + 1] += starts[term];
        }
        let mean = self.lengths.iter().sum::<usize>() as f64 / documents as f64;
        let mut next = starts.clone();
        let mut postings = vec![(0, 0.0); self.counts.len()];
        let mut from = 0;
        for (document, (&end, &length)) in self.ends.iter().zip(&self.lengths).enumerate() {
            let room = options.k1 * (1.0 - options.b + options.b * length as f64 / mean);
            for &(term, count) in &self.counts[from..end] {
                let count = f64::from(count);
                let weight = rarity[term as usize] * count * (options.k1 + 1.0) / (count + room);
                postings[next[term as usize]] = (document as u32, weight as f32);
                next[term as usize] += 1;
            }
            from = end;
        }
        Bm25 { terms: self.terms, starts, postings, documents }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        text.split_whitespace().collect()
    }

    #[test]
    fn scores_are_those_of_the_formula() {
        let options = Bm25Options { k1: 2.0, b: 0.5, inverse_frequency: InverseFrequency::Atire };
        let index = Bm25::index(&options, ["a a b", "b", "c c"].map(words)).unwrap();
        // "a": ln 3, twice in a document half as long again as the mean of two.
        let expected = 3.0f64.ln() * 2.0 * 3.0 / (2.0 + 2.0 * (0.5 + 0.5 * 1.5));
        let scores = index.scores(["a", "unknown"]);
        assert!((scores[0] - expected).abs() < 1e-6 && scores[1..] == [0.0, 0.0], "{scores:?}");
        let twice = index.scores(["a", "a"]);
        assert!((twice[0] - 2.0 * expected).abs() < 1e-6);
    }

    #[test]
    fn a_term_of_most_documents_never_counts_against_one() {
        let rarity = |kind: InverseFrequency| kind.of(10, 9);
        assert_eq!(rarity(InverseFrequency::Robertson), 0.0);
        assert!((rarity(InverseFrequency::Lucene) - (1.0f64 + 1.5 / 9.5).ln()).abs() < 1e-12);
        assert!(rarity(InverseFrequency::Atire) > 0.0);
    }

    #[test]
    fn the_best_are_found_in_order() {
        let documents = ["x", "x y", "z", "x y", "x x x y"].map(words);
        let index = Bm25::index(&Bm25Options::default(), documents).unwrap();
        let scores = index.scores(["x", "y"]);
        let all = index.search(["x", "y"], 10);
        let mut order: Vec<usize> = (0..5).filter(|&document| scores[document] > 0.0).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        assert_eq!(all.iter().map(|hit| hit.document).collect::<Vec<_>>(), order);
        for count in 0..4 {
            assert_eq!(index.search(["x", "y"], count), all[..count]);
        }
        let queries = [vec!["x", "y"], vec!["z"]];
        assert_eq!(index.search_all(&queries, 10), [all, index.search(["z"], 10)]);
    }

    #[test]
    fn nothing_to_search_and_wrong_constants() {
        let none = Bm25::index(&Bm25Options::default(), Vec::<Vec<&str>>::new()).unwrap();
        assert!(none.is_empty() && none.search(["x"], 3).is_empty());
        let blank = Bm25::index(&Bm25Options::default(), [Vec::<&str>::new()]).unwrap();
        assert_eq!((blank.len(), blank.scores(["x"])), (1, vec![0.0]));
        for options in [
            Bm25Options { k1: -1.0, ..Default::default() },
            Bm25Options { b: 1.1, ..Default::default() },
        ] {
            assert!(Bm25::index(&options, [["x"]]).is_err());
        }
    }
}
