//! What lies below a directory, to compare before and after.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Every file below `root` by its path from there, with its content.
pub fn contents(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_path_buf();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Fails unless every file of `before` is still below `root` as it was. New files are no loss.
pub fn assert_nothing_lost(before: &BTreeMap<PathBuf, Vec<u8>>, root: &Path) {
    for (name, content) in before {
        // The lock names the process that had the directory last.
        if name.ends_with(".lock") {
            continue;
        }
        let now = fs::read(root.join(name));
        let now = now.unwrap_or_else(|error| panic!("{} was lost: {error}", name.display()));
        assert!(now == *content, "{} has changed", name.display());
    }
}

/// Copies a directory and all below it.
pub fn copy(from: &Path, to: &Path) {
    for (name, content) in contents(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

/// The names in a directory; none where there is no directory.
pub fn names(dir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    entries.flatten().map(name).collect()
}
