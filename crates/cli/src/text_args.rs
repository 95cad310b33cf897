//! How files of text are read: options that several verbs share.

use anyhow::Result;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::de::DeserializeOwned;
use wuji::data::{Corpus, CorpusOptions, DocumentMode, FileFormat, InvalidUtf8, SourceOptions};

const FORMATS: &[&str] = &["text", "jsonl", "csv", "tsv", "parquet"];
const DOCUMENTS: &[&str] = &["whole-file", "blank-line", "line"];

/// Options of reading text.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Reading text")]
pub struct TextArgs {
    /// Format of the files; by their extensions when absent.
    #[arg(long, value_parser = named::<FileFormat>(FORMATS))]
    pub format: Option<FileFormat>,
    /// Field or column that holds the text, in JSON Lines, CSV and Parquet [default: text].
    #[arg(long, value_name = "NAME")]
    pub text_field: Option<String>,
    /// What a document is in plain text [default: whole-file].
    #[arg(long, value_parser = named::<DocumentMode>(DOCUMENTS))]
    pub documents: Option<DocumentMode>,
    /// Replace bytes that are not UTF-8 instead of refusing them.
    #[arg(long)]
    pub lossy: bool,
}

impl TextArgs {
    /// A source of these paths.
    pub fn source(&self, paths: &[String]) -> SourceOptions {
        let mut options = SourceOptions::new(paths.to_vec());
        self.apply(&mut options);
        options
    }

    /// Sets what was given.
    pub fn apply(&self, options: &mut SourceOptions) {
        options.format = self.format.or(options.format);
        if let Some(field) = &self.text_field {
            options.text_field.clone_from(field);
        }
        options.documents = self.documents.unwrap_or(options.documents);
        if self.lossy {
            options.invalid_utf8 = InvalidUtf8::Replace;
        }
    }

    /// The text of these paths.
    pub fn corpus(&self, paths: &[String]) -> Result<Corpus> {
        Ok(Corpus::open(&CorpusOptions { sources: vec![self.source(paths)] })?)
    }
}

/// How a decoder's matrices can be held.
pub const WEIGHT_FORMATS: &[&str] = &["f32", "int8"];

/// Reads one of `names`, as config files spell them, into the value that they stand for there.
pub fn named<T>(names: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|name| serde_json::from_value::<T>(name.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_are_read<T: DeserializeOwned>(names: &[&str]) {
        for name in names {
            assert!(serde_json::from_value::<T>((*name).into()).is_ok(), "{name}");
        }
    }

    #[test]
    fn every_name_that_help_offers_is_read() {
        all_are_read::<FileFormat>(FORMATS);
        all_are_read::<DocumentMode>(DOCUMENTS);
    }
}
