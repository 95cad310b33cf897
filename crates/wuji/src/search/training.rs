//! Trials that are runs of `wuji train`, each in a process of its own.
//!
//! A process of its own gives back its memory, may crash or be killed without taking the search along, and
//! is what the user would have run. What it evaluates on its way is read from its `metrics.jsonl` as it
//! grows; a run that is not worth its time is killed. A run whose search died is resumed from its last
//! checkpoint.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use wuji_training::search::{Halt, Measured, RunningTrial};

use super::plan::REPORTED;
use super::{SearchPlan, TrainingObjective};

/// Between two looks at a run.
const PAUSE: Duration = Duration::from_millis(50);
/// Looks at a run that was asked to stop, before it is killed: ten seconds for its checkpoint.
const PATIENCE: u32 = 200;

/// How runs are begun.
#[derive(Debug, Clone)]
pub struct TrainingTrials {
    /// The `wuji` program.
    pub program: PathBuf,
    /// Options of every run that are no part of its config, as `--device` and `--threads`.
    pub options: Vec<OsString>,
    /// What does not vary.
    pub plan: SearchPlan,
    /// What is read off a run.
    pub objective: TrainingObjective,
    /// The directory of all runs.
    pub dir: PathBuf,
}

impl TrainingTrials {
    /// Carries out a trial; `stop` says that the search is to end.
    ///
    /// # Errors
    /// [`Halt`]: the run failed, with its last words; or was told to stop; or the search is to end.
    pub fn measure(
        &self,
        running: &RunningTrial,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Measured, Halt> {
        let name = running.trial().number.to_string();
        let run_dir = self.dir.join(&name);
        std::fs::create_dir_all(&self.dir)?;
        let output = self.dir.join(format!("{name}.json"));
        let log = self.dir.join(format!("{name}.log"));
        let child = Command::new(&self.program)
            .args(self.arguments(running, &run_dir))
            .stdin(Stdio::null())
            .stdout(File::create(&output)?)
            .stderr(File::create(&log)?)
            .spawn()?;
        let mut run = Run { child, metrics: Metrics::of(&run_dir) };
        let status = self.follow(&mut run, running, stop)?;
        if !status.success() {
            return Err(Halt::Failed(last_words(&log, status)));
        }
        let text = std::fs::read_to_string(&output)?;
        Ok(Measured::once(self.metric(&text).map_err(Halt::Failed)?))
    }

    fn arguments(&self, running: &RunningTrial, run_dir: &Path) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["train".into()];
        let trial = running.trial();
        if trial.attempt > 1 && run_dir.join("config.toml").is_file() {
            arguments.extend(["--resume".into(), run_dir.into()]);
        } else {
            arguments.extend(self.fresh_arguments(running, run_dir));
        }
        arguments.extend(["--json".into(), "--quiet".into()]);
        arguments.extend(self.options.iter().cloned());
        arguments
    }

    fn fresh_arguments(&self, running: &RunningTrial, run_dir: &Path) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = Vec::new();
        let SearchPlan { preset, config, data, .. } = &self.plan;
        if let Some(preset) = preset {
            arguments.extend(["--preset".into(), preset.into()]);
        }
        if let Some(config) = config {
            arguments.extend(["--config".into(), config.into()]);
        }
        if !data.is_empty() {
            arguments.push("--data".into());
            arguments.extend(data.iter().map(OsString::from));
        }
        let trial = running.trial();
        // The trial's seed comes first, so that who fixes training.seed has it fixed.
        let settings = [format!("training.seed={}", trial.seed)];
        for setting in settings.into_iter().chain(self.plan.settings(&trial.parameters)) {
            arguments.extend(["--set".into(), setting.into()]);
        }
        arguments.extend(["--out".into(), run_dir.into()]);
        arguments
    }

    /// Waits for the end of a run, and passes on what it reports.
    fn follow(
        &self,
        run: &mut Run,
        running: &RunningTrial,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<ExitStatus, Halt> {
        let mut patience = PATIENCE;
        loop {
            let ended = run.child.try_wait()?;
            if stop() {
                // Ctrl-C has reached the run, too: it writes a checkpoint and ends.
                if ended.is_some() || patience == 0 {
                    return Err(Halt::Interrupted);
                }
                patience -= 1;
            } else if self.objective.metric == REPORTED {
                for (step, value) in run.metrics.new_evaluations()? {
                    running.report(step, value)?;
                }
            }
            match ended {
                Some(status) => return Ok(status),
                None => std::thread::sleep(PAUSE),
            }
        }
    }

    /// The metric in what a run printed.
    fn metric(&self, text: &str) -> Result<f64, String> {
        let printed: Value = serde_json::from_str(text)
            .map_err(|error| format!("what the run printed is not JSON: {error}"))?;
        let path = self.objective.metric.split('.');
        let found = path.fold(&printed, |value, key| &value[key]);
        found.as_f64().ok_or_else(|| {
            format!(
                "{}: expected a number in what the run printed, got {found}",
                self.objective.metric
            )
        })
    }
}

