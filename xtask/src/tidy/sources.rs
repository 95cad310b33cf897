//! Rules on Rust source: libraries are silent, backends stay in their place, no shortcuts.

use std::collections::BTreeMap;

use super::layers::{self, Burn};
use super::problem::Problem;
use super::rust::Tokens;
use super::{Files, manifests};

/// Macros with which a library would print.
const PRINTING: [&str; 5] = ["print", "println", "eprint", "eprintln", "dbg"];

/// Macros that stand for code still to be written.
const UNWRITTEN: [&str; 2] = ["todo", "unimplemented"];

/// Where `unsafe` may stand: the kernels, and the memory map of the token shards.
const UNSAFE_FOLDERS: [&str; 2] = ["crates/kernels/", "crates/data/src/"];

/// One file under the rules.
struct Source<'a> {
    path: &'a str,
    tokens: &'a Tokens,
    /// Whether the whole file is compiled for tests only.
    is_test: bool,
    problems: Vec<Problem>,
}

/// Checks every Rust file.
pub fn check(files: &Files) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut sources = BTreeMap::new();
    for (path, text) in files.iter().filter(|(path, _)| path.ends_with(".rs")) {
        problems.extend(opening(path, text));
        match Tokens::of(text) {
            Ok(tokens) => {
                sources.insert(path.as_str(), tokens);
            }
            Err(line) => problems.push(Problem::new(path, line, "is not Rust from here on")),
        }
    }
    let test_modules = test_module_paths(&sources);
    for (path, tokens) in &sources {
        let is_test = test_modules.iter().any(|module| is_of_module(path, module));
        let mut source = Source { path, tokens, is_test, problems: Vec::new() };
        source.check();
        problems.append(&mut source.problems);
    }
    problems
}

impl Source<'_> {
    fn check(&mut self) {
        self.no_bare_allow();
        self.no_unwritten_code();
        self.unsafe_in_its_place();
        self.golden_tests_are_found_by_name();
        let role = role_of(self.path);
        if role.is_none_or(|role| layers::burn(role) != Burn::Backends) {
            self.no_backends();
        }
        // Programs print, and so do tests, examples and build scripts; only what ships in a library may not.
        if role.is_some_and(layers::is_library) && self.path.contains("/src/") && !self.is_test {
            self.silent();
        }
    }

    fn silent(&mut self) {
        for name in PRINTING {
            self.macro_call(
                name,
                "a library never prints; return it, or emit a tracing event",
                false,
            );
        }
        for at in self.tokens.find_path("std", "env") {
            // What the machine is, is not read from the environment.
            if !self.tokens.is_at(at + 1, &[":", ":", "consts"]) {
                self.shipped(at, "a library never reads the environment; take it as an argument");
            }
        }
        for at in self.tokens.find(&["tracing_subscriber"]) {
            self.shipped(at, "a library never installs a subscriber");
        }
    }

    fn no_backends(&mut self) {
        let message = "names a backend; only crates/device and crates/kernels may";
        for at in self.tokens.find_path("burn", "backend") {
            self.problem(at, message);
        }
        for (at, token) in self.tokens.tokens.iter().enumerate() {
            let is_name = token.text.starts_with("burn_") || token.text.starts_with("cubecl");
            if is_name && manifests::is_backend(&token.text.replace('_', "-")) {
                self.problem(at, message);
            }
        }
    }

    fn unsafe_in_its_place(&mut self) {
        if UNSAFE_FOLDERS.iter().any(|folder| self.path.starts_with(folder)) {
            return;
        }
        for at in self.tokens.find(&["unsafe"]) {
            self.problem(
                at,
                "unsafe belongs in crates/kernels, or is the memory map of crates/data",
            );
        }
    }

    fn no_bare_allow(&mut self) {
        for sequence in [&["#", "[", "allow", "("][..], &["#", "!", "[", "allow", "("]] {
            for at in self.tokens.find(sequence) {
                let attribute =
                    self.tokens.tokens[at..].iter().take_while(|token| token.text != "]");
                if !attribute.into_iter().any(|token| token.text == "reason") {
                    self.problem(at, "a bare allow; write #[expect(lint, reason = \"…\")]");
                }
            }
        }
    }

    /// `cargo xtask golden` selects by name, and the name of a test target is no part of its tests' names.
    fn golden_tests_are_found_by_name(&mut self) {
        if !self.path.ends_with("/tests/golden.rs") {
            return;
        }
        for at in self.tokens.find(&["#", "[", "test", "]"]) {
            let rest = &self.tokens.tokens[at..];
            let name = rest.iter().skip_while(|token| token.text != "fn").nth(1);
            if name.is_some_and(|name| !name.text.contains("golden")) {
                self.problem(
                    at,
                    "a test that `cargo xtask golden` will miss; put golden in its name",
                );
            }
        }
    }

    fn no_unwritten_code(&mut self) {
        for name in UNWRITTEN {
            self.macro_call(name, "code still to be written", true);
        }
    }

    /// Reports the calls of a macro, in tests too if asked.
    fn macro_call(&mut self, name: &str, message: &str, in_tests: bool) {
        for at in self.tokens.find(&[name, "!"]) {
            // `#[cfg(x)] print != y` is a comparison, not a call.
            if self.tokens.is_at(at + 2, &["="]) {
                continue;
            }
            let message = format!("{name}!: {message}");
            if in_tests {
                self.problem(at, &message);
            } else {
                self.shipped(at, &message);
            }
        }
    }

    /// Reports a token unless it is test code.
    fn shipped(&mut self, at: usize, message: &str) {
        if !self.tokens.tokens[at].in_test {
            self.problem(at, message);
        }
    }

    fn problem(&mut self, at: usize, message: &str) {
        let line = self.tokens.tokens[at].line;
        self.problems.push(Problem::new(self.path, line, message));
    }
}

