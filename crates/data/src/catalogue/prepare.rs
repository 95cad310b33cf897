//! A data set below a data root as a source of training text.

use std::path::Path;

use super::{CatalogueError, DatasetManifest, Result};
use crate::source::SourceOptions;

impl DatasetManifest {
    /// The files of this set below `data_root` that hold running text, and how to read them.
    ///
    /// Whether their content is right is for [`verify`](Self::verify) to say; here they must only be there.
    ///
    /// # Errors
    /// [`CatalogueError::NoText`] if the set is no text corpus, [`CatalogueError::Missing`] if a file is not there.
    pub fn prepare(&self, data_root: &Path) -> Result<SourceOptions> {
        let no_text =
            || CatalogueError::NoText { id: self.id.clone(), columns: self.columns.clone() };
        let text = self.text.as_ref().ok_or_else(no_text)?;
        let paths = text.files.iter().map(|file| {
            let path = data_root.join(file);
            if !path.is_file() {
                return Err(CatalogueError::Missing { id: self.id.clone(), path });
            }
            Ok(path.to_string_lossy().into_owned())
        });
        let defaults = SourceOptions::new(paths.collect::<Result<Vec<_>>>()?);
        Ok(SourceOptions {
            name: Some(self.id.clone()),
            format: text.format,
            text_field: text.text_field.clone().unwrap_or_else(|| defaults.text_field.clone()),
            documents: text.documents,
            ..defaults
        })
    }
}