/// A run that goes on. Whoever turns away from it ends it.
struct Run {
    child: Child,
    metrics: Metrics,
}

impl Drop for Run {
    fn drop(&mut self) {
        // Of a run that is over, both say so, which is no news.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `metrics.jsonl` as it grows.
struct Metrics {
    path: PathBuf,
    read: u64,
}

impl Metrics {
    /// A run that is resumed cuts the file and goes on; what is left is what it will be judged by.
    fn of(run_dir: &Path) -> Self {
        Self { path: run_dir.join("metrics.jsonl"), read: 0 }
    }

    /// Steps and validation losses of whole lines that were not read before.
    fn new_evaluations(&mut self) -> std::io::Result<Vec<(u64, f64)>> {
        let Ok(mut file) = File::open(&self.path) else { return Ok(Vec::new()) };
        self.read = self.read.min(file.metadata()?.len());
        file.seek(SeekFrom::Start(self.read))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        self.read += whole as u64;
        let lines = text[..whole].split(|byte| *byte == b'\n');
        Ok(lines.filter_map(evaluation).collect())
    }
}

/// Other events are passed over, and so is what a killed run left half-written.
fn evaluation(line: &[u8]) -> Option<(u64, f64)> {
    let event: Value = serde_json::from_slice(line).ok()?;
    let is_evaluation = event["event"] == "eval";
    is_evaluation.then_some(())?;
    // A loss that is not a number is `null` in JSON.
    Some((event["step"].as_u64()?, event["validation_loss"].as_f64().unwrap_or(f64::NAN)))
}

/// The last line that a run wrote to its log, or how it ended.
fn last_words(log: &Path, status: ExitStatus) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    match text.lines().rev().find(|line| !line.trim().is_empty()) {
        Some(line) => line.trim().to_string(),
        None => status.to_string(),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::num::NonZeroUsize;
    use std::os::unix::fs::PermissionsExt;

    use wuji_training::search::{
        Budget, Median, PrunerConfig, SamplerConfig, SearchSpace, Study, StudyConfig, TrialState,
        Workers,
    };

    use super::super::ObjectiveConfig;
    use super::*;

    /// Stands for `wuji train`: evaluates four times at the learning rate, and prints it as the loss. 0.9
    /// fails, and whatever is said to it is written down.
    const TRAIN: &str = r#"#!/bin/sh
echo "$@" >> "$(dirname "$0")/calls"
while [ $# -gt 0 ]; do
    case "$1" in
        --out|--resume) out="$2" ;;
        training.learning_rate=*) rate="${1#*=}" ;;
    esac
    shift
done
mkdir -p "$out"
[ -n "$rate" ] && echo "$rate" > "$out/config.toml"
rate=$(cat "$out/config.toml")
[ "$rate" = 0.9 ] && { echo "reading data" >&2; echo "error: no such luck" >&2; exit 1; }
for step in 1 2 3 4; do
    echo "{\"event\":\"step\",\"step\":$step}" >> "$out/metrics.jsonl"
    echo "{\"event\":\"eval\",\"step\":$step,\"validation_loss\":$rate}" >> "$out/metrics.jsonl"
    sleep 0.12
done
echo "{\"validation_loss\": $rate, \"ngram\": {\"order\": 3}}"
"#;

    fn trials(dir: &Path) -> TrainingTrials {
        let program = dir.join("train.sh");
        std::fs::write(&program, TRAIN).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        TrainingTrials {
            program,
            options: vec!["--threads".into(), "1".into()],
            plan: SearchPlan {
                objective: ObjectiveConfig::default(),
                preset: Some("quickstart".into()),
                config: None,
                data: vec!["a.txt".into()],
                set: vec!["training.max_steps=4".into()],
            },
            objective: TrainingObjective::default(),
            dir: dir.join("trials"),
        }
    }

    /// A grid over four rates, worse and worse.
    fn study(dir: &Path, pruner: PrunerConfig) -> Study {
        let space = SearchSpace::from_toml(
            "[parameters.'training.learning_rate']\nkind='categorical'\nchoices=[0.1,0.2,0.3,0.9]",
        )
        .unwrap();
        let config = StudyConfig {
            sampler: SamplerConfig::named("grid").unwrap(),
            pruner,
            budget: Budget::default(),
            ..StudyConfig::default()
        };
        Study::create(dir, space, config).unwrap()
    }

    fn run(study: &mut Study, trials: &TrainingTrials, stop: &(dyn Fn() -> bool + Sync)) {
        let workers = Workers { count: NonZeroUsize::MIN, clock: &|| 0.0, stop, watch: &|_| {} };
        study.run(&workers, &|running| trials.measure(running, stop)).unwrap();
    }

    #[test]
    fn runs_are_measured_stopped_and_their_failures_told() {
        let dir = tempfile::tempdir().unwrap();
        let trials = trials(dir.path());
        let median = Median { startup_trials: 1, warmup_steps: 0 };
        let mut study = study(&dir.path().join("study"), PrunerConfig::Median(median));
        run(&mut study, &trials, &|| false);
        let record = study.record();
        assert_eq!(record.trials[0].value(), Some(0.1));
        assert_eq!(record.trials[0].reports.len(), 4);
        for worse in &record.trials[1..3] {
            let TrialState::Pruned { step, .. } = worse.state else { panic!("{worse:?}") };
            assert!(step < 4, "it was stopped early: {step}");
        }
        let TrialState::Failed { reason } = &record.trials[3].state else { panic!() };
        assert_eq!(reason, "error: no such luck");
        let calls = std::fs::read_to_string(dir.path().join("calls")).unwrap();
        let seed = record.trials[0].seed;
        let out = trials.dir.join("0");
        let expected = format!(
            "train --preset quickstart --data a.txt --set training.seed={seed} --set training.max_steps=4 \
             --set training.learning_rate=0.1 --out {} --json --quiet --threads 1",
            out.display()
        );
        assert_eq!(calls.lines().next(), Some(expected.as_str()));
    }

    #[test]
    fn a_run_of_a_dead_search_is_resumed() {
        let dir = tempfile::tempdir().unwrap();
        let trials = trials(dir.path());
        let study_dir = dir.path().join("study");
        let mut first = study(&study_dir, PrunerConfig::None);
        first.ask(0.0).unwrap().unwrap();
        drop(first);
        // The run had got as far as its config.
        std::fs::create_dir_all(trials.dir.join("0")).unwrap();
        std::fs::write(trials.dir.join("0/config.toml"), "0.1").unwrap();
        let mut study = Study::resume(&study_dir, Some(Budget { trials: Some(1), seconds: None }));
        run(study.as_mut().unwrap(), &trials, &|| false);
        assert_eq!(study.unwrap().record().trials[0].value(), Some(0.1));
        let calls = std::fs::read_to_string(dir.path().join("calls")).unwrap();
        assert!(calls.starts_with("train --resume ") && !calls.contains("--set"), "{calls}");
    }

    #[test]
    fn a_search_that_is_to_end_gives_its_trial_back() {
        let dir = tempfile::tempdir().unwrap();
        let trials = trials(dir.path());
        let mut study = study(&dir.path().join("study"), PrunerConfig::None);
        let began = trials.dir.join("0/metrics.jsonl");
        run(&mut study, &trials, &|| began.exists());
        assert_eq!(study.record().trials[0].state, TrialState::Waiting);
        assert_eq!(study.record().trials.len(), 1);
    }

    #[test]
    fn a_metric_is_found_where_points_lead() {
        let dir = tempfile::tempdir().unwrap();
        let mut trials = trials(dir.path());
        let printed =
            "{\"validation_loss\": 1.5, \"ngram\": {\"bits_per_byte\": 2.0}, \"x\": null}";
        assert_eq!(trials.metric(printed), Ok(1.5));
        trials.objective.metric = "ngram.bits_per_byte".into();
        assert_eq!(trials.metric(printed), Ok(2.0));
        trials.objective.metric = "x".into();
        let found = trials.metric(printed).unwrap_err();
        assert_eq!(found, "x: expected a number in what the run printed, got null");
    }
}
