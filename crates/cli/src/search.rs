//! `wuji search`.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Args as ClapArgs;
use clap::builder::PossibleValuesParser;
use wuji::config::{ConfigLayers, RunConfig};
use wuji::search::{
    ClassicalTrials, ObjectiveConfig, SearchFile, SearchPlan, SearchSummary, TextClassifierConfig,
    TrainingObjective, TrainingTrials, write_report,
};
use wuji::training::StopSignal;
use wuji::training::search::{
    Budget, Halt, Measured, Question, Random, RunningTrial, Sampler, SamplerConfig, SearchSpace,
    Study, Trial, TrialState, Workers,
};

use crate::common::Common;
use crate::exit::Wrong;
use crate::signals::stop_on_signals;

/// Options of `search`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// What varies, how it is searched and what a trial is: [parameters], [study] and [objective].
    #[arg(
        value_name = "SPACE.toml",
        required_unless_present = "resume",
        conflicts_with = "resume"
    )]
    space: Option<PathBuf>,
    /// The preset that every trial starts from, as of `train`.
    #[arg(long, value_name = "NAME", conflicts_with = "resume")]
    preset: Option<String>,
    /// The config that every trial starts from, as of `train`.
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    config: Option<PathBuf>,
    /// Text that every trial learns from, as of `train`; or the file of labelled texts.
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with = "resume")]
    data: Vec<String>,
    /// One key of every trial's config, as in training.max_steps=100.
    #[arg(long, value_name = "SECTION.KEY=VALUE", conflicts_with = "resume")]
    set: Vec<String>,
    /// Who proposes trials, in the place of the file's study.sampler.
    #[arg(long, value_parser = PossibleValuesParser::new(SamplerConfig::KINDS), conflicts_with = "resume")]
    sampler: Option<String>,
    /// Trials at most, in the place of the file's study.budget; so it can be raised on resuming.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    trials: Option<u64>,
    /// Seconds at most, likewise; trials that run then are brought to their end.
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<f64>,
    /// Trials at once; each gets its share of --threads.
    #[arg(long, value_name = "N", default_value = "1")]
    workers: NonZeroUsize,
    /// Seed of proposals, of trials and of the division into folds.
    #[arg(long, conflicts_with = "resume")]
    seed: Option<u64>,
    /// Where to write the search; runs/search-N by default.
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Continue the search in this directory.
    #[arg(long, value_name = "DIR")]
    resume: Option<PathBuf>,
}

/// Runs the verb.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    let stop = StopSignal::default();
    stop_on_signals(&stop)?;
    let (mut study, plan) = match &args.resume {
        Some(dir) => (Study::resume(dir, budget(args, dir)?)?, SearchPlan::read(dir)?),
        None => begin(args)?,
    };
    let seed = study.record().config.seed;
    let trials = match &plan.objective {
        ObjectiveConfig::Training(objective) => {
            Trials::Training(training(objective, &plan, study.dir(), args, common)?)
        }
        ObjectiveConfig::Classical(objective) => {
            Trials::Classical(ClassicalTrials::load(&plan, objective, seed)?)
        }
    };
    let start = Instant::now();
    let stops = || stop.is_requested();
    let workers = Workers {
        count: args.workers,
        clock: &|| start.elapsed().as_secs_f64(),
        stop: &stops,
        watch: &|trial| watch(trial, common),
    };
    study.run(&workers, &|running| trials.measure(running, &stops))?;
    let record = study.record();
    let held_out = match (&trials, record.best()) {
        (Trials::Classical(trials), Some(best)) if !stop.is_requested() => {
            trials.compare(&plan.settings(&best.parameters))?
        }
        _ => None,
    };
    let summary = SearchSummary::new(study.dir(), record, held_out);
    write_report(record, &summary)?;
    common.print(&summary, || describe(&summary))?;
    let dir = summary.dir.display();
    if stop.is_requested() {
        bail!("interrupted after {} trials; continue with --resume {dir}", record.trials.len());
    }
    if summary.best.is_none() {
        bail!("no trial has come to its end; their reasons are in {dir}/report.html");
    }
    Ok(())
}

