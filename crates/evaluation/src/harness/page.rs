//! The results of a run as a page for people.

use super::error::HarnessError;
use super::measurement::Measurement;
use super::metric::{Aggregate, Metric};
use super::report::{
    AnswererDocuments, AnswererReport, Documents, RunReport, ScoreReport, TaskReport,
};
use super::request::{Answer, Gold};
use crate::EvaluationError;
use crate::classification::{ConfusionMatrix, calibration};
use crate::comparison::Comparison;
use crate::html::{
    ComparisonTable, ConfusionTable, ErrorSample, EstimateRow, EstimateTable, NumberFormat, Page,
    ReliabilityDiagram, error_samples, escape, facts, note, scrolling_table,
};

/// Wrong answers that are shown of a task.
const SAMPLES: usize = 8;
/// Characters of a text that are shown.
const SHOWN: usize = 600;
/// Bins of a reliability diagram.
const BINS: usize = 10;
/// Slices that are shown; more are in the file of results.
const SLICES: usize = 60;

/// The page of a run. `documents` has those of the tasks that were carried out.
///
/// # Errors
/// Results that do not fit together.
pub fn page(report: &RunReport, documents: &[Documents]) -> Result<String, HarnessError> {
    let done = report.tasks.iter().filter(|task| task.skipped.is_none()).count();
    let subtitle = match report.limit {
        Some(limit) => format!("{done} tasks, samples of at most {limit} documents each"),
        None => format!("{done} tasks"),
    };
    let mut page = Page::new(format!("Evaluation of {}", report.model)).with_subtitle(subtitle);
    page.section("All tasks", &overview(report));
    for task in report.tasks.iter().filter(|task| task.skipped.is_none()) {
        let of_task = documents.iter().find(|documents| documents.task == task.task);
        let body = task_section(task, of_task)
            .map_err(|source| HarnessError::Score { task: task.task.clone(), source })?;
        page.section(task.title.clone(), &body);
    }
    page.section("How it was measured", &recipe(report));
    Ok(page.html())
}

/// The first metric of every task: the model beside its floors.
fn overview(report: &RunReport) -> String {
    let mut rows = String::new();
    for task in &report.tasks {
        let name = escape(&task.title);
        if let Some(reason) = &task.skipped {
            let reason = escape(reason);
            rows += &format!(
                "<tr><th scope=\"row\">{name}</th><td colspan=\"4\">skipped: {reason}</td></tr>\n"
            );
            continue;
        }
        let metric = first_score(task).map_or("", |score| score.metric.as_str());
        let mut answerers = task.answerers.iter();
        let model = answerers.next().map_or(String::new(), cell);
        let floors: Vec<String> =
            answerers.map(|floor| format!("{} {}", escape(&floor.name), cell(floor))).collect();
        let direction = first_score(task).and_then(|score| score.higher_is_better);
        let verdicts: Vec<&str> =
            task.comparisons.iter().map(|comparison| verdict(comparison, direction)).collect();
        rows += &format!(
            "<tr><th scope=\"row\">{name}</th><td>{}</td><td>{model}</td><td>{}</td><td>{}</td></tr>\n",
            escape(metric),
            floors.join("<br>"),
            verdicts.join("<br>"),
        );
    }
    let head = "<th scope=\"col\">task</th><th scope=\"col\">metric</th><th scope=\"col\">model</th>\
                <th scope=\"col\">floors</th><th scope=\"col\">beside them</th>";
    scrolling_table("First metric of each task, with 95 % intervals", "overview", head, &rows)
}

fn cell(answerer: &AnswererReport) -> String {
    match (&answerer.skipped, answerer.scores.first()) {
        (Some(reason), _) => escape(reason),
        (None, Some(score)) => figure(score),
        (None, None) => String::new(),
    }
}

/// `42.1 % [40.0, 44.2]`, or plain numbers for what is no share.
fn figure(score: &ScoreReport) -> String {
    let (value, (low, high)) = (score.estimate.value, score.estimate.interval);
    match format_of(&score.metric) {
        NumberFormat::Percent { .. } => {
            format!("{:.1} % [{:.1}, {:.1}]", 100.0 * value, 100.0 * low, 100.0 * high)
        }
        _ => format!("{value:.3} [{low:.3}, {high:.3}]"),
    }
}

/// The first score of the first answerer that has one.
fn first_score(task: &TaskReport) -> Option<&ScoreReport> {
    task.answerers.iter().find_map(|answerer| answerer.scores.first())
}

