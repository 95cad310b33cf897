//! The row of numbers that a metric makes of one document.

use super::metric::{Metric, unfit};
use super::request::Answer;
use super::task::Words;
use crate::bleu::{BleuOptions, BleuTokenizer, CorpusBleu};
use crate::chrf::{ChrfOptions, CorpusChrf};
use crate::entities::{Scheme, decode};
use crate::error::{Result, same_length};
use crate::ranking::{Gain, Ranking};
use crate::rouge::{RougeKind, RougeOptions, rouge};
use crate::squad::{normalize_answer, squad};
use crate::statistics::CorpusMetric;

/// The first option with the most.
pub(super) fn best(scores: impl Iterator<Item = f64>) -> usize {
    let ahead = |best: (usize, f64), next: (usize, f64)| if next.1 > best.1 { next } else { best };
    scores.enumerate().fold((0, f64::NEG_INFINITY), ahead).0
}

/// The share of right ones among the options with the most.
fn share_of_best(scores: &[f64], right: &[usize]) -> f64 {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let best = (0..scores.len()).filter(|&option| scores[option] == most);
    let (hits, all) = best
        .fold((0, 0), |(hits, all), option| (hits + usize::from(right.contains(&option)), all + 1));
    if all == 0 { 0.0 } else { hits as f64 / all as f64 }
}

fn truth(is: bool) -> Vec<f64> {
    vec![f64::from(u8::from(is))]
}

/// Of a choice between options.
pub(super) fn choice(
    metric: Metric,
    options: &[String],
    right: &[usize],
    answer: &Answer,
) -> Result<Vec<f64>> {
    let scores = scores(answer).ok_or_else(|| unfit(metric, answer.kind()))?;
    same_length("options with an answer", options.len(), scores.len())?;
    let chosen = best(scores.iter().copied());
    let is_classifier = matches!(answer, Answer::Probabilities(_));
    let probabilities = || softmax(&scores);
    Ok(match metric {
        // Of options that a classifier finds equally likely, one is taken by chance.
        Metric::Acc if is_classifier => vec![share_of_best(&scores, right)],
        Metric::AccNorm if is_classifier => vec![share_of_best(&scores, right)],
        Metric::Acc | Metric::Mc1 => truth(right.contains(&chosen)),
        Metric::AccNorm => {
            let length = |option: &String| option.chars().count();
            let normed = scores.iter().zip(options).map(|(score, o)| score / length(o) as f64);
            truth(right.contains(&best(normed)))
        }
        Metric::Mc2 => {
            let probabilities = probabilities();
            vec![right.iter().map(|&option| probabilities[option]).sum()]
        }
        Metric::Preference => {
            truth(scores[0] > scores[1..].iter().copied().fold(f64::MIN, f64::max))
        }
        Metric::LogLoss => {
            // As for scikit-learn, a probability of 0 is the smallest step of a double.
            vec![-probabilities()[right[0]].max(f64::EPSILON).ln()]
        }
        Metric::Ece => {
            let correct = f64::from(u8::from(right.contains(&chosen)));
            vec![probabilities()[chosen], correct]
        }
        Metric::MacroF1 | Metric::WeightedF1 | Metric::BalancedAccuracy | Metric::Mcc => {
            vec![right[0] as f64, chosen as f64]
        }
        other => return Err(unfit(other, "a choice")),
    })
}

/// The probabilities of the options of a choice; none for other answers.
pub(super) fn probabilities(answer: &Answer) -> Option<Vec<f64>> {
    scores(answer).map(|scores| softmax(&scores))
}

/// The logarithms of what an answer gives to each option.
fn scores(answer: &Answer) -> Option<Vec<f64>> {
    match answer {
        Answer::Likelihoods(likelihoods) => Some(likelihoods.iter().map(|l| l.log_prob).collect()),
        Answer::Probabilities(probabilities) => {
            Some(probabilities.iter().map(|probability| probability.ln()).collect())
        }
        _ => None,
    }
}

