//! The text format.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use super::{Complaint, VectorFilePlace, excerpt};
use crate::ClassicalError;
use crate::embeddings::WordVectors;

pub(super) fn write(vectors: &WordVectors, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{} {}", vectors.len(), vectors.dim())?;
    for (index, word) in vectors.words().iter().enumerate() {
        write!(out, "{word}")?;
        // The shortest digits that give the same number again.
        vectors.row(index).iter().try_for_each(|value| write!(out, " {value}"))?;
        writeln!(out)?;
    }
    Ok(())
}

pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<WordVectors, ClassicalError> {
    let complaint = Complaint { path };
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let header = lines.next().unwrap_or_default();
    let (count, dim) = complaint.header(VectorFilePlace::Line(1), header)?;
    let (mut words, mut values) = (Vec::new(), Vec::new());
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (number, line) in (2..).zip(lines).filter(|(_, line)| !line.trim_ascii().is_empty()) {
        let place = VectorFilePlace::Line(number);
        if words.len() == count {
            return Err(complaint.at(place, format!("no more than {count} words"), "another"));
        }
        let line = std::str::from_utf8(line)
            .map_err(|error| complaint.at(place, "UTF-8", error.to_string()))?;
        let line = line.trim_end();
        let (word, numbers) = line.split_once(' ').unwrap_or((line, ""));
        let before = values.len();
        for number in numbers.split_ascii_whitespace() {
            let value = number.parse::<f32>().ok().filter(|value| value.is_finite());
            let expected = "a finite number";
            values.push(
                value.ok_or_else(|| {
                    complaint.at(place, expected, format!("{:?}", excerpt(number)))
                })?,
            );
        }
        if values.len() - before != dim || word.is_empty() {
            let found = format!("{:?} and {} numbers", excerpt(word), values.len() - before);
            return Err(complaint.at(place, format!("a word and {dim} numbers"), found));
        }
        if let Some(first) = seen.insert(word.to_owned(), number) {
            let found = format!("{word:?}, which line {first} has");
            return Err(complaint.at(place, "each word once", found));
        }
        words.push(word.to_owned());
    }
    if words.len() < count {
        let (place, found) = (VectorFilePlace::Line(1), format!("{} in the file", words.len()));
        return Err(complaint.at(place, format!("{count} words"), found));
    }
    WordVectors::new(words, dim, values)
}