/// What a trial is.
enum Trials {
    Training(TrainingTrials),
    Classical(ClassicalTrials),
}

impl Trials {
    fn measure(
        &self,
        running: &RunningTrial,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Measured, Halt> {
        match self {
            Self::Training(trials) => trials.measure(running, stop),
            Self::Classical(trials) => trials.measure(running),
        }
    }
}

fn begin(args: &Args) -> Result<(Study, SearchPlan)> {
    let path = args.space.as_ref().context("clap requires a space where nothing is resumed")?;
    let SearchFile { space, mut study, objective } = SearchFile::read(path)?;
    if let Some(kind) = &args.sampler {
        study.sampler = SamplerConfig::named(kind).context("clap allows known samplers only")?;
    }
    study.seed = args.seed.unwrap_or(study.seed);
    study.budget.trials = args.trials.or(study.budget.trials);
    study.budget.seconds = args.seconds.or(study.budget.seconds);
    let plan = SearchPlan {
        objective,
        preset: args.preset.clone(),
        config: args.config.as_ref().map(std::path::absolute).transpose()?,
        data: args.data.iter().map(absolute).collect(),
        set: args.set.clone(),
    };
    refuse_what_cannot_work(&plan, &space)?;
    let dir = args.out.clone().unwrap_or_else(free_dir);
    let study = Study::create(&dir, space, study)?;
    plan.write(&dir)?;
    Ok((study, plan))
}

/// Proposals of which one must be a config that works.
const PROBES: u64 = 20;

/// A key that does not exist is told before anything is trained: some proposals are resolved. One that
/// cannot work beside others that can is for the search to find out.
fn refuse_what_cannot_work(plan: &SearchPlan, space: &SearchSpace) -> Result<()> {
    let is_classical = matches!(plan.objective, ObjectiveConfig::Classical(_));
    if is_classical && (plan.preset.is_some() || plan.config.is_some()) {
        let problem = "--preset and --config are for trials that are training runs";
        return Err(Wrong(problem.to_string()).into());
    }
    let probe = |number| -> Result<()> {
        let question = Question { space, seed: 0, number, history: &[] };
        let parameters = Random.propose(&question).context("random draws never end")?;
        let set = plan.settings(&parameters);
        if is_classical {
            TextClassifierConfig::of_settings(&set)?;
            return Ok(());
        }
        let preset = match (&plan.preset, &plan.config) {
            // What `train` does without either.
            (None, None) => Some("quickstart".to_string()),
            (preset, _) => preset.clone(),
        };
        RunConfig::resolve(&ConfigLayers { preset, file: plan.config.clone(), set })?;
        Ok(())
    };
    let mut probed = probe(0);
    for number in 1..PROBES {
        if probed.is_err() {
            probed = probe(number);
        }
    }
    probed
}

/// Another budget, where the options name one; what they leave out stays.
fn budget(args: &Args, dir: &Path) -> Result<Option<Budget>> {
    if args.trials.is_none() && args.seconds.is_none() {
        return Ok(None);
    }
    let kept = wuji::training::search::Record::read(dir)?.config.budget;
    let trials = args.trials.or(kept.trials);
    Ok(Some(Budget { trials, seconds: args.seconds.or(kept.seconds) }))
}

fn training(
    objective: &TrainingObjective,
    plan: &SearchPlan,
    dir: &Path,
    args: &Args,
    common: &Common,
) -> Result<TrainingTrials> {
    let all = match common.threads {
        Some(threads) => threads.get(),
        None => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
    };
    let threads = (all / args.workers.get()).max(1).to_string();
    let device = common.device.to_string();
    let options = ["--device", &device, "--threads", &threads].map(OsString::from);
    Ok(TrainingTrials {
        program: std::env::current_exe().context("this program does not know where it is")?,
        options: options.to_vec(),
        plan: plan.clone(),
        objective: objective.clone(),
        dir: std::path::absolute(dir)?.join("trials"),
    })
}

/// A search must be resumable from anywhere.
fn absolute(path: &String) -> String {
    std::path::absolute(path).map_or_else(|_| path.clone(), |path| path.display().to_string())
}

fn free_dir() -> PathBuf {
    (1..)
        .map(|number| Path::new("runs").join(format!("search-{number}")))
        .find(|dir| !dir.exists())
        .expect("some number is free")
}

/// A line for each trial that begins or is over.
fn watch(trial: &Trial, common: &Common) {
    let number = trial.number;
    let seconds = trial.seconds.map(|seconds| format!(" in {seconds:.1} s")).unwrap_or_default();
    let how = match &trial.state {
        TrialState::Running => format!("{}", trial.parameters),
        TrialState::Waiting => "given back".to_string(),
        TrialState::Finished(measured) => {
            let error = measured.standard_error.map(|error| format!(" ± {error:.4}"));
            format!("{:.4}{}{seconds}", measured.value, error.unwrap_or_default())
        }
        TrialState::Pruned { step, value } => {
            format!("stopped at step {step} with {value:.4}{seconds}")
        }
        TrialState::Failed { reason } => format!("failed{seconds}: {reason}"),
    };
    common.note(&format!("· trial {number}: {how}"));
}

fn describe(summary: &SearchSummary) -> String {
    let mut lines = Vec::new();
    if let Some(best) = &summary.best {
        let error = best.measured.standard_error.map(|error| format!(" ± {error:.4} (folds)"));
        let (number, value) = (best.number, best.measured.value);
        lines.push(format!("best: trial {number}, {value:.4}{}", error.unwrap_or_default()));
        lines.extend(best.parameters.settings().iter().map(|setting| format!("  --set {setting}")));
    }
    if !summary.importances.is_empty() {
        lines.push("importance (functional ANOVA):".to_string());
        let line = |one: &wuji::training::search::Importance| {
            format!("  {:5.3}  {}", one.share, one.parameter)
        };
        lines.extend(summary.importances.iter().map(line));
    }
    if let Some(found) = &summary.held_out {
        let accuracy = |estimate: &wuji::evaluation::uncertainty::Estimate| {
            let (low, high) = estimate.interval;
            format!("{:.4} [{low:.4}, {high:.4}]", estimate.value)
        };
        lines.push(format!(
            "accuracy on {} texts that no trial has seen: default {}, best {}; McNemar p = {:.2e}",
            found.texts,
            accuracy(&found.default),
            accuracy(&found.best),
            found.mcnemar.exact_p
        ));
    }
    let counts = summary.trials;
    lines.push(format!(
        "{} finished, {} stopped early, {} failed, {:.0} s of trials",
        counts.finished, counts.pruned, counts.failed, summary.trial_seconds
    ));
    lines.push(format!("report: {}/report.html", summary.dir.display()));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Parser {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn a_space_or_a_directory_to_resume_is_needed() {
        use clap::Parser as _;
        let parse = |words: &[&str]| Parser::try_parse_from([&["search"], words].concat());
        assert!(parse(&[]).is_err());
        assert!(parse(&["a.toml", "--resume", "x"]).is_err());
        assert!(parse(&["a.toml", "--sampler", "magic"]).is_err());
        assert!(parse(&["--resume", "x", "--trials", "9"]).is_ok());
        let args = parse(&["a.toml", "--sampler", "tpe", "--workers", "2"]).unwrap().args;
        assert_eq!((args.workers.get(), args.sampler.as_deref()), (2, Some("tpe")));
    }

    #[test]
    fn every_sampler_that_help_offers_has_its_name() {
        for kind in SamplerConfig::KINDS {
            assert_eq!(SamplerConfig::named(kind).unwrap().kind(), kind);
        }
    }
}
