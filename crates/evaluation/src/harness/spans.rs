//! Spans of entities as tags of characters, for Chinese sets that mark spans.

use std::collections::BTreeMap;

use minijinja::value::Serde;
use minijinja::{Error, ErrorKind};

/// Spans by type and text: first and last character.
type Spans = BTreeMap<String, BTreeMap<String, Vec<[usize; 2]>>>;

/// A tag of BIO for each character of `text`. Where spans overlap, the longer one is kept.
pub(super) fn tags(spans: Serde<Spans>, text: &str) -> Result<Vec<String>, Error> {
    let count = text.chars().count();
    let mut all: Vec<([usize; 2], &String)> = Vec::new();
    for (kind, places) in spans.iter() {
        all.extend(places.values().flatten().map(|place| (*place, kind)));
    }
    all.sort_by_key(|([first, last], kind)| (std::cmp::Reverse(last - first), *first, *kind));
    let mut tags = vec!["O".to_owned(); count];
    for ([first, last], kind) in all {
        if last >= count || first > last {
            let problem = format!("a span from {first} to {last} in a text of {count} characters");
            return Err(Error::new(ErrorKind::InvalidOperation, problem));
        }
        if tags[first..=last].iter().any(|tag| tag != "O") {
            continue;
        }
        for (place, tag) in tags[first..=last].iter_mut().enumerate() {
            *tag = format!("{}-{kind}", if place == 0 { "B" } else { "I" });
        }
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_of_overlapping_spans_is_kept() {
        let spans =
            r#"{"name": {"北京": [[0, 1]]}, "company": {"北京银行": [[0, 3]], "某": [[5, 5]]}}"#;
        let spans: Spans = serde_json::from_str(spans).unwrap();
        let found = tags(Serde(spans), "北京银行的某").unwrap();
        assert_eq!(found.join(" "), "B-company I-company I-company I-company O B-company");
        let outside = Spans::from([("x".to_owned(), [("y".to_owned(), vec![[0, 9]])].into())]);
        assert!(tags(Serde(outside), "ab").is_err());
    }
}
