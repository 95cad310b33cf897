//! Conditional random fields against golden numbers, enumeration and the conditions of a minimum.

use proptest::prelude::*;
use serde_json::Value;
use wuji_classical::{
    ClassicalError, Crf, CrfOptions, LinearChain, SparseMatrix, TagScheme, TaggedSentence, Tagger,
    TaggerConfig, Template,
};

use super::shared;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().unwrap().iter().map(numbers).collect()
}

fn indices(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|number| number.as_u64().unwrap() as usize).collect()
}

fn assert_close(found: f64, expected: f64) {
    let bound = 1e-9 * expected.abs().max(1.0);
    assert!((found - expected).abs() < bound, "{found}, expected {expected}");
}

#[test]
fn golden_scores_partitions_paths_and_marginals() {
    let Some(folder) = shared::find("golden/metrics/crf") else { return };
    let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let case: Value = serde_json::from_str(&text).unwrap();
    let start = numbers(&case["start"]);
    let end = numbers(&case["end"]);
    let chain = LinearChain::new(start, rows(&case["transitions"]), end).unwrap();
    let sequences = case["sequences"].as_array().unwrap();
    let mut losses = Vec::new();
    for (sequence, emissions) in sequences.iter().zip(case["emissions"].as_array().unwrap()) {
        let length = sequence["length"].as_u64().unwrap() as usize;
        let emissions = rows(emissions)[..length].concat();
        let score = chain.score(&emissions, &indices(&sequence["tags"])).unwrap();
        assert_close(score, sequence["score"].as_f64().unwrap());
        let posterior = chain.posterior(&emissions).unwrap();
        assert_close(posterior.log_partition, sequence["log_partition"].as_f64().unwrap());
        assert_eq!(chain.log_partition(&emissions).unwrap(), posterior.log_partition);
        losses.push(posterior.log_partition - score);
        assert_close(posterior.log_partition - score, sequence["nll"].as_f64().unwrap());
        let path = chain.best_path(&emissions).unwrap();
        assert_eq!(path.labels, indices(&sequence["best_path"]));
        assert_close(path.score, sequence["best_score"].as_f64().unwrap());
        let marginals = rows(&sequence["marginals"])[..length].concat();
        assert_eq!(posterior.labels.len(), marginals.len());
        posterior.labels.iter().zip(marginals).for_each(|(found, e)| assert_close(*found, e));
    }
    let mean = losses.iter().sum::<f64>() / losses.len() as f64;
    assert_close(mean, case["mean_nll"].as_f64().unwrap());
}

/// All labellings of `positions` with `labels` labels.
fn labellings(positions: usize, labels: usize) -> Vec<Vec<usize>> {
    (0..labels.pow(positions as u32))
        .map(|code| (0..positions as u32).map(|at| code / labels.pow(at) % labels).collect())
        .collect()
}

/// A score, or what is forbidden.
fn score() -> impl Strategy<Value = f64> {
    prop_oneof![8 => -3.0..3.0, 1 => Just(f64::NEG_INFINITY), 1 => Just(-800.0)]
}

prop_compose! {
    fn problem()(labels in 1usize..4, positions in 1usize..5)(
        scores in prop::collection::vec(score(), labels * (labels + 2)),
        emissions in prop::collection::vec(-900.0..3.0, labels * positions),
        labels in Just(labels),
    ) -> (LinearChain, Vec<f64>) {
        let transitions = scores[..labels * labels].chunks(labels).map(<[f64]>::to_vec).collect();
        let [start, end] = [0, 1].map(|at| scores[labels * (labels + at)..][..labels].to_vec());
        (LinearChain::new(start, transitions, end).unwrap(), emissions)
    }
}

proptest! {
    #[test]
    fn sums_and_best_paths_are_those_of_enumeration((chain, emissions) in problem()) {
        let labels = chain.labels();
        let positions = emissions.len() / labels;
        let all = labellings(positions, labels);
        let score = |path: &Vec<usize>| chain.score(&emissions, path).unwrap();
        let best = all.iter().map(score).fold(f64::NEG_INFINITY, f64::max);
        let posterior = chain.posterior(&emissions).unwrap();
        let path = chain.best_path(&emissions).unwrap();
        if best == f64::NEG_INFINITY {
            prop_assert_eq!(path.score, best);
            prop_assert_eq!(posterior.log_partition, best);
            prop_assert!(posterior.labels.iter().chain(&posterior.transitions).all(|p| *p == 0.0));
            return Ok(());
        }
        prop_assert!((path.score - best).abs() < 1e-9);
        prop_assert!((score(&path.labels) - best).abs() < 1e-9);
        let sum: f64 = all.iter().map(|path| (score(path) - best).exp()).sum();
        let partition = best + sum.ln();
        prop_assert!((posterior.log_partition - partition).abs() < 1e-9);
        let (mut marginals, mut pairs) = (vec![0.0; emissions.len()], vec![0.0; labels * labels]);
        for path in &all {
            let p = (score(path) - partition).exp();
            path.iter().enumerate().for_each(|(at, label)| marginals[at * labels + label] += p);
            path.windows(2).for_each(|pair| pairs[pair[0] * labels + pair[1]] += p);
        }
        for (found, expected) in posterior.labels.iter().zip(&marginals) {
            prop_assert!((found - expected).abs() < 1e-9);
        }
        for (found, expected) in posterior.transitions.iter().zip(&pairs) {
            prop_assert!((found - expected).abs() < 1e-9);
        }
    }
}

