//! Running programs over the words of a text.
//!
//! A run explores every way through a program from one word on, each instruction at each word at most once, and keeps
//! the longest match; of equally long ones the first in the order of the alternatives. That bounds its time by the
//! length of the program times [`MAX_WORDS`].

use super::lists::{Hits, Lists};
use super::pattern::Class;
use super::program::{Instruction, Program, WordRegex};
use super::tokens::{Kind, Token, Vocabulary, tokens};

/// The most words, numbers and marks that a match can have.
pub const MAX_WORDS: usize = 256;

/// A text prepared for searching.
pub(super) struct Document<'t> {
    pub text: &'t str,
    pub tokens: Vec<Token>,
    pub hits: Hits,
}

impl<'t> Document<'t> {
    pub fn new(text: &'t str, vocabulary: &Vocabulary, lists: &Lists) -> Self {
        let tokens = tokens(text, vocabulary);
        let hits = lists.hits(&tokens);
        Self { text, tokens, hits }
    }

    /// Whether the word at `at` is of a class.
    fn is(&self, at: usize, class: Class) -> bool {
        let token = &self.tokens[at];
        match class {
            Class::Any => token.kind != Kind::Break,
            Class::Inner => !token.ends_sentence,
            Class::Word => token.kind == Kind::Word,
            Class::Number => token.kind == Kind::Number,
            Class::Mark => token.kind == Kind::Mark,
            Class::Break => token.kind == Kind::Break,
        }
    }

    /// Where matches of a regular expression at a word end: behind that word, and where the expression ends by itself.
    fn regex_ends(&self, at: usize, regex: &WordRegex, limit: usize) -> [Option<usize>; 2] {
        let Token { start, end, .. } = self.tokens[at];
        let last = self.tokens[at..limit].last().map_or(end, |token| token.end);
        let whole = regex.whole.is_match(&self.text[start..end]).then_some(at + 1);
        let from = regex.from.find(&self.text[start..last]).and_then(|found| {
            let end = start + found.end();
            let inside = self.tokens[at..limit].binary_search_by_key(&end, |token| token.end);
            inside.ok().map(|offset| at + offset + 1)
        });
        [whole, from.filter(|from| whole != Some(*from))]
    }
}

/// A match of a program, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub end: usize,
    /// Where each capture begins and ends; two numbers a capture.
    pub slots: Vec<Option<usize>>,
}

/// What counts as a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// The longest that ends at this word or before.
    Longest(usize),
    /// Any that ends exactly there.
    Exactly(usize),
}

enum Step {
    Go {
        at: usize,
        position: usize,
    },
    /// Undoes a capture before another way is tried.
    Restore {
        slot: usize,
        value: Option<usize>,
    },
}

/// What a run leaves behind for the next one to use again.
#[derive(Default)]
struct Scratch {
    /// The run in which each instruction last saw each word.
    visited: Vec<u32>,
    run: u32,
    steps: Vec<Step>,
}

/// Runs programs over a text.
pub(super) struct Search<'d> {
    pub document: &'d Document<'d>,
    /// One for each level of programs within programs.
    scratch: Vec<Scratch>,
}

impl<'d> Search<'d> {
    pub fn new(document: &'d Document<'d>) -> Self {
        Self { document, scratch: Vec::new() }
    }

    /// A match from the word at `start` on.
    pub fn run(&mut self, program: &Program, start: usize, goal: Goal) -> Option<Found> {
        let mut scratch = self.scratch.pop().unwrap_or_default();
        let found = self.explore(program, start, goal, &mut scratch);
        self.scratch.push(scratch);
        found
    }

    /// Whether a match ends right before the word at `end`.
    pub fn ends_before(&mut self, program: &Program, end: usize) -> bool {
        let starts = end.saturating_sub(MAX_CONTEXT)..end;
        starts.rev().any(|start| self.run(program, start, Goal::Exactly(end)).is_some())
    }

    /// Whether there is a match among the words from `start` to `end`.
    pub fn is_within(&mut self, program: &Program, start: usize, end: usize) -> bool {
        (start..end).any(|at| self.run(program, at, Goal::Longest(end)).is_some())
    }

