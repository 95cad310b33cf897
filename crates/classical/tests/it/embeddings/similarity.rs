//! Vectors that are small enough to check by hand.

use wuji_classical::{Analogy, ClassicalError, WordVectors};

fn compass() -> WordVectors {
    let words = ["east", "north", "north-east", "nowhere", "west"].map(str::to_owned);
    let values = vec![2.0, 0.0, 0.0, 3.0, 1.0, 1.0, 0.0, 0.0, -1.0, 0.0];
    WordVectors::new(words.to_vec(), 2, values).unwrap()
}

#[test]
fn similarity_is_the_cosine() {
    let compass = compass();
    let close = |a: &str, b: &str, expected: f32| {
        let found = compass.similarity(a, b).unwrap();
        assert!((found - expected).abs() < 1e-6, "{a} and {b}: {found}");
    };
    close("east", "north", 0.0);
    close("east", "west", -1.0);
    close("north", "north-east", 0.5f32.sqrt());
    close("north", "nowhere", 0.0);
    let unknown = ClassicalError::UnknownWord { word: "up".to_owned() };
    assert_eq!(compass.similarity("up", "east").unwrap_err(), unknown);
}

#[test]
fn neighbours_come_in_order_and_without_the_word_itself() {
    let compass = compass();
    let words = |neighbours: Vec<wuji_classical::Neighbour>| -> Vec<String> {
        neighbours.iter().map(|neighbour| neighbour.word.to_owned()).collect()
    };
    // North and nowhere are equally unlike; the vocabulary decides.
    let expected = ["north-east", "north", "nowhere", "west"];
    assert_eq!(words(compass.neighbours("east", 9).unwrap()), expected);
    assert_eq!(words(compass.neighbours("east", 2).unwrap()), expected[..2]);
    assert!(compass.neighbours("east", 0).unwrap().is_empty());
    assert_eq!(words(compass.nearest(&[-1.0, 0.1], 1).unwrap()), ["west"]);
    assert!(compass.nearest(&[1.0], 1).is_err());
}

#[test]
fn an_analogy_by_hand() {
    let compass = compass();
    // West is to nowhere as nowhere is to east: what is left is the one least like west.
    let best = compass.analogy(["west", "nowhere", "nowhere"], 1, Analogy::Add).unwrap();
    assert_eq!((best[0].word, best[0].score), ("east", 1.0));
    let best = compass.analogy(["west", "north", "east"], 1, Analogy::Mul).unwrap();
    let half = |cosine: f32| (1.0 + cosine) / 2.0;
    let expected = half(0.5f32.sqrt()).powi(2) / (half(-(0.5f32.sqrt())) + 0.001);
    assert_eq!(best[0].word, "north-east");
    assert!((best[0].score - expected).abs() < 1e-4);
}

#[test]
fn texts_are_the_means_of_their_words() {
    let compass = compass();
    assert_eq!(compass.pool(["east", "up", "north"]).unwrap(), [1.0, 1.5]);
    assert!(compass.pool(["up"]).is_none());
    let rows = compass.pooled_rows([vec!["east"], vec!["up"]]);
    assert_eq!((rows.row(0).columns, rows.row(0).values), (&[0][..], &[2.0][..]));
    assert!(rows.row(1).columns.is_empty());
}

#[test]
fn vectors_that_make_no_sense_are_refused() {
    let new = |words: &[&str], dim, values| {
        WordVectors::new(words.iter().map(|word| (*word).to_owned()).collect(), dim, values)
            .unwrap_err()
    };
    let shape = |words, dim, values| ClassicalError::VectorShape { words, dim, values };
    assert_eq!(new(&["a"], 2, vec![1.0]), shape(1, 2, 1));
    assert_eq!(new(&[], 2, vec![]), shape(0, 2, 0));
    let repeated = ClassicalError::RepeatedWord { word: "a".to_owned(), first: 0, second: 2 };
    assert_eq!(new(&["a", "b", "a"], 1, vec![1.0; 3]), repeated);
    let infinite = ClassicalError::NotFinite { word: "b".to_owned(), found: f32::INFINITY };
    assert_eq!(new(&["a", "b"], 1, vec![1.0, f32::INFINITY]), infinite);
}
