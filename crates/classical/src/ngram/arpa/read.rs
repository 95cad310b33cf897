//! Reading a model.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use super::LOG_ZERO;
use crate::ClassicalError;
use crate::ngram::config::{Boundaries, MAX_ORDER, NgramConfig};
use crate::ngram::file::open;
use crate::ngram::model::NgramModel;
use crate::ngram::table::{NgramTable, Rows};
use crate::ngram::vocabulary::Vocabulary;

impl Vocabulary {
    /// The words of an ARPA file, in the order of its single words. The file may be compressed.
    ///
    /// # Errors
    /// [`ClassicalError::Arpa`] with the line, and [`ClassicalError::Io`].
    pub fn from_arpa(path: &Path) -> Result<Self, ClassicalError> {
        let mut lines = Lines::open(path)?;
        let counts = lines.header()?;
        let mut vocabulary = Self::new([""; 0])?;
        lines.section(1, counts[0], &mut |lines, fields| {
            let word = fields[1];
            vocabulary.push(word.to_owned()).map_err(|_| lines.wrong("a new word", word))
        })?;
        Ok(vocabulary)
    }
}

impl NgramModel {
    /// Reads an ARPA file, plain or compressed (`.gz`), whose words are those of `vocabulary`. The
    /// boundaries say which of them are the start and end of a document; for files with `<s>` and
    /// `</s>` they are [`Vocabulary::boundaries`].
    ///
    /// Words of the vocabulary that the file lacks have probability zero. Probabilities are
    /// taken as they are: they sum to one as closely as the file was written.
    ///
    /// # Errors
    /// [`ClassicalError::Arpa`] with the line, what was expected and what is there;
    /// [`ClassicalError::Order`] and [`ClassicalError::BoundaryToken`] for what no model can have;
    /// [`ClassicalError::Io`].
    pub fn read_arpa(
        path: &Path,
        vocabulary: &Vocabulary,
        boundaries: Boundaries,
    ) -> Result<Self, ClassicalError> {
        let mut lines = Lines::open(path)?;
        let counts = lines.header()?;
        // A `bos` behind all other words needs no place in distributions.
        let bos_is_last = boundaries.bos().is_some_and(|bos| bos as usize + 1 == vocabulary.len());
        let vocab_size = vocabulary.len() - usize::from(bos_is_last);
        let config = NgramConfig { order: counts.len(), vocab_size, boundaries };
        config.validate()?;
        let mut table = NgramTable { config, orders: Vec::new() };
        for (index, &count) in counts.iter().enumerate() {
            let rows = lines.ngrams(index + 1, count, vocabulary, table.orders.last())?;
            table.orders.push(rows);
        }
        lines.end()?;
        Ok(table.into_model())
    }
}

/// Takes the fields of a line that is an n-gram.
type OnFields<'a> = dyn FnMut(&Lines, &[&str]) -> Result<(), ClassicalError> + 'a;

/// The lines of a file, blank ones passed over.
struct Lines {
    path: PathBuf,
    reader: Box<dyn BufRead>,
    line: String,
    number: usize,
}

impl Lines {
    fn open(path: &Path) -> Result<Self, ClassicalError> {
        let reader = open(path)?;
        Ok(Self { path: path.to_owned(), reader, line: String::new(), number: 0 })
    }

    /// Goes to the next line that says something; false at the end of the file.
    fn advance(&mut self) -> Result<bool, ClassicalError> {
        loop {
            self.line.clear();
            let read = self.reader.read_line(&mut self.line);
            if read.map_err(|source| ClassicalError::io("read", &self.path, source))? == 0 {
                return Ok(false);
            }
            self.number += 1;
            if !self.line.trim().is_empty() {
                return Ok(true);
            }
        }
    }

    /// Goes to the next line, which must be there.
    fn require(&mut self, expected: &str) -> Result<(), ClassicalError> {
        if self.advance()? { Ok(()) } else { Err(self.wrong(expected, "the end of the file")) }
    }

    fn wrong(&self, expected: impl Into<String>, got: impl Into<String>) -> ClassicalError {
        let (path, line) = (self.path.clone(), self.number);
        ClassicalError::Arpa { path, line, expected: expected.into(), got: got.into() }
    }

    /// The whole line as what is there.
    fn wrong_line(&self, expected: impl Into<String>) -> ClassicalError {
        self.wrong(expected, format!("{:?}", self.line.trim()))
    }

