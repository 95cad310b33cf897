//! Patterns compiled to instructions.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};

use super::pattern::{Class, Mismatch, Pattern};
use super::tokens::Vocabulary;

/// The most parts of a pattern; repetitions and named patterns are written out.
const MAX_PARTS: usize = 10_000;

#[derive(Debug, Clone)]
pub(super) enum Instruction {
    /// A word by its exact or its folded number.
    Word {
        id: u32,
        exact: bool,
    },
    Class(Class),
    /// A phrase of this list.
    List(usize),
    Regex(WordRegex),
    /// Goes on at both places, at the first one first.
    Split(usize, usize),
    Jump(usize),
    /// The capture of this number begins.
    Open(usize),
    /// And ends.
    Close(usize),
    /// Goes on if the program finds nothing here.
    Not(Program),
    Match,
}

/// A regular expression at the beginning of a word.
#[derive(Debug, Clone)]
pub(super) struct WordRegex {
    /// Matches from there on.
    pub from: Regex,
    /// Matches exactly one word: `no|none` finds "none", although `from` prefers "no".
    pub whole: Regex,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Program {
    pub instructions: Vec<Instruction>,
    /// Names of the captures.
    pub captures: Vec<String>,
}

/// With what a match can begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum First {
    Word {
        id: u32,
        exact: bool,
    },
    List(usize),
    /// Anything: a regular expression or a class.
    Any,
}

impl Program {
    /// With what a match can begin; `None` if a match can be empty.
    pub fn firsts(&self) -> Option<Vec<First>> {
        let mut firsts = Vec::new();
        let mut seen = vec![false; self.instructions.len()];
        let mut open = vec![0];
        while let Some(at) = open.pop() {
            if std::mem::replace(&mut seen[at], true) {
                continue;
            }
            match &self.instructions[at] {
                Instruction::Word { id, exact } => {
                    firsts.push(First::Word { id: *id, exact: *exact })
                }
                Instruction::List(list) => firsts.push(First::List(*list)),
                Instruction::Class(_) | Instruction::Regex(_) => firsts.push(First::Any),
                Instruction::Split(a, b) => open.extend([*a, *b]),
                Instruction::Jump(to) => open.push(*to),
                Instruction::Open(_) | Instruction::Close(_) | Instruction::Not(_) => {
                    open.push(at + 1)
                }
                Instruction::Match => return None,
            }
        }
        firsts.sort_unstable();
        firsts.dedup();
        Some(firsts)
    }

    /// The number of a capture.
    fn slot(&mut self, name: &str) -> usize {
        let known = self.captures.iter().position(|capture| capture == name);
        known.unwrap_or_else(|| {
            self.captures.push(name.to_owned());
            self.captures.len() - 1
        })
    }

    fn push(&mut self, instruction: Instruction) -> usize {
        self.instructions.push(instruction);
        self.instructions.len() - 1
    }
}

/// What patterns refer to, and numbers for their words.
pub(super) struct Compiler<'f> {
    pub vocabulary: &'f mut Vocabulary,
    pub lists: &'f BTreeMap<String, usize>,
    pub patterns: &'f BTreeMap<String, Pattern>,
    pub case_sensitive: bool,
    /// The named patterns around the place that is compiled.
    open: Vec<String>,
    /// Parts that were compiled, those of denied programs included.
    parts: usize,
}

impl<'f> Compiler<'f> {
    pub fn new(
        vocabulary: &'f mut Vocabulary,
        lists: &'f BTreeMap<String, usize>,
        patterns: &'f BTreeMap<String, Pattern>,
        case_sensitive: bool,
    ) -> Self {
        Self { vocabulary, lists, patterns, case_sensitive, open: Vec::new(), parts: 0 }
    }

    /// The program of a pattern that matches at least one word.
    pub fn compile(&mut self, pattern: &Pattern) -> Result<Program, Mismatch> {
        let program = self.program(pattern)?;
        match program.firsts() {
            Some(_) => Ok(program),
            None => Err(mismatch("a pattern of at least one word", "one that can match nothing")),
        }
    }

    fn program(&mut self, pattern: &Pattern) -> Result<Program, Mismatch> {
        let mut program = Program::default();
        self.emit(pattern, &mut program)?;
        program.push(Instruction::Match);
        Ok(program)
    }

