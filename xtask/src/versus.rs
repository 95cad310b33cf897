//! `cargo xtask bench --vs-torch`: training steps here and in PyTorch, in turn, on one machine.
//!
//! Other work on a machine slows both sides down, though rarely at the same moment: so each round runs every side once,
//! and the medians over the rounds are compared.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;

use crate::cargo::Workspace;
use crate::wuji;

/// Families and shapes that are compared where none are named.
const CASES: [&str; 5] = [
    "gpt2:8x256,6x6x384,4096",
    "gpt2:12x64,4x4x128,65",
    "gpt2:4x512,12x12x768,50257",
    "bert:8x256,6x6x384,4096",
    "t5:8x256,4x6x384,4096",
];
/// What the script ends with where Python lacks torch.
const MISSING_PACKAGES: i32 = 77;
const SCRIPT: &str = "tests/torch/train_step.py";

/// What to compare, and how often.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    rounds: usize,
    steps: usize,
    /// Modes of the script for PyTorch.
    modes: Vec<String>,
    /// Families and shapes.
    cases: Vec<(String, String)>,
}

impl Plan {
    fn parse(words: &[String]) -> anyhow::Result<Self> {
        let mut plan = Self {
            rounds: 3,
            steps: 10,
            modes: vec!["eager".to_owned(), "compile".to_owned()],
            cases: Vec::new(),
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word}: expected a value"));
            match word.as_str() {
                "--rounds" => plan.rounds = count(word, value()?)?,
                "--steps" => plan.steps = count(word, value()?)?,
                "--modes" => plan.modes = value()?.split(',').map(str::to_owned).collect(),
                case => plan.cases.push(family_and_shape(case)?),
            }
        }
        if plan.cases.is_empty() {
            plan.cases =
                CASES.iter().map(|case| family_and_shape(case)).collect::<anyhow::Result<_>>()?;
        }
        Ok(plan)
    }
}

impl Plan {
    /// Ours, to stand beside what PyTorch is asked for.
    fn precision(&self) -> &'static str {
        let is_bf16 = self.modes.iter().all(|mode| mode.ends_with("bf16"));
        if is_bf16 { "bf16" } else { "f32" }
    }
}

fn count(name: &str, text: &str) -> anyhow::Result<usize> {
    match text.parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => bail!("{name} {text}: expected a whole number above 0"),
    }
}

fn family_and_shape(text: &str) -> anyhow::Result<(String, String)> {
    let parts = text.split_once(':').filter(|(family, _)| !family.starts_with('-'));
    let Some((family, shape)) = parts else {
        bail!("{text:?}: expected FAMILY:SHAPE, as in {}", CASES[0]);
    };
    Ok((family.to_owned(), shape.to_owned()))
}

/// What both sides say of a run.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Measured {
    ms_per_step: f64,
    peak_rss_mib: f64,
    /// Only ours: the share of the machine's matrix product.
    peak_fraction: Option<f64>,
}

/// One side of a comparison.
struct Side {
    name: String,
    program: PathBuf,
    words: Vec<String>,
    runs: Vec<Measured>,
}

impl Side {
    fn run(&mut self, root: &Path, case: &[&str]) -> anyhow::Result<()> {
        let mut command = Command::new(&self.program);
        command.args(&self.words).args(case).current_dir(root);
        let output = command.output().with_context(|| self.name.clone())?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}: {}", self.name, said.trim());
        let found = serde_json::from_slice(&output.stdout);
        self.runs.push(found.with_context(|| format!("{}: its answer", self.name))?);
        Ok(())
    }

    fn median(&self, of: fn(&Measured) -> f64) -> f64 {
        let mut values: Vec<f64> = self.runs.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }
}

/// Compares, and prints a table in Markdown.
pub fn run(workspace: &Workspace, words: &[String]) -> anyhow::Result<ExitCode> {
    let plan = Plan::parse(words)?;
    let python = PathBuf::from(std::env::var_os("WUJI_PYTHON").unwrap_or_else(|| "python3".into()));
    expect_torch(&python, workspace.root())?;
    let program = wuji::build(workspace, &[])?;
    println!("{}", heading(&plan.modes));
    for (family, shape) in &plan.cases {
        let mut sides = vec![Side {
            name: "wuji".to_owned(),
            program: program.clone(),
            words: ["bench", "train", "--json", "--quiet", "--precision", plan.precision()]
                .map(str::to_owned)
                .to_vec(),
            runs: Vec::new(),
        }];
        sides.extend(plan.modes.iter().map(|mode| Side {
            name: format!("torch {mode}"),
            program: python.clone(),
            words: [SCRIPT, "--mode", mode].map(str::to_owned).to_vec(),
            runs: Vec::new(),
        }));
        let steps = plan.steps.to_string();
        let case = ["--family", family, "--shape", shape, "--steps", &steps];
        for _ in 0..plan.rounds {
            for side in &mut sides {
                side.run(workspace.root(), &case)?;
            }
        }
        println!("{}", row(family, shape, &sides));
    }
    Ok(ExitCode::SUCCESS)
}

