//! Classes of texts: TF-IDF of words and of runs of characters, and three linear models.

use std::path::Path;

use anyhow::{Context, ensure};
use serde_json::Value;
use wuji_classical::{
    Classifier, LinearSvm, LogisticOptions, LogisticRegression, NaiveBayes, SparseMatrix,
    SvmOptions, TfIdf, TfIdfConfig,
};
use wuji_evaluation::classification::{Average, BinaryCounts, ConfusionMatrix, ConfusionMetric};
use wuji_evaluation::uncertainty::{BootstrapOptions, bootstrap, wilson};

use crate::folds::stratified;
use crate::{Figure, files, timed};

/// Texts and their labels, numbered in the order in which they appear.
#[derive(Default)]
struct Labelled {
    texts: Vec<String>,
    labels: Vec<usize>,
}

/// Labels that were seen.
#[derive(Default)]
struct Names(Vec<String>);

impl Names {
    fn number(&mut self, name: &str) -> usize {
        let known = self.0.iter().position(|known| known == name);
        known.unwrap_or_else(|| {
            self.0.push(name.to_owned());
            self.0.len() - 1
        })
    }
}

impl Labelled {
    fn push(&mut self, text: &str, label: usize) {
        self.texts.push(text.to_owned());
        self.labels.push(label);
    }

    fn select(&self, positions: &[usize]) -> Self {
        Self {
            texts: positions.iter().map(|&at| self.texts[at].clone()).collect(),
            labels: positions.iter().map(|&at| self.labels[at]).collect(),
        }
    }
}

/// How a model is fitted to rows with labels of so many classes.
type Fit = fn(&SparseMatrix, &[usize], usize) -> anyhow::Result<Box<dyn Classifier>>;

const RECIPES: [(&str, Fit); 3] = [
    ("logistic regression", |rows, labels, classes| {
        // Rows have length 1 in each block, which asks for larger weights than standardised columns do.
        let options = LogisticOptions { c: 10.0, ..LogisticOptions::default() };
        Ok(Box::new(LogisticRegression::fit(rows, labels, classes, &options)?))
    }),
    ("linear SVM", |rows, labels, classes| {
        Ok(Box::new(LinearSvm::fit(rows, labels, classes, &SvmOptions::default())?))
    }),
    ("naive Bayes", |rows, labels, classes| {
        Ok(Box::new(NaiveBayes::fit(rows, labels, classes, 0.1)?))
    }),
];

/// The training part in ten folds.
pub fn banking77(data: &Path) -> anyhow::Result<Vec<Figure>> {
    let (mut set, mut names) = (Labelled::default(), Names::default());
    for row in files::rows(&data.join("customer-service/banking77/train.csv.gz"), true)? {
        set.push(&row[0], names.number(&row[1]));
    }
    cross_validated(&set, names.0.len())
}

/// All sentences on which half of the annotators agree, in ten folds.
pub fn phrasebank(data: &Path) -> anyhow::Result<Vec<Figure>> {
    let (mut set, mut names) = (Labelled::default(), Names::default());
    for row in files::rows(&data.join("finance/financial-phrasebank/phrasebank.csv.gz"), true)? {
        set.push(&row[1], names.number(&row[0]));
    }
    cross_validated(&set, names.0.len())
}

/// Ten thousand texts to train on, the official test part.
pub fn ag_news(data: &Path) -> anyhow::Result<Vec<Figure>> {
    let topics = ["World", "Sports", "Business", "Sci/Tech"];
    let (mut train, mut test) = (Labelled::default(), Labelled::default());
    let text = files::text(&data.join("nlu/ag-news/train-10k.tsv.gz"))?;
    for line in text.lines() {
        let (text, topic) = line.rsplit_once('\t').context("a line of AG News without a tab")?;
        let label = topics.iter().position(|name| *name == topic.trim());
        train.push(text, label.with_context(|| format!("no topic of AG News: {topic}"))?);
    }
    for row in files::rows(&data.join("nlu/ag-news/test.csv.gz"), false)? {
        let class: usize = row[0].parse()?;
        ensure!((1..=4).contains(&class), "class {class} of AG News");
        test.push(&format!("{} {}", row[1], row[2]), class - 1);
    }
    held_out(&train, &test, topics.len())
}

/// Phrases of the training part, GLUE's validation sentences.
pub fn sst2(data: &Path) -> anyhow::Result<Vec<Figure>> {
    let (mut train, mut test) = (Labelled::default(), Labelled::default());
    let text = files::text(&data.join("nlu/sst2/train.tsv.gz"))?;
    for line in text.lines().skip(1) {
        let (text, label) = line.rsplit_once('\t').context("a line of SST-2 without a tab")?;
        train.push(text, label.trim().parse()?);
    }
    for line in files::text(&data.join("nlu/sst2/glue-validation.jsonl.gz"))?.lines() {
        let row: Value = serde_json::from_str(line)?;
        let label = row["label"].as_u64().context("a line of SST-2 without a label")?;
        test.push(row["sentence"].as_str().unwrap_or_default(), label as usize);
    }
    held_out(&train, &test, 2)
}

