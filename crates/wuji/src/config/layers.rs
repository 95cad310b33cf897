//! Layers of a config: preset, file, options.

use std::path::{Path, PathBuf};

use serde::Serialize;
use toml::{Table, Value};

use super::presets::PRESETS;
use super::suggest::nearest;
use crate::WujiError;

/// Where a config comes from; later layers win.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConfigLayers {
    /// A preset's name; none starts from the defaults of every section.
    pub preset: Option<String>,
    /// A TOML file.
    pub file: Option<PathBuf>,
    /// `section.key=value` options; the value is TOML, or else a string.
    pub set: Vec<String>,
}

impl ConfigLayers {
    /// A preset and nothing else.
    pub fn preset(name: impl Into<String>) -> Self {
        Self { preset: Some(name.into()), ..Self::default() }
    }

    /// Adds a `section.key=value` option.
    #[must_use]
    pub fn with(mut self, option: impl Into<String>) -> Self {
        self.set.push(option.into());
        self
    }

    /// Adds the option `section.key` with a value of any type that TOML can say.
    ///
    /// # Errors
    /// A value that it cannot.
    pub fn with_value(self, key: &str, value: &impl Serialize) -> Result<Self, WujiError> {
        let value = Value::try_from(value)
            .map_err(|error| WujiError::config(format!("--set {key}"), error.to_string()))?;
        Ok(self.with(format!("{key}={value}")))
    }

    /// The merged tables.
    pub(super) fn merge(&self) -> Result<Table, WujiError> {
        let mut merged = match &self.preset {
            Some(name) => preset_table(name)?,
            None => Table::new(),
        };
        if let Some(path) = &self.file {
            overlay(&mut merged, read_table(path)?);
        }
        for option in &self.set {
            set(&mut merged, option)?;
        }
        Ok(merged)
    }

    /// The layers in words, for messages.
    pub(super) fn origin(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.preset.as_ref().map(|name| format!("preset {name}")));
        parts.extend(self.file.as_ref().map(|path| path.display().to_string()));
        if !self.set.is_empty() {
            parts.push("--set".to_string());
        }
        if parts.is_empty() { "config".to_string() } else { parts.join(" + ") }
    }
}

fn preset_table(name: &str) -> Result<Table, WujiError> {
    let Some(preset) = PRESETS.iter().find(|preset| preset.name == name) else {
        let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
        let hint = nearest(name, names.iter().copied())
            .map(|near| format!("; did you mean {near}?"))
            .unwrap_or_default();
        let problem =
            format!("unknown preset {name:?}: expected one of {}{hint}", names.join(", "));
        return Err(WujiError::config("--preset", problem));
    };
    parse(preset.text, &format!("preset {name}"))
}

fn read_table(path: &Path) -> Result<Table, WujiError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| WujiError::io("reading", path, source))?;
    parse(&text, &path.display().to_string())
}

fn parse(text: &str, origin: &str) -> Result<Table, WujiError> {
    text.parse().map_err(|error: toml::de::Error| WujiError::config(origin, error.to_string()))
}

/// Puts `top` over `base`: tables merge, everything else replaces.
fn overlay(base: &mut Table, top: Table) {
    for (key, value) in top {
        match (base.get_mut(&key), value) {
            // A tagged choice (`kind = …`) replaces the other choice's keys altogether.
            (Some(Value::Table(old)), Value::Table(new)) if !changes_kind(old, &new) => {
                overlay(old, new);
            }
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

fn changes_kind(old: &Table, new: &Table) -> bool {
    matches!((old.get("kind"), new.get("kind")), (Some(old), Some(new)) if old != new)
}

fn set(table: &mut Table, option: &str) -> Result<(), WujiError> {
    let bad = |problem: &str| WujiError::config(format!("--set {option}"), problem);
    let (path, text) =
        option.split_once('=').ok_or_else(|| bad("expected section.key=value, found no `=`"))?;
    let path: Vec<&str> = path.trim().split('.').collect();
    let expected = "expected section.key=value, as in training.max_steps=100";
    if path.iter().any(|part| part.is_empty()) {
        return Err(bad(expected));
    }
    let parsed: Result<Table, _> = format!("value = {}", text.trim()).parse();
    let value = match parsed {
        Ok(mut parsed) => parsed.remove("value").ok_or_else(|| bad("expected a value"))?,
        Err(_) => Value::String(text.trim().to_string()),
    };
    if path.len() == 1 && !value.is_table() {
        return Err(bad(expected));
    }
    let nested = path
        .iter()
        .rev()
        .fold(value, |value, key| Value::Table(Table::from_iter([((*key).to_string(), value)])));
    if let Value::Table(nested) = nested {
        overlay(table, nested);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        text.parse().unwrap()
    }

    #[test]
    fn later_layers_win_key_by_key() {
        let mut base = table("[training]\nmax_steps = 1\nseed = 2");
        overlay(&mut base, table("[training]\nmax_steps = 3"));
        assert_eq!(base, table("[training]\nmax_steps = 3\nseed = 2"));
    }

    #[test]
    fn another_kind_forgets_the_old_kinds_keys() {
        let mut base = table("[data.split]\nkind = 'content-hash'\nseed = 1");
        overlay(&mut base, table("[data.split]\nkind = 'position'"));
        assert_eq!(base, table("[data.split]\nkind = 'position'"));
    }

    #[test]
    fn a_value_of_many_keys_is_an_option_like_any_other() {
        let pairs = [wuji_data::PairOptions::lines("a \"b\".en", "c.de")];
        let layers = ConfigLayers::default().with_value("data.pairs.train", &pairs).unwrap();
        let found = layers.merge().unwrap()["data"]["pairs"]["train"].clone();
        assert_eq!(found.try_into::<Vec<wuji_data::PairOptions>>().unwrap(), pairs);
    }

    #[test]
    fn set_reads_toml_values_and_bare_words() {
        let mut base = Table::new();
        set(&mut base, "training.learning_rate=1e-3").unwrap();
        set(&mut base, "training.optimizer=muon").unwrap();
        set(&mut base, "model.rope_parameters.rope_theta=5e5").unwrap();
        let expected = "[training]\nlearning_rate = 1e-3\noptimizer = 'muon'\n\
                        [model.rope_parameters]\nrope_theta = 5e5";
        assert_eq!(base, table(expected));
        assert!(set(&mut base, "max_steps=3").is_err());
        assert!(set(&mut base, "training.max_steps").is_err());
    }
}
