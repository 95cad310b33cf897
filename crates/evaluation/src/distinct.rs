//! Distinct-n: how much of what a model says it says only once (Li et al., "A diversity-promoting
//! objective function for neural conversation models", NAACL 2016).

use std::collections::HashSet;

use crate::words::words;

/// The share of different n-grams among all n-grams of the texts together; words stand between
/// white space. 0 where there are none.
pub fn distinct<S: AsRef<str>>(texts: &[S], order: usize) -> f64 {
    let texts: Vec<Vec<&str>> = texts.iter().map(|text| words(text.as_ref()).collect()).collect();
    let ngrams = texts.iter().flat_map(|words| words.windows(order.max(1)));
    let all = ngrams.clone().count();
    let different = ngrams.collect::<HashSet<_>>().len();
    if all == 0 { 0.0 } else { different as f64 / all as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ngrams_repeat_within_and_across_texts_but_do_not_cross_them() {
        assert_eq!(distinct(&["a b a", "b a"], 1), 0.4);
        assert_eq!(distinct(&["a b a", "b a"], 2), 2.0 / 3.0);
        assert_eq!(distinct(&["a", ""], 2), 0.0);
    }
}
