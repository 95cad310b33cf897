//! A directory or file that appears under its name only when it is complete.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use wuji_model::weights::save_model;
use wuji_tokenizer::Tokenizer;

use super::NumberFormat;
use super::loaded::{CopiedFile, Loaded};
use crate::WujiError;

/// A directory being filled.
pub(super) struct Target {
    workshop: TempDir,
    path: PathBuf,
}

impl Target {
    /// Begins what will be `path`, which must not be there, or empty.
    pub(super) fn begin(path: &Path) -> Result<Self, WujiError> {
        let is_empty =
            |path: &Path| fs::read_dir(path).is_ok_and(|mut found| found.next().is_none());
        if path.exists() && !is_empty(path) {
            let problem = "it is there already; choose another name, or remove it first";
            return Err(WujiError::input(path, problem));
        }
        let parent = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(|source| WujiError::io("creating", parent, source))?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".converting-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o777)); // less the user's umask
        }
        let workshop =
            builder.tempdir_in(parent).map_err(|source| WujiError::io("creating", path, source))?;
        Ok(Self { workshop, path: path.into() })
    }

    /// Where it is until it is published.
    pub(super) fn path(&self) -> &Path {
        self.workshop.path()
    }

    /// Gives a finished file in the directory the name instead.
    pub(super) fn publish_file(self, file: &Path) -> Result<(), WujiError> {
        if self.path.is_dir() {
            // It is empty, or it would have been refused.
            fs::remove_dir(&self.path)
                .map_err(|source| WujiError::io("replacing", &self.path, source))?;
        }
        fs::rename(file, &self.path).map_err(|source| WujiError::io("creating", &self.path, source))
    }

    /// Gives the finished directory its name.
    pub(super) fn publish(mut self) -> Result<(), WujiError> {
        fs::rename(self.workshop.path(), &self.path)
            .map_err(|source| WujiError::io("creating", &self.path, source))?;
        self.workshop.disable_cleanup(true);
        Ok(())
    }
}

/// Writes config, weights, tokenizer and generation config of a Hugging Face directory.
pub(super) fn write_directory(
    dir: &Path,
    loaded: Loaded,
    dtype: NumberFormat,
) -> Result<(), WujiError> {
    let Some(stored) = dtype.in_safetensors() else {
        let problem = format!("a Hugging Face directory cannot hold {dtype}; use --to gguf");
        return Err(WujiError::input(dir, problem));
    };
    save_model(dir, &loaded.config, &loaded.tensors, stored)?;
    for CopiedFile { from, name } in &loaded.beside {
        let to = dir.join(name);
        let folder = to.parent().unwrap_or(dir);
        fs::create_dir_all(folder).map_err(|source| WujiError::io("creating", folder, source))?;
        fs::copy(from, to).map_err(|source| WujiError::io("copying", from, source))?;
    }
    if let Some(generation) = &loaded.generation_config {
        write_json(&dir.join("generation_config.json"), generation)?;
    }
    if let Some((_, tokenizer)) = &loaded.tokenizer
        && (loaded.tokenizer_is_given || Tokenizer::load(dir).is_err())
    {
        tokenizer.save(dir)?;
    }
    Ok(())
}

fn write_json(path: &Path, value: &Value) -> Result<(), WujiError> {
    fs::write(path, format!("{value:#}\n")).map_err(|source| WujiError::io("writing", path, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_appears_only_when_it_is_published() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        drop(Target::begin(&path).unwrap());
        assert!(!path.exists());
        let target = Target::begin(&path).unwrap();
        fs::write(target.path().join("x"), "").unwrap();
        target.publish().unwrap();
        assert!(path.join("x").is_file());
        assert!(Target::begin(&path).is_err());
        assert_eq!(fs::read_dir(dir.path().join("a")).unwrap().count(), 1);
    }

    #[test]
    fn a_file_takes_the_name_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.gguf");
        let target = Target::begin(&path).unwrap();
        let file = target.path().join("x");
        fs::write(&file, "content").unwrap();
        target.publish_file(&file).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"content");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(Target::begin(&path).is_err());
    }
}
