//! Which parameters there are, what each may be, and when it counts.
//!
//! ```toml
//! [parameters."training.learning_rate"]
//! kind = "float"
//! low = 1e-5
//! high = 1e-2
//! scale = "log"
//!
//! [parameters."training.optimizer"]
//! kind = "categorical"
//! choices = ["adamw", "sgd"]
//!
//! [parameters."training.momentum"]
//! kind = "float"
//! low = 0.5
//! high = 0.99
//! when = { "training.optimizer" = ["sgd"] }
//! ```
//!
//! A key is the configuration key that the parameter sets. `when` may name several others: the
//! parameter is active if each of them is, and has one of its listed values.

mod domain;
mod parse;
mod value;

use serde::{Deserialize, Serialize};

pub use domain::{Domain, Scale};
pub use value::{Assignment, Value};

use super::SearchError;

/// One parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// The configuration key that it sets.
    pub key: String,
    /// What it may be.
    pub domain: Domain,
    /// All of these must hold for it to be active.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<Condition>,
}

/// Another parameter is active and has one of these values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The other parameter's key.
    pub parameter: String,
    /// The values that make this one count.
    pub values: Vec<Value>,
}

/// A point of a space as samplers see it: the place of each parameter on the unit interval, `None`
/// where it is not active.
pub(super) type Point = Vec<Option<f64>>;

/// A checked set of parameters, each behind those that it depends on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Parameter>", into = "Vec<Parameter>")]
pub struct SearchSpace {
    parameters: Vec<Parameter>,
    /// For each parameter, positions and values that make it active.
    parents: Vec<Vec<(usize, Vec<Value>)>>,
    /// For each parameter, the length of its longest chain of conditions.
    depths: Vec<usize>,
}

impl TryFrom<Vec<Parameter>> for SearchSpace {
    type Error = SearchError;

    fn try_from(parameters: Vec<Parameter>) -> Result<Self, SearchError> {
        Self::new(parameters)
    }
}

impl From<SearchSpace> for Vec<Parameter> {
    fn from(space: SearchSpace) -> Self {
        space.parameters
    }
}

impl SearchSpace {
    /// Checks the parameters, and puts each behind those that it depends on.
    ///
    /// # Errors
    /// [`SearchError::Invalid`] for an empty domain or a condition that can never hold.
    pub fn new(parameters: Vec<Parameter>) -> Result<Self, SearchError> {
        if parameters.is_empty() {
            return Err(SearchError::invalid("parameters", "at least one parameter", "none"));
        }
        for (index, parameter) in parameters.iter().enumerate() {
            if parameters[..index].iter().any(|other| other.key == parameter.key) {
                return Err(parameter.invalid("", "one definition", "two"));
            }
            parameter.check(&parameters)?;
        }
        Self::in_order(parameters)
    }

    /// Parents before children, and otherwise as they came.
    fn in_order(mut left: Vec<Parameter>) -> Result<Self, SearchError> {
        let mut space = Self { parameters: Vec::new(), parents: Vec::new(), depths: Vec::new() };
        while !left.is_empty() {
            let is_known = |condition: &Condition| space.position(&condition.parameter).is_some();
            let ready = left.iter().position(|parameter| parameter.when.iter().all(is_known));
            let Some(ready) = ready else {
                let chain: Vec<&str> =
                    left.iter().map(|parameter| parameter.key.as_str()).collect();
                let expected = "conditions that do not lead back to the parameter itself";
                return Err(left[0].invalid(
                    ".when",
                    expected,
                    format!("a circle of {}", chain.join(", ")),
                ));
            };
            let parameter = left.remove(ready);
            let parent = |condition: &Condition| {
                let position = space.position(&condition.parameter).expect("it is ready");
                (position, condition.values.clone())
            };
            let parents: Vec<(usize, Vec<Value>)> = parameter.when.iter().map(parent).collect();
            let depth = parents.iter().map(|(parent, _)| space.depths[*parent] + 1).max();
            space.depths.push(depth.unwrap_or(0));
            space.parents.push(parents);
            space.parameters.push(parameter);
        }
        Ok(space)
    }

