//! Sentences in a sequence of token ids.

use std::ops::Range;

/// Cuts after each token that ends a sentence. A run of such tokens (`?!`) ends one sentence, and
/// what is left at the end is one too.
///
/// ```
/// use wuji_data::objectives::sentence_spans;
/// assert_eq!(sentence_spans(&[5, 6, 1, 7, 1, 1, 8], &[1]), [0..3, 3..6, 6..7]);
/// ```
pub fn sentence_spans(ids: &[u32], ends: &[u32]) -> Vec<Range<usize>> {
    let is_end = |at: usize| ids.get(at).is_some_and(|id| ends.contains(id));
    let mut spans = Vec::new();
    let mut start = 0;
    for at in 0..ids.len() {
        let last = at + 1 == ids.len();
        if last || (is_end(at) && !is_end(at + 1)) {
            spans.push(start..at + 1);
            start = at + 1;
        }
    }
    spans
}
