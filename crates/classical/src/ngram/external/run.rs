//! A sorted list of counted n-grams in a file.
//!
//! An n-gram is its context, nearest token first, and then its token: in this order runs are sorted.
//! It is stored as how many of these it shares with the one before (one byte), the others and
//! the count, each as a variable-length integer (LEB128).

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::ngram::config::MAX_ORDER;

/// The tokens of an n-gram in the order of sorting; zeros behind it.
pub(super) type Key = [u32; MAX_ORDER];

/// A finished run.
#[derive(Debug)]
pub(super) struct Run {
    file: File,
    ngrams: u64,
}

/// Writes a run.
pub(super) struct RunWriter {
    out: BufWriter<File>,
    order: usize,
    /// The last n-gram written.
    written: Key,
    /// An n-gram that may still get more occurrences, and these; 0 for none yet.
    pending: (Key, u32),
    ngrams: u64,
}

/// Bytes read or written at once.
const BUFFER: usize = 1 << 16;

impl RunWriter {
    /// A run in an unnamed file in `directory`, gone when it is closed.
    pub fn new(directory: &Path, order: usize) -> io::Result<Self> {
        let out = BufWriter::with_capacity(BUFFER, tempfile::tempfile_in(directory)?);
        Ok(Self { out, order, written: Key::default(), pending: (Key::default(), 0), ngrams: 0 })
    }

    /// Adds occurrences of an n-gram, which must not come before the last one.
    pub fn add(&mut self, key: &Key, count: u32) -> io::Result<()> {
        if self.pending.1 > 0 && self.pending.0 == *key {
            self.pending.1 += count;
            return Ok(());
        }
        self.write_pending()?;
        self.pending = (*key, count);
        Ok(())
    }

    fn write_pending(&mut self) -> io::Result<()> {
        let (key, count) = self.pending;
        if count == 0 {
            return Ok(());
        }
        let (tokens, before) = (&key[..self.order], &self.written[..self.order]);
        let shared = match self.ngrams {
            0 => 0,
            _ => tokens.iter().zip(before).take_while(|(a, b)| a == b).count(),
        };
        self.out.write_all(&[shared as u8])?;
        for &token in &tokens[shared..] {
            write_integer(&mut self.out, token)?;
        }
        write_integer(&mut self.out, count)?;
        self.written = key;
        self.ngrams += 1;
        Ok(())
    }

    /// Ends the run.
    pub fn finish(mut self) -> io::Result<Run> {
        self.write_pending()?;
        let file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(Run { file, ngrams: self.ngrams })
    }
}

/// Reads a run from its beginning.
pub(super) struct RunReader {
    input: BufReader<File>,
    order: usize,
    key: Key,
    left: u64,
}

impl RunReader {
    pub fn new(run: Run, order: usize) -> io::Result<Self> {
        let Run { mut file, ngrams } = run;
        file.seek(SeekFrom::Start(0))?;
        let input = BufReader::with_capacity(BUFFER, file);
        Ok(Self { input, order, key: Key::default(), left: ngrams })
    }

    /// The next n-gram with its count.
    pub fn next(&mut self) -> io::Result<Option<(Key, u32)>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut shared = [0];
        self.input.read_exact(&mut shared)?;
        for slot in &mut self.key[usize::from(shared[0])..self.order] {
            *slot = read_integer(&mut self.input)?;
        }
        let count = read_integer(&mut self.input)?;
        Ok(Some((self.key, count)))
    }
}

fn write_integer(out: &mut impl Write, mut value: u32) -> io::Result<()> {
    let mut bytes = [0; 5];
    let mut length = 0;
    loop {
        bytes[length] = (value & 0x7f) as u8;
        value >>= 7;
        length += 1;
        if value == 0 {
            return out.write_all(&bytes[..length]);
        }
        bytes[length - 1] |= 0x80;
    }
}

fn read_integer(input: &mut impl Read) -> io::Result<u32> {
    let mut value = 0;
    for shift in (0..).step_by(7).take(5) {
        let mut byte = [0];
        input.read_exact(&mut byte)?;
        value |= u32::from(byte[0] & 0x7f) << shift;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_every_length_come_back() {
        for value in [0, 1, 127, 128, 16_383, 16_384, u32::MAX - 1, u32::MAX] {
            let mut bytes = Vec::new();
            write_integer(&mut bytes, value).unwrap();
            assert_eq!(read_integer(&mut bytes.as_slice()).unwrap(), value);
        }
    }

    #[test]
    fn a_run_gives_back_what_it_was_given_with_equal_n_grams_joined() {
        let directory = tempfile::tempdir().unwrap();
        let key = |tokens: [u32; 2]| {
            let mut key = Key::default();
            key[..2].copy_from_slice(&tokens);
            key
        };
        let mut writer = RunWriter::new(directory.path(), 2).unwrap();
        for (tokens, count) in [([0, 0], 1), ([0, 0], 2), ([0, 300], 1), ([70_000, 300], 5)] {
            writer.add(&key(tokens), count).unwrap();
        }
        let mut reader = RunReader::new(writer.finish().unwrap(), 2).unwrap();
        let mut read = Vec::new();
        while let Some(ngram) = reader.next().unwrap() {
            read.push(ngram);
        }
        assert_eq!(read, [(key([0, 0]), 3), (key([0, 300]), 1), (key([70_000, 300]), 5)]);
    }
}