    /// All parameters, each behind those that it depends on.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn position(&self, key: &str) -> Option<usize> {
        self.parameters.iter().position(|parameter| parameter.key == key)
    }

    /// Whether the parameter at `index` is active, given those before it.
    pub(super) fn is_active(&self, index: usize, point: &[Option<f64>]) -> bool {
        self.parents[index].iter().all(|(parent, values)| {
            let domain = &self.parameters[*parent].domain;
            point[*parent].is_some_and(|unit| values.contains(&domain.at(unit)))
        })
    }

    /// Parameters that are active under the same conditions, conditions first: what may be sampled
    /// jointly.
    pub(super) fn groups(&self) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut by_depth: Vec<usize> = (0..self.parameters.len()).collect();
        by_depth.sort_by_key(|&index| self.depths[index]);
        for index in by_depth {
            let same = |group: &&mut Vec<usize>| self.parents[group[0]] == self.parents[index];
            match groups.iter_mut().find(same) {
                Some(group) => group.push(index),
                None => groups.push(vec![index]),
            }
        }
        groups
    }

    /// Moves each of `units`, one per parameter, to the middle of its value's bin, and drops those of
    /// parameters that are not active.
    pub(super) fn snap(&self, units: &[f64]) -> Point {
        let mut point = Vec::with_capacity(units.len());
        for (index, &unit) in units.iter().enumerate() {
            let snapped = || self.snap_one(index, unit);
            point.push(self.is_active(index, &point).then(snapped));
        }
        point
    }

    pub(super) fn snap_one(&self, index: usize, unit: f64) -> f64 {
        let domain = &self.parameters[index].domain;
        match domain {
            Domain::Float { .. } => unit.clamp(0.0, 1.0),
            _ => domain.unit(&domain.at(unit)).expect("a value of the domain"),
        }
    }

    /// The values at a point.
    pub(super) fn assignment(&self, point: &[Option<f64>]) -> Assignment {
        let value = |(parameter, unit): (&Parameter, &Option<f64>)| {
            unit.map(|unit| (parameter.key.clone(), parameter.domain.at(unit)))
        };
        self.parameters.iter().zip(point).filter_map(value).collect()
    }

    /// The point of these values.
    pub(super) fn point(&self, assignment: &Assignment) -> Point {
        let unit = |parameter: &Parameter| parameter.domain.unit(assignment.get(&parameter.key)?);
        self.parameters.iter().map(unit).collect()
    }

    /// Checks that an assignment has a value of its domain for each active parameter and no other.
    ///
    /// # Errors
    /// [`SearchError::Invalid`] naming the first key that is wrong.
    pub fn check(&self, assignment: &Assignment) -> Result<(), SearchError> {
        let mut point = Point::new();
        for (index, parameter) in self.parameters.iter().enumerate() {
            let is_active = self.is_active(index, &point);
            let wrong = |expected: &str, found: &str| {
                Err(SearchError::invalid(parameter.key.as_str(), expected, found))
            };
            match (is_active, assignment.get(&parameter.key)) {
                (false, None) => point.push(None),
                (true, Some(value)) => match parameter.domain.unit(value) {
                    Some(unit) => point.push(Some(unit)),
                    None => return wrong(&parameter.domain.describe(), &value.to_string()),
                },
                (true, None) => return wrong(&parameter.domain.describe(), "nothing"),
                (false, Some(value)) => {
                    return wrong("nothing, as its conditions do not hold", &value.to_string());
                }
            }
        }
        match assignment.iter().find(|(key, _)| self.position(key).is_none()) {
            Some((key, _)) => {
                Err(SearchError::invalid(key, "a parameter of the space", "an unknown key"))
            }
            None => Ok(()),
        }
    }
}

impl Parameter {
    fn invalid(&self, field: &str, expected: &str, found: impl ToString) -> SearchError {
        SearchError::invalid(format!("parameters.\"{}\"{field}", self.key), expected, found)
    }

    fn check(&self, all: &[Self]) -> Result<(), SearchError> {
        if self.key.is_empty() || self.key.split('.').any(str::is_empty) {
            return Err(self.invalid(
                "",
                "a configuration key, as in training.learning_rate",
                "this",
            ));
        }
        self.check_domain()?;
        for condition in &self.when {
            let field = format!(".when.\"{}\"", condition.parameter);
            let Some(parent) = all.iter().find(|other| other.key == condition.parameter) else {
                return Err(self.invalid(&field, "a parameter of the space", "an unknown key"));
            };
            if condition.values.is_empty() {
                return Err(self.invalid(&field, "at least one value", "none"));
            }
            for value in &condition.values {
                if matches!(parent.domain, Domain::Float { .. })
                    || parent.domain.bin(value).is_none()
                {
                    let expected = match parent.domain {
                        Domain::Float { .. } => "a parameter with finitely many values".to_string(),
                        _ => parent.domain.describe(),
                    };
                    return Err(self.invalid(&field, &expected, value));
                }
            }
        }
        Ok(())
    }

    fn check_domain(&self) -> Result<(), SearchError> {
        match &self.domain {
            Domain::Float { low, high, scale } => {
                if !low.is_finite() || !high.is_finite() || low >= high {
                    let found = format!("low = {low:?}, high = {high:?}");
                    return Err(self.invalid("", "finite low < high", found));
                }
                if *scale == Scale::Log && *low <= 0.0 {
                    return Err(self.invalid(".low", "above 0 on a log scale", format!("{low:?}")));
                }
            }
            Domain::Int { low, high, step, scale } => {
                if low > high || high.checked_sub(*low).is_none() {
                    let found = format!("low = {low}, high = {high}");
                    return Err(self.invalid("", "low <= high", found));
                }
                if *step < 1 {
                    return Err(self.invalid(".step", "1 or more", step));
                }
                if *scale == Scale::Log && (*low < 1 || *step != 1) {
                    let found = format!("low = {low}, step = {step}");
                    return Err(self.invalid("", "low >= 1 and step = 1 on a log scale", found));
                }
            }
            Domain::Categorical { choices } => {
                let twice = |(at, choice): (usize, &Value)| choices[..at].contains(choice);
                if choices.is_empty() || choices.iter().enumerate().any(twice) {
                    let found: Vec<String> = choices.iter().map(Value::to_string).collect();
                    let found = format!("[{}]", found.join(", "));
                    return Err(self.invalid(".choices", "one or more different values", found));
                }
            }
            Domain::Bool => {}
        }
        Ok(())
    }
}
