//! Risks from tables, by logistic regression and gradient boosting: the area under the ROC curve of scores
//! given out of fold, as the mean of ten repetitions of ten stratified folds.

use std::path::Path;

use anyhow::ensure;
use wuji_classical::{
    BoostingOptions, Classifier, Column, ColumnKind, GradientBoosting, LogisticOptions,
    LogisticRegression, SparseMatrix, TableConfig, TableEncoder,
};
use wuji_evaluation::classification::roc_auc;
use wuji_evaluation::uncertainty::{BootstrapOptions, bootstrap_positions};

use crate::folds::stratified;
use crate::{Figure, files, timed};

const REPETITIONS: u64 = 10;

/// Rows of cells, and whether each is a case.
struct Table {
    config: TableConfig,
    rows: Vec<Vec<String>>,
    labels: Vec<usize>,
}

impl Table {
    /// Takes the last cell of each row for its label; the names of categories begin with `=`.
    fn new(
        names: &str,
        mut rows: Vec<Vec<String>>,
        is_case: impl Fn(&str) -> bool,
    ) -> anyhow::Result<Self> {
        let column = |name: &str| match name.strip_prefix('=') {
            Some(name) => Column { name: name.to_owned(), kind: ColumnKind::Category },
            None => Column { name: name.to_owned(), kind: ColumnKind::Number },
        };
        let columns: Vec<Column> = names.split(' ').map(column).collect();
        ensure!(rows.iter().all(|row| row.len() == columns.len() + 1), "a row of another width");
        let labels = rows.iter_mut().filter_map(Vec::pop);
        let labels = labels.map(|label| usize::from(is_case(&label))).collect();
        Ok(Self { config: TableConfig { columns, ..TableConfig::default() }, rows, labels })
    }
}

/// Bad credit risks.
pub fn german_credit(data: &Path) -> anyhow::Result<Vec<Figure>> {
    let rows = files::rows(&data.join("finance/german-credit/german.csv.gz"), false)?;
    let names = "=account months =history =purpose amount =savings =employment rate =status =debtors \
                 residence =property age =plans =housing credits =job dependants =telephone =foreign";
    figures(&Table::new(names, rows, |label| label == "2")?)
}

/// Heart disease of any degree.
pub fn cleveland(data: &Path) -> anyhow::Result<Vec<Figure>> {
    let path = data.join("medical/uci-heart-cleveland/processed.cleveland.csv.gz");
    let names = "age sex =cp trestbps chol fbs =restecg thalach exang oldpeak =slope ca =thal";
    figures(&Table::new(names, files::rows(&path, true)?, |label| label != "0")?)
}

/// Diabetes. A measure of 0 that no living body has is a missing one.
pub fn pima(data: &Path) -> anyhow::Result<Vec<Figure>> {
    let path = data.join("medical/pima-diabetes/pima-indians-diabetes.csv.gz");
    let mut rows = files::rows(&path, false)?;
    for cell in rows.iter_mut().flat_map(|row| &mut row[1..6]) {
        if cell.parse() == Ok(0.0) {
            cell.clear();
        }
    }
    let names = "pregnancies glucose pressure skin insulin mass pedigree age";
    figures(&Table::new(names, rows, |label| label == "1")?)
}

/// Malignant tumours.
pub fn wisconsin(data: &Path) -> anyhow::Result<Vec<Figure>> {
    let path = data.join("medical/wisconsin-breast-cancer/breast-cancer-wisconsin.csv");
    let names = "clump size shape adhesion epithelial nuclei chromatin nucleoli mitoses";
    figures(&Table::new(names, files::rows(&path, false)?, |label| label == "4")?)
}

/// How a model is fitted to rows with labels, with a seed.
type Fit = fn(&SparseMatrix, &[usize], u64) -> anyhow::Result<Box<dyn Classifier>>;

const RECIPES: [(&str, Fit); 2] = [
    ("logistic regression", |rows, labels, _| {
        // Some hundred rows and up to sixty columns: weights are best kept small.
        let options = LogisticOptions { c: 0.1, ..LogisticOptions::default() };
        Ok(Box::new(LogisticRegression::fit(rows, labels, 2, &options)?))
    }),
    ("gradient boosting", |rows, labels, seed| {
        let options = BoostingOptions { seed, ..BoostingOptions::default() };
        Ok(Box::new(GradientBoosting::fit(rows, labels, 2, &options)?))
    }),
];

fn figures(table: &Table) -> anyhow::Result<Vec<Figure>> {
    let truth: Vec<bool> = table.labels.iter().map(|&label| label == 1).collect();
    let mut figures = Vec::new();
    for (model, fit) in RECIPES {
        let (scores, seconds) =
            timed(|| (0..REPETITIONS).map(|seed| out_of_fold(table, fit, seed)).collect())?;
        let scores: Vec<Vec<f64>> = scores;
        let area = |rows: &[usize]| {
            let truth: Vec<bool> = rows.iter().map(|&row| truth[row]).collect();
            let of = |scores: &Vec<f64>| {
                let scores: Vec<f64> = rows.iter().map(|&row| scores[row]).collect();
                roc_auc(&truth, &scores).ok()
            };
            let areas: Option<Vec<f64>> = scores.iter().map(of).collect();
            areas.map(|areas| areas.iter().sum::<f64>() / areas.len() as f64)
        };
        let estimate = bootstrap_positions(truth.len(), area, &BootstrapOptions::default())?;
        figures.push(Figure { model, what: "ROC-AUC", estimate, seconds });
    }
    Ok(figures)
}

/// Log-odds of each row from the model that was fitted without it.
fn out_of_fold(table: &Table, fit: Fit, seed: u64) -> anyhow::Result<Vec<f64>> {
    let mut all = vec![0.0; table.rows.len()];
    for fold in stratified(&table.labels, 10, seed) {
        let rows = |positions: &[usize]| -> Vec<Vec<String>> {
            positions.iter().map(|&row| table.rows[row].clone()).collect()
        };
        let train = rows(&fold.train);
        let labels: Vec<usize> = fold.train.iter().map(|&row| table.labels[row]).collect();
        let encoder = TableEncoder::fit(&table.config, &train)?;
        let model = fit(&encoder.transform(&train)?, &labels, seed)?;
        let scores = model.scores(&encoder.transform(&rows(&fold.test))?);
        for (&row, scores) in fold.test.iter().zip(scores) {
            all[row] = scores[1] - scores[0];
        }
    }
    Ok(all)
}
