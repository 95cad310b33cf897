//! What the words after `cargo xtask` mean, and the help text.
//!
//! The list of wuji's verbs here serves the help text and the check of the commands in the documents; it decides
//! nothing at run time. A test compares it with `wuji --help` wherever the command has been built.

use std::fmt::Write;

/// What `bench` compares with, as its first word.
pub const VS_TORCH: &str = "--vs-torch";

/// A development chore: a verb that this program carries out itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chore {
    /// Formatting, tidy, clippy, docs: the cheap checks.
    Check,
    /// The whole test suite.
    Test,
    /// The workspace's invariants.
    Tidy,
    /// The generated pages and the API documentation.
    Docs,
    /// The criterion benchmarks.
    Bench,
    /// The comparisons with the reference outputs.
    Golden,
    /// The whole of continuous integration.
    Ci,
}

/// Every chore: its verb and its line of help.
const CHORES: [(Chore, &str, &str); 7] = [
    (
        Chore::Check,
        "check",
        "formatting, tidy, clippy and docs: the cheap checks, before handing over",
    ),
    (Chore::Test, "test", "the whole test suite; further words go to `cargo test`"),
    (
        Chore::Tidy,
        "tidy",
        "the workspace's invariants: layers, backends, sources, manifests, documents",
    ),
    (Chore::Docs, "docs", "the generated pages and the API documentation; `--open` to read it"),
    (
        Chore::Bench,
        "bench",
        "the criterion benchmarks; `bench -- FILTER` for some of them; `bench --vs-torch` beside PyTorch",
    ),
    (
        Chore::Golden,
        "golden",
        "only the tests that compare with the reference outputs in ../shared/golden",
    ),
    (Chore::Ci, "ci", "everything that continuous integration runs"),
];

/// The verbs of the `wuji` command and their lines of help.
const WUJI: [(&str, &str); 14] = [
    ("train", "pre-train a model; with nothing else, on the embedded corpus"),
    ("generate", "continue a text"),
    ("eval", "score a model on tasks, with intervals and beside baselines; compare two"),
    ("embed", "vectors of texts, near for texts that mean the same"),
    ("forward", "one forward pass over named tensors, for inspection and parity"),
    ("tokenizer", "train, try and describe tokenizers"),
    ("data", "list, fetch, verify and prepare data sets"),
    ("convert", "convert a checkpoint to a Hugging Face model directory"),
    ("info", "describe a model: shape, parameters, memory, arithmetic"),
    ("bench", "time `train`, `generate` or `tokenizer`"),
    ("experiment", "carry out a comparison that takes several runs: `objectives`"),
    ("search", "search hyper-parameters over training runs or classical models"),
    ("report", "render the report of a run again"),
    ("device", "what this build and this machine can compute on"),
];

/// What the user asked for.
#[derive(Debug, PartialEq, Eq)]
pub enum Call {
    /// No word at all.
    Nothing,
    /// This program's own help.
    Help,
    /// The help of one chore.
    ChoreHelp(Chore),
    /// A development chore.
    Chore(Chore),
    /// Anything else is wuji's.
    Wuji,
}

/// Decides whose the words are.
pub fn parse(words: &[String]) -> Call {
    let Some(verb) = words.first() else {
        return Call::Nothing;
    };
    let rest = &words[1..];
    if matches!(verb.as_str(), "--help" | "-h") || verb == "help" && rest.is_empty() {
        return Call::Help;
    }
    let Some((chore, ..)) = CHORES.iter().find(|(_, name, _)| name == verb) else {
        return Call::Wuji;
    };
    // `bench train` and its like are wuji's own benchmarks; a bare `bench` (or `bench -- FILTER`) is criterion's.
    let is_own = |word: &String| word == "--" || word == VS_TORCH;
    if *chore == Chore::Bench && !rest.first().is_none_or(is_own) {
        return Call::Wuji;
    }
    let own = rest.split(|word| word == "--").next().unwrap_or_default();
    if own.iter().any(|word| word == "--help" || word == "-h") {
        return Call::ChoreHelp(*chore);
    }
    Call::Chore(*chore)
}

/// Whether a document may say `cargo xtask <verb>`.
pub fn exists(verb: &str) -> bool {
    verb == "help"
        || verb.starts_with('-')
        || CHORES.iter().any(|(_, name, _)| *name == verb)
        || WUJI.iter().any(|(name, _)| *name == verb)
}

