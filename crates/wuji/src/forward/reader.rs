//! Reads and checks the tensors of one group of inputs; each complaint says which, where, what was
//! expected and what was found.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use wuji_model::weights::TensorFiles;

use crate::WujiError;

/// A label that is not to be predicted.
pub(super) const IGNORED_LABEL: i64 = -100;

/// The shape that an input must have, and what says so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    pub(super) shape: &'a [usize],
    /// As a message says it: "that of input_ids".
    pub(super) source: &'a str,
}

/// Integers `[batch, seq]` with their shape.
pub(super) type Matrix = ([usize; 2], Vec<i64>);

/// The tensors of one group by the names of the inputs.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    path: &'a Path,
    files: &'a TensorFiles,
    /// Full names by known names.
    names: BTreeMap<&'static str, &'a str>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(path: &'a Path, files: &'a TensorFiles) -> Self {
        Self { path, files, names: BTreeMap::new() }
    }

    /// Says that the input `known` is called `full` in the file.
    pub(super) fn add(&mut self, known: &'static str, full: &'a str) {
        self.names.insert(known, full);
    }

    /// The shape of an input, if it is there.
    pub(super) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.files.shape(self.names.get(name)?)
    }

    /// A complaint about an input.
    pub(super) fn bad(&self, name: &str, problem: impl std::fmt::Display) -> WujiError {
        let full = self.names.get(name).copied().unwrap_or(name);
        WujiError::input(self.path, format!("{full} {problem}"))
    }

    /// A complaint that an input is absent.
    pub(super) fn missing(&self, name: &str) -> WujiError {
        WujiError::input(self.path, format!("there is no {name}"))
    }

    /// Integers `[batch, seq]` in `range`, of which there is at least one.
    pub(super) fn matrix(
        &self,
        name: &str,
        range: Range<i64>,
        beside: &[i64],
    ) -> Result<Option<Matrix>, WujiError> {
        let Some(found) = self.shape(name) else { return Ok(None) };
        let Ok(shape) = <[usize; 2]>::try_from(found) else {
            return Err(self.bad(name, format!("has shape {found:?}; expected [batch, seq]")));
        };
        if shape.contains(&0) {
            return Err(self.bad(name, format!("has shape {shape:?}; expected some tokens")));
        }
        let read = self.integers(name, range, beside)?;
        Ok(read.map(|values| (shape, values)))
    }

    /// Integers of the expected shape that are in `range` or among `beside`.
    pub(super) fn like(
        &self,
        name: &str,
        expected: Expected,
        range: Range<i64>,
        beside: &[i64],
    ) -> Result<Option<Vec<i64>>, WujiError> {
        self.check_shape(name, expected)?;
        self.integers(name, range, beside)
    }

    /// Integers of any shape that are in `range` or among `beside`; `None` where there are none in
    /// the file.
    fn integers(
        &self,
        name: &str,
        range: Range<i64>,
        beside: &[i64],
    ) -> Result<Option<Vec<i64>>, WujiError> {
        let Some(full) = self.names.get(name) else { return Ok(None) };
        let shape = self.files.shape(full).unwrap_or_default().to_vec();
        let values = self.files.read_i64(full)?;
        let fits = |value: &i64| range.contains(value) || beside.contains(value);
        if let Some(at) = values.iter().position(|value| !fits(value)) {
            let (place, value) = (place(at, &shape), values[at]);
            let expected = format!("{} to {}", range.start, range.end - 1);
            return Err(self.bad(name, format!("{place:?} is {value}; expected {expected}")));
        }
        Ok(Some(values))
    }

    /// Whether an input is of integers, which some labels are and others are not.
    pub(super) fn is_integer(&self, name: &str) -> bool {
        self.names.get(name).is_some_and(|full| self.files.read_i64(full).is_ok())
    }

    /// Finite numbers, integers among them, of the expected shape.
    pub(super) fn numbers(
        &self,
        name: &str,
        expected: Expected,
    ) -> Result<Option<Vec<f32>>, WujiError> {
        let Some(full) = self.names.get(name) else { return Ok(None) };
        self.check_shape(name, expected)?;
        let values = match self.files.read_i64(full) {
            Ok(integers) => integers.into_iter().map(|value| value as f32).collect(),
            Err(_) => self.files.read_f32(full)?,
        };
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            let (place, value) = (place(at, expected.shape), values[at]);
            return Err(self.bad(name, format!("{place:?} is {value}; expected a number")));
        }
        Ok(Some(values))
    }

    fn check_shape(&self, name: &str, expected: Expected) -> Result<(), WujiError> {
        match self.shape(name) {
            Some(found) if found != expected.shape => {
                let Expected { shape, source } = expected;
                let problem = format!("has shape {found:?}; expected {source}, {shape:?}");
                Err(self.bad(name, problem))
            }
            _ => Ok(()),
        }
    }
}

/// The indices of the value at the flat position `at`.
fn place(mut at: usize, shape: &[usize]) -> Vec<usize> {
    let mut place = Vec::new();
    for size in shape.iter().rev() {
        place.push(at % size);
        at /= size;
    }
    place.reverse();
    place
}
