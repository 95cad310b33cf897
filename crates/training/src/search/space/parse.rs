//! A space from TOML, with errors that name the key.

use toml::{Table, Value as Toml};

use super::{Condition, Domain, Parameter, Scale, SearchSpace, Value};
use crate::search::SearchError;

impl SearchSpace {
    /// Reads the `[parameters]` of a TOML text.
    ///
    /// # Errors
    /// [`SearchError::NotToml`], or [`SearchError::Invalid`] naming the first key that is wrong.
    pub fn from_toml(text: &str) -> Result<Self, SearchError> {
        let not_toml = |error: toml::de::Error| SearchError::NotToml { reason: error.to_string() };
        let file: Table = text.parse().map_err(not_toml)?;
        Self::from_table(&file)
    }

    /// Reads the `parameters` of a table; its other keys are somebody else's.
    ///
    /// # Errors
    /// [`SearchError::Invalid`] naming the first key that is wrong.
    pub fn from_table(file: &Table) -> Result<Self, SearchError> {
        let parameters = match file.get("parameters") {
            Some(Toml::Table(parameters)) => parameters,
            Some(other) => return Err(SearchError::invalid("parameters", "a table", other)),
            None => return Err(SearchError::invalid("parameters", "a table", "nothing")),
        };
        Self::new(parameters.iter().map(parameter).collect::<Result<_, _>>()?)
    }
}

fn parameter((key, value): (&String, &Toml)) -> Result<Parameter, SearchError> {
    let place = format!("parameters.\"{key}\"");
    let Toml::Table(table) = value else {
        let hint =
            "a table with a kind; quote a key with points, as in [parameters.\"model.dropout\"]";
        return Err(SearchError::invalid(place, hint, value));
    };
    let mut fields = Fields { place, left: table.clone() };
    let domain = fields.domain()?;
    let when = fields.conditions()?;
    fields.finish()?;
    Ok(Parameter { key: key.clone(), domain, when })
}

/// The fields of a parameter that have not been read yet.
struct Fields {
    place: String,
    left: Table,
}

impl Fields {
    fn domain(&mut self) -> Result<Domain, SearchError> {
        const KINDS: &str = "one of \"float\", \"int\", \"categorical\", \"bool\"";
        let kind = self.required("kind", KINDS)?;
        match kind.as_str() {
            Some("float") => Ok(Domain::Float {
                low: self.float("low")?,
                high: self.float("high")?,
                scale: self.scale()?,
            }),
            Some("int") => Ok(Domain::Int {
                low: self.int("low", None)?,
                high: self.int("high", None)?,
                step: self.int("step", Some(1))?,
                scale: self.scale()?,
            }),
            Some("categorical") => Ok(Domain::Categorical { choices: self.choices()? }),
            Some("bool") => Ok(Domain::Bool),
            _ if self.left.contains_key("low") || self.left.contains_key("choices") => {
                self.wrong("kind", KINDS, &kind)
            }
            // The commonest slip: a key with points that was not quoted is a table in a table.
            _ => self.wrong("kind", &format!("{KINDS} (and a quoted key)"), &kind),
        }
    }

    fn conditions(&mut self) -> Result<Vec<Condition>, SearchError> {
        let conditions = match self.left.remove("when") {
            None => return Ok(Vec::new()),
            Some(Toml::Table(conditions)) => conditions,
            Some(other) => {
                return self.wrong("when", "a table, as { \"model.kind\" = [\"a\"] }", &other);
            }
        };
        let condition = |(parameter, values): (&String, &Toml)| {
            let field = format!("when.\"{parameter}\"");
            let values = match values {
                Toml::Array(values) => values.as_slice(),
                single => std::slice::from_ref(single),
            };
            let values = values.iter().map(|value| self.value(&field, value));
            Ok(Condition {
                parameter: parameter.clone(),
                values: values.collect::<Result<_, _>>()?,
            })
        };
        conditions.iter().map(condition).collect()
    }

