//! The number of threads changes nothing, and the seed everything.

use rayon::ThreadPoolBuilder;
use wuji_classical::Word2Vec;

use super::planted::{interchangeable, methods};

#[test]
fn vectors_have_the_same_bits_on_any_number_of_threads() {
    let (vocabulary, documents) = interchangeable();
    for (method, train) in methods() {
        let on = |threads: usize| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| train(&vocabulary, &documents[..300]).unwrap())
        };
        let one = on(1);
        assert!(one == on(2) && one == on(5), "{method}");
    }
}

#[test]
fn another_seed_gives_other_vectors() {
    let (vocabulary, documents) = interchangeable();
    let train = |seed| {
        let options = Word2Vec { dim: 8, epochs: 1, seed, ..Word2Vec::default() };
        options.train(&vocabulary, &documents[..100]).unwrap()
    };
    assert_eq!(train(1), train(1));
    assert_ne!(train(1), train(2));
}