    /// Reads up to the first section, and how many n-grams of each order there are.
    fn header(&mut self) -> Result<Vec<usize>, ClassicalError> {
        while self.line.trim() != "\\data\\" {
            self.require("\\data\\")?;
        }
        let mut counts = Vec::new();
        loop {
            self.require("\\1-grams:")?;
            let line = self.line.trim();
            let Some(ngram) = line.strip_prefix("ngram ") else { break };
            let count = ngram.split_once('=').and_then(|(order, count)| {
                let is_next = order.trim().parse() == Ok(counts.len() + 1);
                is_next.then(|| count.trim().parse().ok())?
            });
            let expected = || format!("ngram {}=COUNT", counts.len() + 1);
            counts.push(count.ok_or_else(|| self.wrong_line(expected()))?);
        }
        match counts.len() {
            0 => Err(self.wrong_line("ngram 1=COUNT")),
            order @ 1..=MAX_ORDER => {
                tracing::debug!(order, ?counts, "reading an ARPA file");
                Ok(counts)
            }
            order => Err(ClassicalError::Order { order, max: MAX_ORDER }),
        }
    }

    /// Reads the section of `order`, the line of whose name is the current one, and hands on the
    /// fields of each n-gram. Stops at the next section.
    fn section(
        &mut self,
        order: usize,
        count: usize,
        each: &mut OnFields<'_>,
    ) -> Result<(), ClassicalError> {
        let name = format!("\\{order}-grams:");
        if self.line.trim() != name {
            return Err(self.wrong_line(name));
        }
        for seen in 0.. {
            self.require("\\end\\")?;
            let line = self.line.trim_ascii();
            if line.starts_with('\\') && is_heading(line) {
                if seen == count {
                    break;
                }
                let got = format!("{seen} of them before {line}");
                return Err(self.wrong(format!("{count} {order}-grams, as \\data\\ says"), got));
            }
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            if !(order + 1..=order + 2).contains(&fields.len()) {
                let expected = format!("log10 p, {order} words and perhaps a back-off weight");
                return Err(self.wrong_line(expected));
            }
            each(self, &fields)?;
        }
        Ok(())
    }

    /// Reads the n-grams of `order`, whose contexts are n-grams of `shorter`.
    fn ngrams(
        &mut self,
        order: usize,
        count: usize,
        vocabulary: &Vocabulary,
        shorter: Option<&Rows>,
    ) -> Result<Rows, ClassicalError> {
        let mut rows = Rows::new(order);
        let mut line_numbers = Vec::new();
        let mut ngram = Vec::with_capacity(order);
        self.section(order, count, &mut |lines, fields| {
            ngram.clear();
            for word in &fields[1..=order] {
                let id = vocabulary.id(word);
                ngram.push(id.ok_or_else(|| lines.wrong("a word of the vocabulary", *word))?);
            }
            if shorter.is_some_and(|shorter| shorter.find(&ngram[..order - 1]).is_none()) {
                let expected = format!("a context that is among the {}-grams", order - 1);
                return Err(lines.wrong(expected, fields[1..order].join(" ")));
            }
            let probability = lines.probability(fields[0])?;
            let backoff = fields.get(order + 1).map_or(Ok(1.0), |text| lines.weight(text))?;
            rows.push(&ngram, probability, backoff);
            line_numbers.push(lines.number);
            Ok(())
        })?;
        self.sorted(rows, &line_numbers)
    }

    fn sorted(&self, rows: Rows, line_numbers: &[usize]) -> Result<Rows, ClassicalError> {
        let mut by_tokens: Vec<usize> = (0..rows.len()).collect();
        by_tokens.sort_by_key(|&index| rows.ngram(index));
        let mut sorted = Rows::new(rows.order);
        for (place, &index) in by_tokens.iter().enumerate() {
            let ngram = rows.ngram(index);
            if place > 0 && sorted.ngram(place - 1) == ngram {
                let (path, line) = (self.path.clone(), line_numbers[index]);
                let got = format!("one of line {} again", line_numbers[by_tokens[place - 1]]);
                let expected = "every n-gram once".to_owned();
                return Err(ClassicalError::Arpa { path, line, expected, got });
            }
            sorted.push(ngram, rows.probability[index], rows.backoff[index]);
        }
        Ok(sorted)
    }

    fn probability(&self, text: &str) -> Result<f64, ClassicalError> {
        let log10: Option<f64> = text.parse().ok().filter(|log10: &f64| *log10 <= 0.0);
        log10.map(exp10).ok_or_else(|| self.wrong("log10 of a probability", text))
    }

    fn weight(&self, text: &str) -> Result<f64, ClassicalError> {
        let log10: Option<f64> = text.parse().ok().filter(|log10: &f64| log10.is_finite());
        log10.map(exp10).ok_or_else(|| self.wrong("log10 of a back-off weight", text))
    }

    fn end(&self) -> Result<(), ClassicalError> {
        if self.line.trim() == "\\end\\" { Ok(()) } else { Err(self.wrong_line("\\end\\")) }
    }
}

/// Whether a line is `\N-grams:` or `\end\`, and no n-gram with a strange number.
fn is_heading(line: &str) -> bool {
    line == "\\end\\" || line.ends_with("-grams:")
}

fn exp10(log10: f64) -> f64 {
    if log10 <= LOG_ZERO { 0.0 } else { 10_f64.powf(log10) }
}