    fn choices(&mut self) -> Result<Vec<Value>, SearchError> {
        let expected = "a list of words, numbers or truth values";
        match self.required("choices", expected)? {
            Toml::Array(choices) => {
                choices.iter().map(|choice| self.value("choices", choice)).collect()
            }
            other => self.wrong("choices", expected, &other),
        }
    }

    fn value(&self, field: &str, value: &Toml) -> Result<Value, SearchError> {
        match value {
            Toml::Boolean(value) => Ok(Value::Bool(*value)),
            Toml::Integer(value) => Ok(Value::Int(*value)),
            Toml::Float(value) if value.is_finite() => Ok(Value::Float(*value)),
            Toml::String(value) => Ok(Value::Text(value.clone())),
            other => self.wrong(field, "a word, a finite number or a truth value", other),
        }
    }

    fn float(&mut self, field: &str) -> Result<f64, SearchError> {
        match self.required(field, "a number")? {
            Toml::Float(value) => Ok(value),
            Toml::Integer(value) => Ok(value as f64),
            other => self.wrong(field, "a number", &other),
        }
    }

    fn int(&mut self, field: &str, default: Option<i64>) -> Result<i64, SearchError> {
        if let (Some(default), None) = (default, self.left.get(field)) {
            return Ok(default);
        }
        match self.required(field, "a whole number")? {
            Toml::Integer(value) => Ok(value),
            other => self.wrong(field, "a whole number", &other),
        }
    }

    fn scale(&mut self) -> Result<Scale, SearchError> {
        match self.left.remove("scale") {
            None => Ok(Scale::Linear),
            Some(Toml::String(scale)) if scale == "linear" => Ok(Scale::Linear),
            Some(Toml::String(scale)) if scale == "log" => Ok(Scale::Log),
            Some(other) => self.wrong("scale", "\"linear\" or \"log\"", &other),
        }
    }

    fn required(&mut self, field: &str, expected: &str) -> Result<Toml, SearchError> {
        let missing =
            || SearchError::invalid(format!("{}.{field}", self.place), expected, "nothing");
        self.left.remove(field).ok_or_else(missing)
    }

    fn wrong<T>(&self, field: &str, expected: &str, found: &Toml) -> Result<T, SearchError> {
        Err(SearchError::invalid(format!("{}.{field}", self.place), expected, found))
    }

