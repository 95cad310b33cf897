//! Small files, small corpora, and the shared reference material.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;
use wuji_data::{
    BatchLoader, ByteEncoder, Corpus, DocumentPart, DocumentSource, FileSource, LoaderOptions,
    MemorySource, PreparedCorpus, Result, SourceOptions, SplitOptions, TokenBatch, TokenShards,
};

/// A directory that goes away with the test.
pub fn directory() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

/// Writes a file; compresses it if its name ends in `.gz`.
pub fn write(directory: &TempDir, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = directory.path().join(name);
    fs::create_dir_all(path.parent().expect("a parent")).expect("creates the parent");
    let content = content.as_ref();
    let bytes = if name.ends_with(".gz") { gzip(content) } else { content.to_vec() };
    fs::write(&path, bytes).expect("writes");
    path
}

pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).expect("compresses");
    encoder.finish().expect("compresses")
}

pub fn options(path: &Path) -> SourceOptions {
    SourceOptions::new([path.to_str().expect("UTF-8 path")])
}

/// All parts that a source gives.
pub fn parts(options: &SourceOptions) -> Result<Vec<DocumentPart>> {
    FileSource::open(options)?.parts()?.collect()
}

/// All documents that a source gives, put together from their parts.
pub fn documents(options: &SourceOptions) -> Result<Vec<String>> {
    Ok(join(parts(options)?))
}

pub fn join(parts: Vec<DocumentPart>) -> Vec<String> {
    let mut documents = Vec::new();
    for part in parts {
        if part.begins {
            documents.push(String::new());
        }
        documents.last_mut().expect("documents begin").push_str(&part.text);
    }
    documents
}

/// Prepares documents in memory, one byte per token, into `directory`.
pub fn prepare(
    directory: &TempDir,
    documents: &[&str],
    separator: bool,
    split: &SplitOptions,
) -> PreparedCorpus {
    let corpus = Corpus::single(MemorySource::new("memory", documents.iter().copied()));
    wuji_data::prepare(&corpus, &ByteEncoder { separator }, split, directory.path())
        .expect("prepares")
}

/// All tokens of a split.
pub fn tokens(shards: &TokenShards) -> Vec<u32> {
    let mut tokens = vec![0; shards.token_count() as usize];
    shards.read(0, &mut tokens);
    tokens
}

/// All batches of one epoch of a loader whose options say one micro-step per step.
pub fn epoch(shards: &TokenShards, options: LoaderOptions) -> Vec<TokenBatch> {
    let loader = BatchLoader::new(shards.clone(), options).expect("fits");
    (0..loader.batches_per_epoch()).map(|step| loader.batch(step, 0).expect("a batch")).collect()
}

/// A file of the shared reference material; says so when it is not there.
pub fn shared(path: &str) -> Option<PathBuf> {
    let root = match std::env::var_os("WUJI_SHARED") {
        Some(root) => PathBuf::from(root),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
    };
    let path = root.join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} not found", path.display());
    None
}

const JOB: &str = "WUJI_DATA_TEST_JOB";

/// The path that [`run_limited`] was given, in the process that it started.
pub fn limited_job() -> Option<PathBuf> {
    std::env::var_os(JOB).map(PathBuf::from)
}

/// Runs one test of this binary again, in a process of its own under a limit of the shell.
pub fn run_limited(test: &str, job: &Path, limit: &str) -> Output {
    let binary = std::env::current_exe().expect("the test binary");
    Command::new("sh")
        .args(["-c", &format!("{limit} && exec \"$@\""), "sh"])
        .arg(binary)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(JOB, job)
        // Each thread has a stack of its own, and a larger machine would start more of them.
        .env("RAYON_NUM_THREADS", "2")
        .output()
        .expect("runs")
}
