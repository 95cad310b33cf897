//! Tests, intervals and corrections against scipy and the formulas of the case.

use serde_json::Value;
use wuji_evaluation::DocumentMean;
use wuji_evaluation::uncertainty::{
    McNemar, Resamples, benjamini_hochberg, bonferroni, cohen_d_paired, holm, kolmogorov_smirnov,
    mann_whitney, paired_bootstrap_over, paired_t_test, pass_at_k, welch_t_test, wilcoxon, wilson,
};

use crate::golden::{Comparison, expected, get};

const CASE: &str = "significance";
const TOLERANCE: f64 = 1e-9;

fn correct(values: &Value) -> Vec<bool> {
    get::<Vec<u8>>(values).into_iter().map(|value| value == 1).collect()
}

#[test]
fn golden_mcnemar_is_scipys() {
    let Some(all) = expected(CASE) else { return };
    let test = McNemar::new(&correct(&all["a"]), &correct(&all["b"])).unwrap();
    let expected = &all["mcnemar"];
    let mut comparison = Comparison::new("McNemar", TOLERANCE);
    comparison.number("b01", test.b01 as f64, &expected["b01"]);
    comparison.number("b10", test.b10 as f64, &expected["b10"]);
    comparison.number("exact_p", test.exact_p, &expected["exact_p"]);
    comparison.number("chi2", test.chi2, &expected["chi2"]);
    comparison.number("chi2_p", test.chi2_p, &expected["chi2_p"]);
    comparison.number("corrected", test.chi2_corrected, &expected["chi2_corrected"]);
    comparison.number("corrected_p", test.chi2_corrected_p, &expected["chi2_corrected_p"]);
}

#[test]
fn golden_paired_bootstrap_over_given_draws() {
    let Some(all) = expected(CASE) else { return };
    let first = DocumentMean::of_correct(&correct(&all["a"]));
    let second = DocumentMean::of_correct(&correct(&all["b"]));
    let expected = &all["bootstrap"];
    let draws = Resamples::given(80, get(&expected["indices"])).unwrap();
    let paired = paired_bootstrap_over(&first, &second, &draws, 0.95).unwrap();
    let mut comparison = Comparison::new("paired bootstrap", TOLERANCE);
    comparison.number("diff", paired.difference.value, &expected["diff"]);
    let (low, high) = paired.difference.interval;
    comparison.numbers("interval", &[low, high], &expected["ci95_percentile"]);
    comparison.number("shifted", paired.p_value_shifted, &expected["p_value_shifted"]);
    comparison.number("sign", paired.p_value_sign, &expected["p_value_sign"]);
}

#[test]
fn golden_tests_of_two_samples_are_scipys() {
    let Some(all) = expected(CASE) else { return };
    let (x, y): (Vec<f64>, Vec<f64>) = (get(&all["x"]), get(&all["y"]));
    let mut comparison = Comparison::new("tests of two samples", TOLERANCE);
    let paired = paired_t_test(&x, &y).unwrap();
    comparison.number("paired t", paired.t, &all["paired_t"]["t"]);
    comparison.number("paired p", paired.p_value, &all["paired_t"]["p"]);
    comparison.number("paired df", paired.df, &all["ttest_df"]);
    let welch = welch_t_test(&x, &y).unwrap();
    comparison.number("Welch t", welch.t, &all["welch_t"]["t"]);
    comparison.number("Welch p", welch.p_value, &all["welch_t"]["p"]);
    let signed = wilcoxon(&x, &y).unwrap();
    comparison.number("Wilcoxon", signed.statistic, &all["wilcoxon"]["stat"]);
    comparison.number("Wilcoxon p", signed.p_value, &all["wilcoxon"]["p"]);
    let ranked = mann_whitney(&x, &y).unwrap();
    comparison.number("U", ranked.u, &all["mannwhitney"]["u"]);
    comparison.number("U p", ranked.p_value, &all["mannwhitney"]["p"]);
    comparison.number("KS", kolmogorov_smirnov(&x, &y).unwrap(), &all["ks_2samp"]["d"]);
    comparison.number("d", cohen_d_paired(&x, &y).unwrap(), &all["cohen_d_paired"]);
}

#[test]
fn golden_corrections_intervals_and_pass_at_k() {
    let Some(all) = expected(CASE) else { return };
    let mut comparison = Comparison::new("corrections, Wilson, pass@k", TOLERANCE);
    let tests = &all["multiple_testing"];
    let p: Vec<f64> = get(&tests["p"]);
    comparison.numbers("Bonferroni", &bonferroni(&p).unwrap(), &tests["bonferroni"]);
    comparison.numbers("Holm", &holm(&p).unwrap(), &tests["holm"]);
    let adjusted = benjamini_hochberg(&p).unwrap();
    comparison.numbers("Benjamini-Hochberg", &adjusted, &tests["benjamini_hochberg"]);

    let expected = &all["wilson95"];
    let estimate = wilson(get(&expected["successes"]), get(&expected["n"]), 0.95).unwrap();
    comparison.number("low", estimate.interval.0, &expected["low"]);
    comparison.number("high", estimate.interval.1, &expected["high"]);

    let problems = &all["pass_at_k"];
    let (n, correct): (usize, Vec<usize>) = (get(&problems["n"]), get(&problems["c"]));
    for k in [1, 5, 10] {
        let scores: Vec<f64> = correct.iter().map(|c| pass_at_k(n, *c, k).unwrap()).collect();
        comparison.numbers("pass@k", &scores, &problems[format!("k{k}")]);
    }
}
