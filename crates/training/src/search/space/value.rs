//! Values of parameters, and what a trial is made of.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A value of one parameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A real number, which is finite.
    Float(f64),
    /// A word.
    Text(String),
}

impl fmt::Display for Value {
    /// As TOML spells it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(formatter, "{value}"),
            Self::Int(value) => write!(formatter, "{value}"),
            // Unlike `{}`, this always has a point or an exponent, and is the shortest that reads back.
            Self::Float(value) => write!(formatter, "{value:?}"),
            Self::Text(value) => write!(formatter, "{}", toml::Value::from(value.as_str())),
        }
    }
}

/// The values of the parameters that are active in a trial, by configuration key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Assignment(BTreeMap<String, Value>);

impl Assignment {
    /// The value of a parameter that is active.
    pub fn get(&self, parameter: &str) -> Option<&Value> {
        self.0.get(parameter)
    }

    /// All parameters that are active, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// One `key=value` per parameter, as `--set` takes it.
    pub fn settings(&self) -> Vec<String> {
        self.iter().map(|(key, value)| format!("{key}={value}")).collect()
    }
}

impl FromIterator<(String, Value)> for Assignment {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl fmt::Display for Assignment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.settings().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_toml_that_reads_back_as_the_same_value() {
        let values = [
            Value::Bool(true),
            Value::Int(-3),
            Value::Float(1.0),
            Value::Float(1e-5),
            Value::Float(0.1 + 0.2),
            Value::Text("true".into()),
            Value::Text("a \"b\"\n".into()),
        ];
        for value in values {
            let text = format!("x = {value}");
            let read: BTreeMap<String, Value> = toml::from_str(&text).unwrap();
            assert_eq!(read["x"], value, "{text}");
            let json = serde_json::to_string(&value).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value, "{json}");
        }
    }
}
