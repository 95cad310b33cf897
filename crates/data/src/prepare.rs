//! Corpus to shards, once: text is tokenized in parallel, in bounded memory, and what was
//! prepared before is reused while inputs, tokenizer and options are the same.
//!
//! Each combination of these has a directory of its own, named by a key that is computed from
//! their fingerprints, so switching back and forth between two tokenizers prepares each once. A
//! directory appears under its name only when it is complete.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::corpus::Corpus;
use crate::encoder::TextEncoder;
use crate::error::{DataError, Result};
use crate::fingerprint::Fingerprint;
use crate::shard::{NamedShard, ShardHeader, ShardSpec, ShardWriter, TokenShard, TokenShards};
use crate::source::{DocumentPart, SourceCard};
use crate::split::{Assignment, Split, SplitOptions, assignments};

/// Changes whenever the same inputs would give other shards.
const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";

/// Text tokenized at once: enough to keep every core busy between two writes.
const BATCH_BYTES: usize = 1 << 22;
/// Short documents count by their number, as each costs some memory beside its text.
const BATCH_PARTS: usize = 1 << 14;

/// A corpus ready for training.
#[derive(Clone, Debug)]
pub struct PreparedCorpus {
    /// What the model learns from.
    pub train: TokenShards,
    /// What is held out.
    pub validation: TokenShards,
    /// What both are made of.
    pub manifest: Manifest,
    /// Where the shards lie.
    pub directory: PathBuf,
    /// Whether they were there already.
    pub reused: bool,
}

/// What a prepared corpus is made of; `manifest.json` beside its shards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this crate's preparation.
    pub format: u32,
    /// Identifies inputs, tokenizer and options; the same key means the same tokens.
    pub key: Fingerprint,
    /// Fingerprint of the tokenizer.
    pub tokenizer_fingerprint: String,
    /// Vocabulary size of the tokenizer.
    pub vocab_size: usize,
    /// The token put after each document.
    pub separator_id: Option<u32>,
    /// How the corpus is split.
    pub split: SplitOptions,
    /// The sources, in order.
    pub sources: Vec<PreparedSource>,
}

/// A source and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreparedSource {
    /// What was read.
    pub card: SourceCard,
    /// Its share of the training samples, if sources are mixed by weight.
    pub weight: Option<f64>,
    /// Its training text, unless it only validates.
    pub train: Option<PreparedShard>,
    /// Its validation text, unless it only trains.
    pub validation: Option<PreparedShard>,
}

/// One shard and its size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreparedShard {
    /// File name in the directory of the manifest.
    pub file: String,
    /// Number of tokens.
    pub tokens: u64,
    /// Number of documents.
    pub documents: u64,
    /// Bytes of text.
    pub source_bytes: u64,
}

impl PreparedShard {
    fn new(file: String, header: &ShardHeader) -> Self {
        Self {
            file,
            tokens: header.token_count,
            documents: header.document_count,
            source_bytes: header.source_bytes,
        }
    }
}

/// Makes the shards of `corpus` below `out_dir`, or opens those that an earlier call made of the
/// same inputs with the same tokenizer and split.
pub fn prepare(
    corpus: &Corpus,
    encoder: &dyn TextEncoder,
    split: &SplitOptions,
    out_dir: &Path,
) -> Result<PreparedCorpus> {
    let assignments = assignments(corpus, split)?;
    let plan = Plan::new(assignments, encoder, split)?;
    let directory = out_dir.join(plan.manifest.key.short());
    if let Some(found) = plan.reuse(&directory)? {
        return Ok(found);
    }
    fs::create_dir_all(out_dir).map_err(|source| DataError::io("create", out_dir, source))?;
    let workshop = workshop(out_dir).map_err(|source| DataError::io("create", out_dir, source))?;
    let manifest = plan.build(corpus, encoder, workshop.path())?;
    publish(workshop, &directory)?;
    open(&directory, manifest, false)
}

/// What is to be made, before anything is read but fingerprints.
struct Plan {
    assignments: Vec<Assignment>,
    /// Without shards yet.
    manifest: Manifest,
}

impl Plan {
    fn new(
        assignments: Vec<Assignment>,
        encoder: &dyn TextEncoder,
        split: &SplitOptions,
    ) -> Result<Self> {
        let mut sources = Vec::new();
        for assignment in &assignments {
            sources.push(PreparedSource {
                card: assignment.source.card()?,
                weight: assignment.weight,
                train: None,
                validation: None,
            });
        }
        let rules = assignments.iter().map(|assignment| format!("{:?}", assignment.rule));
        let cards = sources.iter().map(|source| source.card.fingerprint.to_string());
        let tokenizer = [
            FORMAT.to_string(),
            encoder.fingerprint(),
            encoder.vocab_size().to_string(),
            format!("{:?}", encoder.separator_id()),
        ];
        let manifest = Manifest {
            format: FORMAT,
            key: Fingerprint::of_parts(tokenizer.into_iter().chain(rules).chain(cards)),
            tokenizer_fingerprint: encoder.fingerprint(),
            vocab_size: encoder.vocab_size(),
            separator_id: encoder.separator_id(),
            split: split.clone(),
            sources,
        };
        Ok(Self { assignments, manifest })
    }

