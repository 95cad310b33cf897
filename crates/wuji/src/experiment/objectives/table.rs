//! The comparison as Markdown.

use std::fmt::Write;

use wuji_evaluation::uncertainty::Estimate;

use super::{Figure, ObjectivesRow, ObjectivesSummary, Pretraining};

impl ObjectivesSummary {
    /// The tables, and how to read them.
    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        self.pretraining_table(&mut text);
        self.fine_tuning_table(&mut text);
        text.push_str(
            "Each cell: mean ± standard deviation over seeds [95 % interval over resampled texts]. A hidden token is \
             seen from both sides, except by causal-lm and n-grams, which see what comes before it; masked-lm says how \
             likely it is in its place (pseudo-log-likelihood), span-corruption and blank-infilling how likely it is as \
             the first of a gap. Gain: accuracy less that of the same network without pre-training.",
        );
        text
    }

    fn pretraining_table(&self, text: &mut String) {
        text.push_str(
            "| objective | pre-training | network | matrix parameters | steps | text tokens | 10¹² operations | own loss, \
             nats per label | nats per hidden token | hidden token right, % |\n|---|---|---|--:|--:|--:|--:|--:|--:|--:|\n",
        );
        for row in &self.rows {
            let Some(found) = &row.pretraining else { continue };
            line(
                text,
                &[
                    row.condition.objective.name().to_string(),
                    pretraining(row),
                    row.model_type.clone(),
                    row.matrix_parameters.to_string(),
                    found.steps.to_string(),
                    found.text_tokens.to_string(),
                    format!("{:.2}", found.operations / 1e12),
                    format!("{:.3} ± {:.3}", found.own_loss.mean, found.own_loss.sd),
                    figure(&found.hidden_nats, 1.0, 3),
                    figure(&found.hidden_accuracy, 100.0, 1),
                ],
            );
        }
        for baseline in [&self.baselines.ngram, &self.baselines.unigram] {
            let mut cells = vec![String::new(); 10];
            cells[0] = format!("{}-gram (Kneser–Ney)", baseline.order);
            cells[8] = estimate(&baseline.nats, 1.0, 3);
            cells[9] = estimate(&baseline.accuracy, 100.0, 1);
            line(text, &cells);
        }
        text.push('\n');
    }

    fn fine_tuning_table(&self, text: &mut String) {
        let majority = &self.baselines.majority;
        let columns = majority
            .iter()
            .flat_map(|set| [format!("{}, % right", set.task), format!("{}, gain", set.task)]);
        let header = ["objective".to_string(), "pre-training".to_string(), "network".to_string()];
        let header: Vec<String> = header.into_iter().chain(columns).collect();
        line(text, &header);
        let _ = writeln!(text, "|---|---|---|{}", "--:|".repeat(2 * majority.len()));
        for row in &self.rows {
            let mut cells = vec![
                row.condition.objective.name().to_string(),
                pretraining(row),
                row.model_type.clone(),
            ];
            for task in &row.tasks {
                let gain = task.gain.as_ref().map(|gain| estimate(gain, 100.0, 1));
                cells.extend([figure(&task.accuracy, 100.0, 1), gain.unwrap_or_default()]);
            }
            line(text, &cells);
        }
        let mut cells = vec!["most frequent class".to_string(), String::new(), String::new()];
        for set in majority {
            cells.extend([estimate(&set.accuracy, 100.0, 1), String::new()]);
        }
        line(text, &cells);
        text.push('\n');
    }
}

fn pretraining(row: &ObjectivesRow) -> String {
    match row.condition.pretraining {
        Pretraining::SameTokens => "same tokens",
        Pretraining::SameCompute => "same compute",
        Pretraining::None => "none",
    }
    .to_string()
}

fn line(text: &mut String, cells: &[String]) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

fn figure(figure: &Figure, unit: f64, decimals: usize) -> String {
    let (mean, sd) = (unit * figure.seeds.mean, unit * figure.seeds.sd);
    format!("{mean:.decimals$} ± {sd:.decimals$} {}", interval(&figure.texts, unit, decimals))
}

fn estimate(estimate: &Estimate, unit: f64, decimals: usize) -> String {
    let value = unit * estimate.value;
    format!("{value:.decimals$} {}", interval(estimate, unit, decimals))
}

fn interval(estimate: &Estimate, unit: f64, decimals: usize) -> String {
    let (low, high) = estimate.interval;
    format!("[{:.decimals$}, {:.decimals$}]", unit * low, unit * high)
}
