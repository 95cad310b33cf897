//! A page with every part of a report, of invented answers: what `wuji_evaluation::html` looks like.
//!
//! `cargo run --release -p wuji-evaluation --example report -- page.html`

use std::error::Error;

use wuji_evaluation::DocumentMean;
use wuji_evaluation::classification::{
    Average, BinaryCounts, ConfusionMatrix, ConfusionMetric, calibration, most_probable,
};
use wuji_evaluation::comparison::{Comparison, Correction, adjust};
use wuji_evaluation::html::{
    ComparisonTable, ConfusionTable, ErrorSample, EstimateRow, EstimateTable, Highlight,
    HighlightKind, NumberFormat, Page, ReliabilityDiagram, cards, error_samples, facts, note,
};
use wuji_evaluation::uncertainty::{BootstrapOptions, bootstrap, wilson};

const CLASSES: [&str; 6] = ["account", "card arrival", "exchange rate", "refund", "top-up", "转账"];
const PERCENT: NumberFormat = NumberFormat::Percent { decimals: 1 };

/// Invented answers of a classifier.
struct Answers {
    truth: Vec<usize>,
    probabilities: Vec<Vec<f64>>,
}

impl Answers {
    /// A model that puts `weight` on the true class, more or less, and the rest on others.
    fn invented(documents: usize, weight: f64, seed: u64) -> Self {
        let mut state = seed;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as f64 / (1_u64 << 24) as f64
        };
        let truth: Vec<usize> = (0..documents).map(|at| at * 5 % 7 % CLASSES.len()).collect();
        let probabilities = truth.iter().map(|truth| {
            let mut row: Vec<f64> = CLASSES.iter().map(|_| random().powi(4) * 2.0).collect();
            row[*truth] += weight * random();
            // Neighbours are easily confused, and the model is too sure of itself.
            row[(truth + 1) % CLASSES.len()] += 0.5 * random();
            let sharp: Vec<f64> = row.iter().map(|p| p.powf(1.6)).collect();
            let sum: f64 = sharp.iter().sum();
            sharp.iter().map(|p| p / sum).collect()
        });
        let probabilities = probabilities.collect();
        Self { truth, probabilities }
    }

    fn predicted(&self) -> Vec<usize> {
        self.probabilities.iter().map(|row| most_probable(row).unwrap_or_default()).collect()
    }

    /// 1 for each right answer, else 0.
    fn scores(&self) -> Vec<f64> {
        let pairs = self.truth.iter().zip(self.predicted());
        pairs.map(|(truth, predicted)| f64::from(u8::from(*truth == predicted))).collect()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: report PATH")?;
    let (model, floor) = (Answers::invented(900, 3.4, 1), Answers::invented(900, 2.2, 2));
    let mut page = Page::new("Evaluation of banking-small")
        .with_subtitle("6 classes, 900 documents · 27 November 2026 · invented answers");
    page.section("Scores", &scores(&model)?);
    page.section("Classical floor and model", &comparison(&model, &floor)?);
    page.section("By slice", &slices(&model)?);
    page.section("Calibration", &reliability(&model)?);
    page.section("Confusion", &confusion(&model)?);
    page.section("Errors", &errors()?);
    page.section("How it was measured", &recipe());
    std::fs::write(path, page.html())?;
    Ok(())
}

fn scores(answers: &Answers) -> Result<String, Box<dyn Error>> {
    let options = BootstrapOptions::default();
    let (truth, predicted) = (&answers.truth, answers.predicted());
    let figure = |figure: fn(&ConfusionMatrix) -> f64| -> Result<_, Box<dyn Error>> {
        let metric = ConfusionMetric::new(truth, &predicted, CLASSES.len(), figure)?;
        Ok(bootstrap(&metric, &options)?)
    };
    let right = answers.scores().iter().filter(|score| **score == 1.0).count();
    let accuracy = wilson(right, truth.len(), 0.95)?;
    let mut table = EstimateTable::new("Scores on the test split", "metric", PERCENT);
    table.push("accuracy", accuracy.clone());
    table.push("balanced accuracy", figure(ConfusionMatrix::balanced_accuracy)?);
    table.push("macro F1", figure(|m| m.average(Average::Macro, BinaryCounts::f1))?);
    table.push("weighted F1", figure(|m| m.average(Average::Weighted, BinaryCounts::f1))?);
    table.push("Matthews", figure(ConfusionMatrix::matthews)?);
    let cards = cards(&[
        (format!("{:.1} %", 100.0 * accuracy.value), "accuracy".to_owned()),
        ("16.7 %".to_owned(), "a guess".to_owned()),
        (truth.len().to_string(), "documents".to_owned()),
    ]);
    Ok(cards + &table.html()?)
}

