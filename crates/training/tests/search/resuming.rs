//! A search that died goes on as if nothing had happened.

use std::num::NonZeroUsize;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wuji_training::search::{
    Budget, Halt, Measured, Median, PrunerConfig, Record, RunningTrial, SamplerConfig, SearchError,
    Study, StudyConfig, Tpe, TrialState, Workers,
};

use super::functions::BRANIN;

const TRIALS: u64 = 24;

fn config() -> StudyConfig {
    StudyConfig {
        sampler: SamplerConfig::Tpe(Tpe { startup_trials: 5, ..Tpe::default() }),
        pruner: PrunerConfig::Median(Median { startup_trials: 4, warmup_steps: 0 }),
        budget: Budget { trials: Some(TRIALS), seconds: None },
        seed: 11,
        // The test kills more often than machines do.
        max_attempts: 1000,
        ..StudyConfig::default()
    }
}

/// Branin with two reports on the way; every fifth trial fails.
fn objective(running: &RunningTrial) -> Result<Measured, Halt> {
    let trial = running.trial();
    let value = BRANIN.at(&trial.parameters);
    running.report(1, value + 10.0)?;
    running.report(2, value + 5.0)?;
    if trial.number % 5 == 4 {
        return Err(Halt::Failed("on purpose".into()));
    }
    Ok(Measured::once(value))
}

fn run(study: &mut Study, objective: impl Fn(&RunningTrial) -> Result<Measured, Halt> + Sync) {
    let workers =
        Workers { count: NonZeroUsize::MIN, clock: &|| 0.0, stop: &|| false, watch: &|_| {} };
    study.run(&workers, &objective).unwrap();
}

/// What must not depend on where a search was interrupted.
fn results(record: &Record) -> Vec<(u64, String, TrialState)> {
    let result = |trial: &wuji_training::search::Trial| {
        (trial.seed, trial.parameters.to_string(), trial.state.clone())
    };
    record.trials.iter().map(result).collect()
}

fn straight_through(dir: &Path) -> Record {
    let mut study = Study::create(dir, BRANIN.space(), config()).unwrap();
    run(&mut study, objective);
    study.record().clone()
}

#[test]
fn a_journal_cut_at_any_byte_leads_to_the_same_trials() {
    let whole = tempfile::tempdir().unwrap();
    let expected = straight_through(whole.path());
    assert_eq!(expected.trials.len() as u64, TRIALS);
    let counts = expected.counts();
    assert!(counts.pruned > 0 && counts.failed > 0 && counts.open == 0, "{counts:?}");
    let journal = std::fs::read(whole.path().join("journal.jsonl")).unwrap();
    let first_line = journal.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("journal.jsonl");
    // Every byte around the ends of lines, and some elsewhere: each costs the disk several writes.
    let is_cut = |cut: &usize| {
        let near = journal[cut.saturating_sub(2)..(*cut + 2).min(journal.len())].contains(&b'\n');
        near || cut.is_multiple_of(31)
    };
    for cut in (first_line..=journal.len()).filter(is_cut) {
        std::fs::write(&file, &journal[..cut]).unwrap();
        let mut study = Study::resume(dir.path(), None).unwrap();
        if cut.is_multiple_of(11) {
            run(&mut study, objective);
            assert_eq!(results(study.record()), results(&expected), "cut at {cut}");
            drop(study);
            assert_eq!(Record::read(dir.path()).unwrap().trials.len() as u64, TRIALS);
        }
    }
    for cut in 0..first_line {
        std::fs::write(&file, &journal[..cut]).unwrap();
        let error = Study::resume(dir.path(), None).map(|_| ()).unwrap_err();
        assert!(matches!(error, SearchError::NoStudy { .. }), "cut at {cut}: {error}");
    }
}

#[test]
fn a_line_that_does_not_belong_is_named() {
    let dir = tempfile::tempdir().unwrap();
    straight_through(dir.path());
    let file = dir.path().join("journal.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let broken = [
        ("{\"event\":\"dance\"}", "unknown variant"),
        (
            "{\"event\":\"retry\",\"number\":0}",
            "trial 0: expected waiting, got one that is running",
        ),
        (
            "{\"event\":\"report\",\"number\":7,\"step\":1,\"value\":1.0}",
            "trial 7: expected running, got one that is unknown",
        ),
        ("garbage", "expected value"),
        (lines[0], "expected one study"),
    ];
    for (line, reason) in broken {
        let mut changed = lines.clone();
        changed.insert(2, line);
        std::fs::write(&file, changed.join("\n") + "\n").unwrap();
        let error = Study::resume(dir.path(), None).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("journal.jsonl:3:") && error.contains(reason), "{error}");
    }
}