    fn explore(
        &mut self,
        program: &Program,
        start: usize,
        goal: Goal,
        scratch: &mut Scratch,
    ) -> Option<Found> {
        let (Goal::Longest(end) | Goal::Exactly(end)) = goal;
        let limit = end.min(start + MAX_WORDS).min(self.document.tokens.len());
        scratch.begin(program.instructions.len());
        let mut slots = vec![None; 2 * program.captures.len()];
        let mut best: Option<Found> = None;
        scratch.steps.push(Step::Go { at: 0, position: start });
        while let Some(step) = scratch.steps.pop() {
            let (mut at, mut position) = match step {
                Step::Restore { slot, value } => {
                    slots[slot] = value;
                    continue;
                }
                Step::Go { at, position } => (at, position),
            };
            while scratch.visit(at, position - start) {
                at = match &program.instructions[at] {
                    Instruction::Match => {
                        let is_better = best.as_ref().is_none_or(|best| position > best.end);
                        if is_better && (goal != Goal::Exactly(end) || position == end) {
                            best = Some(Found { end: position, slots: slots.clone() });
                        }
                        break;
                    }
                    Instruction::Jump(to) => *to,
                    Instruction::Split(first, second) => {
                        scratch.steps.push(Step::Go { at: *second, position });
                        *first
                    }
                    Instruction::Open(capture) => {
                        scratch.set(2 * capture, position, &mut slots);
                        at + 1
                    }
                    Instruction::Close(capture) => {
                        scratch.set(2 * capture + 1, position, &mut slots);
                        at + 1
                    }
                    Instruction::Not(inside) => {
                        let everything = Goal::Longest(self.document.tokens.len());
                        if self.run(inside, position, everything).is_some() {
                            break;
                        }
                        at + 1
                    }
                    _ if position >= limit => break,
                    consuming => {
                        let Some(next) = self.consume(consuming, at + 1, position, limit, scratch)
                        else {
                            break;
                        };
                        position = next;
                        at + 1
                    }
                };
            }
        }
        best
    }

    /// Where an instruction that takes words leads; further ways are put on the steps.
    fn consume(
        &self,
        instruction: &Instruction,
        next: usize,
        position: usize,
        limit: usize,
        scratch: &mut Scratch,
    ) -> Option<usize> {
        let token = &self.document.tokens[position];
        let is_here = match instruction {
            Instruction::Word { id, exact: true } => token.exact == *id,
            Instruction::Word { id, exact: false } => token.folded == *id,
            Instruction::Class(class) => self.document.is(position, *class),
            Instruction::List(list) => {
                let hits = self.document.hits.at(position).iter();
                let ends = hits.filter(|(hit, _)| hit == list).map(|(_, words)| position + words);
                scratch.go_each(next, ends.filter(|end| *end <= limit));
                false
            }
            Instruction::Regex(regex) => {
                let ends = self.document.regex_ends(position, regex, limit);
                scratch.go_each(next, ends.into_iter().flatten());
                false
            }
            _ => false,
        };
        is_here.then_some(position + 1)
    }
}

/// How far before a match its context may begin.
const MAX_CONTEXT: usize = 64;

impl Scratch {
    fn begin(&mut self, instructions: usize) {
        let size = instructions * (MAX_WORDS + 1);
        if self.visited.len() < size {
            self.visited.resize(size, 0);
        }
        if self.run == u32::MAX {
            self.visited.fill(0);
            self.run = 0;
        }
        self.run += 1;
        self.steps.clear();
    }

    /// Whether this is the first visit of an instruction at a word in this run.
    fn visit(&mut self, at: usize, offset: usize) -> bool {
        let seen = &mut self.visited[at * (MAX_WORDS + 1) + offset];
        std::mem::replace(seen, self.run) != self.run
    }

    fn set(&mut self, slot: usize, position: usize, slots: &mut [Option<usize>]) {
        self.steps.push(Step::Restore { slot, value: slots[slot] });
        slots[slot] = Some(position);
    }

    fn go_each(&mut self, at: usize, positions: impl Iterator<Item = usize>) {
        self.steps.extend(positions.map(|position| Step::Go { at, position }));
    }
}
