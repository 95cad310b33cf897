//! What the rules of a file do not hold together: undefined, unreachable and unproductive nonterminals.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::GrammarProblem;
use super::syntax::{WrittenRule, WrittenSymbol};

/// Everything wrong with the rules as a whole, in the order of the lines.
pub(super) fn problems(rules: &[WrittenRule]) -> Vec<GrammarProblem> {
    let mut defined: HashMap<&str, usize> = HashMap::new();
    for rule in rules {
        defined.entry(&rule.left).or_insert(rule.line);
    }
    let mut problems = duplicates(rules);
    problems.extend(undefined(rules, &defined));
    let reachable = reachable(rules);
    let productive = productive(rules, &defined);
    for (&name, &line) in &defined {
        if !reachable.contains(name) {
            problems.push(GrammarProblem::Unreachable { line, name: name.to_owned() });
        }
        if !productive.contains(name) {
            problems.push(GrammarProblem::Unproductive { line, name: name.to_owned() });
        }
    }
    problems.sort_by_cached_key(|problem| (problem.line(), problem.to_string()));
    problems
}

fn nonterminals(rule: &WrittenRule) -> impl Iterator<Item = &str> {
    rule.right.iter().filter_map(|symbol| match symbol {
        WrittenSymbol::Nonterminal(name) => Some(name.as_str()),
        WrittenSymbol::Terminal(_) => None,
    })
}

fn duplicates(rules: &[WrittenRule]) -> Vec<GrammarProblem> {
    let mut seen = HashMap::new();
    let mut problems = Vec::new();
    for rule in rules {
        if let Some(&first) = seen.get(&(&rule.left, &rule.right)) {
            let (line, rule) = (rule.line, rule.to_string());
            problems.push(GrammarProblem::Duplicate { line, first, rule });
        } else {
            seen.insert((&rule.left, &rule.right), rule.line);
        }
    }
    problems
}

fn undefined(rules: &[WrittenRule], defined: &HashMap<&str, usize>) -> Vec<GrammarProblem> {
    let mut used = BTreeMap::new();
    for rule in rules {
        for name in nonterminals(rule).filter(|name| !defined.contains_key(name)) {
            used.entry(name).or_insert(rule.line);
        }
    }
    let problem =
        |(name, line): (&str, usize)| GrammarProblem::Undefined { line, name: name.to_owned() };
    used.into_iter().map(problem).collect()
}

/// What sentences are made of, beginning with the first rule's nonterminal.
fn reachable(rules: &[WrittenRule]) -> HashSet<&str> {
    let mut by_left: HashMap<&str, Vec<&WrittenRule>> = HashMap::new();
    for rule in rules {
        by_left.entry(&rule.left).or_default().push(rule);
    }
    let mut open = vec![rules[0].left.as_str()];
    let mut reachable: HashSet<&str> = open.iter().copied().collect();
    while let Some(name) = open.pop() {
        for used in by_left.get(name).into_iter().flatten().flat_map(|rule| nonterminals(rule)) {
            if reachable.insert(used) {
                open.push(used);
            }
        }
    }
    reachable
}

/// What can end in words. An undefined symbol counts as productive: it is reported by itself.
fn productive<'a>(rules: &'a [WrittenRule], defined: &HashMap<&str, usize>) -> HashSet<&'a str> {
    let mut productive = HashSet::new();
    loop {
        let before = productive.len();
        for rule in rules {
            let ends = |name: &str| productive.contains(name) || !defined.contains_key(name);
            if nonterminals(rule).all(ends) {
                productive.insert(rule.left.as_str());
            }
        }
        if productive.len() == before {
            return productive;
        }
    }
}
