//! Tables as features, and gradient boosting over them.

use wuji_classical::{
    BoostingOptions, ClassicalError, Classifier, Column, ColumnKind, GradientBoosting,
    SparseMatrix, TableConfig, TableEncoder,
};

fn config() -> TableConfig {
    let column = |name: &str, kind| Column { name: name.into(), kind };
    let columns = vec![column("age", ColumnKind::Number), column("sex", ColumnKind::Category)];
    TableConfig { columns, ..TableConfig::default() }
}

fn elements(rows: &SparseMatrix, row: usize) -> Vec<(u32, f32)> {
    let row = rows.row(row);
    row.columns.iter().copied().zip(row.values.iter().copied()).collect()
}

#[test]
fn numbers_are_standardised_categories_have_a_column_each_and_gaps_are_marked() {
    let table = [vec!["10", "m"], vec!["30", "f"], vec!["?", "m"]];
    let encoder = TableEncoder::fit(&config(), &table).unwrap();
    assert_eq!(encoder.names(), ["age", "age is missing", "sex = f", "sex = m"]);
    let rows = encoder.transform(&table).unwrap();
    // Mean 20, deviation 10.
    assert_eq!(elements(&rows, 0), [(0, -1.0), (3, 1.0)]);
    assert_eq!(elements(&rows, 1), [(0, 1.0), (2, 1.0)]);
    assert_eq!(elements(&rows, 2), [(1, 1.0), (3, 1.0)]);
    let unknown = encoder.transform(&[vec!["20", "x"]]).unwrap();
    assert_eq!(elements(&unknown, 0), [(0, 0.0)]);
    let saved = serde_json::to_string(&encoder).unwrap();
    assert_eq!(serde_json::from_str::<TableEncoder>(&saved).unwrap(), encoder);
}

#[test]
fn a_column_of_one_number_has_no_scale() {
    let encoder = TableEncoder::fit(&config(), &[vec!["7", "m"], vec!["7", "m"]]).unwrap();
    assert_eq!(elements(&encoder.transform(&[vec!["8", "m"]]).unwrap(), 0), [(0, 1.0), (2, 1.0)]);
}

#[test]
fn tables_that_do_not_fit_are_named() {
    let fit = |table: &[Vec<&str>]| TableEncoder::fit(&config(), table).unwrap_err();
    let expected = ClassicalError::TableRow { row: 1, found: 1, expected: 2 };
    assert_eq!(fit(&[vec!["1", "m"], vec!["2"]]), expected);
    for text in ["old", "inf", "NaN"] {
        let expected =
            ClassicalError::TableCell { row: 0, column: "age".into(), text: text.into() };
        assert_eq!(fit(&[vec![text, "m"]]), expected);
    }
}

/// Whether exactly one of two numbers is large, which no linear model can say; a third is noise and
/// a fourth always the same.
fn exclusive() -> (SparseMatrix, Vec<usize>) {
    let cell = |i: usize, k: usize| ((i * k) % 97) as f32 / 97.0;
    let row = |i: usize| vec![(0, cell(i, 31)), (1, cell(i, 57)), (2, cell(i, 13)), (3, 5.0)];
    let label = |i: usize| usize::from((cell(i, 31) > 0.5) != (cell(i, 57) > 0.5));
    (SparseMatrix::from_rows(5, (0..400).map(row)), (0..400).map(label).collect())
}

#[test]
fn boosting_learns_what_no_linear_model_can() {
    let (rows, labels) = exclusive();
    let model = GradientBoosting::fit(&rows, &labels, 2, &BoostingOptions::default()).unwrap();
    let found = model.predict(&rows);
    let right = found.iter().zip(&labels).filter(|(a, b)| a == b).count();
    assert!(right > 380, "{right} of 400");
    for probabilities in model.probabilities(&rows) {
        assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
    let saved = serde_json::to_string(&model).unwrap();
    let read: GradientBoosting = serde_json::from_str(&saved).unwrap();
    assert_eq!(read.scores(&rows), model.scores(&rows));
}

#[test]
fn boosting_tells_more_than_two_classes_apart() {
    let row = |i: usize| vec![(0, (i % 90) as f32)];
    let rows = SparseMatrix::from_rows(1, (0..270).map(row));
    let labels: Vec<usize> = (0..270).map(|i| (i % 90) / 30).collect();
    let model = GradientBoosting::fit(&rows, &labels, 3, &BoostingOptions::default()).unwrap();
    assert_eq!(model.predict(&rows), labels);
}

#[test]
fn a_seed_gives_one_model_on_any_number_of_threads() {
    let (rows, labels) = exclusive();
    let scores = |seed, threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let options = BoostingOptions { seed, trees: 30, ..BoostingOptions::default() };
        pool.install(|| GradientBoosting::fit(&rows, &labels, 2, &options).unwrap().scores(&rows))
    };
    assert_eq!(scores(1, 1), scores(1, 3));
    assert_ne!(scores(1, 1), scores(2, 1));
}

#[test]
fn what_cannot_be_fitted_is_named() {
    let (rows, labels) = exclusive();
    let options = BoostingOptions { learning_rate: -1.0, ..BoostingOptions::default() };
    let error = GradientBoosting::fit(&rows, &labels, 2, &options).err().unwrap();
    assert!(error.to_string().contains("learning_rate"), "{error}");
    let same = SparseMatrix::from_rows(1, (0..4).map(|_| vec![(0, 1.0)]));
    let model =
        GradientBoosting::fit(&same, &[0, 1, 1, 1], 2, &BoostingOptions::default()).unwrap();
    assert!((model.probabilities(&same)[0][1] - 0.75).abs() < 1e-6);
}
