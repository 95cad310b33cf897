//! Writing a model.

use std::io::{self, Write};
use std::path::Path;

use super::LOG_ZERO;
use crate::ClassicalError;
use crate::ngram::file::write_atomically;
use crate::ngram::model::NgramModel;
use crate::ngram::table::{NgramTable, Rows};
use crate::ngram::vocabulary::Vocabulary;

impl NgramModel {
    /// Writes the model as an ARPA file, compressed if the name of `path` ends in `.gz`, atomically:
    /// under another name first. Numbers are written in full, so nothing is lost in reading.
    ///
    /// # Errors
    /// [`ClassicalError::Words`] unless there is one word for each token (and one for a `bos`
    /// beside the vocabulary), and [`ClassicalError::Io`].
    pub fn write_arpa(&self, path: &Path, vocabulary: &Vocabulary) -> Result<(), ClassicalError> {
        let bos_beside = self.config.boundaries.bos() == Some(self.config.vocab_size as u32);
        let expected = self.config.vocab_size + usize::from(bos_beside);
        if vocabulary.len() != expected {
            return Err(ClassicalError::Words { words: vocabulary.len(), expected });
        }
        let table = NgramTable::of(self);
        write_atomically(path, |out| write(out, &table, vocabulary))
    }
}

fn write(out: &mut dyn Write, table: &NgramTable, vocabulary: &Vocabulary) -> io::Result<()> {
    writeln!(out, "\\data\\")?;
    for rows in &table.orders {
        writeln!(out, "ngram {}={}", rows.order, rows.len())?;
    }
    for rows in &table.orders {
        writeln!(out, "\n\\{}-grams:", rows.order)?;
        let longest = rows.order == table.orders.len();
        for index in 0..rows.len() {
            write_row(out, rows, index, longest, vocabulary)?;
        }
    }
    writeln!(out, "\n\\end\\")
}

fn write_row(
    out: &mut dyn Write,
    rows: &Rows,
    index: usize,
    longest: bool,
    vocabulary: &Vocabulary,
) -> io::Result<()> {
    write!(out, "{}", log10(rows.probability[index]))?;
    for (place, &token) in rows.ngram(index).iter().enumerate() {
        let word = vocabulary.word(token).expect("there is a word for every token");
        write!(out, "{}{word}", if place == 0 { '\t' } else { ' ' })?;
    }
    let backoff = rows.backoff[index];
    if longest || backoff == 1.0 { writeln!(out) } else { writeln!(out, "\t{}", log10(backoff)) }
}

fn log10(probability: f64) -> f64 {
    probability.log10().max(LOG_ZERO)
}
