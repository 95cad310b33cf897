//! How long BM25 takes over documents of words whose frequencies follow Zipf's law.

use std::io::Write;
use std::time::Instant;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use wuji_classical::{Bm25, Bm25Options};

const DOCUMENTS: usize = 100_000;
const WORDS_OF_A_DOCUMENT: usize = 80;
const VOCABULARY: f64 = 50_000.0;
const QUERIES: usize = 1000;
const WORDS_OF_A_QUERY: usize = 5;

pub fn run(out: &mut impl Write) -> anyhow::Result<()> {
    let mut random = ChaCha8Rng::seed_from_u64(0);
    // The logarithm of the rank is uniform where the frequency is one by the rank.
    let mut word = || {
        let unit = f64::from(random.next_u32()) / f64::from(u32::MAX);
        format!("w{}", VOCABULARY.powf(unit) as usize)
    };
    let mut text = |words: usize| (0..words).map(|_| word()).collect::<Vec<String>>();
    let documents: Vec<Vec<String>> = (0..DOCUMENTS).map(|_| text(WORDS_OF_A_DOCUMENT)).collect();
    let queries: Vec<Vec<String>> = (0..QUERIES).map(|_| text(WORDS_OF_A_QUERY)).collect();
    let start = Instant::now();
    let index = Bm25::index(&Bm25Options::default(), &documents)?;
    writeln!(out, "{DOCUMENTS} documents indexed in {:.2} s", start.elapsed().as_secs_f64())?;
    let start = Instant::now();
    let hits: usize = queries.iter().map(|query| index.search(query, 10).len()).sum();
    let milliseconds = 1000.0 * start.elapsed().as_secs_f64() / QUERIES as f64;
    writeln!(out, "{QUERIES} queries, {hits} hits, {milliseconds:.3} ms each on one thread")?;
    let start = Instant::now();
    index.search_all(&queries, 10);
    let milliseconds = 1000.0 * start.elapsed().as_secs_f64() / QUERIES as f64;
    writeln!(out, "{milliseconds:.3} ms each on {} threads", rayon::current_num_threads())?;
    Ok(())
}