    fn finish(self) -> Result<(), SearchError> {
        match self.left.iter().next() {
            None => Ok(()),
            Some((field, value)) => {
                self.wrong(field, "no such field for this kind of parameter", value)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACE: &str = r#"
        [parameters."a.optimizer"]
        kind = "categorical"
        choices = ["adam", "sgd"]

        [parameters."a.momentum"]
        kind = "float"
        low = 0
        high = 0.9
        when = { "a.optimizer" = "sgd" }

        [parameters."b.layers"]
        kind = "int"
        low = 1
        high = 64
        scale = "log"
    "#;

    #[test]
    fn parents_come_before_their_children() {
        let space = SearchSpace::from_toml(SPACE).unwrap();
        let keys: Vec<&str> = space.parameters().iter().map(|p| p.key.as_str()).collect();
        assert_eq!(keys, ["a.optimizer", "a.momentum", "b.layers"]);
        assert_eq!(space.groups(), [vec![0, 2], vec![1]]);
        let adam = space.snap(&[0.1, 0.3, 0.0]);
        assert_eq!(space.assignment(&adam).settings(), ["a.optimizer=\"adam\"", "b.layers=1"]);
        let sgd = space.assignment(&space.snap(&[0.9, 1.0, 1.0]));
        assert_eq!(sgd.settings(), ["a.momentum=0.9", "a.optimizer=\"sgd\"", "b.layers=64"]);
        assert_eq!(space.snap(&[0.9, 1.0, 1.0]), space.point(&sgd));
    }

    #[test]
    fn a_space_survives_its_journal() {
        let space = SearchSpace::from_toml(SPACE).unwrap();
        let json = serde_json::to_string(&space).unwrap();
        assert_eq!(serde_json::from_str::<SearchSpace>(&json).unwrap(), space);
        assert!(serde_json::from_str::<SearchSpace>("[]").is_err());
    }

    #[test]
    fn assignments_are_checked() {
        let space = SearchSpace::from_toml(SPACE).unwrap();
        let check = |text: &str| {
            let assignment: crate::search::Assignment = toml::from_str(text).unwrap();
            space.check(&assignment).map_err(|error| error.to_string())
        };
        assert_eq!(check("'a.optimizer' = 'adam'\n'b.layers' = 3"), Ok(()));
        let cases = [
            ("'b.layers' = 3", "a.optimizer: expected one of \"adam\", \"sgd\", got nothing"),
            (
                "'a.optimizer' = 'adam'\n'b.layers' = 65",
                "b.layers: expected a whole number from 1 to 64, got 65",
            ),
            (
                "'a.optimizer' = 'adam'\n'b.layers' = 3\n'a.momentum' = 0.5",
                "a.momentum: expected nothing, as its conditions do not hold, got 0.5",
            ),
            (
                "'a.optimizer' = 'adam'\n'b.layers' = 3\nx = 1",
                "x: expected a parameter of the space, got an unknown key",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(check(text), Err(expected.to_string()));
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_what_would_do() {
        let cases = [
            ("", "parameters: expected a table, got nothing"),
            ("[parameters]", "parameters: expected at least one parameter, got none"),
            (
                "[parameters.a]\nkind='real'\nlow=1",
                "parameters.\"a\".kind: expected one of \"float\", \"int\", \"categorical\", \"bool\", got \"real\"",
            ),
            (
                "[parameters.a]\nkind='float'\nlow=0",
                "parameters.\"a\".high: expected a number, got nothing",
            ),
            (
                "[parameters.a]\nkind='float'\nlow=2\nhigh=1",
                "parameters.\"a\": expected finite low < high, got low = 2.0, high = 1.0",
            ),
            (
                "[parameters.a]\nkind='float'\nlow=0\nhigh=1\nscale='log'",
                "parameters.\"a\".low: expected above 0 on a log scale, got 0.0",
            ),
            (
                "[parameters.a]\nkind='int'\nlow=0\nhigh=1.5",
                "parameters.\"a\".high: expected a whole number, got 1.5",
            ),
            (
                "[parameters.a]\nkind='int'\nlow=0\nhigh=9\nstep=0",
                "parameters.\"a\".step: expected 1 or more, got 0",
            ),
            (
                "[parameters.a]\nkind='categorical'\nchoices=['x','x']",
                "parameters.\"a\".choices: expected one or more different values, got [\"x\", \"x\"]",
            ),
            (
                "[parameters.a]\nkind='bool'\nhi=1",
                "parameters.\"a\".hi: expected no such field for this kind of parameter, got 1",
            ),
            (
                "[parameters.a]\nkind='bool'\nwhen={b=true}",
                "parameters.\"a\".when.\"b\": expected a parameter of the space, got an unknown key",
            ),
            (
                "[parameters.a]\nkind='bool'\nwhen={b=3}\n[parameters.b]\nkind='bool'",
                "parameters.\"a\".when.\"b\": expected true or false, got 3",
            ),
            (
                "[parameters.a]\nkind='bool'\nwhen={b=true}\n[parameters.b]\nkind='bool'\nwhen={a=true}",
                "parameters.\"a\".when: expected conditions that do not lead back to the parameter itself, got a \
                 circle of a, b",
            ),
        ];
        for (text, expected) in cases {
            let found = SearchSpace::from_toml(text).unwrap_err().to_string();
            assert_eq!(found, expected, "{text}");
        }
        let found = SearchSpace::from_toml("[parameters").unwrap_err();
        assert!(matches!(found, SearchError::NotToml { .. }));
    }
}
