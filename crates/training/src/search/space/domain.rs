//! What a parameter may be, and its place on the unit interval.
//!
//! Samplers know parameters only as numbers from 0 to 1. A logarithmic scale is warped there, and each
//! value of a parameter that has finitely many owns a stretch of the interval, its *bin*.

use serde::{Deserialize, Serialize};

use super::Value;

/// Distances that matter: of values, or of their logarithms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// From 1 to 2 is as far as from 9 to 10.
    #[default]
    Linear,
    /// From 1 to 2 is as far as from 5 to 10.
    Log,
}

/// What a parameter may be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Domain {
    /// A real number from `low` to `high`, both included.
    Float {
        /// The lowest.
        low: f64,
        /// The highest.
        high: f64,
        /// How distances are measured.
        #[serde(default)]
        scale: Scale,
    },
    /// `low`, `low + step`, … up to `high`.
    Int {
        /// The lowest.
        low: i64,
        /// None is higher.
        high: i64,
        /// From one to the next; 1 on a logarithmic scale.
        #[serde(default = "one")]
        step: i64,
        /// How distances are measured.
        #[serde(default)]
        scale: Scale,
    },
    /// One of several, in no order.
    Categorical {
        /// All there are.
        choices: Vec<Value>,
    },
    /// True or false.
    Bool,
}

fn one() -> i64 {
    1
}

/// Where the unit interval is cut for whole numbers on a logarithmic scale: half-way between neighbours.
#[derive(Clone, Copy)]
struct LogBins {
    bottom: f64,
    width: f64,
}

impl LogBins {
    fn new(low: i64, high: i64) -> Self {
        let bottom = (low as f64 - 0.5).ln();
        Self { bottom, width: (high as f64 + 0.5).ln() - bottom }
    }

    fn edge(self, value: f64) -> f64 {
        (value.ln() - self.bottom) / self.width
    }
}

impl Domain {
    /// Number of values, where it is finite.
    pub fn levels(&self) -> Option<u64> {
        match self {
            Self::Float { .. } => None,
            Self::Int { low, high, step, .. } => {
                Some(high.abs_diff(*low) / step.unsigned_abs() + 1)
            }
            Self::Categorical { choices } => Some(choices.len() as u64),
            Self::Bool => Some(2),
        }
    }

    /// Whether values have no order.
    pub fn is_categorical(&self) -> bool {
        matches!(self, Self::Categorical { .. } | Self::Bool)
    }

    /// The value at `unit`, which is taken into the unit interval.
    pub fn at(&self, unit: f64) -> Value {
        let unit = unit.clamp(0.0, 1.0);
        match self {
            Self::Float { low, high, scale: Scale::Linear } => {
                Value::Float((low * (1.0 - unit) + high * unit).clamp(*low, *high))
            }
            Self::Float { low, high, scale: Scale::Log } => {
                let (bottom, top) = (low.ln(), high.ln());
                Value::Float((bottom * (1.0 - unit) + top * unit).exp().clamp(*low, *high))
            }
            Self::Int { low, high, scale: Scale::Log, .. } => {
                let bins = LogBins::new(*low, *high);
                let found = (bins.bottom + bins.width * unit).exp().round();
                Value::Int((found as i64).clamp(*low, *high))
            }
            _ => self.at_level(self.choice(unit) as u64),
        }
    }

    /// The stretch of the unit interval that belongs to `value`; of a real number, a point. `None` for
    /// what is no value of this domain.
    pub fn bin(&self, value: &Value) -> Option<(f64, f64)> {
        match (self, value) {
            (Self::Float { low, high, scale }, Value::Float(value)) => {
                let unit = match scale {
                    _ if !(low..=high).contains(&value) => return None,
                    Scale::Linear => (value - low) / (high - low),
                    Scale::Log => (value / low).ln() / (high / low).ln(),
                };
                let unit = unit.clamp(0.0, 1.0);
                Some((unit, unit))
            }
            (Self::Int { low, high, scale: Scale::Log, .. }, Value::Int(value)) => {
                let bins = LogBins::new(*low, *high);
                let edges = (bins.edge(*value as f64 - 0.5), bins.edge(*value as f64 + 0.5));
                (low..=high).contains(&value).then_some(edges)
            }
            (Self::Int { low, high, step, .. }, Value::Int(value)) => {
                let above = value.checked_sub(*low)?;
                let is_level = (low..=high).contains(&value) && above % step == 0;
                is_level.then(|| self.level_bin((above / step) as u64))
            }
            (Self::Categorical { choices }, value) => {
                let level = choices.iter().position(|choice| choice == value)?;
                Some(self.level_bin(level as u64))
            }
            (Self::Bool, Value::Bool(value)) => Some(self.level_bin(u64::from(*value))),
            _ => None,
        }
    }

    /// The value of this number, from 0, of a finite domain.
    fn at_level(&self, level: u64) -> Value {
        match self {
            Self::Float { .. } => unreachable!("a real number has no level"),
            Self::Int { low, step, .. } => {
                Value::Int(low.saturating_add_unsigned(level * step.unsigned_abs()))
            }
            Self::Categorical { choices } => choices[level as usize].clone(),
            Self::Bool => Value::Bool(level == 1),
        }
    }

