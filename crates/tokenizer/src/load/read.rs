//! Reading files, plain or gzipped, with errors that name the place.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use serde_json::{Map, Value};

use crate::error::TokenizerError;

/// No vocabulary is larger than this; whatever is, is something else (a model's weights, say).
const LARGEST_FILE: u64 = 1 << 30;

/// Opens `path`, decompressing if it begins like a gzip file.
pub(super) fn open(path: &Path) -> Result<Box<dyn BufRead>, TokenizerError> {
    let read = |source| TokenizerError::Read { path: path.to_owned(), source };
    let mut file = BufReader::new(File::open(path).map_err(read)?);
    let gzipped = file.fill_buf().map_err(read)?.starts_with(&[0x1F, 0x8B]);
    Ok(if gzipped { Box::new(BufReader::new(MultiGzDecoder::new(file))) } else { Box::new(file) })
}

/// The whole content of `path`, decompressed.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, TokenizerError> {
    let mut content = Vec::new();
    open(path)?
        .take(LARGEST_FILE + 1)
        .read_to_end(&mut content)
        .map_err(|source| TokenizerError::Read { path: path.to_owned(), source })?;
    if content.is_empty() {
        return Err(TokenizerError::EmptyFile { path: path.to_owned() });
    }
    if content.len() as u64 > LARGEST_FILE {
        let reason = format!("it is larger than {LARGEST_FILE} bytes");
        return Err(TokenizerError::UnrecognizedFormat { path: path.to_owned(), reason });
    }
    Ok(content)
}

/// The content of `path` as text.
pub(super) fn text(path: &Path) -> Result<String, TokenizerError> {
    utf8(bytes(path)?, path)
}

/// `content` of `path` as text.
pub(super) fn utf8(content: Vec<u8>, path: &Path) -> Result<String, TokenizerError> {
    String::from_utf8(content).map_err(|error| TokenizerError::InvalidUtf8 {
        path: path.to_owned(),
        offset: error.utf8_error().valid_up_to(),
    })
}

/// `content` of `path` as JSON.
pub(super) fn json(content: &[u8], path: &Path) -> Result<Value, TokenizerError> {
    serde_json::from_slice(content).map_err(|error| TokenizerError::Json {
        path: path.to_owned(),
        line: error.line(),
        column: error.column(),
        message: without_position(&error.to_string()).to_owned(),
    })
}

/// The object in the JSON file `path`.
pub(super) fn json_object(path: &Path) -> Result<Map<String, Value>, TokenizerError> {
    match json(&bytes(path)?, path)? {
        Value::Object(object) => Ok(object),
        other => Err(TokenizerError::InvalidDescription {
            path: path.to_owned(),
            field: "top level".to_owned(),
            message: format!("expected an object, got {}", type_name(&other)),
        }),
    }
}

/// What kind of JSON value it is, for messages.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn without_position(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(before, _)| before)
}
