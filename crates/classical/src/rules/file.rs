//! Rule files: TOML with word lists, named patterns, maps, rules and their examples.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use toml::Spanned;

use super::chat::Script;
use super::lists::Lists;
use super::pattern::{Mismatch, Pattern};
use super::program::{Compiler, Program};
use super::rule_set::{Condition, Index, Place};
use super::template::{Map, Template};
use super::tokens::{Vocabulary, words};
use super::{Rule, RuleError, RuleProblem, RuleSet, resolve};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    #[serde(default)]
    lists: BTreeMap<String, Spanned<WordList>>,
    #[serde(default)]
    patterns: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    maps: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    rule: Vec<RuleEntry>,
    chat: Option<Script>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WordList {
    Words(Vec<String>),
    WithCase { words: Vec<String>, case_sensitive: bool },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleEntry {
    id: Spanned<String>,
    label: String,
    #[serde(default)]
    priority: i64,
    source: String,
    #[serde(default)]
    case_sensitive: bool,
    pattern: String,
    before: Option<String>,
    not_before: Option<String>,
    after: Option<String>,
    not_after: Option<String>,
    sentence_has: Option<String>,
    sentence_lacks: Option<String>,
    #[serde(default)]
    replace: OneOrMore,
    matches: Vec<Example>,
    #[serde(default)]
    no_match: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl Default for OneOrMore {
    fn default() -> Self {
        Self::More(Vec::new())
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Example {
    Text(String),
    Full(FullExample),
}

/// A text with what has to be found in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FullExample {
    text: String,
    /// What the rule has to match, where it matches first.
    found: Option<String>,
    /// Captures, where it matches first.
    #[serde(default)]
    captures: BTreeMap<String, String>,
    /// What it makes of it.
    replaced: Option<String>,
}

impl RuleSet {
    /// Reads a rule file and runs all of its examples.
    ///
    /// # Errors
    /// [`RuleError::Toml`], or else [`RuleError::File`] with everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let file: RuleFile =
            toml::from_str(text).map_err(|error| RuleError::Toml(Box::new(error)))?;
        let mut loader = Loader::new(text);
        let (lists, names) = loader.lists(&file.lists);
        let patterns = loader.patterns(&file.patterns);
        let maps = maps(&file.maps);
        let mut ids = HashSet::new();
        let mut rules = Vec::new();
        for entry in &file.rule {
            if !ids.insert(entry.id.get_ref().as_str()) {
                loader.problem(entry, "id", "one that no other rule has", entry.id.get_ref());
            }
            rules.extend(loader.rule(entry, &names, &patterns, &maps));
        }
        loader.chat(&file);
        if !loader.problems.is_empty() {
            return Err(RuleError::File { problems: loader.problems });
        }
        let index = Index::new(&rules, loader.vocabulary.len(), names.len());
        let vocabulary = std::mem::take(&mut loader.vocabulary);
        let rule_set = Self { rules, vocabulary, lists, index, chat: file.chat };
        for (entry, rule) in file.rule.iter().zip(&rule_set.rules) {
            loader.examples(entry, rule, &rule_set);
        }
        if loader.problems.is_empty() {
            Ok(rule_set)
        } else {
            Err(RuleError::File { problems: loader.problems })
        }
    }
}

/// Keys of maps are looked up in lower case.
fn maps(written: &BTreeMap<String, BTreeMap<String, String>>) -> BTreeMap<String, Map> {
    let map = |map: &BTreeMap<String, String>| {
        map.iter().map(|(from, to)| (from.to_lowercase(), to.clone())).collect()
    };
    written.iter().map(|(name, entries)| (name.clone(), map(entries))).collect()
}

/// Collects what is wrong with a file.
struct Loader<'t> {
    text: &'t str,
    vocabulary: Vocabulary,
    problems: Vec<RuleProblem>,
}

impl<'t> Loader<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, vocabulary: Vocabulary::default(), problems: Vec::new() }
    }

    fn problem_at(&mut self, offset: usize, place: String, mismatch: Mismatch) {
        let line = self.text[..offset].matches('\n').count() + 1;
        let Mismatch { expected, got } = mismatch;
        self.problems.push(RuleProblem { line, place, expected, got });
    }

    fn problem(&mut self, entry: &RuleEntry, key: &str, expected: &str, got: &str) {
        let mismatch = Mismatch { expected: expected.to_owned(), got: format!("{got:?}") };
        self.rule_problem(entry, key, mismatch);
    }

    fn rule_problem(&mut self, entry: &RuleEntry, key: &str, mismatch: Mismatch) {
        let place = format!("{key} of the rule {}", entry.id.get_ref());
        self.problem_at(entry.id.span().start, place, mismatch);
    }

    /// The tree of all lists, and the number of each.
    fn lists(
        &mut self,
        written: &BTreeMap<String, Spanned<WordList>>,
    ) -> (Lists, BTreeMap<String, usize>) {
        let mut lists = Lists::default();
        for (number, (name, list)) in written.iter().enumerate() {
            let (phrases, exact) = match list.get_ref() {
                WordList::Words(words) => (words, false),
                WordList::WithCase { words, case_sensitive } => (words, *case_sensitive),
            };
            for phrase in phrases {
                let ids: Vec<u32> =
                    words(phrase).map(|word| self.vocabulary.add(word, exact)).collect();
                if ids.is_empty() {
                    let mismatch =
                        Mismatch { expected: "a phrase".to_owned(), got: format!("{phrase:?}") };
                    self.problem_at(list.span().start, format!("the list {name}"), mismatch);
                } else {
                    lists.add(&ids, number, exact);
                }
            }
        }
        (lists, written.keys().cloned().zip(0..).collect())
    }

    fn patterns(
        &mut self,
        written: &BTreeMap<String, Spanned<String>>,
    ) -> BTreeMap<String, Pattern> {
        let mut patterns = BTreeMap::new();
        for (name, pattern) in written {
            match Pattern::parse(pattern.get_ref()) {
                Ok(parsed) => {
                    patterns.insert(name.clone(), parsed);
                }
                Err(mismatch) => {
                    self.problem_at(pattern.span().start, format!("the pattern {name}"), mismatch);
                }
            }
        }
        patterns
    }

    fn rule(
        &mut self,
        entry: &RuleEntry,
        lists: &BTreeMap<String, usize>,
        patterns: &BTreeMap<String, Pattern>,
        maps: &BTreeMap<String, Map>,
    ) -> Option<Rule> {
        for (key, value) in [("label", &entry.label), ("source", &entry.source)] {
            if value.trim().is_empty() {
                self.problem(entry, key, "some text", value);
            }
        }
        let mut compile = |key: &str, pattern: &str| -> Option<Program> {
            let compiled = Pattern::parse(pattern).and_then(|pattern| {
                Compiler::new(&mut self.vocabulary, lists, patterns, entry.case_sensitive)
                    .compile(&pattern)
            });
            compiled.map_err(|mismatch| self.rule_problem(entry, key, mismatch)).ok()
        };
        let pattern = compile("pattern", &entry.pattern)?;
        let mut conditions = Vec::new();
        for (key, place, has_to, written) in entry.conditions() {
            if let Some(written) = written {
                conditions.push(Condition { place, has_to, program: compile(key, written)? });
            }
        }
        let mut replacements = Vec::new();
        for template in entry.replace.texts() {
            match Template::parse(template, &pattern.captures, maps) {
                Ok(template) => replacements.push(template),
                Err(mismatch) => self.rule_problem(entry, "replace", mismatch),
            }
        }
        Some(Rule {
            id: entry.id.get_ref().clone(),
            label: entry.label.clone(),
            priority: entry.priority,
            source: entry.source.clone(),
            pattern,
            conditions,
            replacements,
        })
    }

    fn chat(&mut self, file: &RuleFile) {
        let Some(script) = &file.chat else { return };
        if script.fallback.is_empty() {
            let mismatch =
                Mismatch { expected: "at least one answer".to_owned(), got: "none".to_owned() };
            self.problem_at(self.text.len(), "fallback of [chat]".to_owned(), mismatch);
        }
    }

    fn examples(&mut self, entry: &RuleEntry, rule: &Rule, rule_set: &RuleSet) {
        if entry.matches.is_empty() {
            self.problem(entry, "matches", "at least one text that the rule matches", "");
        }
        for example in &entry.matches {
            match example {
                Example::Text(text) if rule.first_in(text, rule_set).is_none() => {
                    self.problem(entry, "matches", "a text that the rule matches", text);
                }
                Example::Text(_) => {}
                Example::Full(example) => self.full_example(entry, example, rule, rule_set),
            }
        }
        for text in &entry.no_match {
            if let Some(found) = rule.first_in(text, rule_set) {
                let got = &text[found.span];
                self.problem(entry, "no_match", &format!("no match in {text:?}"), got);
            }
        }
    }

    fn full_example(
        &mut self,
        entry: &RuleEntry,
        example: &FullExample,
        rule: &Rule,
        rule_set: &RuleSet,
    ) {
        let text = &example.text;
        let Some(found) = rule.first_in(text, rule_set) else {
            self.problem(entry, "matches", "a text that the rule matches", text);
            return;
        };
        let mut check = |what: &str, expected: &str, got: &str| {
            if expected != got {
                let expected = format!("{what} {expected:?} in {text:?}");
                self.problem(entry, "matches", &expected, got);
            }
        };
        if let Some(expected) = &example.found {
            check("the match", expected, &text[found.span.clone()]);
        }
        for (name, expected) in &example.captures {
            let span = found.captures.get(name.as_str()).cloned().unwrap_or(0..0);
            check(&format!("the capture {name}"), expected, &text[span]);
        }
        if let Some(expected) = &example.replaced {
            check("the replacement", expected, &found.replacement(text).unwrap_or_default());
        }
    }
}

impl RuleEntry {
    /// What may be asked of the surroundings: key, place, whether it has to be there, and the pattern.
    fn conditions(&self) -> [(&'static str, Place, bool, Option<&str>); 6] {
        [
            ("before", Place::Before, true, self.before.as_deref()),
            ("not_before", Place::Before, false, self.not_before.as_deref()),
            ("after", Place::After, true, self.after.as_deref()),
            ("not_after", Place::After, false, self.not_after.as_deref()),
            ("sentence_has", Place::Sentence, true, self.sentence_has.as_deref()),
            ("sentence_lacks", Place::Sentence, false, self.sentence_lacks.as_deref()),
        ]
    }
}

impl OneOrMore {
    fn texts(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::More(texts) => texts,
        }
    }
}

impl Rule {
    /// The first match of this rule alone, whatever the others find.
    fn first_in<'r>(&'r self, text: &str, rule_set: &'r RuleSet) -> Option<super::RuleMatch<'r>> {
        let own = rule_set.find_all(text).into_iter().filter(|found| found.rule.id == self.id);
        resolve(own.collect()).into_iter().next()
    }
}
