//! Probabilities learnt from sentences.

use wuji_classical::grammar::{Grammar, GrammarError, InsideOutside};

use super::{assert_close, grammar};

fn sentences(grammar: &Grammar, count: usize, seed: u64) -> Vec<Vec<&str>> {
    let sampler = grammar.sampler().unwrap();
    sampler.samples(seed).take(count).map(|derivation| derivation.words(grammar)).collect()
}

#[test]
fn without_ambiguity_one_step_counts() {
    let start = grammar("S -> 'a' S [0.5] | 'b' [0.5]");
    let options = InsideOutside { max_iterations: 1, ..InsideOutside::default() };
    let (learnt, report) = start.learn(&[vec!["a", "a", "b"], vec!["b"]], &options).unwrap();
    assert_close(learnt.rules()[0].probability, 0.5); // two of four
    let (learnt, _) = start.learn(&[vec!["a", "a", "a", "b"]], &options).unwrap();
    assert_close(learnt.rules()[0].probability, 0.75);
    assert_close(report.log_likelihoods[0], 4.0 * 0.5_f64.ln());
}

#[test]
fn the_likelihood_never_falls_and_the_probabilities_return() {
    // Prepositional phrases attach to nouns or verbs; empty adverbs and unit rules take part.
    let text = |a: [f64; 6]| {
        format!(
            "S -> N V [{}] | N V P [{}]\nN -> 'n' [{}] | N P [{}]\nV -> 'v' M\nM -> ε [{}] | N [{}]\nP -> 'p' N",
            a[0], a[1], a[2], a[3], a[4], a[5]
        )
    };
    let truth = grammar(&text([0.7, 0.3, 0.8, 0.2, 0.6, 0.4]));
    let start = grammar(&text([0.5, 0.5, 0.5, 0.5, 0.5, 0.5]));
    let sentences = sentences(&truth, 3_000, 5);
    let options = InsideOutside { max_iterations: 60, tolerance: 1e-7 };
    let (learnt, report) = start.learn(&sentences, &options).unwrap();
    assert!(report.log_likelihoods.len() > 5, "{report:?}");
    assert!(report.log_likelihoods.windows(2).all(|pair| pair[1] >= pair[0] - 1e-7), "{report:?}");
    for (learnt, truth) in learnt.rules().iter().zip(truth.rules()) {
        assert!(
            (learnt.probability - truth.probability).abs() < 0.05,
            "{learnt:?}, expected {truth:?}"
        );
    }
    // Nothing fits the sentences better, not even the truth.
    let (_, of_truth) =
        truth.learn(&sentences, &InsideOutside { max_iterations: 0, ..options }).unwrap();
    assert!(report.log_likelihoods.last() > of_truth.log_likelihoods.last());
}

#[test]
fn the_result_does_not_depend_on_the_number_of_threads() {
    let truth = grammar("S -> S S [0.3] | 'a' [0.5] | 'b' [0.2]");
    let sentences: Vec<Vec<&str>> =
        sentences(&truth, 300, 1).into_iter().filter(|sentence| sentence.len() < 12).collect();
    let learn = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let options = InsideOutside { max_iterations: 3, ..InsideOutside::default() };
        pool.install(|| truth.learn(&sentences, &options).unwrap())
    };
    assert_eq!(learn(1), learn(2));
}

#[test]
fn what_cannot_be_learnt_from_is_named() {
    let grammar = grammar("S -> 'a'");
    let options = InsideOutside::default();
    assert_eq!(grammar.learn(&[], &options).unwrap_err(), GrammarError::NoSentences);
    let expected = GrammarError::NoParse { sentence: 1, found: "b c".to_owned() };
    assert_eq!(grammar.learn(&[vec!["a"], vec!["b", "c"]], &options).unwrap_err(), expected);
}
