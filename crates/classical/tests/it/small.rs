//! Texts small enough to compute by hand, and the errors.

use wuji_classical::{
    Boundaries, ClassicalError, KneserNey, KneserNeyConfig, NgramCounts, select_order,
    select_order_documents,
};

fn assert_close(actual: f64, expected: f64) {
    assert!((actual - expected).abs() < 1e-12, "{actual} is not {expected}");
}

/// "a b a b a c", a=0 b=1 c=2, and a token d=3 that never occurs. All discounts are the fallback.
///
/// Unigrams by left neighbours: a after {start, b} = 2, b after {a} = 1, c after {a} = 1, total 4.
/// gamma() = (D1 * 2 + D2 * 1) / 4 = (1 + 1) / 4 = 1/2, uniform 1/4:
///   p(a) = (2 - 1)/4 + 1/8 = 3/8, p(b) = p(c) = (1 - 0.5)/4 + 1/8 = 1/4, p(d) = 1/8.
/// Bigrams after a by count: b = 2, c = 1, total 3, gamma(a) = (1 + 0.5)/3 = 1/2:
///   p(a|a) = 3/16, p(b|a) = 1/3 + 1/8, p(c|a) = 1/6 + 1/8, p(d|a) = 1/16.
/// After b only a, twice: gamma(b) = 1/2, p(a|b) = 1/2 + 3/16, the others half their unigram.
#[test]
fn a_bigram_model_by_hand() {
    let model = KneserNey::train(KneserNeyConfig::new(2, 4), [&[0, 1, 0, 1, 0, 2][..]]).unwrap();
    let check = |context: &[u32], expected: [f64; 4]| {
        let mut distribution = Vec::new();
        model.distribution(context, &mut distribution);
        for (token, (&actual, expected)) in distribution.iter().zip(expected).enumerate() {
            assert_close(actual, expected);
            assert_close(model.log_prob(context, token as u32), expected.ln());
        }
    };
    let unigrams = [3.0 / 8.0, 1.0 / 4.0, 1.0 / 4.0, 1.0 / 8.0];
    let after_a = [3.0 / 16.0, 1.0 / 3.0 + 1.0 / 8.0, 1.0 / 6.0 + 1.0 / 8.0, 1.0 / 16.0];
    check(&[], unigrams);
    check(&[0], after_a);
    check(&[2, 3, 0], after_a);
    let after_b = [1.0 / 2.0 + 3.0 / 16.0, 1.0 / 8.0, 1.0 / 8.0, 1.0 / 16.0];
    check(&[1], after_b);
    check(&[2], unigrams); // nothing followed c
    check(&[3], unigrams);
    check(&[0, 99], unigrams); // no context reaches over an unknown id

    assert_eq!(model.order(), 2);
    assert_eq!(model.ngram_counts(), [3, 3]);
    assert_eq!(model.ngram_count(), 6);
    assert!(model.discounts().iter().all(|discounts| !discounts.estimated));
    assert_eq!(model.log_prob(&[0], 4), f64::NEG_INFINITY);

    let score = model.score(&[0, 1, 2]);
    assert_eq!(score.tokens, 3);
    assert_close(score.nats, -(unigrams[0].ln() + after_a[1].ln() + after_b[2].ln()));
}

#[test]
fn one_token_is_a_corpus() {
    for order in 1..=9 {
        let model = KneserNey::train(KneserNeyConfig::new(order, 3), [&[2][..]]).unwrap();
        // 1 - 0.5 for the token itself and a third of the rest.
        assert_close(model.log_prob(&[2, 2], 2).exp(), 0.5 + 0.5 / 3.0);
        assert_close(model.log_prob(&[], 0).exp(), 0.5 / 3.0);
        assert_eq!(model.score(&[]).tokens, 0);
    }
}

#[test]
fn a_vocabulary_of_one_is_certain() {
    let model = KneserNey::train(KneserNeyConfig::new(3, 1), [&[0, 0, 0, 0][..]]).unwrap();
    assert_close(model.log_prob(&[0, 0], 0), 0.0);
}

