//! Rules on Markdown: relative links resolve, and commands name verbs that exist.

use std::collections::BTreeSet;

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use super::Files;
use super::problem::{Problem, line_of};
use crate::verbs;

/// Checks every Markdown file against the repository's texts and its other files.
pub fn check(files: &Files, others: &[String]) -> Vec<Problem> {
    let known = places(files.keys().chain(others));
    let documents = files.iter().filter(|(path, _)| path.ends_with(".md"));
    documents.flat_map(|(path, text)| check_document(path, text, &known)).collect()
}

/// Every file and every folder above one.
fn places<'a>(paths: impl Iterator<Item = &'a String>) -> BTreeSet<&'a str> {
    let mut places = BTreeSet::from([""]);
    for path in paths {
        places.insert(path);
        places.extend(path.match_indices('/').map(|(end, _)| &path[..end]));
    }
    places
}

fn check_document(path: &str, text: &str, known: &BTreeSet<&str>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut in_code = false;
    for (event, range) in Parser::new(text).into_offset_iter() {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. })
                if !resolves(path, &dest_url, known) =>
            {
                let message = format!("the link to {dest_url} leads nowhere");
                problems.push(Problem::new(path, line_of(text, range.start), message));
            }
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Text(code) if in_code => {
                let first = line_of(text, range.start);
                for (verb, line) in unknown_verbs(&code) {
                    let message = format!("`cargo xtask {verb}` does not exist");
                    problems.push(Problem::new(path, first + line, message));
                }
            }
            _ => {}
        }
    }
    problems
}

/// Whether a link leads to a file or folder of the repository; links out to the web are not followed.
fn resolves(path: &str, link: &str, known: &BTreeSet<&str>) -> bool {
    let target = link.split(['#', '?']).next().unwrap_or(link);
    if target.is_empty() || has_scheme(target) {
        return true;
    }
    let mut place: Vec<&str> = match target.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => path.split('/').rev().skip(1).collect::<Vec<_>>().into_iter().rev().collect(),
    };
    let target = target.replace("%20", " ");
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." if place.is_empty() => return false,
            ".." => {
                place.pop();
            }
            part => place.push(part),
        }
    }
    known.contains(place.join("/").as_str())
}

/// `https:`, `mailto:` and their like.
fn has_scheme(target: &str) -> bool {
    let scheme = target.split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| {
        scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// The verbs after `cargo xtask` at the start of a line that do not exist, with their line in the block, from 0.
fn unknown_verbs(code: &str) -> Vec<(&str, usize)> {
    let commands = code.lines().enumerate().filter_map(|(line, text)| {
        let command = text.trim_start().trim_start_matches("$ ");
        let rest = command.strip_prefix("cargo xtask ")?;
        Some((rest.split_whitespace().next()?, line))
    });
    // `cargo xtask <verb>` and `cargo xtask …` speak of all verbs.
    commands.filter(|(verb, _)| !verb.starts_with(['<', '…']) && !verbs::exists(verb)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let files = Files::from([
            ("README.md".into(), String::new()),
            ("docs/guide/train.md".into(), text.into()),
            ("docs/data.md".into(), String::new()),
        ]);
        let found = check(&files, &["docs/curve.png".into()]);
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn links_to_files_folders_and_the_web_resolve() {
        let good = "[a](../data.md) [b](../data.md#packing) ![c](../curve.png) [d](/README.md) [e](..) [f](../../docs/)\n\
                    [g](https://example.org/x) [h](mailto:a@b) [i](#here) [j][ref]\n\n[ref]: ../data.md\n";
        assert_eq!(problems(good), Vec::<String>::new());
    }

    #[test]
    fn links_that_lead_nowhere_or_out_of_the_repository_are_found_with_their_line() {
        for link in ["gone.md", "../data.txt", "../../../shared/x", "/data.md"] {
            let found = problems(&format!("text\n\n[a]({link})\n"));
            assert_eq!(found, [format!("docs/guide/train.md:3: the link to {link} leads nowhere")]);
        }
        assert_eq!(problems("[a][ref]\n\n[ref]: gone.md\n").len(), 1);
    }

    #[test]
    fn links_in_code_are_not_links() {
        assert_eq!(
            problems("`[a](gone.md)`\n\n```text\n[a](gone.md)\n```\n"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn commands_in_code_blocks_name_verbs_that_exist() {
        let block = |line: &str| format!("# Title\n\n```sh\necho\n{line}\n```\n");
        for good in [
            "cargo xtask train --preset x",
            "$ cargo xtask tidy",
            "cargo xtask <verb>",
            "cargo xtask --help",
        ] {
            assert_eq!(problems(&block(good)), Vec::<String>::new(), "{good}");
        }
        let found = problems(&block("cargo xtask trian"));
        assert_eq!(found, ["docs/guide/train.md:5: `cargo xtask trian` does not exist"]);
        assert_eq!(problems("cargo xtask trian in a sentence\n"), Vec::<String>::new());
    }
}
