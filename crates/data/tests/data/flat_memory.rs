//! A corpus ten times larger than the memory that the process may have.
//!
//! The test runs itself again under `ulimit -d`, which bounds heap and private
//! mappings (and not memory-mapped files, which the system can drop at any time).
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use wuji_data::{
    BatchLoader, BoxError, Corpus, CorpusOptions, LoaderOptions, Packing, Sampling, Split,
    SplitOptions, TextEncoder,
};

use crate::support::{directory, limited_job, options, run_limited};

const TEST: &str = "flat_memory::a_corpus_ten_times_larger_than_memory_is_prepared_and_read";
const LIMIT_MIB: usize = 32;
const CORPUS_MIB: usize = 10 * LIMIT_MIB;

/// Four bytes of text to a token, so that the shards are smaller than the text.
struct FourByteEncoder;

impl TextEncoder for FourByteEncoder {
    fn encode_ids(&self, text: &str) -> Result<Vec<u32>, BoxError> {
        let sum = |four: &[u8]| four.iter().fold(0, |sum, &byte| sum * 31 + u32::from(byte));
        Ok(text.as_bytes().chunks(4).map(|four| sum(four) % 50_000).collect())
    }

    fn vocab_size(&self) -> usize {
        50_000
    }

    fn fingerprint(&self) -> String {
        "four bytes".to_owned()
    }

    fn separator_id(&self) -> Option<u32> {
        None
    }
}

#[test]
fn a_corpus_ten_times_larger_than_memory_is_prepared_and_read() {
    if let Some(job) = limited_job() {
        return child(&job);
    }
    let limit = format!("ulimit -d {}", LIMIT_MIB << 10);
    let directory = directory();
    let corpus = directory.path().join("corpus.txt.gz");
    write_corpus(&corpus).expect("writes");

    let child = run_limited(TEST, &directory.path().join("prepare"), &limit);
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    let report = fs::read_to_string(directory.path().join("report")).expect("a report");
    assert_eq!(report, "done");

    // The limit is real: holding the text in memory is not possible under it.
    let child = run_limited(TEST, &directory.path().join("hoard"), &limit);
    assert!(!child.status.success(), "the limit did not bite");
    assert!(String::from_utf8_lossy(&child.stderr).contains("memory allocation"));
}

/// One document of lines that differ.
fn write_corpus(path: &Path) -> std::io::Result<()> {
    let mut file = GzEncoder::new(BufWriter::new(File::create(path)?), Compression::fast());
    let filler = "the quick brown fox jumps over the lazy dog ".repeat(20);
    let mut written = 0;
    for number in 0.. {
        let line = format!("{number} {filler}\n");
        file.write_all(line.as_bytes())?;
        written += line.len();
        if written >= CORPUS_MIB << 20 {
            break;
        }
    }
    file.finish()?.flush()
}

fn child(job: &Path) {
    let directory = job.parent().expect("a directory");
    let source = options(&directory.join("corpus.txt.gz"));
    let corpus = Corpus::open(&CorpusOptions { sources: vec![source] }).expect("opens");
    match job.file_name().and_then(|name| name.to_str()) {
        Some("prepare") => prepare_and_read(&corpus, directory),
        _ => hoard(&corpus),
    }
}

fn prepare_and_read(corpus: &Corpus, directory: &Path) {
    let split = SplitOptions::default();
    let out = directory.join("out");
    let prepared = wuji_data::prepare(corpus, &FourByteEncoder, &split, &out).expect("prepares");
    assert!(
        prepared.train.source_bytes() + prepared.validation.source_bytes()
            >= (CORPUS_MIB as u64) << 20
    );
    for sampling in [Sampling::ShuffledWindows, Sampling::RandomOffset] {
        let options = LoaderOptions {
            context: 512,
            micro_batch_size: 16,
            sampling,
            packing: Packing::DocumentMask,
            ..LoaderOptions::default()
        };
        let loader = BatchLoader::new(prepared.train.clone(), options).expect("fits");
        for step in 0..500 {
            let batch = loader.batch(step * 1_000_003, 0).expect("a batch");
            assert_eq!(batch.batch, 16);
        }
    }
    fs::write(directory.join("report"), "done").expect("writes");
}

fn hoard(corpus: &Corpus) {
    let parts = corpus.texts(&SplitOptions::default(), Split::Train).expect("opens");
    let texts: Vec<String> = parts.map(|part| part.expect("text").text).collect();
    assert!(!texts.is_empty());
}
