//! `generation_config.json`: which tokens end a text, and which are never chosen.

use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;

use crate::InferenceError;

/// The keys that matter here; a model's file has many more.
#[derive(Debug, Default, Deserialize)]
struct GenerationConfig {
    eos_token_id: Option<TokenIds>,
    bad_words_ids: Option<Vec<Vec<u32>>>,
    suppress_tokens: Option<Vec<u32>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum TokenIds {
    One(u32),
    Several(Vec<u32>),
}

/// The end-of-text tokens that `generation_config.json` in `dir` names; `None` when there is no such
/// file or it names none.
///
/// # Errors
/// [`InferenceError::Io`] and [`InferenceError::GenerationConfig`].
pub(crate) fn eos_token_ids(dir: &Path) -> Result<Option<Vec<u32>>, InferenceError> {
    Ok(read(dir)?.eos_token_id.map(|ids| match ids {
        TokenIds::One(id) => vec![id],
        TokenIds::Several(ids) => ids,
    }))
}

/// The tokens that it says are never chosen: `suppress_tokens`, and those of `bad_words_ids` that
/// are one token.
///
/// # Errors
/// [`InferenceError::Io`] and [`InferenceError::GenerationConfig`].
pub(crate) fn suppressed_ids(dir: &Path) -> Result<Vec<u32>, InferenceError> {
    let config = read(dir)?;
    let words = config.bad_words_ids.unwrap_or_default();
    let words = words.into_iter().filter(|word| word.len() == 1).flatten();
    Ok(config.suppress_tokens.unwrap_or_default().into_iter().chain(words).collect())
}

fn read(dir: &Path) -> Result<GenerationConfig, InferenceError> {
    let path = dir.join("generation_config.json");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        // A model may be a single file, which has no files in it.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(GenerationConfig::default());
        }
        Err(source) => return Err(InferenceError::Io { path, source }),
    };
    serde_json::from_str(&text).map_err(|source| InferenceError::GenerationConfig { path, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: &str, expected: Result<Option<Vec<u32>>, &str>) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("generation_config.json"), content).unwrap();
        match (eos_token_ids(dir.path()), expected) {
            (Ok(ids), Ok(expected)) => assert_eq!(ids, expected),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (found, expected) => panic!("{content}: {found:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn one_id_a_list_or_none() {
        check(r#"{"eos_token_id": 2, "do_sample": true}"#, Ok(Some(vec![2])));
        check(r#"{"eos_token_id": [128001, 128009]}"#, Ok(Some(vec![128_001, 128_009])));
        check(r#"{"max_new_tokens": 20}"#, Ok(None));
        check(r#"{"eos_token_id": null}"#, Ok(None));
    }

    #[test]
    fn a_damaged_file_is_named() {
        check("{", Err("generation_config.json"));
        check(r#"{"eos_token_id": "two"}"#, Err("generation_config.json"));
    }

    #[test]
    fn words_of_one_token_are_suppressed() {
        let dir = tempfile::tempdir().unwrap();
        let content = r#"{"bad_words_ids": [[9], [4, 5]], "suppress_tokens": [1]}"#;
        std::fs::write(dir.path().join("generation_config.json"), content).unwrap();
        assert_eq!(suppressed_ids(dir.path()).unwrap(), [1, 9]);
    }

    #[test]
    fn no_file_is_fine() {
        assert_eq!(eos_token_ids(tempfile::tempdir().unwrap().path()).unwrap(), None);
    }
}
