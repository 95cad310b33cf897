//! All data sets that are known: the compiled-in ones, or those of a folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use include_dir::{Dir, include_dir};

use super::{CatalogueError, DatasetManifest, FileReport, Result};

static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../datasets");

/// Ids more alike than this (Jaro–Winkler, 0 to 1) are offered as a correction.
const NEAR_MISS: f64 = 0.8;

/// Data sets by id.
#[derive(Clone, Debug)]
pub struct Catalogue {
    datasets: BTreeMap<String, Dataset>,
}

/// A data set as it stands in the catalogue.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// The facts, for programs.
    pub manifest: DatasetManifest,
    /// The card, for people, in Markdown.
    pub card: String,
}

impl Catalogue {
    /// The data sets that are compiled in.
    ///
    /// ```
    /// let catalogue = wuji_data::catalogue::Catalogue::embedded()?;
    /// let shakespeare = catalogue.get("tinyshakespeare")?;
    /// assert_eq!(shakespeare.manifest.area, "pretrain");
    /// assert!(shakespeare.card.starts_with("# Tiny Shakespeare"));
    /// # Ok::<(), wuji_data::catalogue::CatalogueError>(())
    /// ```
    ///
    /// # Errors
    /// [`CatalogueError`] if a compiled-in manifest is malformed, which the tests rule out.
    pub fn embedded() -> Result<Self> {
        let folders = EMBEDDED.dirs().map(|folder| {
            let name = folder.path().to_string_lossy().into_owned();
            let text = |file: &str| {
                folder.get_file(folder.path().join(file)).and_then(|file| file.contents_utf8())
            };
            (name, text("manifest.toml").map(str::to_owned), text("CARD.md").map(str::to_owned))
        });
        Self::collect(Path::new("datasets"), folders)
    }

    /// The data sets of a folder like this project's `datasets/`.
    ///
    /// # Errors
    /// [`CatalogueError`] if the folder cannot be read, holds no data set, or a manifest is malformed.
    pub fn load(directory: &Path) -> Result<Self> {
        let mut folders = Vec::new();
        let failed = || CatalogueError::io("read", directory);
        for entry in fs::read_dir(directory).map_err(failed())? {
            let path = entry.map_err(failed())?.path();
            let read = |file: &str| match fs::read_to_string(path.join(file)) {
                Ok(text) => Ok(Some(text)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(CatalogueError::io("read", &path.join(file))(error)),
            };
            if path.is_dir() {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                folders.push((name, read("manifest.toml")?, read("CARD.md")?));
            }
        }
        Self::collect(directory, folders)
    }

    /// Folders with their manifest and card; those without a manifest are no data sets.
    fn collect(
        root: &Path,
        folders: impl IntoIterator<Item = (String, Option<String>, Option<String>)>,
    ) -> Result<Self> {
        let mut datasets = BTreeMap::new();
        for (name, manifest, card) in folders {
            let Some(manifest) = manifest else { continue };
            let path = root.join(&name).join("manifest.toml");
            let manifest = DatasetManifest::parse(&path.display().to_string(), &name, &manifest)?;
            datasets.insert(name, Dataset { manifest, card: card.unwrap_or_default() });
        }
        if datasets.is_empty() {
            return Err(CatalogueError::Empty { path: root.to_path_buf() });
        }
        Ok(Self { datasets })
    }

    /// All data sets, sorted by id.
    pub fn list(&self) -> impl ExactSizeIterator<Item = &Dataset> {
        self.datasets.values()
    }

    /// The data set with this id.
    ///
    /// # Errors
    /// [`CatalogueError::Unknown`], with the nearest id if one is near.
    pub fn get(&self, id: &str) -> Result<&Dataset> {
        self.datasets.get(id).ok_or_else(|| CatalogueError::Unknown {
            id: id.to_owned(),
            suggestion: self.nearest(id),
        })
    }

    /// Checks every file of every data set below `data_root`.
    ///
    /// # Errors
    /// [`CatalogueError`] if a file that is there cannot be read.
    pub fn verify(&self, data_root: &Path) -> Result<Vec<FileReport>> {
        let reports = self.list().map(|dataset| dataset.manifest.verify(data_root));
        Ok(reports.collect::<Result<Vec<_>>>()?.concat())
    }

    fn nearest(&self, id: &str) -> Option<String> {
        let scored = self
            .datasets
            .keys()
            .map(|known| (strsim::jaro_winkler(&id.to_lowercase(), known), known));
        let (score, known) = scored.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
        (score > NEAR_MISS).then(|| known.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_data_set_has_a_manifest_and_a_card() {
        let catalogue = Catalogue::embedded().unwrap();
        assert_eq!(catalogue.list().len(), 83);
        for dataset in catalogue.list() {
            let manifest = &dataset.manifest;
            assert!(
                dataset.card.starts_with(&format!("# {}\n", manifest.title)),
                "{}",
                manifest.id
            );
            assert!(
                dataset.card.len() > 500 && dataset.card.contains("## Licence"),
                "{}",
                manifest.id
            );
        }
    }

    #[test]
    fn the_folder_and_the_embedded_copy_are_the_same() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets");
        let (loaded, embedded) =
            (Catalogue::load(&folder).unwrap(), Catalogue::embedded().unwrap());
        assert!(loaded.list().eq(embedded.list()));
    }

    #[test]
    fn no_two_data_sets_share_a_file() {
        let catalogue = Catalogue::embedded().unwrap();
        let mut owners = BTreeMap::new();
        for dataset in catalogue.list() {
            for file in &dataset.manifest.files {
                let before = owners.insert(file.path.clone(), &dataset.manifest.id);
                assert_eq!(before, None, "{} of {}", file.path, dataset.manifest.id);
            }
        }
    }

    #[test]
    fn an_unknown_id_is_an_error_with_a_suggestion() {
        let catalogue = Catalogue::embedded().unwrap();
        assert_eq!(
            catalogue.get("tinyshakespear").unwrap_err().to_string(),
            "no data set is called \"tinyshakespear\"; did you mean \"tinyshakespeare\"?"
        );
        assert_eq!(catalogue.get("zzz").unwrap_err().to_string(), "no data set is called \"zzz\"");
    }

    #[test]
    fn a_folder_without_data_sets_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("notes")).unwrap();
        assert!(matches!(Catalogue::load(folder.path()), Err(CatalogueError::Empty { .. })));
        assert!(matches!(
            Catalogue::load(&folder.path().join("none")),
            Err(CatalogueError::Io { .. })
        ));
    }

    #[test]
    fn a_malformed_manifest_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("one")).unwrap();
        fs::write(folder.path().join("one/manifest.toml"), "id = 1").unwrap();
        let message = Catalogue::load(folder.path()).unwrap_err().to_string();
        assert!(message.contains("one/manifest.toml") && message.contains("line 1"), "{message}");
    }
}
