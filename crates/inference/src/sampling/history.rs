//! Adjustments that depend on the tokens so far, prompt included.

/// Makes tokens already in `history` less likely (for `penalty` above 1): positive logits are
/// divided by it and negative ones multiplied, once per token (Keskar et al. 2019, CTRL).
pub fn repetition_penalty(logits: &mut [f32], history: &[u32], penalty: f32) {
    // Read everything before writing: a token that occurs twice is still penalised once.
    let adjusted: Vec<(usize, f32)> = history
        .iter()
        .filter_map(|&id| Some((id as usize, *logits.get(id as usize)?)))
        .map(|(id, logit)| (id, if logit < 0.0 { logit * penalty } else { logit / penalty }))
        .collect();
    for (id, logit) in adjusted {
        logits[id] = logit;
    }
}

/// Excludes every token that would complete an n-gram of `size` tokens already in `history`.
pub fn no_repeat_ngram(logits: &mut [f32], history: &[u32], size: usize) {
    if size == 0 || history.len() < size {
        return;
    }
    let recent = &history[history.len() + 1 - size..];
    for ngram in history.windows(size) {
        if &ngram[..size - 1] == recent {
            exclude(logits, &ngram[size - 1..]);
        }
    }
}

/// Excludes the last token of each of `sequences` where `history` ends in the tokens before it.
pub fn exclude_sequences(logits: &mut [f32], history: &[u32], sequences: &[Vec<u32>]) {
    for sequence in sequences {
        if let Some((last, before)) = sequence.split_last()
            && history.ends_with(before)
        {
            exclude(logits, &[*last]);
        }
    }
}

/// Excludes `ids`; those outside the vocabulary are passed over.
pub fn exclude(logits: &mut [f32], ids: &[u32]) {
    for &id in ids {
        if let Some(logit) = logits.get_mut(id as usize) {
            *logit = f32::NEG_INFINITY;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUT: f32 = f32::NEG_INFINITY;

    #[test]
    fn a_token_seen_twice_is_penalised_once() {
        let mut logits = [2.0, -2.0, 3.0, 0.0];
        repetition_penalty(&mut logits, &[0, 1, 0, 3], 2.0);
        assert_eq!(logits, [1.0, -4.0, 3.0, 0.0]);
    }

    #[test]
    fn an_excluded_token_stays_excluded_under_a_penalty() {
        let mut logits = [OUT, 1.0];
        repetition_penalty(&mut logits, &[0, 0], 1.5);
        assert_eq!(logits, [OUT, 1.0]);
    }

    #[test]
    fn a_trigram_is_not_completed_a_second_time() {
        let mut logits = [0.0; 4];
        no_repeat_ngram(&mut logits, &[1, 2, 3, 1, 2], 3);
        assert_eq!(logits, [0.0, 0.0, 0.0, OUT]);
    }

    #[test]
    fn unigrams_exclude_everything_seen() {
        let mut logits = [0.0; 4];
        no_repeat_ngram(&mut logits, &[1, 3, 1], 1);
        assert_eq!(logits, [0.0, OUT, 0.0, OUT]);
    }

    #[test]
    fn a_short_history_has_no_ngram_to_repeat() {
        let mut logits = [0.0; 4];
        no_repeat_ngram(&mut logits, &[1, 1], 3);
        assert_eq!(logits, [0.0; 4]);
    }

    #[test]
    fn a_phrase_is_cut_at_its_last_token_only() {
        let sequences = [vec![0], vec![1, 2], vec![3, 3]];
        let mut logits = [0.0; 4];
        exclude_sequences(&mut logits, &[3, 1], &sequences);
        assert_eq!(logits, [OUT, 0.0, OUT, 0.0]);
    }

    #[test]
    fn ids_outside_the_vocabulary_are_passed_over() {
        let mut logits = [1.0, 2.0];
        repetition_penalty(&mut logits, &[9], 2.0);
        exclude(&mut logits, &[9]);
        assert_eq!(logits, [1.0, 2.0]);
    }
}