#[test]
fn long_sequences_neither_underflow_nor_overflow() {
    let chain = LinearChain::new(vec![0.0; 2], vec![vec![1.0, 0.0]; 2], vec![0.0; 2]).unwrap();
    let posterior = chain.posterior(&[700.0, -700.0].repeat(50_000)).unwrap();
    assert_close(posterior.log_partition, 50_000.0 * 701.0 - 1.0);
    assert_eq!(posterior.labels[..2], [1.0, 0.0]);
}

#[test]
fn what_is_no_chain_or_does_not_fit_it_is_named() {
    let error = LinearChain::new(vec![0.0; 2], vec![vec![0.0; 2]], vec![0.0; 2]).unwrap_err();
    let expected = ClassicalError::ScoreCount { what: "transition scores", found: 2, expected: 4 };
    assert_eq!(error, expected);
    let error = LinearChain::new(vec![0.0, f64::NAN], vec![vec![0.0; 2]; 2], vec![0.0; 2]);
    assert!(error.unwrap_err().to_string().contains("number 1 of the start scores is NaN"));
    assert!(LinearChain::new(vec![], vec![], vec![]).is_err());
    let chain = LinearChain::new(vec![0.0; 2], vec![vec![0.0; 2]; 2], vec![0.0; 2]).unwrap();
    assert_eq!(chain.best_path(&[]).unwrap_err(), ClassicalError::EmptySequence);
    let expected = ClassicalError::ScoreCount { what: "emission scores", found: 3, expected: 2 };
    assert_eq!(chain.posterior(&[0.0; 3]).unwrap_err(), expected);
    let expected = ClassicalError::Label { row: 1, label: 2, classes: 2 };
    assert_eq!(chain.score(&[0.0; 4], &[0, 2]).unwrap_err(), expected);
}

/// Two dozen short sequences whose labels follow from features and neighbours, not without exceptions.
fn sequences() -> (SparseMatrix, Vec<usize>, Vec<usize>) {
    let lengths: Vec<usize> = (0..24).map(|i| 1 + i % 5).collect();
    let positions: usize = lengths.iter().sum();
    let row = |i: usize| vec![(i as u32 % 4, 1.0), (4 + (i * i) as u32 % 3, 0.5)];
    let labels = (0..positions).map(|i| (i % 4 + usize::from(i % 7 == 0)) % 3).collect();
    (SparseMatrix::from_rows(7, (0..positions).map(row)), lengths, labels)
}

