//! Counting texts that are larger than memory: sorted runs of n-grams on disk, merged.
//!
//! The text comes in parts. Whenever a buffer is full its n-grams of the longest order are sorted,
//! equal ones become one with a count, and the run goes to an unnamed temporary file. At the end
//! all runs are merged into the same [`NgramCounts`] that [`NgramCounts::collect`] makes in memory;
//! counts of shorter orders follow from the longest.

mod merge;
mod run;

use std::path::{Path, PathBuf};

use self::merge::{Merged, merge};
use self::run::{Key, Run, RunWriter};
use super::config::NgramConfig;
use super::corpus::{check_size, check_tokens};
use super::counts::NgramCounts;
use super::level::LevelBuilder;
use super::sort::sort_by_context;
use crate::ClassicalError;

/// Counts the n-grams of a text that does not fit in memory.
///
/// Memory is the buffer, and at the end the table of different n-grams, which is what a model
/// needs anyway: at most about 12 bytes for every n-gram of each order, and as much for every context.
///
/// ```
/// use wuji_classical::{ExternalCounter, NgramConfig, NgramCounts};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let directory = tempfile::tempdir()?;
/// let config = NgramConfig::new(3, 256);
/// let mut counter = ExternalCounter::new(config, directory.path(), 64 << 20)?;
/// for part in ["the cat sat ", "on the mat"] {
///     let tokens: Vec<u32> = part.bytes().map(u32::from).collect();
///     counter.extend(&tokens)?;
/// }
/// counter.end_document()?;
/// let model = counter.finish()?.into_model();
/// assert!(model.log_prob(&[u32::from(b't'), u32::from(b'h')], u32::from(b'e')) > 0.5_f64.ln());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ExternalCounter {
    config: NgramConfig,
    directory: PathBuf,
    /// Ids of the stream that are buffered before they become a run.
    capacity: usize,
    stream: Vec<u32>,
    positions: Vec<u32>,
    /// Runs with how often they were merged.
    runs: Vec<(u32, Run)>,
    /// Tokens counted so far, those of the buffer included.
    tokens: usize,
    documents: usize,
    /// Tokens of the document being read; `None` between documents.
    position: Option<usize>,
}

/// Bytes that an id of the stream needs while its n-grams are sorted: itself, its position, and the
/// position's place in the other half of the sort.
const BYTES_PER_ID: usize = 12;

/// Below this many ids a run is not worth a file.
const MIN_CAPACITY: usize = 1 << 10;

/// Runs merged at once: enough that a second pass is rare, few enough for the limit on open files.
const FAN_IN: usize = 32;

impl ExternalCounter {
    /// Counts n-grams of orders 1 to `config.order`. `directory` takes the runs, in files
    /// that vanish with the process; `memory_bytes` is the size of the buffer (at least 12 KiB is used).
    ///
    /// # Errors
    /// Wrong options.
    pub fn new(
        config: NgramConfig,
        directory: &Path,
        memory_bytes: usize,
    ) -> Result<Self, ClassicalError> {
        config.validate()?;
        let capacity = (memory_bytes / BYTES_PER_ID).clamp(MIN_CAPACITY, u32::MAX as usize / 2);
        Ok(Self {
            config,
            directory: directory.to_owned(),
            capacity,
            stream: Vec::new(),
            positions: Vec::new(),
            runs: Vec::new(),
            tokens: 0,
            documents: 0,
            position: None,
        })
    }

    /// Counts a whole document.
    ///
    /// # Errors
    /// As for [`extend`](Self::extend).
    pub fn push(&mut self, document: &[u32]) -> Result<(), ClassicalError> {
        self.extend(document)?;
        self.end_document()
    }

    /// Counts the next part of the current document, and begins one if there is none.
    ///
    /// # Errors
    /// A token id outside the vocabulary (with its place), more tokens than can be numbered, or a
    /// run that cannot be written.
    pub fn extend(&mut self, tokens: &[u32]) -> Result<(), ClassicalError> {
        let offset = self.begin();
        check_tokens(&self.config, self.documents, offset, tokens)?;
        let mut rest = tokens;
        while !rest.is_empty() {
            let room = self.capacity.saturating_sub(self.stream.len()).max(1);
            let (part, later) = rest.split_at(room.min(rest.len()));
            self.buffer(part)?;
            rest = later;
        }
        self.position = Some(offset + tokens.len());
        Ok(())
    }

    /// Ends the current document, an empty one if there is none.
    ///
    /// # Errors
    /// When a run cannot be written.
    pub fn end_document(&mut self) -> Result<(), ClassicalError> {
        self.begin();
        self.buffer(self.config.eos().as_slice())?;
        self.position = None;
        self.documents += 1;
        Ok(())
    }

    /// Merges the runs into the counts. A document that was not ended is ended.
    ///
    /// # Errors
    /// No tokens at all, more n-grams than can be numbered, or a run that cannot be written or
    /// read.
    pub fn finish(mut self) -> Result<NgramCounts, ClassicalError> {
        if self.position.is_some() {
            self.end_document()?;
        }
        if self.tokens == 0 {
            return Err(ClassicalError::EmptyCorpus { documents: self.documents });
        }
        self.spill()?;
        let Self { config, directory, runs, tokens, .. } = self;
        let length = config.order - 1;
        let mut levels = LevelBuilder::new(length);
        let failed = |source| ClassicalError::io("read a temporary file in", &directory, source);
        let runs = runs.into_iter().map(|(_, run)| run);
        let mut merged = Merged::new(runs, config.order).map_err(failed)?;
        let mut ngrams = 0_usize;
        while let Some((key, count)) = merged.next().map_err(failed)? {
            ngrams += 1;
            check_size(&config, ngrams)?;
            levels.push(&key[..length], key[length], count);
        }
        let levels = levels.finish(config.vocab_size);
        tracing::debug!(order = config.order, tokens, ngrams, "counted n-grams on disk");
        Ok(NgramCounts { config, levels, tokens })
    }

