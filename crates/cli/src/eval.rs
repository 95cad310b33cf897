//! `wuji eval`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use clap::Args as ClapArgs;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wuji::data::Fingerprint;
use wuji::evaluation::comparison::{Comparison, Correction};
use wuji::evaluation::harness::{
    AnswererReport, Cache, Documents, LanguageModel, Library, PrepareOptions, Results, RunOptions,
    RunReport, TaskFile, TaskReport, compare_runs, page, run_task,
};
use wuji::evaluation::uncertainty::BootstrapOptions;
use wuji::inference::LoadedModel;
use wuji::protocol::TextModel;

use crate::common::{Common, print};
use crate::data::DataRoot;
use crate::exit::Wrong;
use crate::model_path::model_path;

/// Options of `eval`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// A model directory, that of a run, a GGUF file, or the name of a model on the Hugging Face Hub.
    #[arg(long, value_name = "MODEL", required_unless_present_any = ["list", "compare"])]
    model: Option<PathBuf>,
    /// A task, a suite, or a task file (`.toml`); may be given several times. `--list` names them.
    #[arg(long = "task", visible_alias = "suite", value_name = "NAME", default_value = "quick")]
    tasks: Vec<String>,
    /// Where results go: results.json, report.html, answers.jsonl and documents/. With answers of an
    /// earlier run in it, only what is missing is asked.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Documents of a task at most, drawn by the seed.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Examples before each question, in the place of the task's own number.
    #[arg(long, value_name = "N")]
    few_shot: Option<usize>,
    /// Seed of what is drawn: documents, examples, resamples.
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u64,
    /// Resamples of the intervals.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    resamples: usize,
    /// Leave out the baselines.
    #[arg(long)]
    no_floors: bool,
    /// List tasks and suites, and whether their data is there.
    #[arg(long, conflicts_with_all = ["model", "compare"])]
    list: bool,
    /// Compare the results of two directories, document by document.
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with = "model")]
    compare: Vec<PathBuf>,
    #[command(flatten)]
    root: DataRoot,
}

/// Runs the verb.
pub fn run(args: &Args, common: &Common) -> Result<()> {
    let library = Library::embedded()?;
    if args.list {
        return list(&library, &args.root.path(), common);
    }
    if let [first, second] = args.compare.as_slice() {
        return compare(first, second, args, common);
    }
    let Some(model) = &args.model else {
        return Err(Wrong("--model is missing".to_owned()).into());
    };
    let tasks = tasks(&library, &args.tasks)?;
    let path = model_path(model, common)?;
    let loaded = LoadedModel::load(&path, &common.device.open()?)?;
    let text_model: &dyn TextModel = match &loaded {
        LoadedModel::Continues(model) | LoadedModel::Translates(model) => model.as_ref(),
        LoadedModel::FillsMasks(_) | LoadedModel::FillsBlanks(_) => {
            let problem = "it fills in texts; expected a model that continues or translates them";
            return Err(Wrong(format!("{}: {problem}", path.display())).into());
        }
    };
    let name = model_name(model);
    let fingerprint = fingerprint(&path)?;
    let results = args.out.as_deref().map(Results::create).transpose()?;
    let cache = match &results {
        Some(results) => Cache::open(&results.answers(), &fingerprint)?,
        None => Cache::in_memory(),
    };
    let mut answerer = LanguageModel::new(&name, text_model, cache);
    let mut report = RunReport {
        model: name,
        fingerprint,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: args.seed,
        limit: args.limit,
        tasks: Vec::new(),
    };
    let mut documents: Vec<Documents> = Vec::new();
    for task in tasks {
        let mut bar = Bar::new(&task.id, common.quiet);
        let start = Instant::now();
        let clock = || start.elapsed().as_secs_f64();
        let (root, options) = (args.root.path(), args.options());
        let progress = &mut |done, all| bar.show(done, all);
        let outcome = run_task(&task, &root, &mut answerer, &options, &clock, progress)?;
        bar.finish();
        if let (Some(results), Some(documents)) = (&results, &outcome.documents) {
            results.write_documents(documents)?;
        }
        if !common.json {
            print(&table(&outcome.report))?;
        }
        report.tasks.push(outcome.report);
        documents.extend(outcome.documents);
        if let Some(results) = &results {
            results.write_report(&report)?;
        }
    }
    if let Some(results) = &results {
        let html = results.write_text("report.html", &page(&report, &documents)?)?;
        common.note(&format!("· {}", html.display()));
    }
    if common.json { common.print(&report, String::new) } else { Ok(()) }
}

impl Args {
    fn bootstrap(&self) -> BootstrapOptions {
        BootstrapOptions {
            resamples: self.resamples,
            seed: self.seed,
            ..BootstrapOptions::default()
        }
    }