#[test]
fn the_start_of_a_sentence_is_one_context_however_it_is_written() {
    let sentences: [&[u32]; 3] = [&[0, 1], &[0, 2], &[1, 1, 0]];
    let boundaries = Boundaries::Sentences { bos: 4, eos: Some(3) };
    let config = KneserNeyConfig::new(4, 4).with_boundaries(boundaries);
    let model = KneserNey::train(config, sentences).unwrap();

    let at_start = model.log_prob(&[4], 0);
    assert_eq!(at_start, model.log_prob(&[4, 4, 4], 0));
    assert_eq!(at_start, model.log_prob(&[2, 1, 4], 0)); // the sentence before does not matter
    assert_ne!(at_start, model.log_prob(&[], 0));
    assert_eq!(model.document_log_probs(&[0, 1])[0], at_start);
    assert_eq!(model.document_log_probs(&[0, 1]).len(), 3);
    assert_eq!(model.log_prob(&[0], 4), f64::NEG_INFINITY); // bos is never predicted
}

#[test]
fn greedy_generation_retells_the_text() {
    let text: Vec<u32> = "round and round and round and ".bytes().map(u32::from).collect();
    let model = KneserNey::train(KneserNeyConfig::new(5, 256), [text.as_slice()]).unwrap();
    let generated = model.generate(&text[..6], 24, 0.0, 0);
    assert_eq!(generated, text[6..30]);
    assert!(model.generate(&[], 0, 1.0, 0).is_empty());
    assert_eq!(model.generate(&text, 50, 1.0, 7), model.generate(&text, 50, 1.0, 7));
    assert_ne!(model.generate(&text, 50, 1.0, 7), model.generate(&text, 50, 1.0, 8));
}

#[test]
fn generation_ends_where_a_sentence_ends() {
    let boundaries = Boundaries::Sentences { bos: 0, eos: Some(1) };
    let config = KneserNeyConfig::new(3, 6).with_boundaries(boundaries);
    let model = KneserNey::train(config, [&[2, 3, 4][..], &[2, 3, 4], &[5, 3, 4]]).unwrap();
    assert_eq!(model.generate(&[], 100, 0.0, 0), [2, 3, 4]);
    assert_eq!(model.generate(&[5], 100, 0.0, 0), [3, 4]);
    for seed in 0..50 {
        let generated = model.generate(&[], 30, 1.5, seed);
        assert!(generated.iter().all(|token| (2..6).contains(token)), "{generated:?}");
    }
}

#[test]
fn sampling_follows_the_distribution() {
    let text: Vec<u32> = (0..300).map(|i| [0, 1, 1, 0, 2][i % 5]).collect();
    let model = KneserNey::train(KneserNeyConfig::new(1, 3), [text.as_slice()]).unwrap();
    let drawn = model.generate(&[], 20_000, 1.0, 3);
    for token in 0..3 {
        let share = drawn.iter().filter(|&&t| t == token).count() as f64 / 20_000.0;
        let expected = model.log_prob(&[], token).exp();
        assert!((share - expected).abs() < 0.015, "{token}: {share} for {expected}");
    }
}

#[test]
fn the_held_out_part_decides_the_order() {
    // Period 3 with noise-free repetition: two tokens of context tell everything, more add nothing.
    let text: Vec<u32> = (0..4000).map(|i| [0, 0, 1, 0, 1, 1][i % 6]).collect();
    let selection = select_order(&text, 2, 1..=6, 0.1).unwrap();
    assert_eq!(selection.best.order(), selection.order);
    assert_eq!(selection.per_order.len(), 6);
    let best = selection.per_order[selection.order - 1].1;
    assert!(selection.per_order.iter().all(|&(_, nats)| nats >= best));
    assert!(selection.order >= 4, "the next token depends on three: {:?}", selection.per_order);

    // Trained again on all of it, as by hand.
    let config = KneserNeyConfig::new(selection.order, 2);
    let by_hand = KneserNey::train(config, [text.as_slice()]).unwrap();
    assert_eq!(selection.best.score(&text), by_hand.score(&text));
    let heldout = KneserNey::train(config, [&text[..3600]]).unwrap().score(&text[3600..]);
    assert_eq!(best, heldout.nats_per_token());
}