fn comparison(model: &Answers, floor: &Answers) -> Result<String, Box<dyn Error>> {
    let options = BootstrapOptions::default();
    let (first, second) = (model.scores(), floor.scores());
    let part = |name: &str, range: std::ops::Range<usize>| {
        Comparison::of_scores(name, &first[range.clone()], &second[range], &options)
    };
    // Probabilities of the true class: scores between 0 and 1.
    let graded = |answers: &Answers| -> Vec<f64> {
        answers.probabilities.iter().zip(&answers.truth).map(|(row, truth)| row[*truth]).collect()
    };
    let mut comparisons = vec![
        part("all intents", 0..900)?,
        part("first third", 0..300)?,
        part("last 60", 840..900)?,
        Comparison::of_scores(
            "probability of the truth",
            &graded(model),
            &graded(floor),
            &options,
        )?,
    ];
    adjust(&mut comparisons, Correction::Holm)?;
    let table = ComparisonTable {
        caption: "The same documents, paired".to_owned(),
        first: "model".to_owned(),
        second: "TF-IDF + SVM".to_owned(),
        format: PERCENT,
        level: 0.05,
        comparisons,
    };
    let remark = "P-values are McNemar's exact ones where answers are right or wrong, else of a \
                  permutation test, adjusted by Holm's method.";
    Ok(table.html()? + &note(remark))
}

fn slices(answers: &Answers) -> Result<String, Box<dyn Error>> {
    let scores = answers.scores();
    let options = BootstrapOptions::default();
    let all = bootstrap(&DocumentMean::new(&scores)?, &options)?;
    let slices = CLASSES.iter().enumerate().map(|(class, name)| {
        let own = answers.truth.iter().zip(&scores).filter(|(truth, _)| **truth == class);
        let right = own.clone().filter(|(_, score)| **score == 1.0).count();
        Ok(EstimateRow { name: (*name).to_owned(), estimate: wilson(right, own.count(), 0.95)? })
    });
    let slices = slices.collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    Ok(EstimateTable::of_slices("Accuracy by true class", all, slices, PERCENT).html()?)
}

fn reliability(answers: &Answers) -> Result<String, Box<dyn Error>> {
    let found = calibration(&answers.truth, &answers.probabilities, 10)?;
    let diagram = ReliabilityDiagram {
        caption: "Confidence of the predicted class".to_owned(),
        expected_error: found.expected_error,
        bins: found.reliability(0.95)?,
    };
    Ok(diagram.html()?)
}

fn confusion(answers: &Answers) -> Result<String, Box<dyn Error>> {
    let matrix = ConfusionMatrix::new(&answers.truth, &answers.predicted(), CLASSES.len())?;
    let names = CLASSES.iter().map(|name| (*name).to_owned()).collect();
    Ok(ConfusionTable::new("Intents", names, &matrix).html()?)
}

fn errors() -> Result<String, Box<dyn Error>> {
    let highlight = |text: &str, part: &str, label: &str, kind| {
        let start = text.find(part).unwrap_or_default();
        Highlight { span: start..start + part.len(), label: label.to_owned(), kind }
    };
    let (question, sentence) = (
        "My card still hasn't arrived after 2 weeks & the app says <delivered>?",
        "昨天，北京大学医学部的张教授在上海市第一人民医院做了报告。",
    );
    let samples = [
        ErrorSample {
            id: "banking/test/17".to_owned(),
            text: question.to_owned(),
            highlights: vec![highlight(question, "2 weeks", "", HighlightKind::Neutral)],
            fields: vec![
                ("expected".to_owned(), "card arrival".to_owned()),
                ("said".to_owned(), "exchange rate (0.61)".to_owned()),
            ],
        },
        ErrorSample {
            id: "cluener/dev/203".to_owned(),
            text: sentence.to_owned(),
            highlights: vec![
                highlight(sentence, "北京大学医学部", "organization", HighlightKind::Missing),
                highlight(sentence, "北京大学", "organization", HighlightKind::Wrong),
                highlight(sentence, "张", "name", HighlightKind::Right),
                highlight(sentence, "上海市第一人民医院", "organization", HighlightKind::Right),
            ],
            fields: vec![("note".to_owned(), "The inner name was taken for the whole.".to_owned())],
        },
    ];
    Ok(error_samples(&samples)?)
}

fn recipe() -> String {
    let fact = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    facts(&[
        fact("task", "banking-small, version 2"),
        fact("data", "sha256 0a4e55a8c9f1b2d3e4f5061728394a5b6c7d8e9f0a1b2c3d4e5f60718293a4b5"),
        fact("intervals", "accuracy: Wilson; others: 1000 resamples of the documents, seed 0"),
    ])
}
