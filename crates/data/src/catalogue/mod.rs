//! Public data sets: what they are, where they come from, and how to get them.
//!
//! Every set has a folder `datasets/<id>/` with `manifest.toml` (facts, for programs) and `CARD.md` (the same and more,
//! for people); both are compiled in, so an installed binary knows the [`Catalogue`] too. A data root is a directory
//! with files at the paths that the manifests name: [`verify`](DatasetManifest::verify) checks one,
//! [`fetch`](DatasetManifest::fetch) fills one from the public sources, and
//! [`prepare`](DatasetManifest::prepare) turns a set in one into a source of training text.
//!
//! Invariant: nothing reaches its final name under a data root before its hash was checked.

mod collection;
mod download;
mod error;
mod fetch;
mod git_blob;
mod manifest;
mod prepare;
mod verify;

pub use collection::{Catalogue, Dataset};
pub use error::CatalogueError;
pub use fetch::{FetchEvent, FetchOptions, FetchOutcome, FetchReport};
pub use git_blob::GitBlobId;
pub use manifest::{DatasetFile, DatasetManifest, SourceFile, TextSpec, Transform};
pub use verify::{FileReport, FileStatus};

/// Result of this module's operations.
type Result<T, E = CatalogueError> = std::result::Result<T, E>;

#[cfg(test)]
mod tests;
