//! `report.html` and `MODEL_CARD.md`: a run, for people.
//!
//! Both are rendered from what the run directory holds, so that they can be made again at any time
//! ([`rewrite`]). The HTML has no reference to anything outside itself.

mod charts;
mod heat_map;
mod metrics;

use minijinja::Environment as Templates;
use serde::Serialize;
use wuji_model::{ModelConfig, ModelKind};
use wuji_training::{EvalEvent, StopReason};

use crate::WujiError;
use crate::config::RunConfig;
use crate::pretrain::{Environment, PretrainSummary, RunDir};

pub use charts::Chart;
pub use metrics::Metrics;

const HTML: &str = include_str!("report.html");
const CARD: &str = include_str!("model_card.md");

/// What the templates see.
#[derive(Serialize)]
struct Values<'a> {
    config: String,
    model: &'a ModelConfig,
    context_length: usize,
    /// What the validation loss is per.
    unit: &'static str,
    /// What the Hub calls its use.
    pipeline: &'static str,
    /// The class of `transformers` that loads the model, if there is one.
    loader: Option<String>,
    /// Where a translator looked, as SVG.
    heat_maps: Vec<String>,
    environment: &'a Environment,
    summary: &'a PretrainSummary,
    charts: Vec<Chart>,
    evaluations: &'a [EvalEvent],
}

/// Writes both documents into the run directory, the card also beside the model.
///
/// # Errors
/// A file that cannot be read or written.
pub fn write(
    run_dir: &RunDir,
    config: &RunConfig,
    environment: &Environment,
    summary: &PretrainSummary,
) -> Result<(), WujiError> {
    let metrics = Metrics::read(&run_dir.path().join("metrics.jsonl"))?;
    let mut templates = Templates::new();
    templates.add_filter("thousands", thousands);
    templates.add_filter("fixed", |value: f64, digits: usize| format!("{value:.digits$}"));
    let values = minijinja::Value::from(minijinja::value::Serde(Values {
        config: config.to_toml(),
        model: &config.model,
        context_length: config.data.context_length,
        unit: if summary.bits_per_byte.is_some() { "token" } else { "predicted token" },
        pipeline: match config.model.kind() {
            ModelKind::Encoder => "fill-mask",
            kind if config.has_pairs() && kind.has_source() => "translation",
            kind if kind.has_source() => "text2text-generation",
            _ => "text-generation",
        },
        loader: config.model.kind().is_transformer().then(|| config.model.class_name()),
        heat_maps: heat_map::all(summary),
        environment,
        summary,
        charts: charts::all(&metrics, summary)?,
        evaluations: &metrics.evaluations,
    }));
    let render = |name: &'static str, text: &str| {
        let named = format!("{name}{}", if name.ends_with("md") { "" } else { ".html" });
        templates
            .render_named_str(&named, text, &values)
            .map_err(|error| WujiError::Render { what: name, reason: format!("{error:#}") })
    };
    run_dir.write("report.html", &render("report", HTML)?)?;
    let card = render("MODEL_CARD.md", CARD)?;
    run_dir.write("MODEL_CARD.md", &card)?;
    run_dir.write("model/README.md", &card)
}

/// Renders the documents of a finished run again.
///
/// # Errors
/// A run that is not finished, or a file that cannot be read or written.
pub fn rewrite(run_dir: &RunDir) -> Result<(), WujiError> {
    let path = run_dir.path();
    let read = |name: &str| {
        let path = path.join(name);
        std::fs::read_to_string(&path).map_err(|source| WujiError::io("reading", path, source))
    };
    let config = RunConfig::load(&path.join("config.toml"))?;
    let malformed =
        |name: &str, error: String| WujiError::config(path.join(name).display().to_string(), error);
    let environment = toml::from_str(&read("environment.toml")?)
        .map_err(|error: toml::de::Error| malformed("environment.toml", error.to_string()))?;
    if !path.join("summary.json").is_file() {
        return Err(WujiError::Unfinished { path: path.to_path_buf() });
    }
    let summary: PretrainSummary = serde_json::from_str(&read("summary.json")?)
        .map_err(|error| malformed("summary.json", error.to_string()))?;
    if summary.reason == StopReason::Interrupted {
        return Err(WujiError::Unfinished { path: path.to_path_buf() });
    }
    write(run_dir, &config, &environment, &summary)
}

/// `1234567` as `1 234 567`.
fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1\u{202f}234\u{202f}567");
    }
}