fn expect_torch(python: &Path, root: &Path) -> anyhow::Result<()> {
    let asked = Command::new(python).args([SCRIPT, "--help"]).current_dir(root).output();
    let asked = asked.with_context(|| python.display().to_string())?;
    let said = String::from_utf8_lossy(&asked.stderr);
    if asked.status.code() == Some(MISSING_PACKAGES) {
        bail!("{}: {}; WUJI_PYTHON names another Python", python.display(), said.trim());
    }
    ensure!(asked.status.success(), "{}: {}", python.display(), said.trim());
    Ok(())
}

fn heading(modes: &[String]) -> String {
    let torch: String = modes.iter().map(|mode| format!(" torch {mode}, ms |")).collect();
    let rule = "---|".repeat(modes.len() + 7);
    format!(
        "| family | shape | wuji, ms |{torch} faster by | of the matrix product | wuji, MiB | torch, MiB |\n|{rule}"
    )
}

fn row(family: &str, shape: &str, sides: &[Side]) -> String {
    let (ours, theirs) = (&sides[0], &sides[1..]);
    let time = |side: &Side| side.median(|run| run.ms_per_step);
    let best = theirs.iter().map(time).fold(f64::INFINITY, f64::min);
    let times: String = theirs.iter().map(|side| format!(" {:.1} |", time(side))).collect();
    let memory = |side: &Side| side.median(|run| run.peak_rss_mib);
    let least = theirs.iter().map(memory).fold(f64::INFINITY, f64::min);
    format!(
        "| {family} | {shape} | {:.1} |{times} {:.2}× | {:.0} % | {:.0} | {least:.0} |",
        time(ours),
        best / time(ours),
        100.0 * ours.median(|run| run.peak_fraction.unwrap_or(f64::NAN)),
        memory(ours),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> anyhow::Result<Plan> {
        Plan::parse(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_plan_is_read_from_words() {
        let plan = parse(&["--rounds", "5", "--modes", "bf16", "bert:1x2,3x4x5,6"]).unwrap();
        assert_eq!((plan.rounds, plan.steps), (5, 10));
        assert_eq!(plan.modes, ["bf16"]);
        assert_eq!(plan.precision(), "bf16");
        assert_eq!(plan.cases, [("bert".to_owned(), "1x2,3x4x5,6".to_owned())]);
        let plan = parse(&[]).unwrap();
        assert_eq!((plan.cases.len(), plan.precision()), (CASES.len(), "f32"));
    }

    #[test]
    fn words_that_mean_nothing_are_refused_with_what_was_expected() {
        for (words, expected) in [
            (&["--rounds"][..], "--rounds: expected a value"),
            (&["--rounds", "0"], "--rounds 0: expected a whole number above 0"),
            (&["8x256"], "expected FAMILY:SHAPE"),
            (&["--faster"], "expected FAMILY:SHAPE"),
        ] {
            let error = parse(words).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_row_compares_with_the_better_of_the_others() {
        let side = |ms: &[f64], mib: f64, fraction| Side {
            name: String::new(),
            program: PathBuf::new(),
            words: Vec::new(),
            runs: ms
                .iter()
                .map(|&ms| Measured { ms_per_step: ms, peak_rss_mib: mib, peak_fraction: fraction })
                .collect(),
        };
        let sides = [
            side(&[10.0, 90.0, 12.0], 100.0, Some(0.5)),
            side(&[30.0, 31.0, 32.0], 900.0, None),
            side(&[24.0, 24.0, 24.0], 800.0, None),
        ];
        let expected = "| gpt2 | 1x2 | 12.0 | 31.0 | 24.0 | 2.00× | 50 % | 100 | 800 |";
        assert_eq!(row("gpt2", "1x2", &sides), expected);
        let modes = ["eager".to_owned(), "compile".to_owned()];
        let columns = |line: &str| line.matches('|').count();
        let heading = heading(&modes);
        assert!(heading.lines().all(|line| columns(line) == columns(expected)), "{heading}");
    }
}
