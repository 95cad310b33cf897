//! Cells as numbers: standardised columns, one column per category, and a mark where a number is missing.

use serde::{Deserialize, Serialize};

use crate::interner::Interner;
use crate::{ClassicalError, SparseMatrix};

/// What a column of a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// Numbers, larger or smaller.
    Number,
    /// Names, equal or not. A missing one is a name like the others.
    Category,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
}

/// How a table is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TableConfig {
    /// The columns in order.
    pub columns: Vec<Column>,
    /// What stands in a cell of numbers when there is none.
    pub missing: Vec<String>,
}

impl Default for TableConfig {
    fn default() -> Self {
        Self { columns: Vec::new(), missing: ["", "?", "NA"].map(str::to_owned).to_vec() }
    }
}

/// What is known of the columns of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableEncoder {
    config: TableConfig,
    codes: Vec<Code>,
}

/// How a column becomes features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Code {
    /// Mean and standard deviation of the numbers there are; a second feature says that there is none.
    Number { mean: f64, deviation: f64 },
    /// A feature for each.
    Category(Interner),
}

impl TableEncoder {
    /// Learns means, deviations and categories of the rows of a table.
    ///
    /// # Errors
    /// Rows of another width than the columns, and cells of numbers that are none.
    pub fn fit<T: AsRef<str>>(
        config: &TableConfig,
        rows: &[Vec<T>],
    ) -> Result<Self, ClassicalError> {
        check_widths(config, rows)?;
        let code = |(index, column): (usize, &Column)| match column.kind {
            ColumnKind::Number => {
                let numbers = rows.iter().enumerate().map(|(row, cells)| {
                    read_number(&config.missing, row, column, cells[index].as_ref())
                });
                let numbers: Vec<Option<f64>> = numbers.collect::<Result<_, _>>()?;
                Ok(standard(&numbers.into_iter().flatten().collect::<Vec<_>>()))
            }
            ColumnKind::Category => {
                let names: Vec<String> =
                    rows.iter().map(|cells| cells[index].as_ref().to_owned()).collect();
                Ok(Code::Category(Interner::sorted(names)))
            }
        };
        let codes = config.columns.iter().enumerate().map(code).collect::<Result<_, _>>()?;
        Ok(Self { config: config.clone(), codes })
    }

    /// What each feature says, in order.
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for (Column { name, .. }, code) in self.config.columns.iter().zip(&self.codes) {
            match code {
                Code::Number { .. } => names.extend([name.clone(), format!("{name} is missing")]),
                Code::Category(values) => {
                    names.extend(values.names().iter().map(|value| format!("{name} = {value}")));
                }
            }
        }
        names
    }

    /// Number of features.
    pub fn width(&self) -> usize {
        self.codes.iter().map(Code::width).sum()
    }

    /// A row of features for each row of the table. A missing number is as the mean, a category that was
    /// not learnt as none.
    ///
    /// # Errors
    /// Rows of another width than the columns, and cells of numbers that are none.
    pub fn transform<T: AsRef<str>>(
        &self,
        rows: &[Vec<T>],
    ) -> Result<SparseMatrix, ClassicalError> {
        check_widths(&self.config, rows)?;
        let rows = rows.iter().enumerate().map(|(row, cells)| self.row(row, cells));
        Ok(SparseMatrix::from_rows(self.width(), rows.collect::<Result<Vec<_>, _>>()?))
    }

    fn row<T: AsRef<str>>(
        &self,
        row: usize,
        cells: &[T],
    ) -> Result<Vec<(u32, f32)>, ClassicalError> {
        let (mut features, mut first) = (Vec::with_capacity(cells.len()), 0);
        for ((column, code), cell) in self.config.columns.iter().zip(&self.codes).zip(cells) {
            let cell = cell.as_ref();
            match code {
                Code::Number { mean, deviation } => {
                    features.push(match read_number(&self.config.missing, row, column, cell)? {
                        Some(number) => (first, ((number - mean) / deviation) as f32),
                        None => (first + 1, 1.0),
                    });
                }
                Code::Category(values) => {
                    features.extend(values.number(cell).map(|value| (first + value, 1.0)));
                }
            }
            first += code.width() as u32;
        }
        Ok(features)
    }
}

impl Code {
    fn width(&self) -> usize {
        match self {
            Self::Number { .. } => 2,
            Self::Category(values) => values.len(),
        }
    }
}

fn check_widths<T>(config: &TableConfig, rows: &[Vec<T>]) -> Result<(), ClassicalError> {
    let expected = config.columns.len();
    match rows.iter().position(|cells| cells.len() != expected) {
        None => Ok(()),
        Some(row) => Err(ClassicalError::TableRow { row, found: rows[row].len(), expected }),
    }
}

fn read_number(
    missing: &[String],
    row: usize,
    column: &Column,
    cell: &str,
) -> Result<Option<f64>, ClassicalError> {
    let text = cell.trim();
    if missing.iter().any(|mark| mark == text) {
        return Ok(None);
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Some(number)),
        _ => {
            let (column, text) = (column.name.clone(), cell.to_owned());
            Err(ClassicalError::TableCell { row, column, text })
        }
    }
}

/// Numbers that are all equal, or none, keep their scale.
fn standard(numbers: &[f64]) -> Code {
    let count = numbers.len().max(1) as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let deviation = (numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt();
    Code::Number { mean, deviation: if deviation > 0.0 { deviation } else { 1.0 } }
}