fn softmax(scores: &[f64]) -> Vec<f64> {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return vec![1.0 / scores.len() as f64; scores.len()];
    }
    let weights: Vec<f64> = scores.iter().map(|score| (score - most).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// Of a text and what it should have been.
pub(super) fn text(
    metric: Metric,
    text: &str,
    references: &[String],
    words: Words,
) -> Result<Vec<f64>> {
    let same = |normalize: fn(&str) -> String| {
        let text = normalize(text);
        truth(references.iter().any(|reference| normalize(reference) == text))
    };
    let spaced = spaced(text, words);
    let references: Vec<String> = references.iter().map(|text| self::spaced(text, words)).collect();
    let rouge = |kind| {
        let score = rouge(kind, &spaced, &references, RougeOptions { stemmer: true });
        score.map(|score| vec![score.f1])
    };
    match metric {
        Metric::ExactMatch => Ok(same(normalize_answer)),
        Metric::NumberMatch => Ok(same(bare_number)),
        Metric::TokenF1 => Ok(vec![squad(&spaced, &references).f1]),
        Metric::Rouge1 => rouge(RougeKind::N(1)),
        Metric::Rouge2 => rouge(RougeKind::N(2)),
        Metric::RougeL => rouge(RougeKind::L),
        Metric::Bleu => {
            let tokenizer =
                if words == Words::Chinese { BleuTokenizer::Zh } else { BleuTokenizer::default() };
            let mut corpus = CorpusBleu::new(BleuOptions::with_tokenizer(tokenizer))?;
            corpus.add(text, &references)?;
            Ok(corpus.statistics().row(0).to_vec())
        }
        Metric::Chrf => {
            let mut corpus = CorpusChrf::new(ChrfOptions::default())?;
            corpus.add(text, &references)?;
            Ok(corpus.statistics().row(0).to_vec())
        }
        other => Err(unfit(other, "a text")),
    }
}

/// The text with its words apart.
fn spaced(text: &str, words: Words) -> String {
    match words {
        Words::Spaced => text.to_owned(),
        Words::Chinese => {
            let mut spaced = String::with_capacity(2 * text.len());
            for character in text.chars() {
                let is_alone = !character.is_ascii();
                if is_alone {
                    spaced.push(' ');
                }
                spaced.push(character);
                if is_alone {
                    spaced.push(' ');
                }
            }
            spaced
        }
    }
}

/// A number without what is written around it.
fn bare_number(text: &str) -> String {
    let mut text = text.trim().trim_end_matches('.').to_owned();
    text.retain(|character| !matches!(character, ',' | '$' | '%' | ' '));
    text
}

/// Of the tags of a sentence.
pub(super) fn tags(metric: Metric, truth: &[String], found: &[String]) -> Result<Vec<f64>> {
    same_length("tags", truth.len(), found.len())?;
    match metric {
        Metric::EntityF1 => {
            let truth = decode(0, truth, Scheme::Lenient)?;
            let found = decode(0, found, Scheme::Lenient)?;
            let right = found.iter().filter(|entity| truth.contains(entity)).count();
            Ok(vec![right as f64, found.len() as f64, truth.len() as f64])
        }
        Metric::TokenAccuracy => {
            let right = truth.iter().zip(found).filter(|(truth, found)| truth == found).count();
            Ok(vec![right as f64 / truth.len().max(1) as f64])
        }
        other => Err(unfit(other, "tags")),
    }
}

/// Of an order of candidates.
pub(super) fn ranking(metric: Metric, relevance: &[f64], scores: &[f64]) -> Result<Vec<f64>> {
    let ranking = Ranking::new(relevance, scores)?;
    match metric {
        Metric::Ndcg10 => Ok(vec![ranking.ndcg_at(10, Gain::Linear)]),
        Metric::Mrr => Ok(vec![ranking.reciprocal_rank()]),
        Metric::Recall10 => Ok(vec![ranking.recall_at(10)]),
        other => Err(unfit(other, "scores")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wuji_protocol::Loglikelihood;

    fn likelihoods(log_probs: &[f64]) -> Answer {
        let one =
            |&log_prob: &f64| Loglikelihood { log_prob, is_greedy: false, tokens: 1, bytes: 1 };
        Answer::Likelihoods(log_probs.iter().map(one).collect())
    }

    fn row(metric: Metric, right: &[usize], answer: &Answer) -> Vec<f64> {
        let options = ["yes".to_owned(), "certainly".to_owned()];
        choice(metric, &options, right, answer).unwrap()
    }

    #[test]
    fn long_options_are_forgiven_their_length_in_acc_norm_alone() {
        let answer = likelihoods(&[-2.0, -3.0]);
        assert_eq!(row(Metric::Acc, &[0], &answer), [1.0]);
        assert_eq!(row(Metric::AccNorm, &[0], &answer), [0.0]);
        assert_eq!(row(Metric::AccNorm, &[1], &answer), [1.0]);
        // A classifier's probabilities have no length.
        let answer = Answer::Probabilities(vec![0.6, 0.4]);
        assert_eq!(row(Metric::AccNorm, &[0], &answer), [1.0]);
        let answer = Answer::Probabilities(vec![0.5, 0.5]);
        assert_eq!(row(Metric::Acc, &[1], &answer), [0.5]);
    }

    #[test]
    fn probabilities_are_those_of_the_options_alone() {
        let answer = likelihoods(&[-1.0, -1.0 - 3f64.ln()]);
        assert!((row(Metric::Mc2, &[0], &answer)[0] - 0.75).abs() < 1e-12);
        assert!((row(Metric::LogLoss, &[1], &answer)[0] - 4f64.ln()).abs() < 1e-12);
        assert_eq!(row(Metric::Ece, &[1], &answer)[1], 0.0);
        assert_eq!(row(Metric::MacroF1, &[1], &answer), [1.0, 0.0]);
        assert_eq!(row(Metric::Preference, &[0], &answer), [1.0]);
    }

    #[test]
    fn texts_are_judged_by_their_best_reference() {
        let references = ["the cat".to_owned(), "1,000".to_owned()];
        let row = |metric, answer: &str| text(metric, answer, &references, Words::Spaced).unwrap();
        assert_eq!(row(Metric::ExactMatch, "A cat!"), [1.0]);
        assert_eq!(row(Metric::NumberMatch, "$1000."), [1.0]);
        assert_eq!(row(Metric::TokenF1, "cat sat"), [2.0 / 3.0]);
        assert_eq!(row(Metric::RougeL, "the cat"), [1.0]);
        let chinese =
            text(Metric::TokenF1, "北京市", &["北京".to_owned()], Words::Chinese).unwrap();
        assert_eq!(chinese, [0.8]);
    }

    #[test]
    fn entities_count_whole() {
        let tags = |tags: &str| tags.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let row = super::tags(Metric::EntityF1, &tags("B-A I-A O B-B"), &tags("B-A O O B-B"));
        assert_eq!(row.unwrap(), [1.0, 2.0, 2.0]);
    }

    #[test]
    fn a_metric_of_another_kind_of_answer_is_an_error() {
        assert!(choice(Metric::Bleu, &[], &[0], &likelihoods(&[])).is_err());
        assert!(text(Metric::Acc, "", &[], Words::Spaced).is_err());
    }
}