#[test]
fn one_process_at_a_time_and_one_study_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    let study = Study::create(dir.path(), BRANIN.space(), config()).unwrap();
    let error = Study::resume(dir.path(), None).map(|_| ()).unwrap_err();
    let SearchError::InUse { owner, .. } = &error else { panic!("{error}") };
    assert_eq!(*owner, std::process::id().to_string());
    drop(study);
    let error = Study::create(dir.path(), BRANIN.space(), config()).map(|_| ()).unwrap_err();
    assert!(matches!(error, SearchError::Exists { .. }), "{error}");
    let empty = tempfile::tempdir().unwrap();
    let error = Study::resume(empty.path(), None).map(|_| ()).unwrap_err();
    assert!(matches!(error, SearchError::NoStudy { .. }), "{error}");
}

#[test]
fn a_trial_whose_process_dies_again_and_again_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let config = StudyConfig { max_attempts: 2, ..config() };
    let mut study = Study::create(dir.path(), BRANIN.space(), config).unwrap();
    let first = study.ask(0.0).unwrap().unwrap();
    drop(study);
    let mut study = Study::resume(dir.path(), None).unwrap();
    let again = study.ask(0.0).unwrap().unwrap();
    assert_eq!((again.number, again.attempt), (first.number, 2));
    assert_eq!((again.seed, &again.parameters), (first.seed, &first.parameters));
    drop(study);
    let mut study = Study::resume(dir.path(), None).unwrap();
    assert_eq!(study.ask(0.0).unwrap().unwrap().number, 1);
    let TrialState::Failed { reason } = &study.record().trials[0].state else { panic!() };
    assert_eq!(reason, "its process died 2 times");
}

#[test]
fn seconds_count_over_all_sessions_and_a_budget_can_be_raised() {
    let dir = tempfile::tempdir().unwrap();
    let budget = Budget { trials: Some(2), seconds: Some(100.0) };
    let config = StudyConfig { budget, ..config() };
    let mut study = Study::create(dir.path(), BRANIN.space(), config).unwrap();
    let trial = study.ask(1.0).unwrap().unwrap();
    study.tell(trial.number, Ok(Measured::once(1.0)), 60.0, 61.0).unwrap();
    assert!(study.ask(100.0).unwrap().is_none());
    drop(study);
    let mut study = Study::resume(dir.path(), None).unwrap();
    assert!(study.ask(39.0).unwrap().is_none(), "61 s have been spent before");
    assert!(study.ask(38.9).unwrap().is_some());
    assert!(study.ask(38.9).unwrap().is_none(), "two trials were asked for");
    drop(study);
    let budget = Budget { trials: Some(3), seconds: None };
    let mut study = Study::resume(dir.path(), Some(budget)).unwrap();
    // The one that was running, and the third.
    assert_eq!(study.ask(1e6).unwrap().unwrap().number, 1);
    assert_eq!(study.ask(1e6).unwrap().unwrap().number, 2);
    assert!(study.ask(0.0).unwrap().is_none());
}

/// Set for the child that is killed, to its directory.
const CHILD: &str = "WUJI_SEARCH_TEST_CHILD";

/// What the killed child runs; in an ordinary run of the tests, nothing.
#[test]
fn child_that_searches_slowly() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    let dir = Path::new(&dir);
    let mut study = match Study::resume(dir, None) {
        Err(SearchError::NoStudy { .. }) => Study::create(dir, BRANIN.space(), config()).unwrap(),
        other => other.unwrap(),
    };
    run(&mut study, |running| {
        std::thread::sleep(Duration::from_millis(7));
        objective(running)
    });
}

#[test]
fn a_search_that_is_killed_twice_ends_like_one_that_is_not() {
    let whole = tempfile::tempdir().unwrap();
    let expected = straight_through(whole.path());
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("journal.jsonl");
    let lines =
        || std::fs::read(&file).map_or(0, |text| text.iter().filter(|b| **b == b'\n').count());
    for goal in [15, 40] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "resuming::child_that_searches_slowly"])
            .env(CHILD, dir.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        while lines() < goal {
            assert!(start.elapsed() < Duration::from_secs(60), "the child does nothing");
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let mut study = Study::resume(dir.path(), None).unwrap();
    let over = study.record().trials.iter().filter(|trial| trial.is_over()).count() as u64;
    assert!((5..TRIALS).contains(&over), "it was killed on its way: {over}");
    run(&mut study, objective);
    assert_eq!(results(study.record()), results(&expected));
}