    /// What lies in `directory` already; nothing if it is absent or damaged, in which case it is
    /// cleared away.
    fn reuse(&self, directory: &Path) -> Result<Option<PreparedCorpus>> {
        if !directory.exists() {
            return Ok(None);
        }
        match self.reopen(directory) {
            Ok(found) => {
                tracing::debug!(directory = %directory.display(), "reusing prepared corpus");
                Ok(Some(found))
            }
            Err(error) if is_damage(&error) => {
                tracing::warn!(directory = %directory.display(), %error, "preparing again");
                fs::remove_dir_all(directory)
                    .map_err(|source| DataError::io("remove", directory, source))?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn reopen(&self, directory: &Path) -> Result<PreparedCorpus> {
        let mut manifest = read_manifest(&directory.join(MANIFEST))?;
        let bad = |reason: &str| DataError::BadManifest {
            path: directory.join(MANIFEST),
            reason: reason.to_owned(),
        };
        if manifest.key != self.manifest.key {
            return Err(bad("it describes another corpus"));
        }
        if manifest.sources.len() != self.manifest.sources.len() {
            return Err(bad("it has another number of sources"));
        }
        // Names, paths and weights may have changed without changing a token.
        for (old, new) in manifest.sources.iter_mut().zip(&self.manifest.sources) {
            old.card = new.card.clone();
            old.weight = new.weight;
        }
        manifest.split = self.manifest.split.clone();
        open(directory, manifest, true)
    }

    /// Writes all shards and the manifest into `directory`.
    fn build(
        self,
        corpus: &Corpus,
        encoder: &dyn TextEncoder,
        directory: &Path,
    ) -> Result<Manifest> {
        let mut manifest = self.manifest;
        for (index, assignment) in self.assignments.iter().enumerate() {
            let mut shards = SplitWriters::create(assignment, index, encoder, directory)?;
            shards.fill(assignment, encoder)?;
            let source = &mut manifest.sources[index];
            [source.train, source.validation] = shards.finish()?;
            tracing::info!(
                source = source.card.name,
                train_tokens = source.train.as_ref().map_or(0, |shard| shard.tokens),
                validation_tokens = source.validation.as_ref().map_or(0, |shard| shard.tokens),
                "tokenized"
            );
        }
        check_not_empty(&manifest, corpus)?;
        write_manifest(&directory.join(MANIFEST), &manifest)?;
        Ok(manifest)
    }
}

/// The shards of one source, one per side that its rule uses.
struct SplitWriters {
    train: Option<(String, ShardWriter)>,
    validation: Option<(String, ShardWriter)>,
}

impl SplitWriters {
    fn create(
        assignment: &Assignment,
        index: usize,
        encoder: &dyn TextEncoder,
        directory: &Path,
    ) -> Result<Self> {
        let create = |split: Split| {
            if !assignment.has(split) {
                return Ok(None);
            }
            let file = format!("{index}-{split}.tokens");
            let spec = ShardSpec {
                vocab_size: encoder.vocab_size(),
                tokenizer_fingerprint: encoder.fingerprint(),
            };
            let writer = ShardWriter::create(&directory.join(&file), spec)?;
            Ok(Some((file, writer)))
        };
        Ok(Self { train: create(Split::Train)?, validation: create(Split::Validation)? })
    }

    /// Tokenizes the source in batches: parallel inside a batch, written in order.
    fn fill(&mut self, assignment: &Assignment, encoder: &dyn TextEncoder) -> Result<()> {
        let separator = encoder.separator_id();
        let mut parts = assignment.parts()?;
        loop {
            let batch = take_batch(&mut parts)?;
            if batch.is_empty() {
                return Ok(());
            }
            let encoded: Vec<Result<Vec<u32>>> =
                batch.par_iter().map(|(_, part)| encode(encoder, part, separator)).collect();
            for ((split, part), tokens) in batch.iter().zip(encoded) {
                self.push(*split, part, &tokens?)?;
            }
        }
    }

    fn push(&mut self, split: Split, part: &DocumentPart, tokens: &[u32]) -> Result<()> {
        let writer = match split {
            Split::Train => &mut self.train,
            Split::Validation => &mut self.validation,
        };
        let Some((_, writer)) = writer else { return Ok(()) };
        if part.begins {
            writer.begin_document()?;
        }
        writer.push(tokens, part.text.len() as u64)
    }

    fn finish(self) -> Result<[Option<PreparedShard>; 2]> {
        let finish = |writer: Option<(String, ShardWriter)>| {
            writer.map(|(file, writer)| Ok(PreparedShard::new(file, &writer.finish()?))).transpose()
        };
        Ok([finish(self.train)?, finish(self.validation)?])
    }
}

fn take_batch(
    parts: &mut impl Iterator<Item = Result<(Split, DocumentPart)>>,
) -> Result<Vec<(Split, DocumentPart)>> {
    let mut batch = Vec::new();
    let mut bytes = 0;
    while bytes < BATCH_BYTES && batch.len() < BATCH_PARTS {
        let Some(part) = parts.next().transpose()? else { break };
        bytes += part.1.text.len();
        batch.push(part);
    }
    Ok(batch)
}

fn encode(
    encoder: &dyn TextEncoder,
    part: &DocumentPart,
    separator: Option<u32>,
) -> Result<Vec<u32>> {
    let mut tokens = encoder
        .encode_ids(&part.text)
        .map_err(|source| DataError::Encode { origin: part.origin.clone(), source })?;
    if part.ends {
        tokens.extend(separator);
    }
    Ok(tokens)
}

/// A temporary directory that, once renamed, has the permissions of any other new directory.
fn workshop(out_dir: &Path) -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".preparing-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o777)); // less the user's umask
    }
    builder.tempdir_in(out_dir)
}

/// Gives a finished directory its name. Another process may have been faster with the same
/// content; then its directory stands.
fn publish(mut workshop: TempDir, directory: &Path) -> Result<()> {
    match fs::rename(workshop.path(), directory) {
        Ok(()) => {
            workshop.disable_cleanup(true);
            Ok(())
        }
        Err(_) if directory.join(MANIFEST).exists() => Ok(()),
        Err(source) => Err(DataError::io("create", directory, source)),
    }
}

fn open(directory: &Path, manifest: Manifest, reused: bool) -> Result<PreparedCorpus> {
    let mut train = Vec::new();
    let mut validation = Vec::new();
    for source in &manifest.sources {
        // Evaluation reads everything once: weights are for training.
        let sides = [
            (&mut train, &source.train, source.weight),
            (&mut validation, &source.validation, None),
        ];
        for (shards, prepared, weight) in sides {
            if let Some(prepared) = prepared {
                let shard = open_shard(directory, prepared, &manifest.tokenizer_fingerprint)?;
                shards.push(NamedShard { name: source.card.name.clone(), weight, shard });
            }
        }
    }
    Ok(PreparedCorpus {
        train: TokenShards::new(train)?,
        validation: TokenShards::new(validation)?,
        manifest,
        directory: directory.to_path_buf(),
        reused,
    })
}

fn open_shard(directory: &Path, prepared: &PreparedShard, tokenizer: &str) -> Result<TokenShard> {
    let path = directory.join(&prepared.file);
    let shard = TokenShard::open(&path, tokenizer)?;
    if PreparedShard::new(prepared.file.clone(), shard.header()) != *prepared {
        let what = "its size is not that in the manifest".to_owned();
        return Err(DataError::CorruptShard { path, what });
    }
    Ok(shard)
}

/// Whether preparing again can help.
fn is_damage(error: &DataError) -> bool {
    matches!(
        error,
        DataError::BadManifest { .. }
            | DataError::NotFound { .. }
            | DataError::EmptyFile { .. }
            | DataError::NotAShard { .. }
            | DataError::TruncatedShard { .. }
            | DataError::CorruptShard { .. }
            | DataError::WrongTokenizer { .. }
    )
}

fn check_not_empty(manifest: &Manifest, corpus: &Corpus) -> Result<()> {
    let total = |count: fn(&PreparedSource) -> &Option<PreparedShard>| -> (u64, u64) {
        let shards = manifest.sources.iter().filter_map(|source| count(source).as_ref());
        shards.fold((0, 0), |(tokens, documents), shard| {
            (tokens + shard.tokens, documents + shard.documents)
        })
    };
    let (train_tokens, train_documents) = total(|source| &source.train);
    let (validation_tokens, validation_documents) = total(|source| &source.validation);
    if train_tokens + validation_tokens == 0 {
        return Err(DataError::EmptyCorpus { sources: corpus.names() });
    }
    let (split, documents) = match (train_tokens, validation_tokens) {
        (0, _) => (Split::Train, validation_documents),
        (_, 0) => (Split::Validation, train_documents),
        _ => return Ok(()),
    };
    let reason = match manifest.split {
        SplitOptions::ContentHash { validation_fraction, .. } => format!(
            "all {documents} document(s) fell on the other side of a split by content hash with a \
             validation fraction of {validation_fraction}; split by position, or cut the text into \
             more documents"
        ),
        SplitOptions::Position { validation_fraction } => {
            format!("the text is too short for a validation fraction of {validation_fraction}")
        }
        SplitOptions::Files { .. } => "its files have no text".to_owned(),
    };
    Err(DataError::EmptySplit { split, reason })
}

fn read_manifest(path: &Path) -> Result<Manifest> {
    let text = fs::read_to_string(path).map_err(|source| DataError::io("read", path, source))?;
    serde_json::from_str(&text).map_err(|error| DataError::BadManifest {
        path: path.to_path_buf(),
        reason: error.to_string(),
    })
}

fn write_manifest(path: &Path, manifest: &Manifest) -> Result<()> {
    let text = serde_json::to_string_pretty(manifest).map_err(|error| DataError::BadManifest {
        path: path.to_path_buf(),
        reason: error.to_string(),
    })?;
    fs::write(path, text + "\n").map_err(|source| DataError::io("write", path, source))
}
