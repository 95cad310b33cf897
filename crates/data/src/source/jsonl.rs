//! JSON Lines: one object per line, one of its fields the text.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::input::open_text;
use super::options::{InvalidUtf8, SourceOptions};
use super::utf8::decode;
use super::{Origin, Place};
use crate::error::{DataError, Result};

/// A longer line is not a record but another kind of file.
pub(super) const MAX_RECORD_BYTES: usize = 1 << 28;

/// The texts of a JSON Lines file.
pub(super) struct JsonlDocuments {
    reader: BufReader<Box<dyn Read + Send>>,
    path: Arc<Path>,
    field: String,
    policy: InvalidUtf8,
    offset: u64,
    line: u64,
    buffer: Vec<u8>,
}

impl JsonlDocuments {
    pub(super) fn open(path: &Arc<Path>, options: &SourceOptions) -> Result<Self> {
        let input = open_text(path)?;
        Ok(Self {
            reader: BufReader::with_capacity(1 << 16, Box::new(input.reader)),
            path: path.clone(),
            field: options.text_field.clone(),
            policy: options.invalid_utf8,
            offset: input.offset,
            line: 0,
            buffer: Vec::new(),
        })
    }

    /// The next record that has a text, and where it is.
    fn next_text(&mut self) -> Result<Option<(String, Origin)>> {
        while self.read_line()? {
            let start = self.offset;
            self.offset += self.buffer.len() as u64;
            let line = decode(&self.buffer, self.policy, &self.path, start)?;
            if line.trim().is_empty() {
                continue;
            }
            if let Some(text) = self.text_of(&line)? {
                return Ok(Some((text, self.origin())));
            }
        }
        Ok(None)
    }

    fn read_line(&mut self) -> Result<bool> {
        self.buffer.clear();
        self.line += 1;
        (&mut self.reader)
            .take(MAX_RECORD_BYTES as u64 + 1)
            .read_until(b'\n', &mut self.buffer)
            .map_err(|source| DataError::io("read", &self.path, source))?;
        if self.buffer.len() > MAX_RECORD_BYTES {
            return Err(too_long(self.origin()));
        }
        Ok(!self.buffer.is_empty())
    }

    fn origin(&self) -> Origin {
        Origin::new(self.path.clone(), Place::Line(self.line))
    }

    /// The text of one line; none if the field is null or empty.
    fn text_of(&self, line: &str) -> Result<Option<String>> {
        let mut json = serde_json::Deserializer::from_str(line);
        let found = Field(&self.field)
            .deserialize(&mut json)
            .and_then(|found| json.end().map(|()| found))
            .map_err(|error| DataError::InvalidRecord {
                origin: self.origin(),
                reason: format!("not a JSON object: {error}"),
            })?;
        match found {
            Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
            Some(Value::Null) => Ok(None),
            Some(Value::Array(lines)) if lines.iter().all(Value::is_string) => {
                let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
                Ok(Some(lines.join("\n")).filter(|text| !text.is_empty()))
            }
            Some(other) => Err(DataError::FieldNotText {
                origin: self.origin(),
                field: self.field.clone(),
                found: kind(&other).to_owned(),
            }),
            None => Err(DataError::MissingField {
                origin: self.origin(),
                field: self.field.clone(),
                found: keys(line),
            }),
        }
    }
}

impl Iterator for JsonlDocuments {
    type Item = Result<(String, Origin)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_text().transpose()
    }
}

pub(super) fn too_long(origin: Origin) -> DataError {
    DataError::InvalidRecord {
        origin,
        reason: format!("the record is longer than {} MiB", MAX_RECORD_BYTES >> 20),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list that is not of strings only",
        Value::Object(_) => "an object",
    }
}

fn keys(line: &str) -> Vec<String> {
    match serde_json::from_str(line) {
        Ok(Value::Object(object)) => object.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

/// Picks one field of an object and skips over the others without building them.
struct Field<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Field<'_> {
    type Value = Option<Value>;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Field<'_> {
    type Value = Option<Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == self.0 {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}
