//! The sampling functions against the logits processors and warpers of `transformers`.

use wuji_inference::sampling::{
    epsilon, eta, exclude, exclude_sequences, log_sum_exp, min_p, no_repeat_ngram,
    repetition_penalty, temperature, top_k, top_p, typical,
};

use crate::support::{Expected, shared};

/// `float_max_abs` of the case.
const TOLERANCE: f64 = 1e-5;

struct Case {
    expected: Expected,
    scores: Vec<f32>,
    histories: Vec<Vec<u32>>,
}

impl Case {
    /// Applies `process(logits, history)` to each row and compares everything that is recorded.
    fn check(&self, name: &str, process: impl Fn(&mut [f32], &[u32])) {
        let kept = self.expected.rows(&format!("{name}.kept")).concat();
        let scores = self.expected.floats(&format!("{name}.scores"));
        let probabilities = self.expected.floats(&format!("{name}.probs"));
        let vocab_size = self.scores.len() / self.histories.len();
        for (row, history) in self.histories.iter().enumerate() {
            let at = row * vocab_size;
            let mut logits = self.scores[at..at + vocab_size].to_vec();
            process(&mut logits, history);
            let normaliser = log_sum_exp(&logits);
            for (id, logit) in logits.into_iter().enumerate() {
                let place = format!("{name}, row {row}, id {id}");
                assert_eq!(logit.is_finite(), kept[at + id] == 1, "{place}: kept");
                let score = if logit.is_finite() { logit } else { 0.0 };
                close(f64::from(score), scores[at + id], &place);
                close((f64::from(logit) - normaliser).exp(), probabilities[at + id], &place);
            }
        }
    }
}

fn close(actual: f64, expected: f32, place: &str) {
    let difference = (actual - f64::from(expected)).abs();
    assert!(difference <= TOLERANCE, "{place}: {actual} is not {expected}");
}

#[test]
fn every_processor_gives_the_scores_of_transformers() {
    let Some(path) = shared("golden/generation/logits-processors") else { return };
    let expected = Expected::read(&path);
    assert_eq!(expected.file().len(), 2 + 3 * 12, "a processor of the case is not compared");
    let (scores, histories) = (expected.floats("in.scores"), expected.rows("in.input_ids"));
    let case = Case { expected, scores, histories };
    case.check("temperature_0.7", |logits, _| temperature(logits, 0.7));
    case.check("top_k_5", |logits, _| top_k(logits, 5));
    case.check("top_p_0.8", |logits, _| top_p(logits, 0.8));
    case.check("min_p_0.1", |logits, _| min_p(logits, 0.1));
    case.check("typical_0.6", |logits, _| typical(logits, 0.6));
    case.check("epsilon_0.02", |logits, _| epsilon(logits, 0.02));
    case.check("eta_0.05", |logits, _| eta(logits, 0.05));
    case.check("repetition_1.3", |logits, history| repetition_penalty(logits, history, 1.3));
    case.check("no_repeat_3", |logits, history| no_repeat_ngram(logits, history, 3));
    case.check("min_length_20_eos2", |logits, history| {
        assert!(history.len() < 20);
        exclude(logits, &[2]);
    });
    case.check("bad_words", |logits, history| {
        exclude_sequences(logits, history, &[vec![5], vec![7, 9]]);
    });
    case.check("chain", |logits, _| {
        temperature(logits, 0.9);
        top_k(logits, 10);
        top_p(logits, 0.9);
    });
}
