//! Answers without looking at the question.

use super::{Answer, Answerer, FloorKind, HarnessError, PreparedTask, Request, choices, rule};

/// All options alike.
pub(super) fn chance(request: &Request) -> Option<Answer> {
    let Request::Choice { options, .. } = request else { return None };
    Some(Answer::Probabilities(vec![1.0 / options.len() as f64; options.len()]))
}

/// Options by how often each position was right.
pub(super) fn majority(task: &PreparedTask) -> Result<Box<dyn Answerer>, HarnessError> {
    let mut counts: Vec<f64> = Vec::new();
    for (_, options, right) in choices(&task.train) {
        counts.resize(counts.len().max(options.len()), 0.0);
        counts[right] += 1.0;
    }
    if counts.is_empty() {
        return Err(FloorKind::Majority.failed(task, "no training records with options"));
    }
    Ok(rule(FloorKind::Majority, move |request| {
        let Request::Choice { options, .. } = request else { return None };
        // One more of each, so that nothing is impossible.
        let weight = |option: usize| counts.get(option).copied().unwrap_or(0.0) + 1.0;
        let sum: f64 = (0..options.len()).map(weight).sum();
        Some(Answer::Probabilities((0..options.len()).map(|o| weight(o) / sum).collect()))
    }))
}
