//! Labels, probabilities and numbers against scikit-learn and scipy.

use serde_json::Value;
use wuji_evaluation::classification::{
    Average, BinaryCounts, ConfusionMatrix, KappaWeights, MultiLabel, average_precision,
    binary_brier, binary_log_loss, brier, calibration, log_loss, precision_recall_curve, roc_auc,
    roc_auc_one_vs_one, roc_auc_one_vs_rest, roc_curve, top_k_accuracy,
};
use wuji_evaluation::regression::{
    kendall_tau_b, mean_absolute_error, mean_squared_error, pearson, r_squared,
    root_mean_squared_error, spearman,
};

use crate::golden::{Comparison, expected, get};

const CASE: &str = "classification";
const TOLERANCE: f64 = 1e-9;

fn booleans(values: &Value) -> Vec<bool> {
    get::<Vec<u8>>(values).into_iter().map(|value| value == 1).collect()
}

/// The figures of averages and of classes.
type Figure = (&'static str, fn(&BinaryCounts) -> f64);

const FIGURES: [Figure; 5] = [
    ("precision", BinaryCounts::precision),
    ("recall", BinaryCounts::recall),
    ("f1", BinaryCounts::f1),
    ("f2", |counts| counts.f_beta(2.0)),
    ("jaccard", BinaryCounts::jaccard),
];

#[test]
fn golden_labels_are_scored_as_by_scikit_learn() {
    let Some(all) = expected(CASE) else { return };
    let all = &all["multiclass"];
    let (truth, predicted): (Vec<usize>, Vec<usize>) = (get(&all["y_true"]), get(&all["y_pred"]));
    let matrix = ConfusionMatrix::new(&truth, &predicted, 4).unwrap();
    let rows: Vec<Vec<u64>> = matrix.rows().map(<[u64]>::to_vec).collect();
    assert_eq!(rows, get::<Vec<Vec<u64>>>(&all["confusion_matrix"]));

    let mut comparison = Comparison::new("labels", TOLERANCE);
    let mut number = |name: &str, found: f64| comparison.number(name, found, &all[name]);
    number("accuracy", matrix.accuracy());
    number("balanced_accuracy", matrix.balanced_accuracy());
    number("mcc", matrix.matthews());
    number("cohen_kappa", matrix.cohen_kappa(KappaWeights::Unweighted));
    number("cohen_kappa_linear", matrix.cohen_kappa(KappaWeights::Linear));
    number("cohen_kappa_quadratic", matrix.cohen_kappa(KappaWeights::Quadratic));
    number("hamming_loss", 1.0 - matrix.accuracy());
    for (name, figure) in FIGURES {
        for (average, how) in
            [("macro", Average::Macro), ("micro", Average::Micro), ("weighted", Average::Weighted)]
        {
            comparison.number(name, matrix.average(how, figure), &all[average][name]);
        }
    }
    let classes = matrix.per_class();
    for (name, figure) in &FIGURES[..3] {
        let figures: Vec<f64> = classes.iter().map(figure).collect();
        comparison.numbers(name, &figures, &all["per_class"][name]);
    }
    let support: Vec<f64> = classes.iter().map(|class| class.support() as f64).collect();
    comparison.numbers("support", &support, &all["per_class"]["support"]);
}

#[test]
fn golden_probabilities_are_scored_as_by_scikit_learn() {
    let Some(all) = expected(CASE) else { return };
    let all = &all["multiclass"];
    let (truth, rows): (Vec<usize>, Vec<Vec<f64>>) = (get(&all["y_true"]), get(&all["y_prob"]));
    let mut comparison = Comparison::new("probabilities", TOLERANCE);
    let mut number = |name: &str, found: f64| comparison.number(name, found, &all[name]);
    number("log_loss", log_loss(&truth, &rows).unwrap());
    number("brier_multiclass_sum", brier(&truth, &rows).unwrap());
    number("top2_accuracy", top_k_accuracy(&truth, &rows, 2).unwrap());
    let one_vs_rest = |how| roc_auc_one_vs_rest(&truth, &rows, how).unwrap();
    number("roc_auc_ovr_macro", one_vs_rest(Average::Macro));
    number("roc_auc_ovr_weighted", one_vs_rest(Average::Weighted));
    number("roc_auc_ovo_macro", roc_auc_one_vs_one(&truth, &rows).unwrap());
    for bins in [10, 15] {
        let found = calibration(&truth, &rows, bins).unwrap();
        let counts: Vec<f64> = found.bins.iter().map(|bin| bin.count as f64).collect();
        let key = |name: &str| &all[name.replace('N', &bins.to_string())];
        comparison.number("ece", found.expected_error, key("ece_N"));
        comparison.number("mce", found.maximum_error, key("mce_N"));
        comparison.numbers("bins", &counts, key("ece_N_bin_counts"));
    }
}

#[test]
fn golden_yes_or_no_is_scored_as_by_scikit_learn() {
    let Some(all) = expected(CASE) else { return };
    let all = &all["binary"];
    let (truth, scores): (Vec<bool>, Vec<f64>) = (booleans(&all["y_true"]), get(&all["score"]));
    let said: Vec<bool> = scores.iter().map(|score| *score >= 0.5).collect();
    let counts = BinaryCounts::new(&truth, &said).unwrap();
    let curve = roc_curve(&truth, &scores).unwrap();
    let area = roc_auc(&truth, &scores).unwrap();
    let recall_curve = precision_recall_curve(&truth, &scores).unwrap();

    let mut comparison = Comparison::new("yes or no", TOLERANCE);
    let mut number = |name: &str, found: f64| comparison.number(name, found, &all[name]);
    number("tp", counts.true_positives as f64);
    number("fp", counts.false_positives as f64);
    number("fn", counts.false_negatives as f64);
    number("tn", counts.true_negatives as f64);
    number("accuracy", counts.accuracy());
    number("precision", counts.precision());
    number("recall", counts.recall());
    number("specificity", counts.specificity());
    number("f1", counts.f1());
    number("mcc", counts.matthews());
    number("brier", binary_brier(&truth, &scores).unwrap());
    number("log_loss", binary_log_loss(&truth, &scores).unwrap());
    number("roc_auc", area);
    number("gini", 2.0 * area - 1.0);
    number("ks_statistic", curve.kolmogorov_smirnov());
    number("average_precision", average_precision(&truth, &scores).unwrap());
    number("pr_auc_trapezoid", recall_curve.trapezoid_area());

    let expected = &all["roc_curve"];
    comparison.numbers("fpr", &curve.false_positive_rate, &expected["fpr"]);
    comparison.numbers("tpr", &curve.true_positive_rate, &expected["tpr"]);
    assert_eq!(curve.thresholds[0], f64::INFINITY);
    assert_eq!(
        curve.thresholds[1..],
        get::<Vec<f64>>(&Value::Array(expected["thresholds"].as_array().unwrap()[1..].to_vec()))
    );
}

#[test]
fn golden_label_sets_are_scored_as_by_scikit_learn() {
    let Some(all) = expected(CASE) else { return };
    let all = &all["multilabel"];
    let rows = |name: &str| -> Vec<Vec<bool>> {
        all[name].as_array().unwrap().iter().map(booleans).collect()
    };
    let labels = MultiLabel::new(&rows("y_true"), &rows("y_pred")).unwrap();
    let mut comparison = Comparison::new("label sets", TOLERANCE);
    let mut number = |name: &str, found: f64| comparison.number(name, found, &all[name]);
    number("subset_accuracy", labels.subset_accuracy());
    number("hamming_loss", labels.hamming_loss());
    number("f1_macro", labels.average(Average::Macro, BinaryCounts::f1));
    number("f1_micro", labels.average(Average::Micro, BinaryCounts::f1));
    number("f1_weighted", labels.average(Average::Weighted, BinaryCounts::f1));
    number("f1_samples", labels.average_over_documents(BinaryCounts::f1));
}

#[test]
fn golden_numbers_are_scored_as_by_scipy() {
    let Some(all) = expected(CASE) else { return };
    let all = &all["regression"];
    let (truth, found): (Vec<f64>, Vec<f64>) = (get(&all["y_true"]), get(&all["y_pred"]));
    let mut comparison = Comparison::new("numbers", TOLERANCE);
    for (name, result) in [
        ("mse", mean_squared_error(&truth, &found)),
        ("rmse", root_mean_squared_error(&truth, &found)),
        ("mae", mean_absolute_error(&truth, &found)),
        ("r2", r_squared(&truth, &found)),
        ("pearson", pearson(&truth, &found)),
        ("spearman", spearman(&truth, &found)),
        ("kendall_tau_b", kendall_tau_b(&truth, &found)),
    ] {
        comparison.number(name, result.unwrap(), &all[name]);
    }
}