/// The help text: every verb with one line.
pub fn help() -> String {
    let mut text = String::from(
        "Usage: cargo xtask <verb> …\n\n\
         Development:\n",
    );
    for (_, name, line) in CHORES {
        row(&mut text, name, line);
    }
    text.push_str(
        "\nThe wuji command, built in release with the features that --device needs and then run:\n",
    );
    for (name, line) in WUJI {
        row(&mut text, name, line);
    }
    text.push_str(
        "\nEvery word that is not a development verb goes to wuji as it is: `cargo xtask train --help`\n\
         is `wuji train --help`. Benchmarks are both: `bench` alone runs criterion, `bench train` is wuji's.\n",
    );
    text
}

/// The help of one chore.
pub fn chore_help(chore: Chore) -> String {
    let mut text = String::new();
    for (_, name, line) in CHORES.iter().filter(|row| row.0 == chore) {
        let _ = writeln!(text, "cargo xtask {name}: {line}");
    }
    text
}

fn row(text: &mut String, name: &str, line: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "  {name:<11} {line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(line: &str) -> Call {
        parse(&line.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn development_verbs_are_chores_and_every_other_word_is_wujis() {
        let cases = [
            ("", Call::Nothing),
            ("--help", Call::Help),
            ("-h", Call::Help),
            ("help", Call::Help),
            ("help train", Call::Wuji),
            ("tidy", Call::Chore(Chore::Tidy)),
            ("test -p wuji-data", Call::Chore(Chore::Test)),
            ("test --help", Call::ChoreHelp(Chore::Test)),
            ("test -- --help", Call::Chore(Chore::Test)),
            ("train --preset quickstart", Call::Wuji),
            ("train --help", Call::Wuji),
            ("no-such-verb", Call::Wuji),
            ("--json info", Call::Wuji),
        ];
        for (line, expected) in cases {
            assert_eq!(call(line), expected, "{line:?}");
        }
    }

    #[test]
    fn bare_bench_is_criterions_and_bench_with_a_word_is_wujis() {
        assert_eq!(call("bench"), Call::Chore(Chore::Bench));
        assert_eq!(call("bench -- attention"), Call::Chore(Chore::Bench));
        assert_eq!(call("bench --vs-torch --rounds 1"), Call::Chore(Chore::Bench));
        assert_eq!(call("bench train --shape 8x256"), Call::Wuji);
        assert_eq!(call("bench --help"), Call::Wuji);
    }

    #[test]
    fn help_has_one_line_for_every_verb() {
        let help = help();
        let names = CHORES.iter().map(|row| row.1).chain(WUJI.iter().map(|row| row.0));
        for name in names {
            let start = format!("  {name} ");
            assert!(help.lines().any(|line| line.starts_with(&start)), "{name} is missing");
        }
    }

    #[test]
    fn documents_may_name_the_verbs_that_exist() {
        assert!(exists("train") && exists("tidy") && exists("--help"));
        assert!(!exists("trian"));
    }

    /// Compares the table with the real command, which `cargo xtask test` builds first and names in the environment.
    #[test]
    fn the_table_of_wuji_verbs_is_what_wuji_itself_lists() {
        let Some(wuji) = std::env::var_os("CARGO_BIN_EXE_wuji") else {
            eprintln!("SKIPPED: the wuji command was not built (run through `cargo xtask test`)");
            return;
        };
        let output =
            std::process::Command::new(wuji).arg("--help").output().expect("wuji --help runs");
        let help = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut listed: Vec<&str> = help
            .lines()
            .skip_while(|line| *line != "Commands:")
            .skip(1)
            .take_while(|line| line.starts_with("  "))
            // A line indented further goes on with the verb above.
            .filter(|line| !line.starts_with("   "))
            .filter_map(|line| line.split_whitespace().next())
            .filter(|verb| *verb != "help")
            .collect();
        let mut table: Vec<&str> = WUJI.iter().map(|row| row.0).collect();
        listed.sort_unstable();
        table.sort_unstable();
        assert_eq!(
            table, listed,
            "`wuji --help` (right) and the table in xtask/src/verbs.rs (left) differ"
        );
    }
}
