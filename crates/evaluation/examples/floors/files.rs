//! Files of the public sets, plain or gzipped.

use std::io::Read;
use std::path::Path;

use anyhow::Context;
use flate2::read::MultiGzDecoder;

/// The whole text of a file.
pub fn text(path: &Path) -> anyhow::Result<String> {
    let read = || -> std::io::Result<String> {
        let mut file = std::fs::File::open(path)?;
        let mut text = String::new();
        if path.extension().is_some_and(|extension| extension == "gz") {
            MultiGzDecoder::new(file).read_to_string(&mut text)?;
        } else {
            file.read_to_string(&mut text)?;
        }
        Ok(text)
    };
    read().with_context(|| format!("cannot read {}", path.display()))
}

/// The rows of a file of comma-separated cells, without the header if it has one.
pub fn rows(path: &Path, has_header: bool) -> anyhow::Result<Vec<Vec<String>>> {
    let text = text(path)?;
    let mut reader = csv::ReaderBuilder::new().has_headers(has_header).from_reader(text.as_bytes());
    let rows = reader.records().map(|row| Ok(row?.iter().map(str::to_owned).collect()));
    rows.collect::<Result<_, csv::Error>>().with_context(|| path.display().to_string())
}
