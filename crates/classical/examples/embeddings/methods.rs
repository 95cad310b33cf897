//! Every way to learn vectors, with options for a text of some hundred thousand words.

use wuji_classical::{ClassicalError, GloVe, PpmiSvd, Subwords, Word2Vec, WordVectors};

use crate::data::Corpus;

pub struct Method {
    pub name: &'static str,
    pub train: Train,
}

pub type Train = Box<dyn Fn(&Corpus) -> Result<WordVectors, ClassicalError>>;

pub fn methods() -> Vec<Method> {
    let skip_gram = Word2Vec { epochs: 10, ..Word2Vec::default() };
    let cbow = Word2Vec { epochs: 10, ..Word2Vec::cbow() };
    let fast_text = Word2Vec { epochs: 10, ..Word2Vec::fast_text() };
    let glove = GloVe { x_max: 10.0, ..GloVe::default() };
    let method = |name, train: Train| Method { name, train };
    vec![
        method("PPMI-SVD", Box::new(|c| PpmiSvd::default().train(&c.vocabulary, &c.documents))),
        method("GloVe", Box::new(move |c| glove.train(&c.vocabulary, &c.documents))),
        method("skip-gram", predictive(skip_gram)),
        method("CBOW", predictive(cbow)),
        method("fastText", predictive(fast_text)),
        method(
            "fastText, CBOW",
            predictive(Word2Vec { subwords: Some(Subwords::default()), ..cbow }),
        ),
    ]
}

fn predictive(options: Word2Vec) -> Train {
    Box::new(move |corpus| options.train(&corpus.vocabulary, &corpus.documents))
}
