//! Rotary parameters out of `config.json`, in its two spellings.
//!
//! transformers 5 writes one object `rope_parameters`; older files have `rope_theta` beside
//! `rope_scaling`.

use serde_json::{Map, Value};

use crate::{ModelError, RopeParameters, RopeScaling};

/// What a family takes for keys that are absent.
pub(super) struct RopeDefaults {
    /// Of `rope_theta`.
    pub rope_theta: f64,
    /// Of `partial_rotary_factor`.
    pub partial_rotary_factor: f64,
}

impl Default for RopeDefaults {
    fn default() -> Self {
        Self { rope_theta: 10_000.0, partial_rotary_factor: 1.0 }
    }
}

/// Reads the rotary parameters from a config's keys.
pub(super) fn rope_from_config(
    keys: &Map<String, Value>,
    max_position_embeddings: usize,
    defaults: &RopeDefaults,
) -> Result<RopeParameters, ModelError> {
    let present = |key| keys.get(key).filter(|value| !value.is_null());
    let object = |key: &'static str| match present(key) {
        None => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(other) => Err(ModelError::invalid(key, other, "an object")),
    };
    let empty = Map::new();
    let parameters = object("rope_parameters")?.or(object("rope_scaling")?).unwrap_or(&empty);
    let top_level = Keys(keys).number("rope_theta")?;
    let rope_theta =
        Keys(parameters).number("rope_theta")?.or(top_level).unwrap_or(defaults.rope_theta);
    if !(rope_theta.is_finite() && rope_theta > 1.0) {
        return Err(ModelError::invalid("rope_theta", rope_theta, "a number above 1"));
    }
    let scaling = scaling(&Keys(parameters), max_position_embeddings)?;
    let partial_rotary_factor = Keys(parameters)
        .number("partial_rotary_factor")?
        .or(Keys(keys).number("partial_rotary_factor")?)
        .unwrap_or(defaults.partial_rotary_factor);
    Ok(RopeParameters { rope_theta, partial_rotary_factor, scaling })
}

fn scaling(keys: &Keys, max_position_embeddings: usize) -> Result<RopeScaling, ModelError> {
    let kind = ["rope_type", "type"]
        .iter()
        .find_map(|key| keys.0.get(*key).and_then(Value::as_str))
        .unwrap_or("default");
    let original = || {
        let given = keys.number("original_max_position_embeddings")?;
        Ok::<_, ModelError>(given.map_or(max_position_embeddings, |value| value as usize))
    };
    Ok(match kind {
        "default" => RopeScaling::None,
        "linear" => RopeScaling::Linear { factor: keys.required("factor")? },
        "llama3" => RopeScaling::Llama3 {
            factor: keys.required("factor")?,
            low_freq_factor: keys.required("low_freq_factor")?,
            high_freq_factor: keys.required("high_freq_factor")?,
            original_max_position_embeddings: original()?,
        },
        "yarn" => RopeScaling::Yarn {
            factor: keys.required("factor")?,
            beta_fast: keys.number("beta_fast")?.unwrap_or(32.0),
            beta_slow: keys.number("beta_slow")?.unwrap_or(1.0),
            attention_factor: keys.number("attention_factor")?,
            original_max_position_embeddings: original()?,
            truncate: keys.0.get("truncate").and_then(Value::as_bool).unwrap_or(true),
        },
        other => {
            return Err(ModelError::invalid("rope_type", other, "default, linear, llama3 or yarn"));
        }
    })
}

struct Keys<'a>(&'a Map<String, Value>);

impl Keys<'_> {
    fn number(&self, key: &'static str) -> Result<Option<f64>, ModelError> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_f64() {
                Some(number) => Ok(Some(number)),
                None => Err(ModelError::invalid(key, value, "a number")),
            },
        }
    }

    fn required(&self, key: &'static str) -> Result<f64, ModelError> {
        self.number(key)?.ok_or_else(|| ModelError::invalid(key, "absent", "a number"))
    }
}
