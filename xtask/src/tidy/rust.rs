//! Rust source as a flat list of tokens with their lines, comments gone and test code marked.
//!
//! The lexer is `proc-macro2`'s, so strings, raw strings, lifetimes and nested comments are what the compiler takes
//! them for; a rule that looks for `unsafe` never finds it in a sentence.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// One token.
#[derive(Debug)]
pub struct Token {
    /// Its text: a word, one punctuation mark, a literal, or a bracket.
    pub text: String,
    /// Its line, from 1.
    pub line: usize,
    /// Whether it is compiled for tests only.
    pub in_test: bool,
}

/// A file's tokens.
#[derive(Debug, Default)]
pub struct Tokens {
    /// In the order of the source.
    pub tokens: Vec<Token>,
    /// Modules kept in files of their own that are compiled for tests only (`#[cfg(test)] mod tests;`).
    pub test_modules: Vec<String>,
}

impl Tokens {
    /// Reads a source file. The error is the line that is not Rust.
    pub fn of(text: &str) -> Result<Self, usize> {
        let stream: TokenStream =
            text.parse().map_err(|error: proc_macro2::LexError| error.span().start().line)?;
        let mut tokens = Self::default();
        tokens.flatten(stream, false);
        Ok(tokens)
    }

    /// The positions at which this sequence of tokens begins.
    pub fn find<'a>(&'a self, sequence: &'a [&str]) -> impl Iterator<Item = usize> + 'a {
        (0..self.tokens.len()).filter(move |at| self.is_at(*at, sequence))
    }

    /// Whether this sequence of tokens begins at a position.
    pub fn is_at(&self, at: usize, sequence: &[&str]) -> bool {
        let tokens = self.tokens.get(at..).unwrap_or_default();
        tokens.len() >= sequence.len()
            && tokens.iter().zip(sequence).all(|(token, text)| token.text == *text)
    }

    /// The positions of `inner` in the paths `outer::inner` and `outer::{…, inner, …}`.
    pub fn find_path(&self, outer: &str, inner: &str) -> Vec<usize> {
        let mut found: Vec<usize> = self.find(&[outer, ":", ":", inner]).map(|at| at + 3).collect();
        for at in self.find(&[outer, ":", ":", "{"]) {
            found.extend(self.in_group(at + 3, inner));
        }
        found
    }