    fn options(&self) -> RunOptions {
        RunOptions {
            prepare: PrepareOptions { limit: self.limit, few_shot: self.few_shot, seed: self.seed },
            bootstrap: self.bootstrap(),
            without_floors: self.no_floors,
        }
    }
}

/// The tasks that names stand for, each once, in the order of the names.
fn tasks(library: &Library, names: &[String]) -> Result<Vec<TaskFile>> {
    let mut tasks: Vec<TaskFile> = Vec::new();
    for name in names {
        let is_file = Path::new(name).extension().is_some_and(|extension| extension == "toml");
        let found = match is_file {
            true => vec![Library::read(Path::new(name))?],
            false => library.find(name)?.into_iter().cloned().collect(),
        };
        for task in found {
            if !tasks.iter().any(|known| known.id == task.id) {
                tasks.push(task);
            }
        }
    }
    Ok(tasks)
}

/// The last part of a path, or that of the run that the model belongs to.
fn model_name(path: &Path) -> String {
    let name = path.file_name().filter(|name| *name != "model");
    let name = name.or_else(|| path.parent()?.file_name()).unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

/// What the model is: its files' contents.
fn fingerprint(path: &Path) -> Result<String> {
    let mut files: Vec<PathBuf> = match path.is_dir() {
        false => vec![path.to_path_buf()],
        true => std::fs::read_dir(path)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<std::io::Result<_>>()?,
    };
    files.retain(|file| file.is_file() && file.extension().is_some_and(|e| e != "md"));
    files.sort();
    let prints = files.iter().map(|file| Ok(Fingerprint::of_file(file)?.0.to_string()));
    let prints = prints.collect::<Result<Vec<String>>>()?;
    Ok(Fingerprint::of_parts(prints).to_string())
}

/// A task's scores as text.
fn table(task: &TaskReport) -> String {
    let mut text = format!("{} (version {}", task.task, task.version);
    if let Some(reason) = &task.skipped {
        return format!("{text}): skipped: {reason}");
    }
    text += &format!(", {} documents, {} examples)", task.documents, task.few_shot);
    for answerer in &task.answerers {
        text += &lines(answerer);
    }
    for comparison in &task.comparisons {
        text += &format!("\n  {}", verdict(comparison));
    }
    text
}

fn lines(answerer: &AnswererReport) -> String {
    if let Some(reason) = &answerer.skipped {
        return format!("\n  {:<16} skipped: {reason}", answerer.name);
    }
    let line = |score: &wuji::evaluation::harness::ScoreReport| {
        format!("\n  {:<16} {:<20} {:.4}", answerer.name, score.metric, score.estimate)
    };
    answerer.scores.iter().map(line).collect()
}

fn verdict(comparison: &Comparison) -> String {
    let (low, high) = comparison.difference.interval;
    format!(
        "{}: {:+.4} [{low:+.4}, {high:+.4}], p = {:.4}",
        comparison.name,
        comparison.difference.value,
        comparison.adjusted_p.unwrap_or(comparison.p_value()),
    )
}

fn list(library: &Library, root: &Path, common: &Common) -> Result<()> {
    let mut text = String::from("suites\n");
    for (name, suite) in library.suites() {
        text += &format!("  {name:<16} {} {}\n", suite.about, suite.tasks.join(", "));
    }
    text += "\ntasks\n";
    for task in library.tasks() {
        let absent = task.files().into_iter().any(|file| !root.join(file).exists());
        let mark = if absent { " (data absent)" } else { "" };
        text += &format!("  {:<30} {}{mark}\n", task.id, task.title);
    }
    let tasks: Vec<&TaskFile> = library.tasks().collect();
    common.print(&tasks, || text.trim_end().to_owned())
}

fn compare(first: &Path, second: &Path, args: &Args, common: &Common) -> Result<()> {
    let (one, two) = (Results::open(first), Results::open(second));
    let compared = compare_runs(&one, &two, &args.bootstrap(), Correction::Holm)?;
    let text = || {
        let mut text = format!("{} less {}; p by Holm's method", compared.first, compared.second);
        for comparison in &compared.comparisons {
            text += &format!("\n  {}", verdict(comparison));
        }
        for (task, reason) in &compared.left_out {
            text += &format!("\n  {task}: left out: {reason}");
        }
        text
    };
    common.print(&compared, text)
}

/// Questions answered so far, on standard error.
struct Bar(ProgressBar);

impl Bar {
    fn new(task: &str, quiet: bool) -> Self {
        if quiet {
            return Self(ProgressBar::hidden());
        }
        let style = "  {msg} {bar:24} {pos}/{len}  {eta} left";
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
            .with_style(ProgressStyle::with_template(style).expect("the template is valid"))
            .with_message(task.to_owned());
        Self(bar)
    }

    fn show(&mut self, done: usize, all: usize) {
        self.0.set_length(all as u64);
        self.0.set_position(done as u64);
    }

    fn finish(&self) {
        self.0.finish_and_clear();
    }
}
