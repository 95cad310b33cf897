//! What the experiment reads: running text to pre-train on, and labelled texts to fine-tune on.

use std::path::Path;

use wuji_data::catalogue::{Catalogue, CatalogueError, DatasetManifest};
use wuji_data::source::{LabelledFile, LabelledRecord};
use wuji_data::{Corpus, CorpusOptions, DataError, SplitOptions};

use crate::WujiError;

/// The sets of running text, in the catalogue's names.
const CORPORA: [&str; 3] = ["wikitext2", "plato-republic", "tinyshakespeare"];

/// All text of the experiment.
#[derive(Clone)]
pub struct ObjectivesTexts {
    /// Running text.
    pub corpus: Corpus,
    /// Which of it is held out.
    pub split: SplitOptions,
    /// Sets of labelled texts.
    pub tasks: Vec<LabelledTask>,
}

/// A set of labelled texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledTask {
    /// What the table calls it.
    pub name: String,
    /// Number of classes.
    pub classes: usize,
    /// Texts to learn from, each with the number of its class.
    pub train: Vec<(String, usize)>,
    /// Texts that are classified.
    pub test: Vec<(String, usize)>,
}

impl ObjectivesTexts {
    /// The public sets below `root`: pieces of WikiText-2, Plato's Republic and tinyshakespeare, of
    /// each of which the last tenth is held out; SST-2, tested on GLUE's validation sentences, and AG
    /// News, tested on its own test texts. Of AG News, the description of a report is the text, as
    /// in the training part, which has no titles.
    ///
    /// # Errors
    /// A file that is missing, named with what gets it, or malformed.
    pub fn from_data_root(root: &Path) -> Result<Self, WujiError> {
        let catalogue = Catalogue::embedded()?;
        let sources = CORPORA.iter().map(|id| catalogue.get(id)?.manifest.prepare(root));
        let sources = sources.collect::<Result<_, _>>()?;
        let file = |id: &str, split: &str| file_of(&catalogue.get(id)?.manifest, split, root);
        let sst2 = LabelledTask::read(
            "SST-2",
            &[&["0"], &["1"]],
            &LabelledFile::named(file("sst2", "train")?, "sentence", "label"),
            &LabelledFile::named(file("sst2", "validation")?, "sentence", "label"),
        )?;
        let ag_news = LabelledTask::read(
            "AG News",
            // The test part has numbers for names.
            &[&["World", "1"], &["Sports", "2"], &["Business", "3"], &["Sci/Tech", "4"]],
            &LabelledFile::numbered(file("ag-news", "train")?, 0, 1),
            &LabelledFile::numbered(file("ag-news", "test")?, 2, 0),
        )?;
        Ok(Self {
            corpus: Corpus::open(&CorpusOptions { sources })?,
            split: SplitOptions::Position { validation_fraction: 0.1 },
            tasks: vec![sst2, ag_news],
        })
    }
}

/// The file of one part of a data set.
fn file_of(
    manifest: &DatasetManifest,
    split: &str,
    root: &Path,
) -> Result<std::path::PathBuf, CatalogueError> {
    let missing = |path| CatalogueError::Missing { id: manifest.id.clone(), path };
    let file = manifest.files.iter().find(|file| file.split == split);
    let path = root.join(&file.ok_or_else(|| missing(root.join(split)))?.path);
    if path.is_file() { Ok(path) } else { Err(missing(path)) }
}

impl LabelledTask {
    /// Reads both parts of a set; `classes` has the labels of each class.
    ///
    /// # Errors
    /// A file that cannot be read, or a label of no class.
    pub fn read(
        name: &str,
        classes: &[&[&str]],
        train: &LabelledFile,
        test: &LabelledFile,
    ) -> Result<Self, WujiError> {
        let read = |file: &LabelledFile| -> Result<Vec<(String, usize)>, DataError> {
            file.read()?.into_iter().map(|record| classified(record, classes)).collect()
        };
        Ok(Self {
            name: name.to_string(),
            classes: classes.len(),
            train: read(train)?,
            test: read(test)?,
        })
    }
}

fn classified(record: LabelledRecord, classes: &[&[&str]]) -> Result<(String, usize), DataError> {
    match classes.iter().position(|labels| labels.contains(&record.label.as_str())) {
        Some(class) => Ok((record.text, class)),
        None => {
            let known = classes.concat().join(", ");
            let reason = format!("expected a label among {known}; got {:?}", record.label);
            Err(DataError::InvalidRecord { origin: record.origin, reason })
        }
    }
}
