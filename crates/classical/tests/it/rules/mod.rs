//! Rule files: matching, conditions, rewriting and conversations.

mod against_regex;
mod chat;
mod files;
mod matching;
mod rewriting;

use wuji_classical::rules::RuleSet;

#[track_caller]
fn rules(text: &str) -> RuleSet {
    RuleSet::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

/// A file of one rule with these lines, which may be conditions, and an example that it matches.
#[track_caller]
fn one_rule(pattern: &str, lines: &str, example: &str) -> RuleSet {
    rules(&format!(
        "[lists]\nsymptom = [\"fever\", \"chest pain\", \"pain\", \"发烧\"]\nnegation = [\"no\", \"denies\", \"没有\"]\n\
         acronym = {{ words = [\"US\"], case_sensitive = true }}\n[patterns]\nday = '/\\d\\d?/'\n\
         [[rule]]\nid = \"r\"\nlabel = \"l\"\nsource = \"a test\"\npattern = '''{pattern}'''\n{lines}\n\
         matches = ['''{example}''']"
    ))
}

/// What the rules find in a text, as text.
fn found<'t>(rules: &RuleSet, text: &'t str) -> Vec<&'t str> {
    rules.find(text).into_iter().map(|found| &text[found.span]).collect()
}
