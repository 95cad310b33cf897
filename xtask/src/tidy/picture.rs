//! Rule on the picture in `docs/ARCHITECTURE.md`: it marks the crates that exist, and only those.

use std::collections::BTreeSet;

use super::Files;
use super::problem::Problem;

/// Where the picture is.
const DOCUMENT: &str = "docs/ARCHITECTURE.md";

/// What stands before a part that exists.
const MARK: &str = "·";

/// Parts of the picture that are not in `crates/`.
const OUTSIDE: [&str; 2] = ["xtask", "tests"];

/// Compares the picture with the folders in `crates/`.
pub fn check(files: &Files) -> Vec<Problem> {
    let Some(text) = files.get(DOCUMENT) else {
        return vec![Problem::new(DOCUMENT, 1, "is missing; it holds the picture of the crates")];
    };
    let existing: BTreeSet<&str> = files
        .keys()
        .filter_map(|path| path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml"))
        .chain(OUTSIDE)
        .collect();
    let marked: Vec<(usize, &str)> = text
        .lines()
        .enumerate()
        .skip_while(|(_, line)| !line.starts_with("```"))
        .skip(1)
        .take_while(|(_, line)| !line.starts_with("```"))
        .filter_map(|(line, text)| {
            let (_, rest) = text.split_once(MARK)?;
            Some((line + 1, rest.split_whitespace().next()?))
        })
        .collect();
    let mut problems = Vec::new();
    for (line, role) in &marked {
        if !existing.contains(role) {
            problems.push(Problem::new(
                DOCUMENT,
                *line,
                format!("marks {role}, which does not exist"),
            ));
        }
    }
    for role in existing {
        if !marked.iter().any(|(_, marked)| *marked == role) {
            problems.push(Problem::new(
                DOCUMENT,
                1,
                format!("the picture does not mark {role}, which exists"),
            ));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(picture: &str) -> Vec<String> {
        let text = format!(
            "# Title\n\n```text\n{picture}\n· xtask x\n· tests x\n```\n\n· gone is no row\n"
        );
        let files = Files::from([
            (DOCUMENT.into(), text),
            ("crates/data/Cargo.toml".into(), String::new()),
            ("crates/wuji/Cargo.toml".into(), String::new()),
        ]);
        check(&files).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_picture_marks_what_exists() {
        let picture = "L1  · data  corpora\n      domain  planned\nL6  · wuji  facade";
        assert_eq!(problems(picture), Vec::<String>::new());
    }

    #[test]
    fn a_crate_that_is_missing_or_only_planned_is_found() {
        assert_eq!(
            problems("L1  · data\n    · domain"),
            [
                "docs/ARCHITECTURE.md:5: marks domain, which does not exist",
                "docs/ARCHITECTURE.md:1: the picture does not mark wuji, which exists"
            ]
        );
        assert_eq!(check(&Files::new()).len(), 1);
    }
}