    fn level_bin(&self, level: u64) -> (f64, f64) {
        let levels = self.levels().expect("only a finite domain has levels") as f64;
        (level as f64 / levels, (level + 1) as f64 / levels)
    }

    /// The middle of the value's bin.
    pub fn unit(&self, value: &Value) -> Option<f64> {
        self.bin(value).map(|(low, high)| 0.5 * (low + high))
    }

    /// Number of the value at `unit`, of a finite domain whose values are equally wide.
    pub(crate) fn choice(&self, unit: f64) -> usize {
        let levels = self.levels().expect("choices are finitely many");
        ((unit * levels as f64) as u64).min(levels - 1) as usize
    }

    /// At most `points` values from end to end, or all choices of a domain whose values have no order.
    pub fn grid(&self, points: usize) -> Vec<Value> {
        let is_small = |levels: &u64| self.is_categorical() || *levels <= points as u64;
        if let Some(levels) = self.levels().filter(is_small) {
            return (0..levels).map(|level| self.at_level(level)).collect();
        }
        if points == 1 {
            return vec![self.at(0.5)];
        }
        let mut values: Vec<Value> =
            (0..points).map(|point| self.at(point as f64 / (points - 1) as f64)).collect();
        values.dedup();
        values
    }

    /// What a value may be, in words.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Float { low, high, .. } => format!("a number from {low:?} to {high:?}"),
            Self::Int { low, high, step: 1, .. } => format!("a whole number from {low} to {high}"),
            Self::Int { low, high, step, .. } => {
                format!("a whole number from {low} to {high} in steps of {step}")
            }
            Self::Categorical { choices } => {
                let choices: Vec<String> = choices.iter().map(Value::to_string).collect();
                format!("one of {}", choices.join(", "))
            }
            Self::Bool => "true or false".to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn int(low: i64, high: i64, step: i64, scale: Scale) -> Domain {
        Domain::Int { low, high, step, scale }
    }

    fn domains() -> Vec<Domain> {
        vec![
            Domain::Float { low: -2.0, high: 5.0, scale: Scale::Linear },
            Domain::Float { low: 1e-6, high: 1e-1, scale: Scale::Log },
            int(-3, 9, 1, Scale::Linear),
            int(0, 10, 4, Scale::Linear),
            int(1, 300, 1, Scale::Log),
            int(7, 7, 1, Scale::Linear),
            Domain::Categorical { choices: vec![Value::Int(1), Value::Text("b".into())] },
            Domain::Bool,
        ]
    }

    proptest! {
        #[test]
        fn a_unit_gives_a_value_whose_bin_it_is_in(unit in 0.0..=1.0f64, which in 0..8usize) {
            let domain = &domains()[which];
            let value = domain.at(unit);
            let (low, high) = domain.bin(&value).expect("a value of the domain");
            prop_assert!(low - 1e-9 <= unit && unit <= high + 1e-9, "{unit} in {low}..{high}");
            if domain.levels().is_some() {
                prop_assert_eq!(domain.at(domain.unit(&value).unwrap()), value);
            }
        }
    }

    #[test]
    fn bins_of_a_finite_domain_fill_the_interval() {
        for domain in domains().iter().filter(|domain| domain.levels().is_some()) {
            let values = domain.grid(1000);
            assert_eq!(values.len() as u64, domain.levels().unwrap(), "{domain:?}");
            let mut end = 0.0;
            for value in &values {
                let (low, high) = domain.bin(value).unwrap();
                assert!((low - end).abs() < 1e-12 && high > low, "{domain:?} {value}");
                assert_eq!(domain.at(0.5 * (low + high)), *value);
                end = high;
            }
            assert!((end - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn what_is_no_value_has_no_bin() {
        assert_eq!(int(0, 10, 4, Scale::Linear).bin(&Value::Int(5)), None);
        assert_eq!(int(0, 10, 4, Scale::Linear).bin(&Value::Int(12)), None);
        assert_eq!(int(0, 10, 4, Scale::Linear).levels(), Some(3));
        let float = Domain::Float { low: 0.0, high: 1.0, scale: Scale::Linear };
        assert_eq!(float.bin(&Value::Float(1.1)), None);
        assert_eq!(float.bin(&Value::Text("x".into())), None);
        assert_eq!(Domain::Bool.bin(&Value::Int(1)), None);
    }

    #[test]
    fn a_grid_has_both_ends_and_every_choice() {
        let log = Domain::Float { low: 1e-4, high: 1e-2, scale: Scale::Log };
        let Value::Float(middle) = log.grid(3)[1] else { panic!("a float") };
        assert!((middle - 1e-3).abs() < 1e-12);
        assert_eq!(log.grid(3)[2], Value::Float(1e-2));
        let ends: Vec<Value> = int(1, 9, 1, Scale::Linear).grid(2);
        assert_eq!(ends, [Value::Int(1), Value::Int(9)]);
        assert_eq!(Domain::Bool.grid(1).len(), 2);
    }
}