    fn emit(&mut self, pattern: &Pattern, program: &mut Program) -> Result<(), Mismatch> {
        self.parts += 1;
        if self.parts > MAX_PARTS {
            let expected =
                format!("a pattern of at most {MAX_PARTS} parts, with repetitions written out");
            return Err(mismatch(&expected, "more"));
        }
        match pattern {
            Pattern::Word(word) => {
                let exact = self.case_sensitive;
                let id = self.vocabulary.add(word, exact);
                program.push(Instruction::Word { id, exact });
            }
            Pattern::Regex(regex) => {
                let regex = self.regex(regex)?;
                program.push(Instruction::Regex(regex));
            }
            Pattern::List(name) => {
                let list = self.lists.get(name);
                let list =
                    list.ok_or_else(|| mismatch("the name of a list", &format!("@{name}")))?;
                program.push(Instruction::List(*list));
            }
            Pattern::Class(class) => {
                program.push(Instruction::Class(*class));
            }
            Pattern::Named(name) => self.named(name, program)?,
            Pattern::Sequence(items) => {
                items.iter().try_for_each(|item| self.emit(item, program))?
            }
            Pattern::Either(alternatives) => self.either(alternatives, program)?,
            Pattern::Repeat(inside, min, max) => self.repeat(inside, *min, *max, program)?,
            Pattern::Capture(name, inside) => {
                let slot = program.slot(name);
                program.push(Instruction::Open(slot));
                self.emit(inside, program)?;
                program.push(Instruction::Close(slot));
            }
            Pattern::Not(inside) => {
                let inside = self.program(inside)?;
                program.push(Instruction::Not(inside));
            }
        }
        Ok(())
    }

    fn named(&mut self, name: &str, program: &mut Program) -> Result<(), Mismatch> {
        let patterns = self.patterns;
        let pattern = patterns
            .get(name)
            .ok_or_else(|| mismatch("the name of a pattern", &format!("&{name}")))?;
        if self.open.iter().any(|open| open == name) {
            return Err(mismatch(
                "patterns that do not contain themselves",
                &format!("&{name} inside &{name}"),
            ));
        }
        self.open.push(name.to_owned());
        self.emit(pattern, program)?;
        self.open.pop();
        Ok(())
    }

    fn either(&mut self, alternatives: &[Pattern], program: &mut Program) -> Result<(), Mismatch> {
        let mut ends = Vec::new();
        for (index, alternative) in alternatives.iter().enumerate() {
            let is_last = index + 1 == alternatives.len();
            let split = (!is_last).then(|| program.push(Instruction::Split(0, 0)));
            self.emit(alternative, program)?;
            if let Some(split) = split {
                ends.push(program.push(Instruction::Jump(0)));
                let next = program.instructions.len();
                program.instructions[split] = Instruction::Split(split + 1, next);
            }
        }
        let end = program.instructions.len();
        ends.into_iter().for_each(|jump| program.instructions[jump] = Instruction::Jump(end));
        Ok(())
    }

    fn repeat(
        &mut self,
        inside: &Pattern,
        min: usize,
        max: Option<usize>,
        program: &mut Program,
    ) -> Result<(), Mismatch> {
        (0..min).try_for_each(|_| self.emit(inside, program))?;
        let mut splits = Vec::new();
        match max {
            Some(max) => {
                for _ in min..max {
                    splits.push(program.push(Instruction::Split(0, 0)));
                    self.emit(inside, program)?;
                }
            }
            None => {
                let split = program.push(Instruction::Split(0, 0));
                splits.push(split);
                self.emit(inside, program)?;
                program.push(Instruction::Jump(split));
            }
        }
        let end = program.instructions.len();
        for split in splits {
            program.instructions[split] = Instruction::Split(split + 1, end);
        }
        Ok(())
    }

    fn regex(&self, regex: &str) -> Result<WordRegex, Mismatch> {
        let build = |anchored: String| {
            let built = RegexBuilder::new(&anchored).case_insensitive(!self.case_sensitive).build();
            built.map_err(|error| mismatch("a regular expression", &format!("/{regex}/: {error}")))
        };
        // By itself first: brackets of the anchors would hide that one of its own is missing.
        if build(regex.to_owned())?.capture_names().flatten().next().is_some() {
            let got = format!("/{regex}/");
            return Err(mismatch("captures around the expression, <name: /…/>, not inside", &got));
        }
        Ok(WordRegex {
            from: build(format!(r"\A(?:{regex})"))?,
            whole: build(format!(r"\A(?:{regex})\z"))?,
        })
    }
}

fn mismatch(expected: &str, got: &str) -> Mismatch {
    Mismatch { expected: expected.to_owned(), got: got.to_owned() }
}