#[test]
fn documents_are_held_out_whole() {
    let documents: Vec<Vec<u32>> = (0..40).map(|i| vec![i % 4, (i + 1) % 4, (i * i) % 4]).collect();
    let documents: Vec<&[u32]> = documents.iter().map(Vec::as_slice).collect();
    let boundaries = Boundaries::Sentences { bos: 5, eos: Some(4) };
    let selection = select_order_documents(&documents, 5, boundaries, 2..=3, 0.25).unwrap();
    let config = KneserNeyConfig::new(3, 5).with_boundaries(boundaries);
    let by_hand = KneserNey::train(config, documents[..30].iter().copied()).unwrap();
    let expected = by_hand.score_documents(&documents[30..]);
    assert_eq!(expected.tokens, 40);
    assert_eq!(selection.per_order[1], (3, expected.nats_per_token()));
}

#[test]
fn what_cannot_be_done_is_an_error_with_its_place() {
    let text: &[u32] = &[0, 1, 2];
    let train = |order, vocab_size, documents: &[&[u32]]| {
        KneserNey::train(KneserNeyConfig::new(order, vocab_size), documents.iter().copied())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(train(0, 3, &[text]), "n-gram order must be from 1 to 9, got 0");
    assert_eq!(train(10, 3, &[text]), "n-gram order must be from 1 to 9, got 10");
    assert_eq!(
        train(2, 3, &[&[], &[]]),
        "no training tokens: 2 documents were given and all of them are empty"
    );
    assert_eq!(
        train(2, 2, &[&[0], text]),
        "token id 2 at position 2 of document 1 is outside the vocabulary of 2 tokens"
    );
    let counts = NgramCounts::collect(KneserNeyConfig::new(3, 3), [text]).unwrap();
    assert_eq!(counts.model(4).unwrap_err(), ClassicalError::Order { order: 4, max: 3 });
    assert_eq!(counts.model(0).unwrap_err(), ClassicalError::Order { order: 0, max: 3 });

    let select = |tokens: &[u32], orders, fraction| {
        select_order(tokens, 3, orders, fraction).unwrap_err().to_string()
    };
    assert_eq!(select(text, 0..=2, 0.4), "n-gram order must be from 1 to 9, got 0");
    assert_eq!(select(text, 2..=10, 0.4), "n-gram order must be from 1 to 9, got 10");
    #[expect(clippy::reversed_empty_ranges, reason = "the mistake under test")]
    let reversed = 3..=2;
    assert_eq!(
        select(text, reversed, 0.4),
        "no n-gram order to choose from: the range is 3 to 2 (within 1 to 9)"
    );
    assert_eq!(select(text, 1..=2, 1.0), "held-out fraction must be above 0 and below 1, got 1");
    assert_eq!(
        select(&[], 1..=2, 0.1),
        "cannot hold out a fraction of 0.1 of 0 training tokens in 1 documents: one side would be empty"
    );
    // A bad token is named by its place wherever it is, also in the held-out part.
    for (tokens, position) in [([0, 7, 1, 1], 1), ([0, 1, 1, 7], 3)] {
        let expected = format!(
            "token id 7 at position {position} of document 0 is outside the vocabulary of 3 tokens"
        );
        assert_eq!(select(&tokens, 1..=2, 0.25), expected);
    }
}

#[test]
fn options_are_read_from_a_file() {
    let read = serde_json::from_str::<KneserNeyConfig>;
    let config = read(r#"{"order": 5, "vocab_size": 65}"#).unwrap();
    assert_eq!(config, KneserNeyConfig::new(5, 65));
    let sentences =
        r#"{"order": 3, "vocab_size": 9, "boundaries": {"kind": "sentences", "bos": 9, "eos": 1}}"#;
    let boundaries = Boundaries::Sentences { bos: 9, eos: Some(1) };
    assert_eq!(read(sentences).unwrap(), KneserNeyConfig::new(3, 9).with_boundaries(boundaries));
    assert!(read(r#"{"order": 5, "vocab_size": 65, "boundries": {}}"#).is_err());
}
