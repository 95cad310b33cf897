//! Who answers: a language model, or a floor.

use wuji_protocol::{LoglikelihoodRequest, TextModel, TextModelError};

use super::cache::Cache;
use super::error::HarnessError;
use super::request::{Answer, Request};

/// Likelihoods that are asked for at once; the model cuts them into batches of its own.
const CHUNK: usize = 64;

/// Hears how many of all questions have been answered.
pub type Progress<'a> = dyn FnMut(usize, usize) + 'a;

/// Answers the questions of a task.
pub trait Answerer {
    /// Its name in results.
    fn name(&self) -> &str;

    /// An answer to each question; none where it cannot answer such a question.
    ///
    /// # Errors
    /// A failure that makes all other answers worthless too.
    fn answer(
        &mut self,
        requests: &[&Request],
        progress: &mut Progress<'_>,
    ) -> Result<Vec<Option<Answer>>, HarnessError>;
}

/// A [`TextModel`] as an answerer.
pub struct LanguageModel<'a> {
    name: String,
    model: &'a dyn TextModel,
    cache: Cache,
}

impl<'a> LanguageModel<'a> {
    /// Asks `model`, and remembers its answers in `cache`.
    pub fn new(name: impl Into<String>, model: &'a dyn TextModel, cache: Cache) -> Self {
        Self { name: name.into(), model, cache }
    }

    /// Answers likelihoods that the cache does not know. Long ones come first and like lengths
    /// together, so that little is padded and what does not fit fails at once.
    fn likelihoods(
        &mut self,
        requests: &[&LoglikelihoodRequest],
        progress: &mut Progress<'_>,
    ) -> Result<(), HarnessError> {
        let length =
            |request: &LoglikelihoodRequest| request.context.len() + request.continuation.len();
        let mut missing: Vec<&LoglikelihoodRequest> = Vec::new();
        let mut known = std::collections::HashSet::new();
        for &request in requests {
            if !self.cache.has_likelihood(request) && known.insert(request) {
                missing.push(request);
            }
        }
        missing.sort_by_key(|request| std::cmp::Reverse(length(request)));
        let mut done = requests.len() - missing.len();
        for chunk in missing.chunks(CHUNK) {
            let asked: Vec<LoglikelihoodRequest> = chunk.iter().map(|&r| r.clone()).collect();
            let answers = self.model.loglikelihood(&asked)?;
            for (request, answer) in chunk.iter().zip(answers) {
                self.cache.put_likelihood(request, answer)?;
            }
            self.cache.flush()?;
            done += chunk.len();
            progress(done, requests.len());
        }
        Ok(())
    }

    /// Answers one question that is not a choice.
    fn one(&mut self, request: &Request) -> Result<Option<Answer>, HarnessError> {
        if let Some(answer) = self.cache.answer(request) {
            return Ok(Some(answer));
        }
        let answer = match request {
            Request::Rolling { text } => {
                let likelihoods = self.model.loglikelihood_rolling(&[text])?;
                Answer::Rolling(likelihoods[0])
            }
            Request::Generation { request, .. } => Answer::Text(self.model.complete(request)?.text),
            Request::Ranking { query, candidates } => {
                let texts: Vec<&str> =
                    [query].into_iter().chain(candidates).map(String::as_str).collect();
                match self.model.embed(&texts) {
                    Ok(vectors) => Answer::Scores(cosines(&vectors)),
                    Err(TextModelError::Unsupported { .. }) => return Ok(None),
                    Err(error) => return Err(error.into()),
                }
            }
            Request::Choice { .. } | Request::Tagging { .. } => return Ok(None),
        };
        self.cache.put(request, &answer)?;
        self.cache.flush()?;
        Ok(Some(answer))
    }
}

impl Answerer for LanguageModel<'_> {
    fn name(&self) -> &str {
        &self.name
    }

    fn answer(
        &mut self,
        requests: &[&Request],
        progress: &mut Progress<'_>,
    ) -> Result<Vec<Option<Answer>>, HarnessError> {
        let asked: Vec<&LoglikelihoodRequest> = requests
            .iter()
            .flat_map(|request| match request {
                Request::Choice { likelihoods, .. } => likelihoods.as_slice(),
                _ => &[],
            })
            .collect();
        if !asked.is_empty() {
            self.likelihoods(&asked, progress)?;
        }
        let mut answers = Vec::with_capacity(requests.len());
        for (done, request) in requests.iter().enumerate() {
            answers.push(match request {
                Request::Choice { likelihoods, .. } => {
                    let known = |request| self.cache.likelihood(request).expect("asked just now");
                    Some(Answer::Likelihoods(likelihoods.iter().map(known).collect()))
                }
                other => {
                    let answer = self.one(other)?;
                    progress(done + 1, requests.len());
                    answer
                }
            });
        }
        Ok(answers)
    }
}

/// Cosine of the first vector with each of the others.
fn cosines(vectors: &[Vec<f32>]) -> Vec<f64> {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    let Some((query, candidates)) = vectors.split_first() else { return Vec::new() };
    let cosine = |candidate: &Vec<f32>| {
        let norm = (dot(query, query) * dot(candidate, candidate)).sqrt();
        if norm == 0.0 { 0.0 } else { dot(query, candidate) / norm }
    };
    candidates.iter().map(cosine).collect()
}
