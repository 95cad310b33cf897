//! Saving as Hugging Face's files, which `transformers` and every other tool of the field load.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::error::TokenizerError;
use crate::special_tokens::Role;
use crate::tokenizer::Tokenizer;

impl Tokenizer {
    /// Saves the tokenizer.
    ///
    /// If `path` is a directory or has no `.json` ending, it is taken for a directory, made if need be, and gets
    /// `tokenizer.json` and `tokenizer_config.json` (roles of special tokens; what was read with the tokenizer, such
    /// as a chat template, is kept). Otherwise the file `path` gets what `tokenizer.json` would.
    ///
    /// Each file is written beside its place and then moved there: whoever looks sees the old or the new one, whole.
    ///
    /// # Errors
    ///
    /// If the directory or a file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), TokenizerError> {
        let is_file =
            !path.is_dir() && path.extension().is_some_and(|extension| extension == "json");
        if is_file {
            return write_json(path, &self.description());
        }
        std::fs::create_dir_all(path)
            .map_err(|source| TokenizerError::Write { path: path.to_owned(), source })?;
        write_json(&path.join("tokenizer.json"), &self.description())?;
        write_json(&path.join("tokenizer_config.json"), &self.config_to_save())
    }

    fn config_to_save(&self) -> Map<String, Value> {
        let mut config = self.config().clone();
        config.entry("tokenizer_class").or_insert(json!("PreTrainedTokenizerFast"));
        // Without this, transformers removes spaces before punctuation when it decodes.
        config.entry("clean_up_tokenization_spaces").or_insert(json!(false));
        for role in Role::ALL {
            if let Some(token) = self.roles().get(role)
                && !config.contains_key(role.key())
            {
                config.insert(role.key().to_owned(), json!(token));
            }
        }
        config
    }
}

fn write_json(path: &Path, content: &impl Serialize) -> Result<(), TokenizerError> {
    let error = |source| TokenizerError::Write { path: path.to_owned(), source };
    let mut text = serde_json::to_vec_pretty(content).map_err(|source| error(source.into()))?;
    text.push(b'\n');
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let mut file = temporary_file(&directory).map_err(error)?;
    file.write_all(&text).map_err(error)?;
    file.as_file().sync_all().map_err(error)?;
    file.persist(path).map_err(|failed| error(failed.error))?;
    Ok(())
}

/// A file that only its owner may read would stay so after the move; these are made like any other file.
fn temporary_file(directory: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tokenizer-").suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(directory)
}
