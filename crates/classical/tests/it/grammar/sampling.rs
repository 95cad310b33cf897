//! Sentences drawn from grammars.

use std::collections::HashMap;

use wuji_classical::grammar::{Derivation, GrammarError, Parser};

use super::{assert_close, grammar};

const SENTENCES: &str = "
S -> NP VP
NP -> 'dogs' [0.5] | 'cats' [0.3] | NP 'and' NP [0.2]
VP -> 'sleep' [0.6] | 'chase' NP [0.4]
";

#[test]
fn frequencies_are_the_probabilities() {
    let parser = Parser::new(grammar(SENTENCES));
    let sampler = parser.grammar().sampler().unwrap();
    let mut counts: HashMap<Vec<&str>, usize> = HashMap::new();
    let total = 20_000;
    for derivation in sampler.samples(7).take(total) {
        *counts.entry(derivation.words(parser.grammar())).or_default() += 1;
    }
    let words: usize = counts.iter().map(|(words, count)| words.len() * count).sum();
    let length = parser.grammar().expected_length();
    assert!((words as f64 / total as f64 - length).abs() < 0.05, "{length}");
    for (sentence, count) in counts {
        let probability = parser.log_probability(&sentence).exp();
        assert!(probability > 0.0, "{sentence:?}");
        let (expected, deviation) =
            (probability * total as f64, (probability * (1.0 - probability) * total as f64).sqrt());
        if expected > 10.0 {
            assert!(
                (count as f64 - expected).abs() < 5.0 * deviation,
                "{sentence:?}: {count}, {expected}"
            );
        }
    }
}

#[test]
fn a_seed_gives_the_same_sentences() {
    let grammar = grammar(SENTENCES);
    let sampler = grammar.sampler().unwrap();
    let draw = |seed| sampler.samples(seed).take(20).collect::<Vec<Derivation>>();
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
}

#[test]
fn sentences_without_a_finite_length_are_refused_unless_bounded() {
    let text = grammar("S -> S S [0.75] | 'a' [0.25]");
    let Err(GrammarError::Endless { spectral_radius }) = text.sampler() else { panic!("refused") };
    assert!((spectral_radius - 1.5).abs() < 1e-6);
    assert_eq!(text.expected_length(), f64::INFINITY);
    let sampler = text.sampler_within(3).unwrap();
    // Trees of at most three levels: q₁ = 1/4, q₂ = 3/4 q₁² + 1/4, q₃ = 3/4 q₂² + 1/4; a single word has (1/4)/q₃.
    let q2: f64 = 0.75 * 0.0625 + 0.25;
    let single = 0.25 / (0.75 * q2 * q2 + 0.25);
    let samples: Vec<Derivation> = sampler.samples(3).take(20_000).collect();
    let deepest =
        samples.iter().flat_map(|sample| sample.constituents(&text)).map(|c| c.depth).max();
    assert_eq!(deepest, Some(2));
    let found = samples.iter().filter(|sample| sample.rules().len() == 1).count() as f64 / 20_000.0;
    assert!((found - single).abs() < 0.015, "{found}, expected {single}");
}

#[test]
fn a_bound_that_no_tree_keeps_is_refused() {
    let grammar = grammar("S -> A\nA -> B\nB -> 'b' | S");
    assert_eq!(
        grammar.sampler_within(2).unwrap_err(),
        GrammarError::Depth { max_depth: 2, shallowest: 3 }
    );
    assert_eq!(
        grammar.sampler_within(0).unwrap_err(),
        GrammarError::Depth { max_depth: 0, shallowest: 3 }
    );
    let sampler = grammar.sampler_within(3).unwrap();
    assert!(sampler.samples(0).take(50).all(|sample| sample.words(&grammar) == ["b"]));
}

#[test]
fn lengths_and_radii_are_those_of_the_formulas() {
    // L = 1 + 0.4 L.
    let grammar = grammar("S -> 'a' S [0.4] | 'a' [0.6]");
    assert_close(grammar.expected_length(), 1.0 / 0.6);
    assert!((grammar.spectral_radius() - 0.4).abs() < 1e-8);
}
