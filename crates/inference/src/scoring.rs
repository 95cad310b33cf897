//! Scoring many sequences in well-filled batches.

use crate::logits_model::check_ids;
use crate::{
    BatchLimits, InferenceError, LogitsModel, ScoredSequence, TokenScore, batches, windows::Window,
};

/// Scores the targets of every sequence, in the order given, however they were batched.
///
/// # Errors
/// [`InferenceError::TokenOutOfRange`], and those of the model.
pub fn score_all<M: LogitsModel>(
    model: &M,
    sequences: &[ScoredSequence],
    limits: BatchLimits,
) -> Result<Vec<Vec<TokenScore>>, InferenceError> {
    for sequence in sequences {
        check_ids(&sequence.ids, model.vocab_size())?;
    }
    let lengths: Vec<usize> = sequences.iter().map(|sequence| sequence.inputs().len()).collect();
    let mut scores = vec![Vec::new(); sequences.len()];
    for batch in batches(&lengths, limits) {
        let inputs: Vec<ScoredSequence> =
            batch.iter().map(|&index| sequences[index].clone()).collect();
        for (index, scored) in batch.into_iter().zip(model.score(&inputs)?) {
            scores[index] = scored;
        }
    }
    Ok(scores)
}

/// The sequences that `windows` cut out of `ids`.
pub fn sequences_of(ids: &[u32], windows: &[Window]) -> Vec<ScoredSequence> {
    let sequence = |window: &Window| ScoredSequence {
        ids: ids[window.tokens.clone()].to_vec(),
        scored_from: window.scored_from - window.tokens.start,
    };
    windows.iter().map(sequence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TableModel;
    use crate::windows::rolling;

    #[test]
    fn scores_come_back_in_the_order_of_the_sequences() {
        let model = TableModel::chain(&[1, 2, 0], 8);
        let sequence = |ids: &[u32], scored_from| ScoredSequence { ids: ids.to_vec(), scored_from };
        let sequences = [sequence(&[0, 1], 1), sequence(&[0, 1, 2, 0], 2), sequence(&[0, 2, 2], 1)];
        let limits = BatchLimits { max_sequences: 2, max_tokens: 100 };
        let scores = score_all(&model, &sequences, limits).unwrap();
        let greedy: Vec<Vec<bool>> = scores
            .iter()
            .map(|scores| scores.iter().map(|score| score.is_greedy).collect())
            .collect();
        assert_eq!(greedy, [vec![true], vec![true, true], vec![false, false]]);
        let expected = 8.0 - (8.0_f64.exp() + 2.0).ln();
        assert!((scores[0][0].log_prob - expected).abs() < 1e-6);
        assert!((scores[2][0].log_prob - (expected - 8.0)).abs() < 1e-6);
    }

    #[test]
    fn windows_of_a_bigram_model_add_up_to_the_whole() {
        let model = TableModel::new(vec![vec![0.0, 1.0], vec![2.0, 0.5]], 4);
        let ids = [0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 0];
        let total = |windows: &[Window]| {
            let limits = BatchLimits { max_sequences: 3, max_tokens: 9 };
            let scores = score_all(&model, &sequences_of(&ids, windows), limits).unwrap();
            scores.concat().iter().map(|score| score.log_prob).sum::<f64>()
        };
        let pairs: Vec<Window> =
            (1..ids.len()).map(|at| Window { tokens: at - 1..at + 1, scored_from: at }).collect();
        for min_context in 1..=4 {
            assert!((total(&rolling(ids.len(), 4, min_context)) - total(&pairs)).abs() < 1e-9);
        }
    }

    #[test]
    fn an_id_without_a_row_is_an_error() {
        let sequences = [ScoredSequence { ids: vec![0, 5], scored_from: 1 }];
        let limits = BatchLimits { max_sequences: 1, max_tokens: 1 };
        let error = score_all(&TableModel::uniform(3, 4), &sequences, limits).unwrap_err();
        assert_eq!(error.to_string(), "token id 5 at position 1: the model's vocabulary has 3 ids");
    }
}
