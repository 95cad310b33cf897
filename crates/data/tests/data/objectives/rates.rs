//! How often, on fixed seeds: each rate within 4.5 standard deviations of what its option says. A
//! right implementation fails such a check once in 150 000 seeds.

use std::collections::BTreeMap;

use wuji_data::objectives::{
    BlankInfillingOptions, FillInTheMiddleOptions, IidDenoisingOptions, MaskingOptions, PairTask,
    SentencePairOptions, Sentences, SpanCorruptionOptions, SpecialIds, WordRule, WordTable,
    prefix_length,
};

fn assert_rate(what: &str, hits: usize, trials: usize, expected: f64) {
    let rate = hits as f64 / trials as f64;
    let deviation = (expected * (1.0 - expected) / trials as f64).sqrt();
    let off = (rate - expected).abs() / deviation;
    assert!(
        off < 4.5,
        "{what}: {hits} of {trials} is {rate:.4}, not {expected}: {off:.1} deviations"
    );
}

/// The mean of independent draws from a distribution of this mean and variance.
fn assert_mean(what: &str, values: &[f64], mean: f64, variance: f64) {
    let found = values.iter().sum::<f64>() / values.len() as f64;
    let off = (found - mean).abs() / (variance / values.len() as f64).sqrt();
    assert!(off < 4.5, "{what}: the mean is {found:.4}, not {mean:.4}: {off:.1} deviations");
}

/// Ids 0 to 9 are special, 10 and above are text.
fn special() -> SpecialIds {
    SpecialIds {
        pad: Some(0),
        cls: Some(1),
        sep: Some(2),
        mask: Some(3),
        eos: Some(4),
        start_of_piece: Some(5),
        end_of_piece: Some(6),
        fim_prefix: Some(7),
        fim_middle: Some(8),
        fim_suffix: Some(9),
        ..SpecialIds::new(1000)
    }
}

fn text(length: usize) -> Vec<u32> {
    (10..900).cycle().take(length).collect()
}

#[test]
fn masking_selects_15_percent_and_shows_80_10_10() {
    let window = text(512);
    let mut counts = BTreeMap::new();
    for seed in 0..400 {
        let example = MaskingOptions::default().apply(&special(), &window, seed).expect("valid");
        for ((&seen, &label), &id) in example.input_ids.iter().zip(&example.labels).zip(&window) {
            let kind = match seen {
                _ if label == -100 => "not selected",
                3 => "mask",
                _ if seen == id => "kept",
                _ => "random",
            };
            *counts.entry(kind).or_insert(0) += 1;
        }
    }
    let count = |kind| counts[kind];
    let selected = count("mask") + count("kept") + count("random");
    assert_rate("selected", selected, 400 * 512, 0.15);
    assert_rate("mask", count("mask"), selected, 0.8);
    // One random token of 990 is the token itself.
    assert_rate("random", count("random"), selected, 0.1 * (1.0 - 1.0 / 990.0));
    assert_rate("kept", count("kept"), selected, 0.1 + 0.1 / 990.0);
}

#[test]
fn random_tokens_are_uniform_over_the_text_and_never_special() {
    let options = MaskingOptions {
        mlm_probability: 0.5,
        mask_share: 0.0,
        random_share: 1.0,
        keep_share: 0.0,
        ..MaskingOptions::default()
    };
    let mut counts = vec![0_u32; 1000];
    let mut total = 0;
    for seed in 0..400 {
        let example = options.apply(&special(), &text(512), seed).expect("valid");
        for (&seen, &label) in example.input_ids.iter().zip(&example.labels) {
            if label != -100 {
                counts[seen as usize] += 1;
                total += 1;
            }
        }
    }
    assert_eq!(counts[..10], [0; 10]);
    let expected = f64::from(total) / 990.0;
    let chi_squared: f64 =
        counts[10..].iter().map(|&n| (f64::from(n) - expected).powi(2) / expected).sum();
    // 989 degrees of freedom: a mean of 989 and a deviation of 44.5.
    assert!((chi_squared - 989.0).abs() < 4.5 * 44.5, "chi-squared {chi_squared}");
}

#[test]
fn masking_is_dynamic_and_every_position_is_as_likely() {
    let window = text(64);
    let mut per_position = vec![0; 64];
    for seed in 0..4000 {
        let example = MaskingOptions::default().apply(&special(), &window, seed).expect("valid");
        for (count, label) in per_position.iter_mut().zip(example.labels) {
            *count += usize::from(label != -100);
        }
    }
    for (position, &count) in per_position.iter().enumerate() {
        assert_rate(&format!("position {position}"), count, 4000, 0.15);
    }
}

