//! Texts whose structure is known: what is alike in them has to come out alike.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use wuji_classical::{
    Analogy, ClassicalError, Cooccurrence, GloVe, PpmiSvd, Subwords, SvdOptions, Word2Vec,
    WordVectors, WordVocabulary,
};

/// Every way to learn vectors, with options for a small text.
pub(super) fn methods() -> Vec<(&'static str, Train)> {
    let word2vec =
        Word2Vec { dim: 32, window: 2, epochs: 10, subsample: 1.0, ..Word2Vec::default() };
    let cbow = Word2Vec { dim: 32, window: 2, epochs: 10, subsample: 1.0, ..Word2Vec::cbow() };
    let subwords = Some(Subwords { buckets: 5000, ..Subwords::default() });
    let near = Cooccurrence { window: 2, ..Cooccurrence::default() };
    let ppmi = PpmiSvd {
        cooccurrence: near,
        svd: SvdOptions { rank: 32, ..SvdOptions::default() },
        ..PpmiSvd::default()
    };
    let glove = GloVe { cooccurrence: near, dim: 32, x_max: 10.0, ..GloVe::default() };
    vec![
        ("PPMI-SVD", Box::new(move |v, d| ppmi.train(v, d))),
        ("GloVe", Box::new(move |v, d| glove.train(v, d))),
        ("skip-gram", Box::new(move |v, d| word2vec.train(v, d))),
        ("CBOW", Box::new(move |v, d| cbow.train(v, d))),
        ("subwords", Box::new(move |v, d| Word2Vec { subwords, ..word2vec }.train(v, d))),
        ("CBOW of subwords", Box::new(move |v, d| Word2Vec { subwords, ..cbow }.train(v, d))),
    ]
}

pub(super) type Train =
    Box<dyn Fn(&WordVocabulary, &[Vec<u32>]) -> Result<WordVectors, ClassicalError> + Sync>;

const GROUPS: usize = 20;
const MEMBERS: usize = 8;

/// Sentences over groups of words that can stand for each other: each group is followed by one of three
/// others, and any member of a group will do.
pub(super) fn interchangeable() -> (WordVocabulary, Vec<Vec<u32>>) {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let mut below = |end: usize| (random.next_u32() as usize) % end;
    let documents: Vec<Vec<String>> = (0..4000)
        .map(|_| {
            let mut group = below(GROUPS);
            let mut word = |_| {
                let word = format!("{}{}", name(group), suffix(below(MEMBERS)));
                group = (group * 3 + 1 + below(3)) % GROUPS;
                word
            };
            (0..15).map(&mut word).collect()
        })
        .collect();
    let vocabulary = WordVocabulary::build(documents.iter().map(|words| words.iter()), 1);
    let ids = documents.iter().map(|words| vocabulary.encode(words)).collect();
    (vocabulary, ids)
}

/// A stem that no other group's looks like.
fn name(group: usize) -> String {
    let letter = |n: usize| char::from(b'a' + n as u8);
    [letter(group), 'q', letter(25 - group), letter(group)].iter().collect()
}

/// Endings that members of all groups share.
fn suffix(member: usize) -> &'static str {
    ["o", "ing", "ed", "s", "er", "ly", "ness", "ful"][member]
}

/// The share of each word's nearest words that are of its group.
fn precision(vectors: &WordVectors) -> f64 {
    let stem = |word: &str| word[..4].to_owned();
    let right = vectors.words().iter().map(|word| {
        let near = vectors.neighbours(word, MEMBERS - 1).unwrap();
        near.iter().filter(|neighbour| stem(neighbour.word) == stem(word)).count()
    });
    right.sum::<usize>() as f64 / (vectors.len() * (MEMBERS - 1)) as f64
}

#[test]
fn words_that_can_stand_for_each_other_are_neighbours() {
    let (vocabulary, documents) = interchangeable();
    assert_eq!(vocabulary.len(), GROUPS * MEMBERS);
    for (method, train) in methods() {
        let found = precision(&train(&vocabulary, &documents).unwrap());
        // By chance it would be 7 of 159.
        assert!(found > 0.95, "{method}: {found}");
    }
}

#[test]
fn an_unseen_word_is_like_those_that_it_shares_pieces_with() {
    let (vocabulary, documents) = interchangeable();
    let subwords = Some(Subwords { buckets: 5000, ..Subwords::default() });
    let options = Word2Vec {
        dim: 32,
        window: 2,
        epochs: 10,
        subsample: 1.0,
        subwords,
        ..Word2Vec::default()
    };
    let vectors = options.train(&vocabulary, &documents).unwrap();
    let mut right = 0;
    for group in 0..GROUPS {
        let unseen = format!("{}ish", name(group));
        assert!(vectors.vector(&unseen).is_none());
        right +=
            usize::from(vectors.neighbours(&unseen, 1).unwrap()[0].word.starts_with(&name(group)));
    }
    assert!(right >= GROUPS - 1, "{right} of {GROUPS}");
    let without = Word2Vec { subwords: None, epochs: 1, ..options };
    let unknown = ClassicalError::UnknownWord { word: "aqzaish".to_owned() };
    let vectors = without.train(&vocabulary, &documents).unwrap();
    assert_eq!(vectors.neighbours("aqzaish", 1).unwrap_err(), unknown);
}

/// Words of two traits, each of which shows in the company of words of its own: `word23` stands beside
/// the words of the first trait 2 and those of the second trait 3.
fn crossed() -> (WordVocabulary, Vec<Vec<u32>>) {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut below = |end: usize| (random.next_u32() as usize) % end;
    let documents: Vec<Vec<String>> = (0..12_000)
        .map(|_| {
            let (first, second) = (below(5), below(4));
            vec![
                format!("first{first}{}", below(4)),
                format!("word{first}{second}"),
                format!("second{second}{}", below(4)),
            ]
        })
        .collect();
    let vocabulary = WordVocabulary::build(documents.iter().map(|words| words.iter()), 1);
    let ids = documents.iter().map(|words| vocabulary.encode(words)).collect();
    (vocabulary, ids)
}

#[test]
fn analogies_of_two_traits_are_solved() {
    let (vocabulary, documents) = crossed();
    for (method, train) in methods().into_iter().filter(|(method, _)| !method.contains("subwords"))
    {
        let vectors = train(&vocabulary, &documents).unwrap();
        for kind in [Analogy::Add, Analogy::Mul] {
            let (mut right, mut all) = (0, 0);
            for (r, s) in (0..5).flat_map(|r| (0..4).map(move |s| (r, s))) {
                let (other_r, other_s) = ((r + 1) % 5, (s + 1) % 4);
                let word = |r: usize, s: usize| format!("word{r}{s}");
                let [a, b, c] = [word(r, s), word(r, other_s), word(other_r, s)];
                let answer = vectors.analogy([&a, &b, &c], 1, kind).unwrap()[0].word;
                right += usize::from(answer == word(other_r, other_s));
                all += 1;
            }
            // By chance it would be one of 57 each time.
            assert!(right >= all * 7 / 10, "{method}, {kind:?}: {right} of {all}");
        }
    }
}
