//! Pruners save steps and keep what is good.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};

use wuji_training::search::{
    Budget, Hyperband, Measured, Median, PrunerConfig, SamplerConfig, SearchSpace, Study,
    StudyConfig, SuccessiveHalving, TrialState, Workers,
};

use super::functions::float;

const STEPS: u64 = 27;

/// Curves that fall to `goal` at a rate that does not cross others much: steps made, and the best value.
fn search(pruner: PrunerConfig) -> (u64, f64, usize) {
    let space = SearchSpace::from_toml("[parameters.goal]\nkind='float'\nlow=0\nhigh=1").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let config = StudyConfig {
        sampler: SamplerConfig::Random,
        pruner,
        budget: Budget { trials: Some(60), seconds: None },
        ..StudyConfig::default()
    };
    let mut study = Study::create(dir.path(), space, config).unwrap();
    let steps = AtomicU64::new(0);
    let workers =
        Workers { count: NonZeroUsize::MIN, clock: &|| 0.0, stop: &|| false, watch: &|_| {} };
    study
        .run(&workers, &|running| {
            let goal = float(&running.trial().parameters, "goal");
            for step in 1..=STEPS {
                steps.fetch_add(1, Ordering::Relaxed);
                running.report(step, goal + 1.0 / step as f64)?;
            }
            Ok(Measured::once(goal + 1.0 / STEPS as f64))
        })
        .unwrap();
    let record = study.record();
    for trial in &record.trials {
        if let TrialState::Pruned { step, value } = trial.state {
            let last = trial.reports.last().unwrap();
            assert_eq!((last.step, last.value), (step, value));
        }
    }
    let pruned = record.counts().pruned;
    (steps.into_inner(), record.best().unwrap().value().unwrap(), pruned)
}

#[test]
fn much_less_work_finds_as_much() {
    let (all, best, pruned) = search(PrunerConfig::None);
    assert_eq!((all, pruned), (60 * STEPS, 0));
    let pruners = [
        (PrunerConfig::Median(Median::default()), 0.65),
        (PrunerConfig::SuccessiveHalving(SuccessiveHalving::default()), 0.3),
        (PrunerConfig::Hyperband(Hyperband { max_steps: STEPS, ..Hyperband::default() }), 0.6),
    ];
    for (pruner, most) in pruners {
        let (steps, found, pruned) = search(pruner.clone());
        let share = steps as f64 / all as f64;
        assert!(share < most && pruned > 20, "{pruner:?}: {share} of the steps, {pruned} pruned");
        assert!((found - best).abs() < 1e-12, "{pruner:?}: {found}, {best} without");
    }
}
