//! Word vectors as first weights.

use wuji_classical::{Subwords, Word2Vec, WordVectors, WordVocabulary};

#[test]
fn known_tokens_keep_their_vectors_and_the_others_are_no_louder() {
    let words: Vec<String> = (0..50).map(|word| format!("w{word}")).collect();
    let values: Vec<f32> = (0..50 * 20).map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.0).collect();
    let vectors = WordVectors::new(words, 20, values).unwrap();
    let tokens: Vec<String> = (0..1000).map(|token| format!("w{}", 999 - token)).collect();
    let matrix = vectors.initial_matrix(&tokens, 7);
    assert_eq!((matrix.found, matrix.composed, matrix.missing, matrix.dim), (50, 0, 950, 20));
    assert_eq!(matrix.values[999 * 20..], *vectors.vector("w0").unwrap());
    let mean_square =
        |values: &[f32]| values.iter().map(|v| v * v).sum::<f32>() / values.len() as f32;
    let ratio = mean_square(&matrix.values[..950 * 20]) / mean_square(vectors.values());
    assert!((ratio - 1.0).abs() < 0.05, "{ratio}");
    assert_eq!(matrix, vectors.initial_matrix(&tokens, 7));
    assert_ne!(matrix, vectors.initial_matrix(&tokens, 8));
    // No two tokens get the same noise.
    assert_ne!(matrix.values[..20], matrix.values[20..40]);
}

#[test]
fn pieces_help_where_words_are_missing() {
    let documents = [["walking", "talking", "walked", "talked"]];
    let vocabulary = WordVocabulary::build(documents, 1);
    let ids = [vocabulary.encode(documents[0])];
    let subwords = Some(Subwords { buckets: 100, ..Subwords::default() });
    let options = Word2Vec { dim: 8, subwords, ..Word2Vec::default() };
    let vectors = options.train(&vocabulary, &ids).unwrap();
    let matrix = vectors.initial_matrix(&["walked", "stalked", ""], 0);
    assert_eq!((matrix.found, matrix.composed, matrix.missing), (1, 1, 1));
    assert_eq!(matrix.values[8..16], *vectors.compose("stalked").unwrap());
}
