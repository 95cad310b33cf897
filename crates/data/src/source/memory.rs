//! Sources that are no files: texts in memory, and texts made on the fly.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::piece::parts_of;
use super::{DocumentParts, DocumentSource, Origin, Place, SourceCard};
use crate::error::Result;
use crate::fingerprint::Fingerprint;

/// Documents held in memory.
#[derive(Clone, Debug)]
pub struct MemorySource {
    name: String,
    documents: Arc<[String]>,
}

impl MemorySource {
    /// A source of these documents.
    pub fn new<T: Into<String>>(name: &str, documents: impl IntoIterator<Item = T>) -> Self {
        Self { name: name.to_owned(), documents: documents.into_iter().map(Into::into).collect() }
    }
}

impl DocumentSource for MemorySource {
    fn name(&self) -> &str {
        &self.name
    }

    fn parts(&self) -> Result<DocumentParts> {
        let documents = self.documents.clone();
        let texts = (0..documents.len()).map(move |index| documents[index].clone());
        Ok(numbered(&self.name, texts))
    }

    fn card(&self) -> Result<SourceCard> {
        Ok(SourceCard {
            name: self.name.clone(),
            fingerprint: Fingerprint::of_parts(self.documents.iter()),
            inputs: Vec::new(),
        })
    }
}

type Documents = Box<dyn Iterator<Item = String> + Send>;

/// Documents made by a function each time they are read, and never held in memory together.
#[derive(Clone)]
pub struct GeneratedSource {
    name: String,
    fingerprint: Fingerprint,
    generate: Arc<dyn Fn() -> Documents + Send + Sync>,
}

impl GeneratedSource {
    /// A source of the documents that `generate` gives. It must give the same ones each time, and
    /// `recipe` must say everything that they depend on: generator, version, seed, amount. Two
    /// sources with the same recipe are taken for the same text.
    pub fn new<I>(
        name: &str,
        recipe: &str,
        generate: impl Fn() -> I + Send + Sync + 'static,
    ) -> Self
    where
        I: Iterator<Item = String> + Send + 'static,
    {
        Self {
            name: name.to_owned(),
            fingerprint: Fingerprint::of_parts(["generated", recipe]),
            generate: Arc::new(move || Box::new(generate())),
        }
    }
}

impl fmt::Debug for GeneratedSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("GeneratedSource")
            .field("name", &self.name)
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}

impl DocumentSource for GeneratedSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn parts(&self) -> Result<DocumentParts> {
        Ok(numbered(&self.name, (self.generate)()))
    }

    fn card(&self) -> Result<SourceCard> {
        Ok(SourceCard {
            name: self.name.clone(),
            fingerprint: self.fingerprint,
            inputs: Vec::new(),
        })
    }
}

/// Texts as documents whose origin is their number.
fn numbered(name: &str, documents: impl Iterator<Item = String> + Send + 'static) -> DocumentParts {
    let path: Arc<Path> = Path::new(name).into();
    Box::new((1..).zip(documents).flat_map(move |(row, text)| {
        parts_of(text, &Origin::new(path.clone(), Place::Row(row))).into_iter().map(Ok)
    }))
}
