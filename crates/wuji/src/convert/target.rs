//! A directory that appears under its name only when it is complete.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use wuji_model::ModelConfig;
use wuji_model::weights::{FileTensor, StoredDtype, save_tensors};

use crate::WujiError;

/// Largest file before weights are split, as the Hub does.
const MAX_SHARD_BYTES: usize = 5_000_000_000;
/// Largest finite f16.
const MAX_F16: f32 = 65504.0;

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

    /// Gives the finished directory its name.
    pub(super) fn publish(mut self) -> Result<(), WujiError> {
        fs::rename(self.workshop.path(), &self.path)
            .map_err(|source| WujiError::io("creating", &self.path, source))?;
        self.workshop.disable_cleanup(true);
        Ok(())
    }
}

/// Writes config and weights.
pub(super) fn write_model(
    dir: &Path,
    mut config: ModelConfig,
    tensors: &[FileTensor],
    dtype: StoredDtype,
) -> Result<(), WujiError> {
    check_range(dir, tensors, dtype)?;
    config.set_extra("architectures", vec![config.class_name()].into());
    let name = match dtype {
        StoredDtype::F32 => "float32",
        StoredDtype::F16 => "float16",
        StoredDtype::Bf16 => "bfloat16",
    };
    config.set_extra("dtype", name.into());
    if config.extra().contains_key("torch_dtype") {
        config.set_extra("torch_dtype", name.into()); // The same in older files.
    }
    config.save(dir)?;
    Ok(save_tensors(dir, tensors, dtype, MAX_SHARD_BYTES)?)
}

/// f16 ends at 65504: a larger weight would become infinite without a word.
fn check_range(dir: &Path, tensors: &[FileTensor], dtype: StoredDtype) -> Result<(), WujiError> {
    if dtype != StoredDtype::F16 {
        return Ok(());
    }
    for tensor in tensors {
        if let Some(value) = tensor.values.iter().find(|value| value.abs() > MAX_F16) {
            let problem =
                format!("{} has the value {value}, which f16 cannot hold; use bf16", tensor.name);
            return Err(WujiError::input(dir, problem));
        }
    }
    Ok(())
}

/// Writes a JSON file.
pub(super) fn write_json(path: &Path, value: &Value) -> Result<(), WujiError> {
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
    fn a_weight_beyond_f16_is_refused_by_name() {
        let tensor = FileTensor { name: "w".into(), shape: vec![2], values: vec![1.0, -7e4] };
        let dir = Path::new("m");
        let error = check_range(dir, std::slice::from_ref(&tensor), StoredDtype::F16).unwrap_err();
        assert_eq!(error.to_string(), "m: w has the value -70000, which f16 cannot hold; use bf16");
        assert!(check_range(dir, &[tensor], StoredDtype::Bf16).is_ok());
    }
}
