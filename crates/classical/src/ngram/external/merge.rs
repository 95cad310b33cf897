//! Several sorted runs as one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::path::Path;

use super::run::{Key, Run, RunReader, RunWriter};

/// The n-grams of several runs in order, each once, with the sum of its counts.
pub(super) struct Merged {
    readers: Vec<RunReader>,
    /// The next n-gram of each run that has one: key, run and count.
    heads: BinaryHeap<Reverse<(Key, usize, u32)>>,
}

impl Merged {
    pub fn new(runs: impl IntoIterator<Item = Run>, order: usize) -> io::Result<Self> {
        let readers = runs.into_iter().map(|run| RunReader::new(run, order));
        let readers = readers.collect::<io::Result<Vec<_>>>()?;
        let mut merged = Self { heads: BinaryHeap::with_capacity(readers.len()), readers };
        for index in 0..merged.readers.len() {
            merged.advance(index)?;
        }
        Ok(merged)
    }

    /// The next n-gram with its count.
    pub fn next(&mut self) -> io::Result<Option<(Key, u32)>> {
        let Some(Reverse((key, index, mut sum))) = self.heads.pop() else { return Ok(None) };
        self.advance(index)?;
        while let Some(&Reverse((other, index, count))) = self.heads.peek()
            && other == key
        {
            sum += count;
            self.heads.pop();
            self.advance(index)?;
        }
        Ok(Some((key, sum)))
    }

    fn advance(&mut self, index: usize) -> io::Result<()> {
        if let Some((key, count)) = self.readers[index].next()? {
            self.heads.push(Reverse((key, index, count)));
        }
        Ok(())
    }
}

/// Makes one run of several.
pub(super) fn merge(runs: Vec<Run>, order: usize, directory: &Path) -> io::Result<Run> {
    let mut merged = Merged::new(runs, order)?;
    let mut writer = RunWriter::new(directory, order)?;
    while let Some((key, count)) = merged.next()? {
        writer.add(&key, count)?;
    }
    writer.finish()
}
