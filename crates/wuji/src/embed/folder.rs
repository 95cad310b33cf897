//! What a directory of sentence-transformers says around its model.
//!
//! `modules.json` lists what a text passes through, each in a folder of its own. Without it, a model
//! is followed by the mean of its tokens, as sentence-transformers has it.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use wuji_model::Pooling;

use crate::WujiError;

/// Everything but the model itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Folder {
    /// Where the model and its tokenizer are.
    pub(super) model: PathBuf,
    pub(super) pooling: Pooling,
    pub(super) normalise: bool,
    pub(super) max_length: Option<usize>,
    pub(super) lower_case: bool,
}

/// An entry of `modules.json`.
#[derive(Debug, Deserialize)]
struct Module {
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

/// `sentence_bert_config.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TransformerConfig {
    max_seq_length: Option<usize>,
    do_lower_case: bool,
}

impl Folder {
    pub(super) fn read(dir: &Path) -> Result<Self, WujiError> {
        let path = dir.join("modules.json");
        let mut folder = Self {
            model: dir.to_path_buf(),
            pooling: Pooling::Mean,
            normalise: false,
            max_length: None,
            lower_case: false,
        };
        for module in read_json::<Vec<Module>>(&path)?.unwrap_or_default() {
            let at = dir.join(&module.path);
            match module.kind.rsplit('.').next().unwrap_or_default() {
                "Transformer" => folder.model = at,
                "Pooling" => folder.pooling = pooling(&at.join("config.json"))?,
                "Normalize" => folder.normalise = true,
                _ => return Err(unsupported(&path, &module.kind)),
            }
        }
        let config = folder.model.join("sentence_bert_config.json");
        let config: TransformerConfig = read_json(&config)?.unwrap_or_default();
        Ok(Self { max_length: config.max_seq_length, lower_case: config.do_lower_case, ..folder })
    }
}

/// The folders of the modules, by their names in `dir`; none where there is no `modules.json`, or where
/// a module is in `dir` itself.
pub(crate) fn module_folders(dir: &Path) -> Result<Vec<String>, WujiError> {
    let path = dir.join("modules.json");
    let modules = read_json::<Vec<Module>>(&path)?.unwrap_or_default();
    let folders = modules.into_iter().map(|module| module.path).filter(|name| !name.is_empty());
    let checked = |name: String| match Path::new(&name).components().collect::<Vec<_>>()[..] {
        [Component::Normal(_)] => Ok(name),
        _ => Err(WujiError::input(&path, format!("{name:?} is no name of a folder beside it"))),
    };
    folders.map(checked).collect()
}

fn unsupported(path: &Path, kind: &str) -> WujiError {
    WujiError::Unsupported {
        what: format!("the module {kind} in {}", path.display()),
        instead: "models of Transformer, Pooling and Normalize can be used".to_string(),
    }
}

/// The one pooling that the config turns on; several at once would be joined to a wider vector.
fn pooling(path: &Path) -> Result<Pooling, WujiError> {
    let Some(keys) = read_json::<Map<String, Value>>(path)? else {
        return Err(WujiError::input(
            path,
            "it is not there, though modules.json names its folder",
        ));
    };
    let is_on = |(key, value): (&String, &Value)| {
        let mode = key.strip_prefix("pooling_mode_")?;
        (value == &Value::Bool(true)).then(|| mode.to_string())
    };
    let mut modes: Vec<String> = keys.iter().filter_map(is_on).collect();
    // Newer files name it.
    modes.extend(keys.get("pooling_mode").and_then(Value::as_str).map(str::to_string));
    match modes.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["mean_tokens" | "mean"] => Ok(Pooling::Mean),
        ["cls_token" | "cls"] => Ok(Pooling::Cls),
        found => {
            let problem =
                format!("pooling is {found:?}; expected one of mean_tokens and cls_token");
            Err(WujiError::input(path, problem))
        }
    }
}

/// A JSON file, if it is there.
fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, WujiError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(WujiError::io("reading", path, error)),
    };
    let parsed = serde_json::from_str(&text).map(Some);
    parsed
        .map_err(|error| WujiError::input(path, format!("not the JSON that is expected: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> Result<Folder, WujiError> {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let folder = Folder::read(dir.path())?;
        let model = folder.model.strip_prefix(dir.path()).unwrap().to_path_buf();
        Ok(Folder { model, ..folder })
    }

    const MODULES: &str = r#"[{"idx": 0, "name": "0", "path": "0_T", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]"#;

    #[test]
    fn a_bare_model_is_followed_by_the_mean() {
        let found = folder(&[]).unwrap();
        assert_eq!(
            (found.pooling, found.normalise, found.max_length),
            (Pooling::Mean, false, None)
        );
        assert_eq!(found.model, Path::new(""));
    }

    #[test]
    fn modules_say_where_the_model_is_and_what_follows() {
        let pooling = r#"{"word_embedding_dimension": 8, "pooling_mode_cls_token": true,
            "pooling_mode_mean_tokens": false}"#;
        let transformer = r#"{"max_seq_length": 12, "do_lower_case": true}"#;
        let files = [
            ("modules.json", MODULES),
            ("1_Pooling/config.json", pooling),
            ("0_T/sentence_bert_config.json", transformer),
        ];
        let expected = Folder {
            model: "0_T".into(),
            pooling: Pooling::Cls,
            normalise: true,
            max_length: Some(12),
            lower_case: true,
        };
        assert_eq!(folder(&files).unwrap(), expected);
    }

    #[test]
    fn what_is_not_in_this_version_is_named() {
        let fails = |files: &[(&str, &str)], parts: [&str; 2]| {
            let message = folder(files).unwrap_err().to_string();
            assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        };
        fails(
            &[("modules.json", r#"[{"path": "2_D", "type": "x.Dense"}]"#)],
            ["x.Dense", "modules.json"],
        );
        fails(&[("modules.json", "[{}]")], ["modules.json", "missing field"]);
        fails(&[("modules.json", MODULES)], ["1_Pooling", "not there"]);
        let both = r#"{"pooling_mode_cls_token": true, "pooling_mode_max_tokens": true}"#;
        let files = [("modules.json", MODULES), ("1_Pooling/config.json", both)];
        fails(&files, ["1_Pooling", "max_tokens"]);
    }
}
