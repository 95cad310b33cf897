//! Spaces in which some parameters count only sometimes.

use wuji_training::search::{
    Assignment, Observation, Question, SamplerConfig, SearchSpace, Standing, Value,
};

use super::functions::float;

/// Two models; each has parameters of its own, and one of them a parameter below a parameter.
const SPACE: &str = r#"
    [parameters."model.kind"]
    kind = "categorical"
    choices = ["linear", "tree"]

    [parameters."linear.c"]
    kind = "float"
    low = 1e-3
    high = 1e3
    scale = "log"
    when = { "model.kind" = "linear" }

    [parameters."linear.penalty"]
    kind = "categorical"
    choices = ["l1", "l2", "both"]
    when = { "model.kind" = "linear" }

    [parameters."linear.share"]
    kind = "float"
    low = 0.0
    high = 1.0
    when = { "model.kind" = "linear", "linear.penalty" = ["both"] }

    [parameters."tree.depth"]
    kind = "int"
    low = 1
    high = 32
    when = { "model.kind" = "tree" }

    [parameters."shared.smoothing"]
    kind = "float"
    low = 0.0
    high = 1.0
"#;

/// Best, at 0, for a linear model with both penalties, c = 10 and a share of 0.3.
fn loss(parameters: &Assignment) -> f64 {
    let shared = (float(parameters, "shared.smoothing") - 0.6).powi(2);
    if let Some(Value::Int(depth)) = parameters.get("tree.depth") {
        return shared + 0.5 + (*depth as f64 - 7.0).abs() / 31.0;
    }
    let c = (float(parameters, "linear.c").log10() - 1.0).powi(2) / 9.0;
    let penalty = match parameters.get("linear.share") {
        Some(_) => (float(parameters, "linear.share") - 0.3).powi(2),
        None => 0.4,
    };
    shared + c + penalty
}

fn search(sampler: &str, seed: u64, trials: u64) -> Vec<Observation> {
    let space = SearchSpace::from_toml(SPACE).unwrap();
    let sampler = SamplerConfig::named(sampler).unwrap().build(&space).unwrap();
    let mut history: Vec<Observation> = Vec::new();
    for number in 0..trials {
        let question = Question { space: &space, seed, number, history: &history };
        let assignment = sampler.propose(&question).unwrap();
        space.check(&assignment).unwrap();
        let standing = match number % 7 {
            3 => Standing::Failed,
            5 => Standing::Running,
            6 => Standing::Stopped { step: number, loss: loss(&assignment) },
            _ => Standing::Finished(loss(&assignment)),
        };
        history.push(Observation { assignment, standing });
    }
    history
}

fn best(history: &[Observation]) -> f64 {
    let losses = history.iter().filter(|trial| matches!(trial.standing, Standing::Finished(_)));
    losses.map(|trial| loss(&trial.assignment)).fold(f64::INFINITY, f64::min)
}

#[test]
fn every_sampler_proposes_what_the_conditions_allow_and_learns_where_to_look() {
    let mean =
        |sampler: &str| (0..10).map(|seed| best(&search(sampler, seed, 60))).sum::<f64>() / 10.0;
    let random = mean("random");
    for sampler in ["tpe", "gaussian-process"] {
        let found = mean(sampler);
        assert!(found < 0.7 * random, "{sampler}: {found}, random: {random}");
    }
    search("grid", 0, 60);
}

#[test]
fn proposals_are_a_function_of_seed_number_and_history() {
    for sampler in ["random", "tpe", "gaussian-process"] {
        let (first, again) = (search(sampler, 3, 30), search(sampler, 3, 30));
        assert_eq!(first, again, "{sampler}");
        assert_ne!(first, search(sampler, 4, 30), "{sampler}");
    }
}
