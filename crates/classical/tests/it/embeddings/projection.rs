//! Words on a plane.

use wuji_classical::{ClassicalError, Tsne, WordVectors};

/// Three bundles of twenty words.
fn bundles() -> WordVectors {
    let words = (0..60).map(|word| format!("{}{word}", ["a", "b", "c"][word % 3])).collect();
    let value = |i: usize| {
        let (word, dim) = (i / 10, i % 10);
        let direction = if dim == word % 3 { 2.0 } else { 0.0 };
        direction + ((word * 31 + dim * 17) % 23) as f32 / 40.0
    };
    WordVectors::new(words, 10, (0..600).map(value).collect()).unwrap()
}

#[test]
fn bundles_stay_together_on_the_plane() {
    let vectors = bundles();
    let layouts = [
        vectors.project_pca(vectors.words()).unwrap(),
        vectors.project_tsne(vectors.words(), &Tsne::default()).unwrap(),
    ];
    for layout in layouts {
        for word in &layout.words {
            let mut others: Vec<_> = layout.words.iter().filter(|other| *other != word).collect();
            others.sort_by(|a, b| {
                let distance = |other: &wuji_classical::ProjectedWord| {
                    (other.x - word.x).powi(2) + (other.y - word.y).powi(2)
                };
                distance(a).total_cmp(&distance(b))
            });
            assert!(others[..10].iter().all(|other| other.word[..1] == word.word[..1]), "{word:?}");
        }
        assert_eq!(layout.svg("bundles").matches("<circle").count(), 60);
    }
}

#[test]
fn a_layout_is_the_same_each_time_and_unknown_words_are_named() {
    let vectors = bundles();
    let options = Tsne { steps: 50, ..Tsne::default() };
    let layout = || vectors.project_tsne(vectors.words(), &options).unwrap();
    assert_eq!(layout(), layout());
    let unknown = ClassicalError::UnknownWord { word: "d".to_owned() };
    assert_eq!(vectors.project_pca(&["a0", "d"]).unwrap_err(), unknown);
}