/// What the paired test says of the model beside a floor.
fn verdict(comparison: &Comparison, higher_is_better: Option<bool>) -> &'static str {
    let is_higher = comparison.difference.value > 0.0;
    match (comparison.p_value() < 0.05, higher_is_better) {
        (false, _) => "no difference shown",
        (true, Some(better)) if better == is_higher => "better",
        (true, Some(_)) => "worse",
        (true, None) if is_higher => "higher",
        (true, None) => "lower",
    }
}

/// Shares are shown in percent.
fn format_of(metric: &str) -> NumberFormat {
    let name = metric.split(',').next().unwrap_or(metric);
    let is_number = [
        Metric::LogLoss,
        Metric::WordPerplexity,
        Metric::BytePerplexity,
        Metric::BitsPerByte,
        Metric::Mcc,
        Metric::Bleu,
        Metric::Chrf,
        Metric::Ece,
    ]
    .iter()
    .any(|metric| metric.name() == name);
    if is_number {
        NumberFormat::Plain { decimals: 3 }
    } else {
        NumberFormat::Percent { decimals: 1 }
    }
}

fn task_section(
    task: &TaskReport,
    documents: Option<&Documents>,
) -> Result<String, EvaluationError> {
    let mut body = note(&format!(
        "{} documents of {}, {} examples before each, version {}. {}",
        task.documents, task.set, task.few_shot, task.version, task.about
    ));
    let mut metrics: Vec<&str> = Vec::new();
    for score in task.answerers.iter().flat_map(|answerer| &answerer.scores) {
        if !metrics.contains(&score.metric.as_str()) {
            metrics.push(&score.metric);
        }
    }
    for metric in metrics {
        body += &metric_table(task, metric)?;
    }
    if let Some(comparisons) = comparisons(task)? {
        body += &comparisons;
    }
    body += &slices(task)?;
    let Some(documents) = documents else { return Ok(body) };
    let Some(model) = documents.answerers.first() else { return Ok(body) };
    body += &calibration_part(documents, model)?;
    body += &confusion_part(documents, model)?;
    body += &samples(documents, model)?;
    Ok(body)
}

/// One metric of model and floors.
fn metric_table(task: &TaskReport, metric: &str) -> Result<String, EvaluationError> {
    let mut table = EstimateTable::new(metric, "answered by", format_of(metric));
    for answerer in &task.answerers {
        if let Some(score) = answerer.scores.iter().find(|score| score.metric == metric) {
            table.push(answerer.name.clone(), score.estimate.clone());
        }
    }
    table.html()
}

fn comparisons(task: &TaskReport) -> Result<Option<String>, EvaluationError> {
    // The table calls the higher of two figures the better one.
    let score = first_score(task).filter(|score| score.higher_is_better == Some(true));
    let Some(score) = score.filter(|_| !task.comparisons.is_empty()) else { return Ok(None) };
    let table = ComparisonTable {
        caption: "The same documents, paired".to_owned(),
        first: task.answerers[0].name.clone(),
        second: "floor".to_owned(),
        format: format_of(&score.metric),
        level: 0.05,
        comparisons: task.comparisons.clone(),
    };
    table.html().map(Some)
}

fn slices(task: &TaskReport) -> Result<String, EvaluationError> {
    let score = task.answerers.first().and_then(|answerer| answerer.scores.first());
    let Some(score) = score.filter(|score| score.slices.len() > 1) else {
        return Ok(String::new());
    };
    let row = |(name, estimate): (&String, &crate::uncertainty::Estimate)| EstimateRow {
        name: name.clone(),
        estimate: estimate.clone(),
    };
    let rows = score.slices.iter().take(SLICES).map(row).collect();
    let caption = format!("{} of {} by slice", score.metric, task.answerers[0].name);
    EstimateTable::of_slices(caption, score.estimate.clone(), rows, format_of(&score.metric)).html()
}

/// The reliability diagram of a choice.
fn calibration_part(
    documents: &Documents,
    model: &AnswererDocuments,
) -> Result<String, EvaluationError> {
    if !model.measurements.iter().any(|measurement| measurement.metric == Metric::Ece) {
        return Ok(String::new());
    }
    let probabilities: Option<Vec<Vec<f64>>> =
        model.answers.iter().map(super::rows::probabilities).collect();
    let truth: Option<Vec<usize>> = documents.golds.iter().map(first_right).collect();
    let (Some(probabilities), Some(truth)) = (probabilities, truth) else {
        return Ok(String::new());
    };
    let found = calibration(&truth, &probabilities, BINS)?;
    let diagram = ReliabilityDiagram {
        caption: format!("Confidence of {}", model.name),
        expected_error: found.expected_error,
        bins: found.reliability(0.95)?,
    };
    diagram.html()
}

