//! Filling a module's parameters from weight files, by the family's names.

use std::collections::BTreeSet;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};

use super::TensorFiles;
use super::naming::{Layout, Part, TensorNames};
use crate::ModelError;

/// Fills every parameter of `module` from `files`, by the family's names.
///
/// # Errors
/// [`ModelError::WeightMismatch`] with one line for each tensor that is missing, unexpected or of
/// another shape; or a file that cannot be read.
pub fn load_weights<M: Module>(
    module: M,
    names: &dyn TensorNames,
    files: &TensorFiles,
) -> Result<M, ModelError> {
    let mut loader = Loader {
        names,
        files,
        strip: prefix_to_strip(names, files),
        path: Vec::new(),
        used: BTreeSet::new(),
        problems: Vec::new(),
        failure: None,
    };
    let module = module.map(&mut loader);
    if let Some(failure) = loader.failure {
        return Err(failure);
    }
    loader.check_zeros()?;
    loader.report_unexpected();
    if loader.problems.is_empty() {
        return Ok(module);
    }
    let origin = files.origin().display().to_string();
    Err(ModelError::WeightMismatch { origin, problems: loader.problems })
}

/// The prefix that this file leaves out, if it does.
fn prefix_to_strip(names: &dyn TensorNames, files: &TensorFiles) -> Option<&'static str> {
    names.optional_prefix().filter(|prefix| !files.names().any(|name| name.starts_with(prefix)))
}

struct Loader<'a> {
    names: &'a dyn TensorNames,
    files: &'a TensorFiles,
    strip: Option<&'static str>,
    path: Vec<String>,
    used: BTreeSet<String>,
    problems: Vec<String>,
    failure: Option<ModelError>,
}

impl Loader<'_> {
    fn on_disk(&self, name: &str) -> String {
        self.strip.and_then(|prefix| name.strip_prefix(prefix)).unwrap_or(name).to_string()
    }

    /// The parameter's values, or `None` after noting what is wrong.
    fn values(&mut self, shape: &[usize]) -> Option<Vec<f32>> {
        let parts = self.names.parts(&self.path.join("."));
        let (rows, columns) = rows_and_columns(shape);
        let mut values = vec![0.0; rows * columns];
        let mut offset = 0;
        for part in parts {
            let width = part.width.unwrap_or(columns);
            let name = self.on_disk(&part.name);
            let expected = disk_shape(shape, width, part.layout);
            let read = self.read(&name, &expected)?;
            let columns = Columns { rows, all: columns, offset, width };
            columns.for_each(&part, |ours, disk| values[ours] = read[disk]);
            offset += width;
        }
        Some(values)
    }

    fn read(&mut self, name: &str, expected: &[usize]) -> Option<Vec<f32>> {
        self.used.insert(name.to_string());
        match self.files.shape(name) {
            None => {
                self.problems.push(format!("{name}: missing, expected shape {expected:?}"));
                None
            }
            Some(found) if found != expected => {
                self.problems.push(format!("{name}: expected shape {expected:?}, found {found:?}"));
                None
            }
            Some(_) => match self.files.read_f32(name) {
                Ok(values) => Some(values),
                Err(error) => {
                    self.failure.get_or_insert(error);
                    None
                }
            },
        }
    }

    fn check_zeros(&mut self) -> Result<(), ModelError> {
        for (name, _) in self.names.absent_as_zeros() {
            let name = self.on_disk(&name);
            if self.files.shape(&name).is_none() {
                continue;
            }
            if self.files.read_f32(&name)?.iter().any(|value| *value != 0.0) {
                self.problems.push(format!(
                    "{name}: the config says that there are no biases, but this one is not zero"
                ));
            }
            self.used.insert(name);
        }
        Ok(())
    }

    fn report_unexpected(&mut self) {
        for name in self.files.names() {
            if !self.used.contains(name) && !self.names.is_redundant(name) {
                let shape = self.files.shape(name).unwrap_or_default();
                self.problems.push(format!("{name}: unexpected, shape {shape:?}"));
            }
        }
    }
}

impl ModuleMapper for Loader<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let shape = param.lazy_shape();
        match self.values(&shape) {
            Some(values) => param.map(|old| {
                let data = TensorData::new(values, shape);
                let tensor = Tensor::from_data(data, &old.device());
                if old.is_require_grad() { tensor.require_grad() } else { tensor }
            }),
            None => param,
        }
    }
}

/// A vector is one row.
pub(super) fn rows_and_columns(shape: &[usize]) -> (usize, usize) {
    match shape {
        [columns] => (1, *columns),
        [rows, columns] => (*rows, *columns),
        other => panic!("parameters are vectors or matrices, not {other:?}"),
    }
}

/// Shape on disk of `width` of a parameter's columns.
pub(super) fn disk_shape(shape: &[usize], width: usize, layout: Layout) -> Vec<usize> {
    match (shape, layout) {
        ([_], _) => vec![width],
        ([rows, _], Layout::Same) => vec![*rows, width],
        ([rows, _], Layout::Transposed) => vec![width, *rows],
        (other, _) => panic!("parameters are vectors or matrices, not {other:?}"),
    }
}

/// The columns of a parameter that one part holds.
pub(super) struct Columns {
    /// Rows of the parameter.
    pub rows: usize,
    /// Columns of the parameter.
    pub all: usize,
    /// The part's first column.
    pub offset: usize,
    /// How many columns the part holds.
    pub width: usize,
}

impl Columns {
    /// Calls `copy` with each element's place in the parameter and in the part, in the order of
    /// the part on disk where that is the parameter's own.
    pub fn for_each(&self, part: &Part, mut copy: impl FnMut(usize, usize)) {
        let on_disk = |column: usize| part.order.as_ref().map_or(column, |order| order[column]);
        let is_transposed = part.layout == Layout::Transposed && self.rows > 1;
        for row in 0..self.rows {
            for column in 0..self.width {
                let ours = row * self.all + self.offset + column;
                let disk = on_disk(column);
                let disk =
                    if is_transposed { disk * self.rows + row } else { row * self.width + disk };
                copy(ours, disk);
            }
        }
    }
}
