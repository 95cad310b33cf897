//! Two runs side by side, document by document.

use super::error::HarnessError;
use super::store::Results;
use crate::comparison::{Comparison, Correction, adjust};
use crate::uncertainty::BootstrapOptions;

/// Two runs.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct RunComparison {
    /// The first run's model.
    pub first: String,
    /// The second's.
    pub second: String,
    /// Every metric of every task that both have, with p-values adjusted for their number.
    pub comparisons: Vec<Comparison>,
    /// Tasks that cannot be compared, and why.
    pub left_out: Vec<(String, String)>,
}

/// Compares the models of two directories of results.
///
/// # Errors
/// Results that cannot be read.
pub fn compare_runs(
    first: &Results,
    second: &Results,
    options: &BootstrapOptions,
    correction: Correction,
) -> Result<RunComparison, HarnessError> {
    let (one, two) = (first.report()?, second.report()?);
    let mut compared = RunComparison {
        first: one.model.clone(),
        second: two.model.clone(),
        comparisons: Vec::new(),
        left_out: Vec::new(),
    };
    for task in &one.tasks {
        let other = two.tasks.iter().find(|other| other.task == task.task);
        let problem = match other {
            None => Some("only the first run has it".to_owned()),
            Some(other) if task.skipped.is_some() || other.skipped.is_some() => {
                Some("skipped in one of them".to_owned())
            }
            Some(other) if other.version != task.version => {
                Some(format!("version {} and {}", task.version, other.version))
            }
            Some(_) => None,
        };
        let problem = match problem {
            Some(problem) => Some(problem),
            None => compare_task(&task.task, first, second, options, &mut compared)?,
        };
        compared.left_out.extend(problem.map(|problem| (task.task.clone(), problem)));
    }
    for task in two.tasks {
        if !one.tasks.iter().any(|other| other.task == task.task) {
            compared.left_out.push((task.task, "only the second run has it".to_owned()));
        }
    }
    adjust(&mut compared.comparisons, correction)
        .map_err(|source| HarnessError::Score { task: "all".to_owned(), source })?;
    Ok(compared)
}

/// Compares one task, or says why not.
fn compare_task(
    task: &str,
    first: &Results,
    second: &Results,
    options: &BootstrapOptions,
    compared: &mut RunComparison,
) -> Result<Option<String>, HarnessError> {
    let (one, two) = (first.documents(task)?, second.documents(task)?);
    if one.records != two.records || one.golds != two.golds {
        return Ok(Some("other documents".to_owned()));
    }
    let (Some(ours), Some(theirs)) = (one.answerers.first(), two.answerers.first()) else {
        return Ok(Some("no answers in one of them".to_owned()));
    };
    for measurement in &ours.measurements {
        let name = measurement.name();
        let Some(other) = theirs.measurements.iter().find(|other| other.name() == name) else {
            continue;
        };
        let mut comparison = measurement
            .against(other, &one.groups, options)
            .map_err(|source| HarnessError::Score { task: task.to_owned(), source })?;
        comparison.name = format!("{task}: {name}");
        compared.comparisons.push(comparison);
    }
    Ok(None)
}