#[test]
fn whole_words_are_masked_whole_and_the_budget_is_met() {
    // Words of one to three pieces; ids from 500 on continue one.
    let pieces = (0..1000).map(|id| if id < 500 { format!("w{id}") } else { format!("##{id}") });
    let words = WordTable::new(WordRule::Continuation, pieces);
    let special = SpecialIds { words: Some(words), ..special() };
    let window: Vec<u32> = (0..100)
        .flat_map(|word| {
            [10 + word, 500 + word, 600 + word].into_iter().take(1 + word as usize % 3)
        })
        .collect();
    let options = MaskingOptions { whole_word: true, ..MaskingOptions::default() };
    let budget = (window.len() as f64 * 0.15).round_ties_even() as usize;
    let mut first_word = 0;
    for seed in 0..1000 {
        let labels = options.apply(&special, &window, seed).expect("valid").labels;
        for (at, pair) in window.windows(2).enumerate() {
            if pair[1] >= 500 {
                assert_eq!(labels[at] == -100, labels[at + 1] == -100, "seed {seed}, token {at}");
            }
        }
        assert_eq!(labels.iter().filter(|&&label| label != -100).count(), budget);
        first_word += usize::from(labels[0] != -100);
    }
    // Words are as likely as each other, up to those that no longer fit.
    assert!((110..190).contains(&first_word), "{first_word} of 1000");
}

#[test]
fn noise_of_spans_is_exact_and_every_position_but_the_ends_is_as_likely() {
    let options = SpanCorruptionOptions::default();
    let mut per_position = vec![0; 568];
    for seed in 0..2000 {
        let mask = options.noise_mask(568, seed);
        assert_eq!(mask.iter().filter(|&&noise| noise).count(), 85);
        assert_eq!(mask.chunk_by(|a, b| a == b).filter(|run| run[0]).count(), 28);
        per_position.iter_mut().zip(mask).for_each(|(count, noise)| *count += usize::from(noise));
    }
    assert_eq!((per_position[0], per_position[567]), (0, 2000));
    // Away from the ends, which are text and noise by construction.
    for (position, &count) in per_position.iter().enumerate().take(500).skip(100) {
        assert_rate(&format!("position {position}"), count, 2000, 85.0 / 568.0);
    }
}

#[test]
fn iid_noise_falls_on_15_percent() {
    let options = IidDenoisingOptions::default();
    let noise: usize =
        (0..400).map(|seed| options.noise_mask(512, seed).iter().filter(|&&n| n).count()).sum();
    assert_rate("noise", noise, 400 * 512, 0.15);
}

#[test]
fn prefixes_are_uniform_from_one_to_all_but_one() {
    let mut counts = [0; 10];
    for seed in 0..9000 {
        counts[prefix_length(10, seed)] += 1;
    }
    assert_eq!(counts[0], 0);
    for (length, &count) in counts.iter().enumerate().skip(1) {
        assert_rate(&format!("prefix of {length}"), count, 9000, 1.0 / 9.0);
    }
}

#[test]
fn documents_are_rearranged_at_the_rates_asked_for() {
    let options = FillInTheMiddleOptions { fim_rate: 0.6, spm_rate: 0.3 };
    let window = text(50);
    let (mut rearranged, mut suffix_first) = (0, 0);
    for seed in 0..5000 {
        let out = options.apply(&special(), &window, seed).expect("valid");
        rearranged += usize::from(out[0] == 7);
        suffix_first += usize::from(out[..2] == [7, 9] && out[2] != 8);
    }
    assert_rate("rearranged", rearranged, 5000, 0.6);
    // `[prefix] [suffix]` also begins a text in the usual order whose prefix is empty: one cut of two at 0 of
    // 51 places. An empty suffix hides a text in suffix order: both have odds of 1 − (50/51)².
    let empty = 1.0 - (50.0_f64 / 51.0).powi(2);
    let both = 1.0 / (51.0_f64 * 51.0) * 2.0;
    let seen = 0.3 * (1.0 - empty) + 0.7 * (empty - both);
    assert_rate("suffix first", suffix_first, rearranged, seen);
}