fn first_right(gold: &Gold) -> Option<usize> {
    match gold {
        Gold::Options(right) => right.first().copied(),
        _ => None,
    }
}

fn confusion_part(
    documents: &Documents,
    model: &AnswererDocuments,
) -> Result<String, EvaluationError> {
    let is_classes = |m: &&Measurement| matches!(m.metric.aggregate(), Aggregate::Classes(_));
    let Some(measurement) = model.measurements.iter().find(is_classes) else {
        return Ok(String::new());
    };
    if documents.labels.is_empty() {
        return Ok(String::new());
    }
    let column = |c: usize| measurement.rows.iter().map(|row| row[c] as usize).collect::<Vec<_>>();
    let matrix = ConfusionMatrix::new(&column(0), &column(1), documents.labels.len())?;
    let caption = format!("Answers of {}", model.name);
    ConfusionTable::new(caption, documents.labels.clone(), &matrix).html()
}

/// The first wrong answers by the first metric.
fn samples(documents: &Documents, model: &AnswererDocuments) -> Result<String, EvaluationError> {
    let Some(measurement) = model.measurements.first() else { return Ok(String::new()) };
    let is_wrong = |row: &Vec<f64>| match measurement.metric.aggregate() {
        Aggregate::Mean => measurement.metric.higher_is_better() == Some(true) && row[0] < 0.5,
        Aggregate::Classes(_) => row[0] != row[1],
        Aggregate::F1 => row[0] < row[2] || row[0] < row[1],
        _ => false,
    };
    let wrong = measurement.rows.iter().enumerate().filter(|(_, row)| is_wrong(row));
    let samples: Vec<ErrorSample> =
        wrong.take(SAMPLES).map(|(document, _)| sample(documents, model, document)).collect();
    if samples.is_empty() {
        return Ok(String::new());
    }
    Ok(format!("<h3>Wrong answers</h3>\n{}", error_samples(&samples)?))
}

fn sample(documents: &Documents, model: &AnswererDocuments, document: usize) -> ErrorSample {
    let options = match documents.options[document].as_slice() {
        [] => documents.labels.as_slice(),
        options => options,
    };
    let option = |index: usize| options.get(index).cloned().unwrap_or_else(|| index.to_string());
    let expected = match &documents.golds[document] {
        Gold::Options(right) => {
            right.iter().map(|&index| option(index)).collect::<Vec<_>>().join(" | ")
        }
        Gold::Texts(texts) => texts.join(" | "),
        Gold::Tags(tags) => tags.join(" "),
        Gold::Relevance(_) | Gold::Size { .. } => String::new(),
    };
    let said = match &model.answers[document] {
        Answer::Text(text) => text.clone(),
        Answer::Tags(tags) => tags.join(" "),
        answer => super::rows::probabilities(answer).map_or_else(String::new, |probabilities| {
            let best = super::rows::best(probabilities.iter().copied());
            format!("{} ({:.0} %)", option(best), 100.0 * probabilities[best])
        }),
    };
    ErrorSample {
        id: format!("record {}", documents.records[document]),
        text: shortened(&documents.texts[document]),
        highlights: Vec::new(),
        fields: vec![
            ("expected".to_owned(), shortened(&expected)),
            ("said".to_owned(), shortened(&said)),
        ],
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn recipe(report: &RunReport) -> String {
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let seconds: f64 =
        report.tasks.iter().filter_map(|task| task.answerers.first()).map(|a| a.seconds).sum();
    facts(&[
        fact("model", format!("{} ({})", report.model, report.fingerprint)),
        fact("version", report.version.clone()),
        fact("seed", report.seed.to_string()),
        fact("seconds of the model", format!("{seconds:.1}")),
        fact("documents", report.limit.map_or("all".to_owned(), |n| format!("at most {n} a task"))),
        fact(
            "intervals",
            "95 %: Wilson's for shares, else percentiles of resampled documents, or of clusters \
             where documents depend on each other"
                .to_owned(),
        ),
        fact(
            "comparisons",
            "on the same documents: McNemar's exact test where answers are right or wrong, else a \
             permutation test"
                .to_owned(),
        ),
    ])
}
