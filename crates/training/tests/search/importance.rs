//! Which parameters matter, from the trials of a study.

use std::num::NonZeroUsize;

use wuji_training::search::{
    Budget, Measured, SamplerConfig, SearchSpace, Study, StudyConfig, Workers,
};

use super::functions::float;

#[test]
fn what_matters_comes_first_and_what_does_not_has_no_share() {
    let space = SearchSpace::from_toml(
        "[parameters.large]\nkind='float'\nlow=-1\nhigh=1\n\
         [parameters.small]\nkind='float'\nlow=1e-3\nhigh=1\nscale='log'\n\
         [parameters.idle]\nkind='bool'\n",
    )
    .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let config = StudyConfig {
        sampler: SamplerConfig::Random,
        budget: Budget { trials: Some(150), seconds: None },
        ..StudyConfig::default()
    };
    let mut study = Study::create(dir.path(), space, config).unwrap();
    assert!(study.record().importances().is_empty());
    let workers =
        Workers { count: NonZeroUsize::MIN, clock: &|| 0.0, stop: &|| false, watch: &|_| {} };
    // Over uniform draws: variance 4/3 of the first term, 3/16 of the second (its logarithm is uniform on
    // three units of length, times ¼): shares of 0.877 and 0.123.
    let objective = |parameters: &wuji_training::search::Assignment| {
        2.0 * float(parameters, "large") + 0.5 * float(parameters, "small").log10()
    };
    study
        .run(&workers, &|running| Ok(Measured::once(objective(&running.trial().parameters))))
        .unwrap();
    let found = study.record().importances();
    let names: Vec<&str> = found.iter().map(|importance| importance.parameter.as_str()).collect();
    assert_eq!(names, ["large", "small", "idle"]);
    assert!((found[0].share - 0.877).abs() < 0.06, "{found:?}");
    assert!((found[1].share - 0.123).abs() < 0.06, "{found:?}");
    assert!(found[2].share < 0.02, "{found:?}");
}
