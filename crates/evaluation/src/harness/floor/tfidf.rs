//! TF-IDF with logistic regression: what a classifier must be better than.

use wuji_classical::{LogisticOptions, LogisticRegression, TfIdf, TfIdfConfig};

use super::{Answer, Answerer, FloorKind, HarnessError, PreparedTask, Progress, Request, choices};

/// Inverse of the penalty; good for short texts, and never tuned on a test part.
const C: f64 = 10.0;

/// A fitted floor.
struct Classifier {
    terms: TfIdf,
    model: LogisticRegression,
}

pub(super) fn fit(task: &PreparedTask) -> Result<Box<dyn Answerer>, HarnessError> {
    let kind = FloorKind::TfIdf;
    let classes = task.labels.len();
    let (texts, labels): (Vec<&str>, Vec<usize>) =
        choices(&task.train).map(|(text, _, right)| (text, right)).unzip();
    if classes == 0 {
        return Err(kind.failed(task, "the task has no fixed labels"));
    }
    let terms = TfIdf::fit(&TfIdfConfig::words_and_characters(), &texts);
    let rows = terms.transform(&texts);
    let options = LogisticOptions { c: C, ..LogisticOptions::default() };
    let model = LogisticRegression::fit(&rows, &labels, classes, &options);
    let model = model.map_err(|error| kind.failed(task, error.to_string()))?;
    Ok(Box::new(Classifier { terms, model }))
}

impl Answerer for Classifier {
    fn name(&self) -> &str {
        FloorKind::TfIdf.name()
    }

    fn answer(
        &mut self,
        requests: &[&Request],
        progress: &mut Progress<'_>,
    ) -> Result<Vec<Option<Answer>>, HarnessError> {
        let text = |request: &&Request| match request {
            Request::Choice { text, .. } => text.clone(),
            _ => String::new(),
        };
        let texts: Vec<String> = requests.iter().map(text).collect();
        let probabilities = self.model.probabilities(&self.terms.transform(&texts));
        progress(requests.len(), requests.len());
        Ok(probabilities.into_iter().map(|row| Some(Answer::Probabilities(row))).collect())
    }
}
