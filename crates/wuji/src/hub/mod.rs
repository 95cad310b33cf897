//! Models by their name on the Hugging Face Hub: out of the cache that its own tools keep, or downloaded into it.
//!
//! The cache's folder is `models--ORG--NAME/snapshots/COMMIT`, with `refs/main` naming the commit. Where it is, and
//! whether to go online at all, is the caller's to say: libraries do not read the environment. Downloads are the
//! `hf-hub` crate's, files that are in the cache are never asked for again.

mod files;
mod name;

use std::path::{Path, PathBuf};

use hf_hub::api::Progress;
use hf_hub::api::sync::{ApiBuilder, ApiRepo};
use hf_hub::{Cache, Repo, RepoType};

pub use name::ModelName;

use crate::WujiError;
use files::{beside_weights, model_in, weights};

/// Where the Hub is, unless another endpoint is given.
const ENDPOINT: &str = "https://huggingface.co";

/// What a download tells while it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DownloadEvent<'a> {
    /// A file of so many bytes begins.
    Begins {
        /// Its name in the repository.
        file: &'a str,
        /// Its size.
        bytes: u64,
    },
    /// So many more bytes are there.
    Received(u64),
    /// The file is complete.
    Ends,
}

/// The Hub, and the cache before it.
#[derive(Debug, Clone)]
pub struct Hub {
    cache: PathBuf,
    endpoint: String,
    offline: bool,
}

impl Hub {
    /// The Hub with the cache in the folder `cache` (`~/.cache/huggingface/hub` of Hugging Face's own tools).
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        Self { cache: cache.into(), endpoint: ENDPOINT.to_string(), offline: false }
    }

    /// Downloads from another place.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = endpoint.into().trim_end_matches('/').to_string();
        self
    }

    /// Only looks into the cache.
    #[must_use]
    pub fn offline(mut self, offline: bool) -> Self {
        self.offline = offline;
        self
    }

    /// The model called `name` as a path on this machine: a directory, or a GGUF file.
    ///
    /// # Errors
    /// [`WujiError::NotDownloaded`], which says what was tried and what can be done.
    pub fn resolve(
        &self,
        name: &ModelName,
        progress: &mut dyn FnMut(DownloadEvent<'_>),
    ) -> Result<PathBuf, WujiError> {
        let missing = match self.cached(name) {
            Ok(path) => return Ok(path),
            Err(missing) => missing,
        };
        let failed = |reason: String| WujiError::NotDownloaded {
            name: name.to_string(),
            cache: self.cache.clone(),
            missing: missing.clone(),
            endpoint: self.endpoint.clone(),
            reason,
        };
        if self.offline {
            return Err(failed("it was not asked, because of being told to stay offline".into()));
        }
        std::fs::create_dir_all(&self.cache)
            .map_err(|source| WujiError::io("creating", &self.cache, source))?;
        self.download(name, progress).map_err(failed)?;
        self.cached(name).map_err(failed)
    }

    /// The model as the cache has it, or what it lacks.
    fn cached(&self, name: &ModelName) -> Result<PathBuf, String> {
        let folder = self.cache.join(self.repo(name).folder_name());
        if !folder.is_dir() {
            return Err(format!("no {}", self.repo(name).folder_name()));
        }
        let reference = folder.join("refs").join(name.revision());
        let commit = match std::fs::read_to_string(&reference) {
            Ok(commit) => commit.trim().to_string(),
            // A revision may also be a commit.
            Err(_) => name.revision().to_string(),
        };
        model_in(&folder.join("snapshots").join(commit))
    }

    fn repo(&self, name: &ModelName) -> Repo {
        let revision = name.revision().to_string();
        Repo::with_revision(name.repository().to_string(), RepoType::Model, revision)
    }

    /// Fetches what a model needs: small files first, so that a snapshot with weights is a whole one.
    fn download(
        &self,
        name: &ModelName,
        progress: &mut dyn FnMut(DownloadEvent<'_>),
    ) -> Result<(), String> {
        let api = ApiBuilder::from_cache(Cache::new(self.cache.clone()))
            .with_endpoint(self.endpoint.clone())
            .with_progress(false)
            .build()
            .map_err(|error| error.to_string())?;
        let repo = api.repo(self.repo(name));
        let info = repo.info().map_err(|error| error.to_string())?;
        let listed: Vec<String> = info.siblings.into_iter().map(|file| file.rfilename).collect();
        for file in beside_weights(&listed) {
            self.fetch(&repo, name, file, progress)?;
        }
        let index = |file: &str| -> Result<PathBuf, String> {
            repo.get(file).map_err(|error| format!("{file}: {error}"))
        };
        for file in weights(&listed, index)? {
            self.fetch(&repo, name, &file, progress)?;
        }
        Ok(())
    }

    fn fetch(
        &self,
        repo: &ApiRepo,
        name: &ModelName,
        file: &str,
        progress: &mut dyn FnMut(DownloadEvent<'_>),
    ) -> Result<(), String> {
        let cached = Cache::new(self.cache.clone()).repo(self.repo(name)).get(file);
        if cached.as_deref().is_some_and(Path::is_file) {
            return Ok(());
        }
        repo.download_with_progress(file, Forward(progress))
            .map(drop)
            .map_err(|error| format!("{file}: {error}"))
    }
}

/// hf-hub's progress as events.
struct Forward<'a>(&'a mut dyn FnMut(DownloadEvent<'_>));

impl Progress for Forward<'_> {
    fn init(&mut self, size: usize, filename: &str) {
        (self.0)(DownloadEvent::Begins { file: filename, bytes: size as u64 });
    }

    fn update(&mut self, size: usize) {
        (self.0)(DownloadEvent::Received(size as u64));
    }

    fn finish(&mut self) {
        (self.0)(DownloadEvent::Ends);
    }
}

#[cfg(test)]
mod tests;
