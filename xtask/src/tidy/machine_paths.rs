//! Rule on every text: no path of somebody's own machine.
//!
//! Such a path works for one person and tells the others about that person's disk. `~`, a variable or a relative path
//! says the same for everybody.

use super::Files;
use super::problem::Problem;

/// Folders at a disk's root under which people and build machines keep their own things.
const PRIVATE_FOLDERS: [&str; 5] = ["home", "root", "tmp", "Users", "work"];

/// Checks every text but the lock file, which cargo writes.
pub fn check(files: &Files) -> Vec<Problem> {
    let texts = files.iter().filter(|(path, _)| *path != "Cargo.lock");
    texts.flat_map(|(path, text)| check_text(path, text)).collect()
}

fn check_text(path: &str, text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (line, text) in text.lines().enumerate() {
        for (slash, _) in text.match_indices('/') {
            if let Some(found) = private_path(text, slash) {
                problems.push(Problem::new(
                    path,
                    line + 1,
                    format!("{found} is a path of one machine"),
                ));
            }
        }
    }
    problems
}

/// The private path that begins at this slash.
fn private_path(line: &str, slash: usize) -> Option<&str> {
    // After a word, a dot or a variable the slash goes on with a path instead of beginning one.
    let before = line[..slash].chars().next_back();
    if before.is_some_and(|before| before.is_alphanumeric() || "._-~/})>*".contains(before)) {
        return None;
    }
    let rest = &line[slash + 1..];
    let (folder, inside) = rest.split_once('/')?;
    let is_name = |character: char| character.is_alphanumeric() || "._-/".contains(character);
    // Only the start of a real name counts: a pattern or an ellipsis names no one's folder.
    if !PRIVATE_FOLDERS.contains(&folder) || !inside.starts_with(char::is_alphanumeric) {
        return None;
    }
    let length = inside.find(|character| !is_name(character)).unwrap_or(inside.len());
    Some(&line[slash..slash + 1 + folder.len() + 1 + length])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rule reads this file too, so the paths below are put together.
    fn found(line: &str) -> Vec<String> {
        let files = Files::from([("a.md".into(), line.replace('@', "/"))]);
        check(&files).into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn paths_of_one_machine_are_found_wherever_they_begin() {
        for line in [
            "@work@main",
            "see (@root@.cargo) or @root@x",
            "\"@tmp@run1\"",
            "OUT=@home@li@runs",
            "`@Users@li`",
        ] {
            assert_eq!(found(line).len(), 1, "{line}");
        }
        assert_eq!(
            found("a\n@work@main@src.rs:3")[0],
            "@work@main@src.rs is a path of one machine".replace('@', "/")
        );
    }

    #[test]
    fn paths_that_only_contain_such_a_name_are_fine() {
        for line in [
            "target@work@x",
            "https:@@example.org@home@x",
            "${TMPDIR}@work@x",
            "..@work@x",
            "~@work@x",
            "@tmp",
            "@tmp@…",
            "@usr@lib@x",
            "<root>@work@x",
        ] {
            assert_eq!(found(line), Vec::<String>::new(), "{line}");
        }
    }
}