/// Intents, and questions of none. A question is out of scope where the best score is below
/// the threshold at which most questions of the validation part are right.
pub fn clinc150(data: &Path) -> anyhow::Result<Vec<Figure>> {
    let path = data.join("customer-service/clinc150/data_full.json.gz");
    let parts: Value = serde_json::from_str(&files::text(&path)?)?;
    let mut names = Names::default();
    let mut part = |name: &str| -> anyhow::Result<Labelled> {
        let mut part = Labelled::default();
        for pair in parts[name].as_array().with_context(|| format!("no part {name}"))? {
            let [text, intent] = [0, 1].map(|at| pair[at].as_str().unwrap_or_default());
            part.push(text, names.number(intent));
        }
        Ok(part)
    };
    let [train, validation, test] = [part("train")?, part("val")?, part("test")?];
    let [strange_validation, strange] = [part("oos_val")?, part("oos_test")?];
    let classes = train.labels.iter().max().map_or(0, |last| last + 1);
    let features = TfIdf::fit(&TfIdfConfig::words_and_characters(), &train.texts);
    let rows = features.transform(&train.texts);
    let mut figures = Vec::new();
    for (model, fit) in RECIPES {
        let (parts, seconds) = timed(|| {
            let fitted = fit(&rows, &train.labels, classes)?;
            let parts = [&validation, &strange_validation, &test, &strange];
            Ok(parts.map(|part| answers(&*fitted, &features, part)))
        })?;
        let [known, unknown, test, strange] = parts;
        let threshold = best_threshold(&known, &unknown);
        let right = test.iter().filter(|answer| answer.is_right);
        let kept = right.clone().filter(|answer| answer.score >= threshold).count();
        let found = strange.iter().filter(|answer| answer.score < threshold).count();
        for (what, share, of) in [
            ("in-scope accuracy without threshold", right.count(), test.len()),
            ("in-scope accuracy", kept, test.len()),
            ("out-of-scope recall", found, strange.len()),
        ] {
            figures.push(Figure { model, what, estimate: wilson(share, of, 0.95)?, seconds });
        }
    }
    Ok(figures)
}

/// The best class of a text.
struct Answer {
    score: f64,
    is_right: bool,
}

fn answers(model: &dyn Classifier, features: &TfIdf, part: &Labelled) -> Vec<Answer> {
    let scores = model.scores(&features.transform(&part.texts));
    let answer = |(mut scores, &label): (Vec<f64>, &usize)| {
        let truth = scores.get(label).copied();
        scores.sort_by(|a, b| b.total_cmp(a));
        Answer { score: scores[0], is_right: truth == Some(scores[0]) }
    };
    scores.into_iter().zip(&part.labels).map(answer).collect()
}

/// Below which score to refuse, so that most of known questions answered and unknown ones refused are
/// right.
fn best_threshold(known: &[Answer], unknown: &[Answer]) -> f64 {
    let gains = known.iter().map(|answer| (answer.score, -i32::from(answer.is_right)));
    let mut gains: Vec<(f64, i32)> =
        gains.chain(unknown.iter().map(|answer| (answer.score, 1))).collect();
    gains.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut sum, mut best) = (0, (0, f64::NEG_INFINITY));
    for pair in gains.windows(2) {
        sum += pair[0].1;
        if sum > best.0 {
            best = (sum, 0.5 * (pair[0].0 + pair[1].0));
        }
    }
    best.1
}

/// Every model trained on one part and tested on another.
fn held_out(train: &Labelled, test: &Labelled, classes: usize) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (model, fit) in RECIPES {
        let (found, seconds) = timed(|| predictions(fit, train, test, classes))?;
        figures.extend(scores(model, &test.labels, &found, classes, seconds)?);
    }
    Ok(figures)
}

/// Every model in ten stratified folds; each text is tested once.
fn cross_validated(set: &Labelled, classes: usize) -> anyhow::Result<Vec<Figure>> {
    let folds = stratified(&set.labels, 10, 0);
    let mut figures = Vec::new();
    for (model, fit) in RECIPES {
        let (found, seconds) = timed(|| {
            let mut all = vec![0; set.labels.len()];
            for fold in &folds {
                let (train, test) = (set.select(&fold.train), set.select(&fold.test));
                let found = predictions(fit, &train, &test, classes)?;
                fold.test.iter().zip(found).for_each(|(&row, label)| all[row] = label);
            }
            Ok(all)
        })?;
        figures.extend(scores(model, &set.labels, &found, classes, seconds)?);
    }
    Ok(figures)
}

fn predictions(
    fit: Fit,
    train: &Labelled,
    test: &Labelled,
    classes: usize,
) -> anyhow::Result<Vec<usize>> {
    let features = TfIdf::fit(&TfIdfConfig::words_and_characters(), &train.texts);
    let model = fit(&features.transform(&train.texts), &train.labels, classes)?;
    Ok(model.predict(&features.transform(&test.texts)))
}

/// Accuracy with Wilson's interval, macro F1 over resampled texts.
fn scores(
    model: &'static str,
    truth: &[usize],
    found: &[usize],
    classes: usize,
    seconds: f64,
) -> anyhow::Result<Vec<Figure>> {
    let right = truth.iter().zip(found).filter(|(truth, found)| truth == found).count();
    let macro_f1 = |matrix: &ConfusionMatrix| matrix.average(Average::Macro, BinaryCounts::f1);
    let f1 = ConfusionMetric::new(truth, found, classes, macro_f1)?;
    Ok(vec![
        Figure { model, what: "accuracy", estimate: wilson(right, truth.len(), 0.95)?, seconds },
        Figure {
            model,
            what: "macro F1",
            estimate: bootstrap(&f1, &BootstrapOptions::default())?,
            seconds,
        },
    ])
}