    /// The positions of `word` as a first segment in the use group that opens at `open`.
    fn in_group(&self, open: usize, word: &str) -> Vec<usize> {
        let mut depth = 0_usize;
        let mut found = Vec::new();
        for at in open..self.tokens.len() {
            match self.tokens[at].text.as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                text if depth == 1 && text == word => {
                    if matches!(self.tokens[at - 1].text.as_str(), "{" | ",") {
                        found.push(at);
                    }
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        found
    }

    fn flatten(&mut self, stream: TokenStream, mut in_test: bool) {
        let mut item_is_test = false;
        let mut trees = stream.into_iter().peekable();
        while let Some(tree) = trees.next() {
            let line = tree.span().start().line;
            if is_punctuation(&tree, '#') {
                self.push("#", line, in_test || item_is_test);
                let inner = trees.peek().is_some_and(|next| is_punctuation(next, '!'));
                if inner {
                    trees.next();
                    self.push("!", line, in_test);
                }
                if let Some(TokenTree::Group(attribute)) = trees.peek() {
                    let is_test = is_test_attribute(attribute);
                    // An inner attribute speaks of all that follows, an outer one of the next item.
                    in_test |= inner && is_test;
                    item_is_test |= !inner && is_test;
                }
                continue;
            }
            let marked = in_test || item_is_test;
            match tree {
                TokenTree::Group(group) => {
                    let ends_item = group.delimiter() == Delimiter::Brace;
                    self.group(&group, marked);
                    item_is_test &= !ends_item;
                }
                TokenTree::Punct(mark) => {
                    let mark = mark.as_char();
                    if mark == ';' {
                        self.note_test_module(item_is_test);
                        item_is_test = false;
                    }
                    self.push(&mark.to_string(), line, marked);
                }
                word => self.push(&word.to_string(), line, marked),
            }
        }
    }

    fn group(&mut self, group: &Group, in_test: bool) {
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => ("", ""),
        };
        self.push(open, group.span_open().start().line, in_test);
        self.flatten(group.stream(), in_test);
        self.push(close, group.span_close().start().line, in_test);
    }

    /// At the `;` of an item: remembers the name if the item was `mod name` for tests only.
    fn note_test_module(&mut self, item_is_test: bool) {
        if let [.., keyword, name] = self.tokens.as_slice()
            && item_is_test
            && keyword.text == "mod"
        {
            self.test_modules.push(name.text.clone());
        }
    }

    fn push(&mut self, text: &str, line: usize, in_test: bool) {
        self.tokens.push(Token { text: text.to_owned(), line, in_test });
    }
}

fn is_punctuation(tree: &TokenTree, mark: char) -> bool {
    matches!(tree, TokenTree::Punct(punctuation) if punctuation.as_char() == mark)
}

/// Whether the inside of `#[…]` is `test` or a `cfg` that holds only under test.
fn is_test_attribute(attribute: &Group) -> bool {
    let mut words = Tokens::default();
    words.flatten(attribute.stream(), false);
    let words: Vec<&str> = words.tokens.iter().map(|token| token.text.as_str()).collect();
    match words.as_slice() {
        ["test"] => true,
        ["cfg", inside @ ..] => {
            inside.contains(&"test") && !inside.contains(&"not") && !inside.contains(&"any")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words outside and inside test code.
    fn words(text: &str) -> (Vec<String>, Vec<String>) {
        let tokens = Tokens::of(text).expect("valid Rust").tokens;
        let words = tokens.into_iter().filter(|token| token.text.starts_with("w_"));
        let (test, shipped): (Vec<_>, Vec<_>) = words.partition(|token| token.in_test);
        let text = |tokens: Vec<Token>| tokens.into_iter().map(|token| token.text).collect();
        (text(shipped), text(test))
    }

    #[test]
    fn comments_and_strings_hold_no_words() {
        let (shipped, _) = words(
            "// w_a\n/* w_b /* w_c */ */ fn w_real<'w>(s: &'w str) { let c = '\"'; \"w_d\"; r#\"w_e\"#; b\"w_f\"; w_also }",
        );
        assert_eq!(shipped, ["w_real", "w_also"]);
    }

    #[test]
    fn items_for_tests_only_are_marked_and_the_next_item_is_not() {
        let cases = [
            "#[cfg(test)] mod tests { w_test } fn w_next() {}",
            "#[cfg(test)] #[path = \"x\"] mod tests { fn f() -> [u8; 2] { w_test } } fn w_next() {}",
            "#[test] fn w_test() {} const w_next: u8 = 1;",
            "#[cfg(all(test, unix))] use w_test; use w_next;",
            "#[cfg(test)] fn f() where [u8; 1]: Sized { w_test } struct w_next;",
        ];
        for text in cases {
            assert_eq!(words(text), (vec!["w_next".into()], vec!["w_test".into()]), "{text}");
        }
    }

    #[test]
    fn code_that_is_not_for_tests_alone_is_not_marked() {
        for text in [
            "#[cfg(not(test))] fn w_f() {}",
            "#[cfg(any(test, unix))] fn w_f() {}",
            "#[inline] fn w_f() {}",
        ] {
            assert_eq!(words(text), (vec!["w_f".into()], vec![]), "{text}");
        }
    }

    #[test]
    fn an_inner_attribute_marks_the_whole_file() {
        assert_eq!(words("#![cfg(test)]\nfn w_a() {}\nfn w_b() {}").1, ["w_a", "w_b"]);
    }

    #[test]
    fn test_modules_in_their_own_files_are_named() {
        let tokens = Tokens::of("mod a;\n#[cfg(test)]\nmod cases;\nmod b;").expect("valid Rust");
        assert_eq!(tokens.test_modules, ["cases"]);
    }

    #[test]
    fn paths_are_found_written_out_and_in_use_groups() {
        let cases = [
            ("std::env::var(x)", 1),
            ("use std::env;", 1),
            ("use std::{fs, env};", 1),
            ("use std::{env::{var}, fs};", 1),
            ("use std::{fs::{env}};", 0),
            ("env!(x)", 0),
            ("use other::env;", 0),
        ];
        for (text, count) in cases {
            let tokens = Tokens::of(text).expect("valid Rust");
            assert_eq!(tokens.find_path("std", "env").len(), count, "{text}");
        }
    }

    #[test]
    fn lines_count_from_one_and_errors_have_theirs() {
        let tokens = Tokens::of("//! doc\n\nfn f() {}").expect("valid Rust");
        let at = tokens.find(&["fn", "f"]).next().expect("found");
        assert_eq!(tokens.tokens[at].line, 3);
        assert_eq!(Tokens::of("fn f() {\n  \"open\n").expect_err("not Rust"), 2);
    }
}
