//! Several trials at once.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};

use wuji_training::search::{
    Assignment, Budget, Halt, Measured, Observation, Question, SamplerConfig, SearchSpace,
    Standing, Study, StudyConfig, TrialState, Workers,
};

use super::functions::{BRANIN, float};

fn study(dir: &std::path::Path, sampler: &str, trials: u64) -> Study {
    let config = StudyConfig {
        sampler: SamplerConfig::named(sampler).unwrap(),
        budget: Budget { trials: Some(trials), seconds: None },
        ..StudyConfig::default()
    };
    Study::create(dir, BRANIN.space(), config).unwrap()
}

#[test]
fn workers_share_a_budget_and_run_at_the_same_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut study = study(dir.path(), "tpe", 30);
    let (together, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let meet = Barrier::new(3);
    let heard = Mutex::new(Vec::new());
    let workers = Workers {
        count: NonZeroUsize::new(3).unwrap(),
        clock: &|| 0.0,
        stop: &|| false,
        watch: &|trial| heard.lock().unwrap().push((trial.number, trial.is_over())),
    };
    study
        .run(&workers, &|running| {
            most.fetch_max(together.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            if running.trial().number < 3 {
                meet.wait();
            }
            together.fetch_sub(1, Ordering::SeqCst);
            Ok(Measured::once(BRANIN.at(&running.trial().parameters)))
        })
        .unwrap();
    assert_eq!(most.into_inner(), 3);
    assert_eq!(study.record().counts().finished, 30);
    let heard: BTreeSet<(u64, bool)> = heard.into_inner().unwrap().into_iter().collect();
    assert_eq!(heard.len(), 60);
}

#[test]
fn what_is_asked_while_others_run_lies_apart() {
    for kind in ["tpe", "gaussian-process"] {
        let (mut known, mut unknown) = (0.0, 0.0);
        for seed in 0..20 {
            let (with, without) = distances_to_a_running_trial(kind, seed);
            known += with;
            unknown += without;
        }
        assert!(known > 1.5 * unknown, "{kind}: {known} and {unknown}");
    }
}

/// How far the next proposal is from a trial that runs, if the sampler knows of it and if not.
fn distances_to_a_running_trial(kind: &str, seed: u64) -> (f64, f64) {
    let space = BRANIN.space();
    let sampler = SamplerConfig::named(kind).unwrap().build(&space).unwrap();
    let mut history: Vec<Observation> = Vec::new();
    let ask = |history: &[Observation], number| {
        sampler.propose(&Question { space: &space, seed, number, history }).unwrap()
    };
    for number in 0..14 {
        let assignment = ask(&history, number);
        let standing = Standing::Finished(BRANIN.at(&assignment));
        history.push(Observation { assignment, standing });
    }
    let runs = ask(&history, 14);
    let place = |parameters: &Assignment| [float(parameters, "x0"), float(parameters, "x1")];
    let [x, y] = place(&runs);
    let distance = |parameters: &Assignment| {
        let [a, b] = place(parameters);
        (a - x).hypot(b - y)
    };
    let without = distance(&ask(&history, 15));
    history.push(Observation { assignment: runs.clone(), standing: Standing::Running });
    (distance(&ask(&history, 15)), without)
}

#[test]
fn failures_and_panics_are_trials_that_failed() {
    let dir = tempfile::tempdir().unwrap();
    let mut study = study(dir.path(), "gaussian-process", 20);
    let workers =
        Workers { count: NonZeroUsize::MIN, clock: &|| 0.0, stop: &|| false, watch: &|_| {} };
    study
        .run(&workers, &|running| match running.trial().number % 4 {
            0 => panic!("trial {}", running.trial().number),
            1 => Err(Halt::from("x".parse::<f64>().unwrap_err())),
            2 => Ok(Measured::once(f64::NAN)),
            _ => running.report(1, f64::INFINITY).map(|()| Measured::once(0.0)),
        })
        .unwrap();
    let reason = |number: usize| match &study.record().trials[number].state {
        TrialState::Failed { reason } => reason.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(0), "it panicked: trial 0");
    assert_eq!(reason(1), "invalid float literal");
    assert_eq!(reason(2), "its value is NaN");
    assert_eq!(reason(3), "its value at step 1 is inf");
    assert_eq!(study.record().counts().failed, 20);
    assert!(study.record().best().is_none());
}

#[test]
fn a_request_to_stop_leaves_trials_to_be_taken_up_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut study = study(dir.path(), "random", 10);
    let stop = AtomicBool::new(false);
    let workers = Workers {
        count: NonZeroUsize::MIN,
        clock: &|| 0.0,
        stop: &|| stop.load(Ordering::SeqCst),
        watch: &|_| {},
    };
    study
        .run(&workers, &|running| {
            if running.trial().number == 4 {
                stop.store(true, Ordering::SeqCst);
                return Err(Halt::Interrupted);
            }
            Ok(Measured::once(1.0))
        })
        .unwrap();
    let left = study.record().trials[4].clone();
    assert_eq!((left.state.clone(), left.attempt), (TrialState::Waiting, 1));
    drop(study);
    let mut study = Study::resume(dir.path(), None).unwrap();
    let again = study.ask(0.0).unwrap().unwrap();
    assert_eq!((again.number, again.attempt, again.parameters), (4, 1, left.parameters));
}

#[test]
fn a_grid_ends_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let space = SearchSpace::from_toml("[parameters.a]\nkind='bool'\n").unwrap();
    let config = StudyConfig {
        sampler: SamplerConfig::named("grid").unwrap(),
        budget: Budget::default(),
        ..StudyConfig::default()
    };
    let mut study = Study::create(dir.path(), space, config).unwrap();
    let workers =
        Workers { count: NonZeroUsize::MIN, clock: &|| 0.0, stop: &|| false, watch: &|_| {} };
    study.run(&workers, &|_| Ok(Measured::once(0.0))).unwrap();
    assert_eq!(study.record().trials.len(), 2);
}
