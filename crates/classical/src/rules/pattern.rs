//! The pattern language: what stands in a text, word by word.
//!
//! | written | matches |
//! |---|---|
//! | `'no evidence'` | these words, in any case unless the rule is case-sensitive |
//! | `/\d{4}/` | a regular expression, from the beginning of a word to the end of one |
//! | `@drug` | a phrase of a list |
//! | `&date` | a named pattern |
//! | `any` `inner` `word` `number` `mark` `break` | any word or mark; any that ends no sentence; of a kind |
//! | `a b` | one after the other, with any white space between them |
//! | `a \| b` | one of both |
//! | `( … )` | a group |
//! | `a?` `a*` `a+` `a{2}` `a{0,5}` | repeated |
//! | `<name: … >` | what is captured |
//! | `!a` | nothing, where `a` does not follow |

use super::tokens::words;

/// A pattern as it is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Pattern {
    /// One word.
    Word(String),
    Regex(String),
    List(String),
    Named(String),
    Class(Class),
    Sequence(Vec<Self>),
    Either(Vec<Self>),
    /// At least, and at most.
    Repeat(Box<Self>, usize, Option<usize>),
    Capture(String, Box<Self>),
    Not(Box<Self>),
}

/// Kinds of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Any,
    Inner,
    Word,
    Number,
    Mark,
    Break,
}

/// Where a pattern is not in the language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mismatch {
    pub expected: String,
    pub got: String,
}

/// The most that a repetition may be asked to count to.
const MAX_REPEAT: usize = 100;

/// Groups within groups; each is a level of recursion.
const MAX_DEPTH: usize = 50;

impl Pattern {
    pub fn parse(text: &str) -> Result<Self, Mismatch> {
        let mut parser = Parser { text, at: 0, depth: 0 };
        let pattern = parser.either()?;
        match parser.peek() {
            None => Ok(pattern),
            Some(_) => Err(parser.mismatch("the end of the pattern")),
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    /// The next character that is not white space.
    fn peek(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text[self.at..].chars().next()
    }

    fn mismatch(&mut self, expected: &str) -> Mismatch {
        let got = match self.peek() {
            None => "the end".to_owned(),
            Some(c) => format!("{c:?} at byte {} of {:?}", self.at, self.text),
        };
        Mismatch { expected: expected.to_owned(), got }
    }

    fn eat(&mut self, c: char) -> bool {
        let is_next = self.peek() == Some(c);
        if is_next {
            self.at += c.len_utf8();
        }
        is_next
    }

    fn expect(&mut self, c: char) -> Result<(), Mismatch> {
        if self.eat(c) { Ok(()) } else { Err(self.mismatch(&format!("{c:?}"))) }
    }

    fn either(&mut self) -> Result<Pattern, Mismatch> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.mismatch(&format!("groups at most {MAX_DEPTH} deep")));
        }
        let mut alternatives = vec![self.sequence()?];
        while self.eat('|') {
            alternatives.push(self.sequence()?);
        }
        self.depth -= 1;
        Ok(only(alternatives).unwrap_or_else(Pattern::Either))
    }

    fn sequence(&mut self) -> Result<Pattern, Mismatch> {
        let mut items = Vec::new();
        while !matches!(self.peek(), None | Some('|' | ')' | '>')) {
            let atom = self.atom()?;
            items.push(self.repeated(atom)?);
        }
        if items.is_empty() {
            return Err(
                self.mismatch("a word in quotes, /regex/, @list, &pattern, a class or a group")
            );
        }
        Ok(only(items).unwrap_or_else(Pattern::Sequence))
    }

    fn atom(&mut self) -> Result<Pattern, Mismatch> {
        match self.peek() {
            Some(quote @ ('\'' | '"')) => {
                let literal = self.delimited(quote)?;
                let words: Vec<_> =
                    words(&literal).map(|word| Pattern::Word(word.to_owned())).collect();
                if words.is_empty() {
                    return Err(self.mismatch("words between the quotes"));
                }
                Ok(only(words).unwrap_or_else(Pattern::Sequence))
            }
            Some('/') => Ok(Pattern::Regex(self.delimited('/')?)),
            Some('@') => Ok(Pattern::List(self.name_after('@')?)),
            Some('&') => Ok(Pattern::Named(self.name_after('&')?)),
            Some('(') => self.group('(', ')'),
            Some('<') => {
                let name = self.name_after('<')?;
                Ok(Pattern::Capture(name, Box::new(self.group(':', '>')?)))
            }
            Some('!') => {
                self.expect('!')?;
                Ok(Pattern::Not(Box::new(self.nested_atom()?)))
            }
            _ => self.class(),
        }
    }

    /// What `!` denies: it may be denied again, so it counts as a level.
    fn nested_atom(&mut self) -> Result<Pattern, Mismatch> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.mismatch(&format!("groups at most {MAX_DEPTH} deep")));
        }
        let atom = self.atom()?;
        self.depth -= 1;
        Ok(atom)
    }

    fn group(&mut self, open: char, close: char) -> Result<Pattern, Mismatch> {
        self.expect(open)?;
        let inside = self.either()?;
        self.expect(close)?;
        Ok(inside)
    }

    fn class(&mut self) -> Result<Pattern, Mismatch> {
        let start = self.at;
        let name = self.name().unwrap_or_default();
        let class = match name {
            "any" => Class::Any,
            "inner" => Class::Inner,
            "word" => Class::Word,
            "number" => Class::Number,
            "mark" => Class::Mark,
            "break" => Class::Break,
            _ => {
                self.at = start;
                return Err(self.mismatch(
                    "a word in quotes, /regex/, @list, &pattern, a group, or one of any, inner, word, number, mark, break",
                ));
            }
        };
        Ok(Pattern::Class(class))
    }

    fn repeated(&mut self, atom: Pattern) -> Result<Pattern, Mismatch> {
        let (min, max) = match self.peek() {
            Some('?') => (0, Some(1)),
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('{') => return self.counted(atom),
            _ => return Ok(atom),
        };
        self.at += 1;
        Ok(Pattern::Repeat(Box::new(atom), min, max))
    }

    fn counted(&mut self, atom: Pattern) -> Result<Pattern, Mismatch> {
        self.expect('{')?;
        let min = self.count()?;
        let max = if self.eat(',') { self.count()? } else { min };
        self.expect('}')?;
        if max < min || max == 0 {
            return Err(Mismatch {
                expected: "{least,most} with most at least 1 and not below least".to_owned(),
                got: format!("{{{min},{max}}}"),
            });
        }
        Ok(Pattern::Repeat(Box::new(atom), min, Some(max)))
    }

    fn count(&mut self) -> Result<usize, Mismatch> {
        self.peek();
        let rest = &self.text[self.at..];
        let digits = &rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())];
        match digits.parse() {
            Ok(count) if count <= MAX_REPEAT => {
                self.at += digits.len();
                Ok(count)
            }
            _ => Err(self.mismatch(&format!("a number from 0 to {MAX_REPEAT}"))),
        }
    }

    fn name_after(&mut self, sign: char) -> Result<String, Mismatch> {
        self.expect(sign)?;
        match self.name() {
            Some(name) => Ok(name.to_owned()),
            None => Err(self.mismatch(&format!("a name after {sign}"))),
        }
    }

    fn name(&mut self) -> Option<&'t str> {
        let rest = &self.text[self.at..];
        let end =
            rest.find(|c: char| !(c.is_alphanumeric() || "_-.".contains(c))).unwrap_or(rest.len());
        self.at += end;
        (end > 0).then(|| &rest[..end])
    }

    /// The text up to the next `delimiter`; a backslash keeps one from ending it.
    fn delimited(&mut self, delimiter: char) -> Result<String, Mismatch> {
        self.expect(delimiter)?;
        let mut inside = String::new();
        let mut characters = self.text[self.at..].char_indices();
        while let Some((offset, c)) = characters.next() {
            match c {
                _ if c == delimiter => {
                    self.at += offset + c.len_utf8();
                    return Ok(inside);
                }
                '\\' => match characters.next() {
                    Some((_, escaped)) if escaped == delimiter => inside.push(escaped),
                    // Regular expressions have escapes of their own.
                    Some((_, escaped)) => inside.extend(['\\', escaped]),
                    None => break,
                },
                c => inside.push(c),
            }
        }
        self.at = self.text.len();
        Err(self.mismatch(&format!("a closing {delimiter}")))
    }
}