/// A file opens with what it is.
fn opening(path: &str, text: &str) -> Option<Problem> {
    let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with("#!/"));
    let opens = first.is_some_and(|line| line.starts_with("//!"));
    (!opens).then(|| {
        Problem::new(path, 1, "does not open with `//!`: what it is and what it leaves to others")
    })
}

/// The role of the crate that a path belongs to.
fn role_of(path: &str) -> Option<&str> {
    path.strip_prefix("crates/")?.split('/').next()
}

/// The paths, without `.rs`, of modules that are compiled for tests only.
fn test_module_paths(sources: &BTreeMap<&str, Tokens>) -> Vec<String> {
    let mut paths = Vec::new();
    for (path, tokens) in sources {
        let folder = module_folder(path);
        paths.extend(tokens.test_modules.iter().map(|module| format!("{folder}/{module}")));
    }
    paths
}

/// The folder in which a file's own modules lie.
fn module_folder(path: &str) -> &str {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    match stem.rsplit_once('/') {
        Some((folder, "lib" | "main" | "mod")) => folder,
        _ => stem,
    }
}

fn is_of_module(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems_of(files: &[(&str, &str)]) -> Vec<String> {
        let files: Files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), format!("//! A file.\n{text}")))
            .collect();
        check(&files).iter().map(ToString::to_string).collect()
    }

    fn count(path: &str, text: &str) -> usize {
        problems_of(&[(path, text)]).len()
    }

    const LIBRARY: &str = "crates/data/src/lib.rs";

    #[test]
    fn a_library_neither_prints_nor_reads_the_environment_nor_subscribes() {
        let cases = [
            "fn f() { println!(\"x\"); }",
            "fn f() { eprint!(\"x\"); }",
            "fn f() { std::dbg!(1); }",
            "fn f() { std::env::var(\"HOME\"); }",
            "use std::{env, fs};",
            "use tracing_subscriber::fmt;",
        ];
        for text in cases {
            assert_eq!(count(LIBRARY, text), 1, "{text}");
            assert_eq!(count("crates/cli/src/main.rs", text), 0, "a program may: {text}");
            assert_eq!(count("crates/data/tests/it.rs", text), 0, "a test may: {text}");
            let in_tests = format!("#[cfg(test)]\nmod tests {{ {text} }}");
            assert_eq!(count(LIBRARY, &in_tests), 0, "test code may: {text}");
        }
    }

    #[test]
    fn words_that_only_look_like_printing_are_left_alone() {
        let cases = [
            "/// println!(\"in an example\");\nfn f() {}",
            "const S: &str = \"println!()\";",
            "// std::env::var\nconst P: &str = env!(\"CARGO_PKG_NAME\");",
            "const A: &str = std::env::consts::ARCH;",
            "fn f(print: u8) -> bool { print != 3 }",
        ];
        for text in cases {
            assert_eq!(problems_of(&[(LIBRARY, text)]), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn a_module_for_tests_in_its_own_file_may_print() {
        let print = "fn f() { println!(); }";
        let with = |declaration: &str| {
            problems_of(&[
                ("crates/data/src/packing.rs", declaration),
                ("crates/data/src/packing/cases.rs", print),
                ("crates/data/src/packing/cases/more.rs", print),
            ])
            .len()
        };
        assert_eq!(with("#[cfg(test)]\nmod cases;"), 0);
        assert_eq!(with("mod cases;"), 2);
    }

    #[test]
    fn backends_are_named_only_where_they_belong() {
        for text in [
            "use burn_flex::Flex;",
            "use burn::backend::Flex;",
            "use burn::{backend, nn};",
            "use cubecl::prelude::*;",
        ] {
            assert_eq!(count("crates/model/src/lib.rs", text), 1, "{text}");
            assert_eq!(count("tests/it/main.rs", text), 1, "{text}");
            assert_eq!(count("crates/device/src/lib.rs", text), 0, "{text}");
            assert_eq!(count("crates/kernels/src/lib.rs", text), 0, "{text}");
        }
        assert_eq!(count("crates/model/src/lib.rs", "use burn::nn; use burn_store::X;"), 0);
    }

    #[test]
    fn unsafe_stays_in_the_kernels_and_the_memory_map() {
        let text = "fn f() { unsafe { g() } }";
        assert_eq!(count("crates/model/src/lib.rs", text), 1);
        assert_eq!(count("crates/data/src/shard.rs", text), 0);
        assert_eq!(count("crates/kernels/src/flex.rs", text), 0);
        assert_eq!(count("crates/model/src/lib.rs", "#![forbid(unsafe_code)]\n// unsafe\n"), 0);
    }

    #[test]
    fn a_bare_allow_and_unwritten_code_are_refused_everywhere() {
        for path in [LIBRARY, "tests/it/main.rs", "xtask/src/main.rs"] {
            for text in [
                "#[allow(dead_code)]\nfn f() {}",
                "#![allow(dead_code)]",
                "fn f() { todo!() }",
                "#[cfg(test)] mod t { fn f() { unimplemented!() } }",
            ] {
                assert_eq!(count(path, text), 1, "{path}: {text}");
            }
            assert_eq!(count(path, "#[expect(dead_code, reason = \"x\")]\nfn f() {}"), 0);
            assert_eq!(count(path, "#[allow(dead_code, reason = \"x\")]\nfn f() {}"), 0);
        }
    }

    #[test]
    fn golden_tests_say_so_in_their_names() {
        let text = "#[test]\nfn golden_logits() {}\n#[test]\nfn logits() {}\nfn helper() {}";
        let found = problems_of(&[("crates/model/tests/golden.rs", text)]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("crates/model/tests/golden.rs:4:"), "{found:?}");
        // As a module it is part of every test's name.
        assert_eq!(count("crates/model/tests/it/golden.rs", text), 0);
    }

    #[test]
    fn every_file_opens_with_what_it_is_and_problems_have_their_line() {
        let files =
            Files::from([("crates/data/src/a.rs".into(), "\n// plain\nfn f() {}\n".into())]);
        assert_eq!(check(&files).len(), 1);
        assert!(opening("a.rs", "\n//! What it is.\n").is_none());
        assert!(opening("a.rs", "").is_some());
        let found = problems_of(&[(LIBRARY, "\nfn f() {\n    println!();\n}")]);
        assert!(found[0].starts_with("crates/data/src/lib.rs:4: println!"), "{found:?}");
    }
}
