//! A byte-level n-gram model of the training records: what a language model must be better than.

use wuji_classical::{KneserNey, KneserNeyConfig};
use wuji_protocol::{Loglikelihood, LoglikelihoodRequest};

use super::{
    Answer, Answerer, FloorKind, Gold, HarnessError, Item, PreparedTask, Progress, Request,
};

/// Bytes that are looked at for the next: five and itself.
const ORDER: usize = 6;

struct Ngram {
    model: KneserNey,
}

pub(super) fn fit(task: &PreparedTask) -> Result<Box<dyn Answerer>, HarnessError> {
    let documents: Vec<Vec<u32>> =
        task.train.iter().filter_map(text).map(|text| bytes(&text)).collect();
    let documents = documents.iter().map(Vec::as_slice);
    let model = KneserNey::train(KneserNeyConfig::new(ORDER, 256), documents);
    let model = model.map_err(|error| FloorKind::Ngram.failed(task, error.to_string()))?;
    Ok(Box::new(Ngram { model }))
}

/// A training record as text, with the right answer.
fn text(item: &Item) -> Option<String> {
    match (&item.request, &item.gold) {
        (Request::Choice { likelihoods, .. }, Gold::Options(right)) => {
            let LoglikelihoodRequest { context, continuation } = &likelihoods[right[0]];
            Some(format!("{context}{continuation}\n"))
        }
        (Request::Rolling { text }, _) => Some(text.clone()),
        _ => None,
    }
}

fn bytes(text: &str) -> Vec<u32> {
    text.bytes().map(u32::from).collect()
}

impl Ngram {
    /// How likely `text` is after `context`.
    fn likelihood(&self, context: &str, text: &str) -> Loglikelihood {
        let context = bytes(context);
        let seen = &context[context.len().saturating_sub(ORDER - 1)..];
        let all = [seen, &bytes(text)].concat();
        let log_prob = self.model.token_log_probs(&all)[seen.len()..].iter().sum();
        let is_greedy = (seen.len()..all.len()).all(|at| self.is_likeliest(&all[..at], all[at]));
        Loglikelihood { log_prob, is_greedy, tokens: text.len(), bytes: text.len() }
    }

    fn is_likeliest(&self, context: &[u32], byte: u32) -> bool {
        let mut distribution = Vec::new();
        self.model.distribution(context, &mut distribution);
        distribution.iter().all(|other| *other <= distribution[byte as usize])
    }
}

impl Answerer for Ngram {
    fn name(&self) -> &str {
        FloorKind::Ngram.name()
    }

    fn answer(
        &mut self,
        requests: &[&Request],
        progress: &mut Progress<'_>,
    ) -> Result<Vec<Option<Answer>>, HarnessError> {
        let mut answers = Vec::with_capacity(requests.len());
        for (done, request) in requests.iter().enumerate() {
            answers.push(match request {
                Request::Choice { likelihoods, .. } => {
                    let one =
                        |r: &LoglikelihoodRequest| self.likelihood(&r.context, &r.continuation);
                    Some(Answer::Likelihoods(likelihoods.iter().map(one).collect()))
                }
                Request::Rolling { text } => Some(Answer::Rolling(self.likelihood("", text))),
                _ => None,
            });
            progress(done + 1, requests.len());
        }
        Ok(answers)
    }
}
