//! Exact match and F1 of short Chinese answers by the official rules of CMRC 2018 (Cui et al., "A
//! span-extraction dataset for Chinese machine reading comprehension", EMNLP 2019), which DRCD's
//! figures use as well.
//!
//! F1 is not SQuAD's: texts are cut into Chinese characters and, between them, words of other
//! scripts (*mixed segmentation*), and what two answers share is their longest common run of
//! segments without a gap. Where the official script has an oddity, it is kept: "……" in its list of
//! punctuation never matches, because the script compares character by character.
//!
//! Words of other scripts are cut by the rules of NLTK's word tokenizer, which the script calls.
//! NLTK first looks for ends of sentences with a trained model; here a run between two Chinese
//! characters is one sentence.

mod words;

use crate::error::{EvaluationError, Result};
use crate::squad::SquadScore;
use crate::words::is_space;

/// What the script takes for punctuation.
const PUNCTUATION: &str = "-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』";

/// Scores an answer against the right ones, of which there must be one; the best counts.
pub fn cmrc<S: AsRef<str>>(prediction: &str, golds: &[S]) -> Result<SquadScore> {
    let (joined, segments) = (without_punctuation(prediction), mixed_segmentation(prediction));
    let scores = golds.iter().map(|gold| SquadScore {
        exact_match: f64::from(u8::from(joined == without_punctuation(gold.as_ref()))),
        f1: run_f1(&segments, &mixed_segmentation(gold.as_ref())),
    });
    scores
        .reduce(|best, next| SquadScore {
            exact_match: best.exact_match.max(next.exact_match),
            f1: best.f1.max(next.f1),
        })
        .ok_or(EvaluationError::NoReference { document: 0 })
}

/// Lower case, without spaces at the ends and without punctuation.
fn without_punctuation(text: &str) -> String {
    let text = text.to_lowercase();
    text.trim_matches(is_space).chars().filter(|c| !PUNCTUATION.contains(*c)).collect()
}

/// Chinese characters one by one, and the words of what stands between them; no punctuation.
pub fn mixed_segmentation(text: &str) -> Vec<String> {
    let mut segments = Vec::new();
    let mut run = String::new();
    for character in without_punctuation(text).chars() {
        if ('\u{4e00}'..='\u{9fa5}').contains(&character) {
            segments.extend(words::tokenize(&std::mem::take(&mut run)));
            segments.push(character.to_string());
        } else {
            run.push(character);
        }
    }
    segments.extend(words::tokenize(&run));
    segments
}

fn run_f1(prediction: &[String], gold: &[String]) -> f64 {
    let shared = longest_common_run(prediction, gold);
    if shared == 0 {
        return 0.0;
    }
    2.0 * shared as f64 / (prediction.len() + gold.len()) as f64
}

/// The most segments in a row that both lists have.
fn longest_common_run(left: &[String], right: &[String]) -> usize {
    let mut above = vec![0; right.len() + 1];
    let mut longest = 0;
    for item in left {
        let mut row = vec![0; right.len() + 1];
        for (at, other) in right.iter().enumerate() {
            if item == other {
                row[at + 1] = above[at] + 1;
                longest = longest.max(row[at + 1]);
            }
        }
        above = row;
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_is_cut_into_characters_and_the_rest_into_words() {
        let segments = mixed_segmentation(" 《Windows XP》于2001年10月25日，售价$99.5。 ");
        let expected =
            ["windows", "xp", "于", "2001", "年", "10", "月", "25", "日", "售", "价", "$", "99.5"];
        assert_eq!(segments, expected);
        // A hyphen is dropped without parting what it joins; the ellipsis is no punctuation.
        assert_eq!(mixed_segmentation("A-B…"), ["ab…"]);
    }

    #[test]
    fn f1_counts_the_longest_run_without_a_gap() {
        // 人民共和国 is in both: five of seven and five of six.
        let score = cmrc("中华人民共和国", &["X人民共和国"]).unwrap();
        assert!((score.f1 - 10.0 / 13.0).abs() < 1e-12);
        // All characters are shared, but only two in a row.
        let score = cmrc("北京上海", &["上海北京"]).unwrap();
        assert_eq!((score.exact_match, score.f1), (0.0, 0.5));
    }

    #[test]
    fn the_best_right_answer_counts_and_there_must_be_one() {
        let score = cmrc("1905年。", &["不知道", "1905年"]).unwrap();
        assert_eq!((score.exact_match, score.f1), (1.0, 1.0));
        assert_eq!(cmrc("", &["。"]).unwrap(), SquadScore { exact_match: 1.0, f1: 0.0 });
        assert!(cmrc::<&str>("北京", &[]).is_err());
    }
}
