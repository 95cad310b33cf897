//! Finding the shared reference data, which is not part of the repository.
#![expect(clippy::print_stderr, reason = "a skipped test must say so")]

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The shared folder's entry `relative`, or a visible note that the test is skipped.
pub fn shared(relative: &str) -> Option<PathBuf> {
    let root = std::env::var_os("WUJI_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = root.join(relative);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: {} not found", path.display());
    None
}

/// The JSON in `path`.
pub fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The ids in a JSON array.
pub fn ids(value: &Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).unwrap()
}

/// A small corpus of the tests' own: a few hundred sentences from a template, in two languages.
pub fn story_corpus() -> Vec<String> {
    let names = ["Mia", "Tom", "Lily", "小明", "小红", "Ben"];
    let things = ["ball", "kite", "cat", "苹果", "风筝", "boat"];
    let mut texts = Vec::new();
    for (index, name) in names.iter().cycle().take(360).enumerate() {
        let thing = things[(index * 7 / 3) % things.len()];
        let place = ["park", "house", "lake"][index % 3];
        texts.push(format!(
            "Once upon a time, {name} had a {thing}. {name} took the {thing} to the {place} {index} times.\n\
             \"It's mine!\" said {name}. 从前，{name}有一个{thing}。They were happy.\n"
        ));
    }
    texts
}