    /// How many tokens of the document were read before; begins a document if there is none.
    fn begin(&mut self) -> usize {
        if self.position.is_none() {
            self.stream.extend(std::iter::repeat_n(self.config.boundary(), self.config.order - 1));
        }
        *self.position.get_or_insert(0)
    }

    fn buffer(&mut self, tokens: &[u32]) -> Result<(), ClassicalError> {
        self.tokens += tokens.len();
        // No count can be larger than the number of tokens, so none overflows.
        if self.tokens > u32::MAX as usize {
            let (tokens, order, limit) = (self.tokens, self.config.order, u32::MAX as usize);
            return Err(ClassicalError::CorpusTooLarge { tokens, order, limit });
        }
        let first = self.stream.len() as u32;
        self.stream.extend_from_slice(tokens);
        self.positions.extend(first..self.stream.len() as u32);
        if self.stream.len() >= self.capacity { self.spill() } else { Ok(()) }
    }

    /// Makes a run of what is buffered and keeps the context of what comes next.
    fn spill(&mut self) -> Result<(), ClassicalError> {
        let length = self.config.order - 1;
        let largest_id = self.config.vocab_size as u32;
        let positions = std::mem::take(&mut self.positions);
        self.positions = sort_by_context(&self.stream, positions, length, largest_id);
        let run = self.write_run().map_err(|source| self.cannot_write(source))?;
        self.positions.clear();
        self.stream.drain(..self.stream.len() - length);
        self.add_run(run)
    }

    fn write_run(&self) -> std::io::Result<Run> {
        let length = self.config.order - 1;
        let mut writer = RunWriter::new(&self.directory, self.config.order)?;
        let mut key = Key::default();
        for &position in &self.positions {
            let position = position as usize;
            let context = &self.stream[position - length..position];
            for (slot, &token) in key.iter_mut().zip(context.iter().rev()) {
                *slot = token;
            }
            key[length] = self.stream[position];
            writer.add(&key, 1)?;
        }
        writer.finish()
    }

    /// Keeps the number of runs small: as soon as there are enough equally old ones, they become one.
    fn add_run(&mut self, run: Run) -> Result<(), ClassicalError> {
        self.runs.push((0, run));
        while let Some(first) = self.runs.len().checked_sub(FAN_IN)
            && self.runs[first].0 == self.runs[self.runs.len() - 1].0
        {
            let age = self.runs[first].0 + 1;
            let runs = self.runs.drain(first..).map(|(_, run)| run).collect();
            let merged = merge(runs, self.config.order, &self.directory);
            self.runs.push((age, merged.map_err(|source| self.cannot_write(source))?));
        }
        Ok(())
    }

    fn cannot_write(&self, source: std::io::Error) -> ClassicalError {
        ClassicalError::io("write a temporary file in", &self.directory, source)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::config::Boundaries;
    use super::*;

    fn count(
        config: NgramConfig,
        documents: &[Vec<u32>],
        part: usize,
        capacity: usize,
    ) -> Result<NgramCounts, ClassicalError> {
        let directory = tempfile::tempdir().unwrap();
        let mut counter = ExternalCounter::new(config, directory.path(), 0).unwrap();
        counter.capacity = capacity;
        for document in documents {
            for part in document.chunks(part) {
                counter.extend(part)?;
            }
            counter.end_document()?;
        }
        counter.finish()
    }

    fn check(config: NgramConfig, documents: &[Vec<u32>], part: usize, capacity: usize) {
        let in_memory = NgramCounts::collect(config, documents.iter().map(Vec::as_slice)).unwrap();
        let on_disk = count(config, documents, part, capacity).unwrap();
        assert_eq!(on_disk.tokens(), in_memory.tokens());
        assert_eq!(on_disk.levels, in_memory.levels);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn counts_are_those_made_in_memory(
            documents in prop::collection::vec(prop::collection::vec(0..4_u32, 1..40), 1..6),
            order in 1..=5_usize,
            part in 1..30_usize,
            capacity in 6..60_usize,
            sentences in any::<bool>(),
        ) {
            let boundaries = if sentences {
                Boundaries::Sentences { bos: 5, eos: Some(4) }
            } else {
                Boundaries::Stream
            };
            check(NgramConfig::new(order, 5).with_boundaries(boundaries), &documents, part, capacity);
        }
    }

    #[test]
    fn many_runs_are_merged_in_passes() {
        // More than FAN_IN² runs of a few tokens each.
        let document: Vec<u32> = (0..9000_u32).map(|i| (i * i / 7) % 300).collect();
        check(NgramConfig::new(3, 300), &[document], 100, 8);
    }

    #[test]
    fn what_cannot_be_counted_is_an_error_with_its_place() {
        let config = NgramConfig::new(2, 4);
        let error = count(config, &[vec![0, 1], vec![2, 3, 3, 7]], 2, 100).unwrap_err();
        let expected =
            ClassicalError::TokenOutOfRange { document: 1, position: 3, token: 7, vocab_size: 4 };
        assert_eq!(error, expected);
        let error = count(config, &[vec![], vec![]], 1, 100).unwrap_err();
        assert_eq!(error, ClassicalError::EmptyCorpus { documents: 2 });
        let mut counter = ExternalCounter::new(config, Path::new("/no/such/place"), 0).unwrap();
        counter.push(&[1, 2]).unwrap();
        let error = counter.finish().unwrap_err().to_string();
        assert!(error.contains("/no/such/place"), "{error}");
    }
}