#[test]
fn at_the_minimum_weights_are_what_is_observed_less_what_is_expected() {
    let (rows, lengths, labels) = sequences();
    let options = CrfOptions { l2: 0.5, max_iterations: 1000, tolerance: 1e-9 };
    let crf = Crf::fit(&rows, &lengths, &labels, 3, &options).unwrap();
    assert!(crf.converged());
    let (mut pulls, mut steps, mut begin) = ([[0.0; 3]; 7], [[0.0; 3]; 3], 0);
    for length in lengths {
        let range: Vec<usize> = (begin..begin + length).collect();
        let posterior = crf.posterior(&rows.select(&range)).unwrap();
        for (probabilities, &row) in posterior.labels.chunks(3).zip(&range) {
            for (label, p) in probabilities.iter().enumerate() {
                let residual = f64::from(u8::from(labels[row] == label)) - p;
                for (&column, &value) in rows.row(row).columns.iter().zip(rows.row(row).values) {
                    pulls[column as usize][label] += f64::from(value) * residual;
                }
            }
        }
        for pair in range.windows(2) {
            steps[labels[pair[0]]][labels[pair[1]]] += 1.0;
        }
        for (from, expected) in posterior.transitions.chunks(3).enumerate() {
            steps[from].iter_mut().zip(expected).for_each(|(step, expected)| *step -= expected);
        }
        begin += length;
    }
    for (feature, pulls) in pulls.iter().enumerate() {
        for (weight, pull) in crf.weights(feature).iter().zip(pulls) {
            assert!((options.l2 * weight - pull).abs() < 1e-5, "{weight} and {pull}");
        }
    }
    for (from, steps) in steps.iter().enumerate() {
        for (weight, step) in crf.chain().transitions(from).iter().zip(steps) {
            assert!((options.l2 * weight - step).abs() < 1e-5, "{weight} and {step}");
        }
    }
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let (rows, lengths, labels) = sequences();
    let fit = || Crf::fit(&rows, &lengths, &labels, 3, &CrfOptions::default()).unwrap();
    let with = |threads| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(fit)
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn sequences_that_do_not_fit_are_named() {
    let (rows, lengths, labels) = sequences();
    let options = CrfOptions::default();
    let fit = |lengths: &[usize], labels: &[usize], options: &CrfOptions| {
        Crf::fit(&rows, lengths, labels, 3, options).unwrap_err()
    };
    let expected = ClassicalError::Lengths { sum: 3, rows: rows.len() };
    assert_eq!(fit(&[1, 2], &labels, &options), expected);
    assert_eq!(fit(&[0], &labels, &options), ClassicalError::EmptySequence);
    assert!(matches!(fit(&lengths, &labels[1..], &options), ClassicalError::Labels { .. }));
    let options = CrfOptions { l2: -1.0, ..options };
    assert_eq!(fit(&lengths, &labels, &options), ClassicalError::Penalty { l2: -1.0 });
}

fn sentence(text: &str) -> TaggedSentence {
    let (tokens, tags) = text.split(' ').filter_map(|pair| pair.split_once('/')).unzip();
    let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
    TaggedSentence { tokens: owned(tokens), tags: owned(tags) }
}

fn drugs() -> Vec<TaggedSentence> {
    [
        "Nausea/B-D after/O oral/O methadone/B-C",
        "acute/B-D renal/I-D failure/I-D and/O nausea/B-D",
        "patients/O on/O sodium/B-C valproate/I-C improved/O",
        "Methadone/B-C caused/O acute/B-D failure/I-D",
        "no/O nausea/B-D on/O valproate/B-C",
        "renal/B-D failure/I-D improved/O after/O sodium/B-C chloride/I-C",
    ]
    .map(sentence)
    .to_vec()
}

#[test]
fn a_tagger_learns_its_sentences_and_is_saved() {
    for scheme in [TagScheme::Bio, TagScheme::Bioes] {
        let crf = CrfOptions { l2: 0.01, ..CrfOptions::default() };
        let config = TaggerConfig { scheme, min_positions: 1, crf, ..TaggerConfig::default() };
        let tagger = Tagger::train(&config, &drugs()).unwrap();
        for sentence in drugs() {
            assert_eq!(tagger.tag(&sentence.tokens), sentence.tags);
        }
        assert_eq!(tagger.tag(&["Severe", "nausea"])[1], "B-D");
        let spans = tagger.spans(&["acute", "renal", "failure"]);
        assert_eq!((spans.len(), spans[0].kind.as_str(), spans[0].end), (1, "D", 3));
        assert!(tagger.tag::<&str>(&[]).is_empty() && tagger.marginals::<&str>(&[]).is_empty());
        for marginals in tagger.marginals(&["oral", "methadone"]) {
            assert_eq!(marginals.len(), tagger.labels().len());
            assert_close(marginals.iter().sum(), 1.0);
        }
        let saved = serde_json::to_string(&tagger).unwrap();
        assert_eq!(serde_json::from_str::<Tagger>(&saved).unwrap(), tagger);
    }
}

#[test]
fn constrained_tags_always_follow_each_other() {
    // With only the shape of the token itself to go by, an unconstrained path is easily broken.
    let templates = vec!["suffix1[0]".parse::<Template>().unwrap()];
    let config = TaggerConfig { templates, min_positions: 1, ..TaggerConfig::default() };
    let tagger = Tagger::train(&config, &drugs()).unwrap();
    for seed in 0..200usize {
        let words = ["sodium", "failure", "renal", "on", "x", "nausea", "chloride"];
        let tokens: Vec<&str> =
            (0..6).map(|at| words[(seed / 7usize.pow(at % 3) + at as usize) % 7]).collect();
        let tags = tagger.tag(&tokens);
        for (at, tag) in tags.iter().enumerate() {
            if let Some(kind) = tag.strip_prefix("I-") {
                let before = at.checked_sub(1).and_then(|at| tags[at].split_once('-'));
                assert_eq!(before.map(|(_, kind)| kind), Some(kind), "{tags:?}");
            }
        }
    }
}

#[test]
fn a_configuration_is_read_back_and_wrong_ones_are_named() {
    let config = TaggerConfig::default();
    let text = serde_json::to_string(&config).unwrap();
    assert!(text.contains("\"lower[-1]+lower[0]\""));
    assert_eq!(serde_json::from_str::<TaggerConfig>(&text).unwrap(), config);
    let wrong = serde_json::from_str::<TaggerConfig>(r#"{"templates": ["colour[0]"]}"#);
    assert!(wrong.unwrap_err().to_string().contains("colour[0]"));
    let error = Tagger::train(&config, &[sentence("a/O b/X")]).unwrap_err();
    assert_eq!(error, ClassicalError::Tag { position: 1, tag: "X".into() });
    let uneven = TaggedSentence { tags: vec![], ..sentence("a/O") };
    let error = Tagger::train(&config, &[uneven]).unwrap_err();
    assert_eq!(error, ClassicalError::Labels { rows: 1, labels: 0 });
    assert!(Tagger::train(&config, &[]).is_err());
}
