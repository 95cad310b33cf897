//! Rules, and what they find in a text.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use super::lists::Lists;
use super::program::{First, Program};
use super::search::{Document, Found, Goal, Search};
use super::template::Template;
use super::tokens::{Token, Vocabulary};

/// How many words on each side belong to the sentence of a match, if it has no end before.
const SENTENCE_WORDS: usize = 64;

/// A rule that is ready to run.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name, unique in the file.
    pub id: String,
    /// What it marks.
    pub label: String,
    /// Of overlapping matches the one with the highest priority is kept.
    pub priority: i64,
    /// Where the rule comes from: a citation.
    pub source: String,
    pub(super) pattern: Program,
    pub(super) conditions: Vec<Condition>,
    pub(super) replacements: Vec<Template>,
}

/// What has to stand around a match, or must not.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub place: Place,
    pub program: Program,
    /// Whether the program has to match, or must not.
    pub has_to: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Before,
    After,
    Sentence,
}

/// The rules of a file.
#[derive(Debug, Clone)]
pub struct RuleSet {
    pub(super) rules: Vec<Rule>,
    pub(super) vocabulary: Vocabulary,
    pub(super) lists: Lists,
    pub(super) index: Index,
    pub(super) chat: Option<super::chat::Script>,
}

/// Which rules can begin where.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    by_word: Vec<Vec<usize>>,
    by_list: Vec<Vec<usize>>,
    everywhere: Vec<usize>,
}

impl Index {
    pub fn new(rules: &[Rule], words: usize, lists: usize) -> Self {
        let mut index = Self {
            by_word: vec![Vec::new(); words],
            by_list: vec![Vec::new(); lists],
            everywhere: Vec::new(),
        };
        for (rule, firsts) in
            rules.iter().map(|rule| rule.pattern.firsts().unwrap_or_default()).enumerate()
        {
            if firsts.contains(&First::Any) {
                index.everywhere.push(rule);
                continue;
            }
            for first in firsts {
                match first {
                    First::Word { id, .. } => index.by_word[id as usize].push(rule),
                    First::List(list) => index.by_list[list].push(rule),
                    First::Any => {}
                }
            }
        }
        index
    }

    /// The rules that can begin at a word, each once.
    fn candidates(&self, token: &Token, hits: &[(usize, usize)], candidates: &mut Vec<usize>) {
        candidates.clear();
        candidates.extend(&self.everywhere);
        for word in [token.exact, token.folded] {
            candidates.extend(self.by_word.get(word as usize).into_iter().flatten());
        }
        hits.iter().for_each(|(list, _)| candidates.extend(&self.by_list[*list]));
        candidates.sort_unstable();
        candidates.dedup();
    }
}

/// A place in a text that a rule matches.
#[derive(Debug, Clone)]
pub struct RuleMatch<'r> {
    /// The rule.
    pub rule: &'r Rule,
    /// The bytes of the text that it matches.
    pub span: Range<usize>,
    /// The bytes of each capture that took part in the match.
    pub captures: BTreeMap<&'r str, Range<usize>>,
}

impl RuleSet {
    /// The rules in the order of the file.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What the rules find in `text`, without overlaps, from the beginning to the end: see [`resolve`].
    pub fn find<'r>(&'r self, text: &str) -> Vec<RuleMatch<'r>> {
        resolve(self.find_all(text))
    }

    /// All that the rules find: for each rule, the longest match at each word, whatever else is there.
    pub fn find_all<'r>(&'r self, text: &str) -> Vec<RuleMatch<'r>> {
        let document = Document::new(text, &self.vocabulary, &self.lists);
        let mut search = Search::new(&document);
        let (mut candidates, mut matches) = (Vec::new(), Vec::new());
        for (start, token) in document.tokens.iter().enumerate() {
            self.index.candidates(token, document.hits.at(start), &mut candidates);
            for &rule in &candidates {
                matches.extend(self.rules[rule].at(start, &mut search));
            }
        }
        matches
    }
}

impl Rule {
    /// The longest match at a word, if what is around it is as the rule wants it.
    fn at(&self, start: usize, search: &mut Search<'_>) -> Option<RuleMatch<'_>> {
        let found = search.run(&self.pattern, start, Goal::Longest(usize::MAX))?;
        let holds = |condition: &Condition| condition.holds(start, found.end, search);
        self.conditions
            .iter()
            .all(holds)
            .then(|| self.to_match(start, &found, &search.document.tokens))
    }

    fn to_match(&self, start: usize, found: &Found, tokens: &[Token]) -> RuleMatch<'_> {
        let bytes = |first: usize, end: usize| {
            // A capture of no words is empty, where the next word begins.
            let start =
                tokens.get(first).map_or_else(|| tokens[first - 1].end, |token| token.start);
            start..if end > first { tokens[end - 1].end } else { start }
        };
        let captures = self.pattern.captures.iter().zip(found.slots.chunks(2));
        let captures = captures.filter_map(|(name, slots)| match slots {
            [Some(first), Some(end)] => Some((name.as_str(), bytes(*first, *end))),
            _ => None,
        });
        RuleMatch { rule: self, span: bytes(start, found.end), captures: captures.collect() }
    }
}

impl Condition {
    fn holds(&self, start: usize, end: usize, search: &mut Search<'_>) -> bool {
        let matches = match self.place {
            Place::Before => search.ends_before(&self.program, start),
            Place::After => {
                end < search.document.tokens.len()
                    && search.run(&self.program, end, Goal::Longest(usize::MAX)).is_some()
            }
            Place::Sentence => {
                let (first, last) = sentence(&search.document.tokens, start, end);
                search.is_within(&self.program, first, last)
            }
        };
        matches == self.has_to
    }
}

/// The words of the sentence of a match.
fn sentence(tokens: &[Token], start: usize, end: usize) -> (usize, usize) {
    let before = tokens[..start].iter().rev().take(SENTENCE_WORDS);
    let before = before.take_while(|token| !token.ends_sentence).count();
    // The match itself may be the end of the sentence.
    let is_open = !tokens[end - 1].ends_sentence;
    let after = tokens[end..].iter().take(if is_open { SENTENCE_WORDS } else { 0 });
    let after = after.take_while(|token| !token.ends_sentence).count();
    (start - before, end + after)
}

/// Leaves out matches that overlap a better one: of higher priority, then longer, then further to the front, then of
/// an earlier rule.
pub fn resolve(mut matches: Vec<RuleMatch<'_>>) -> Vec<RuleMatch<'_>> {
    // Stable: matches at one place come in the order of the rules.
    matches.sort_by_key(|found| {
        (Reverse(found.rule.priority), Reverse(found.span.len()), found.span.start)
    });
    let mut kept: BTreeMap<usize, RuleMatch<'_>> = BTreeMap::new();
    for found in matches {
        let last_before = kept.range(..found.span.end).next_back();
        if last_before.is_none_or(|(_, other)| other.span.end <= found.span.start) {
            kept.insert(found.span.start, found);
        }
    }
    kept.into_values().collect()
}