/// The only item, or all of them.
fn only(mut items: Vec<Pattern>) -> Result<Pattern, Vec<Pattern>> {
    match items.len() {
        1 => Ok(items.remove(0)),
        _ => Err(items),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(word: &str) -> Pattern {
        Pattern::Word(word.to_owned())
    }

    #[test]
    fn patterns_are_read_as_they_are_written() {
        let capture = |name: &str, pattern| Pattern::Capture(name.to_owned(), Box::new(pattern));
        let repeat = |pattern, min, max| Pattern::Repeat(Box::new(pattern), min, max);
        for (text, expected) in [
            ("'no sign'", Pattern::Sequence(vec![word("no"), word("sign")])),
            ("'a' | 'b'", Pattern::Either(vec![word("a"), word("b")])),
            (r"/\d\/\w+/", Pattern::Regex(r"\d/\w+".to_owned())),
            ("<dose: number>", capture("dose", Pattern::Class(Class::Number))),
            ("any{0,5}", repeat(Pattern::Class(Class::Any), 0, Some(5))),
            (
                "(@a &b)+",
                repeat(
                    Pattern::Sequence(vec![Pattern::List("a".into()), Pattern::Named("b".into())]),
                    1,
                    None,
                ),
            ),
            (
                "!'没有'?",
                repeat(
                    Pattern::Not(Box::new(Pattern::Sequence(vec![word("没"), word("有")]))),
                    0,
                    Some(1),
                ),
            ),
        ] {
            assert_eq!(Pattern::parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_in_the_language_is_named() {
        for (text, expected, got) in [
            ("", "a word in quotes", "the end"),
            ("'a", "a closing '", "the end"),
            ("' '", "words between the quotes", "the end"),
            ("('a'", "')'", "the end"),
            ("'a')", "the end of the pattern", "')' at byte 3"),
            ("anything", "one of any, inner", "'a' at byte 0"),
            ("any{3,1}", "{least,most}", "{3,1}"),
            ("any{0,101}", "a number from 0 to 100", "'1' at byte 6"),
            ("@ a", "a name after @", "'a' at byte 2"),
            ("<x 'a'>", "':'", "'\\'' at byte 3"),
            (&"(".repeat(60), "groups at most 50 deep", "'('"),
            (&"!".repeat(60), "groups at most 50 deep", "'!'"),
        ] {
            let mismatch = Pattern::parse(text).unwrap_err();
            assert!(mismatch.expected.contains(expected), "{text}: {mismatch:?}");
            assert!(mismatch.got.contains(got), "{text}: {mismatch:?}");
        }
    }
}
