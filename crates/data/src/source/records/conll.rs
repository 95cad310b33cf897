//! Tokens and tags, a pair on each line.

use std::path::Path;

use serde_json::Value;

use super::{Place, Record, invalid};
use crate::error::Result;

/// Sentences, apart by lines without a token. The token is the first column, the tag the last.
pub(super) fn sentences(text: &str, path: &Path) -> Result<Vec<Record>> {
    let mut sentences = Vec::new();
    let (mut tokens, mut tags) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().chain([""]).enumerate() {
        let line = line.trim_matches(['\r', '\t', ' ']);
        if line.is_empty() {
            if !tokens.is_empty() {
                let (tokens, tags) = (std::mem::take(&mut tokens), std::mem::take(&mut tags));
                let columns = [("tokens", tokens), ("tags", tags)];
                let columns = columns.map(|(name, values)| (name.to_owned(), Value::Array(values)));
                sentences.push(Record::from_iter(columns));
            }
            continue;
        }
        let separator = if line.contains('\t') { '\t' } else { ' ' };
        let (Some((token, _)), Some((_, tag))) =
            (line.split_once(separator), line.rsplit_once(separator))
        else {
            let reason = format!("expected a token and its tag, found {line:?}");
            return Err(invalid(path, Place::Line(index as u64 + 1), reason));
        };
        tokens.push(Value::from(token));
        tags.push(Value::from(tag));
    }
    Ok(sentences)
}
