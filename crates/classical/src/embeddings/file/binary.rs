//! The binary format.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use super::{Complaint, VectorFilePlace};
use crate::ClassicalError;
use crate::embeddings::WordVectors;

pub(super) fn write(vectors: &WordVectors, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{} {}", vectors.len(), vectors.dim())?;
    for (index, word) in vectors.words().iter().enumerate() {
        write!(out, "{word} ")?;
        vectors.row(index).iter().try_for_each(|value| out.write_all(&value.to_le_bytes()))?;
        writeln!(out)?;
    }
    Ok(())
}

pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<WordVectors, ClassicalError> {
    let complaint = Complaint { path };
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (count, dim) = complaint.header(VectorFilePlace::Byte(0), &bytes[..end])?;
    let mut reader = Reader { complaint, bytes, at: (end + 1).min(bytes.len()) };
    let (mut words, mut values) = (Vec::new(), Vec::new());
    let mut seen: HashMap<String, usize> = HashMap::new();
    for _ in 0..count {
        reader.skip_line_feed();
        let start = reader.at;
        let word = reader.word()?;
        if let Some(first) = seen.insert(word.clone(), start) {
            let found = format!("{word:?}, which byte {first} has");
            return Err(complaint.at(VectorFilePlace::Byte(start), "each word once", found));
        }
        reader.numbers(dim, &mut values)?;
        words.push(word);
    }
    reader.skip_line_feed();
    if reader.at < bytes.len() {
        let found = format!("{} more bytes", bytes.len() - reader.at);
        return Err(complaint.at(reader.place(), format!("the end after {count} words"), found));
    }
    WordVectors::new(words, dim, values)
}

struct Reader<'a> {
    complaint: Complaint<'a>,
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn place(&self) -> VectorFilePlace {
        VectorFilePlace::Byte(self.at)
    }

    fn skip_line_feed(&mut self) {
        self.at += usize::from(self.bytes.get(self.at) == Some(&b'\n'));
    }

    /// A word and the space behind it.
    fn word(&mut self) -> Result<String, ClassicalError> {
        let rest = &self.bytes[self.at..];
        let expected = "a word with a space behind it";
        let Some(length) = rest.iter().position(|byte| *byte == b' ') else {
            return Err(self.complaint.at(self.place(), expected, "the end of the file"));
        };
        if length == 0 {
            return Err(self.complaint.at(self.place(), expected, "a space"));
        }
        let word = std::str::from_utf8(&rest[..length])
            .map_err(|error| self.complaint.at(self.place(), "UTF-8", error.to_string()))?;
        self.at += length + 1;
        Ok(word.to_owned())
    }

    fn numbers(&mut self, dim: usize, values: &mut Vec<f32>) -> Result<(), ClassicalError> {
        let rest = &self.bytes[self.at..];
        let (numbers, _) = rest.as_chunks::<4>();
        if numbers.len() < dim {
            let found = format!("{} bytes", rest.len());
            return Err(self.complaint.at(
                self.place(),
                format!("{dim} numbers of 4 bytes"),
                found,
            ));
        }
        for &number in &numbers[..dim] {
            let value = f32::from_le_bytes(number);
            if !value.is_finite() {
                let found = value.to_string();
                return Err(self.complaint.at(self.place(), "a finite number", found));
            }
            values.push(value);
            self.at += 4;
        }
        Ok(())
    }
}