#[test]
fn blanks_cover_15_percent_in_positive_poisson_spans_in_uniform_order() {
    let options = BlankInfillingOptions::default();
    let window = text(500);
    let (mut first_is_first, mut spans) = (0, 0.0);
    for seed in 0..1000 {
        let blanks = options.blanks(&special(), &window, seed).expect("valid");
        let covered: usize = blanks.spans.iter().map(|span| span.len()).sum();
        // At least 75 of 500, and less than the last span more.
        assert!((75..75 + 15).contains(&covered), "{covered}");
        spans += blanks.spans.len() as f64;
        first_is_first += usize::from(blanks.order[0] == 0);
    }
    // Renewal theory: the number of spans until at least 75 tokens, that is until 74 are passed.
    let mean = 3.0 / (1.0 - (-3.0_f64).exp());
    let second = mean * 4.0;
    let variance = second - mean * mean;
    let overshoot = (second / mean + 1.0) / 2.0;
    let expected = (74.0 + overshoot) / mean;
    let deviation = (75.0 * variance / mean.powi(3)).sqrt();
    let off = (spans / 1000.0 - expected).abs() / (deviation / 1000.0_f64.sqrt());
    assert!(off < 4.5, "{} spans on average, not {expected:.2}", spans / 1000.0);
    // The shuffle: the first span is written first as often as any other.
    assert_rate("order", first_is_first, 1000, 1000.0 / spans);
}

#[test]
fn single_spans_have_the_lengths_of_a_positive_poisson() {
    // A ratio that any one span covers: each example is one undisturbed draw.
    let options = BlankInfillingOptions { mask_ratio: 0.001, ..BlankInfillingOptions::default() };
    let lengths: Vec<f64> = (0..8000)
        .map(|seed| {
            let blanks = options.blanks(&special(), &text(500), seed).expect("valid");
            assert_eq!(blanks.spans.len(), 1);
            blanks.spans[0].len() as f64
        })
        .collect();
    let mean = 3.0 / (1.0 - (-3.0_f64).exp());
    assert_mean("length", &lengths, mean, mean * 4.0 - mean * mean);
    let ones = lengths.iter().filter(|&&length| length == 1.0).count();
    let one = 3.0 * (-3.0_f64).exp() / (1.0 - (-3.0_f64).exp());
    assert_rate("length 1", ones, 8000, one);
}

#[test]
fn the_three_kinds_of_blanks_come_at_their_probabilities() {
    let options = BlankInfillingOptions {
        sentence_probability: 0.2,
        generation_probability: 0.5,
        sentence_end_ids: vec![20],
        ..BlankInfillingOptions::default()
    };
    let special = SpecialIds { sentence_mask: Some(990), generation_mask: Some(991), ..special() };
    let mut counts = BTreeMap::new();
    let mut long = Vec::new();
    for seed in 0..4000 {
        let blanks = options.blanks(&special, &text(100), seed).expect("valid");
        *counts.entry(blanks.mask).or_insert(0) += 1;
        if blanks.mask == 991 {
            long.push(blanks.spans[0].len() as f64);
        }
    }
    assert_rate("[MASK]", counts[&3], 4000, 0.3);
    assert_rate("[sMASK]", counts[&990], 4000, 0.2);
    assert_rate("[gMASK]", counts[&991], 4000, 0.5);
    // Uniform on 50 to 100: 51 values.
    assert_mean("length of the end", &long, 75.0, (51.0 * 51.0 - 1.0) / 12.0);
}

fn documents() -> Vec<Sentences> {
    (0..40).map(|_| (0..60).map(|_| text(6)).collect()).collect()
}

fn labels(task: PairTask) -> Vec<i64> {
    let options = SentencePairOptions { task, max_length: 64, ..SentencePairOptions::default() };
    let documents = documents();
    (0..5)
        .flat_map(|seed| (0..documents.len()).map(move |document| (seed, document)))
        .flat_map(|(seed, document)| options.pairs(&documents, document, seed).expect("pairs"))
        .map(|pair| pair.label)
        .collect()
}

#[test]
fn half_of_the_order_pairs_are_swapped() {
    let labels = labels(PairTask::SentenceOrder);
    let swapped = labels.iter().filter(|&&label| label == 1).count();
    assert_rate("swapped", swapped, labels.len(), 0.5);
}

#[test]
fn half_of_the_next_sentence_pairs_are_random_where_there_is_a_choice() {
    // The last pair of a document is random only if it is of a single sentence, and then had no
    // choice; all other chunks have several sentences.
    let options = SentencePairOptions {
        max_length: 64,
        short_sequence_probability: 0.0,
        ..SentencePairOptions::default()
    };
    let documents = documents();
    let (mut random, mut total) = (0, 0);
    for document in 0..documents.len() {
        for seed in 0..5 {
            let mut pairs = options.pairs(&documents, document, seed).expect("pairs");
            pairs.pop_if(|last| last.label == 1);
            random += pairs.iter().filter(|pair| pair.label == 1).count();
            total += pairs.len();
        }
    }
    assert_rate("random", random, total, 0.5);
}
