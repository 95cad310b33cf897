//! The text of a grammar file: `S -> NP VP [0.9] | VP [0.1]`, one nonterminal a line.
//!
//! A quoted symbol is a terminal, any other a nonterminal; `ε` (or an empty pair of quotes) derives nothing; a line
//! that begins with `|` continues the one before; `#` begins a comment.

use super::GrammarProblem;

/// A rule as it is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct WrittenRule {
    pub line: usize,
    pub left: String,
    pub right: Vec<WrittenSymbol>,
    pub weight: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum WrittenSymbol {
    Nonterminal(String),
    Terminal(String),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Quoted(String),
    Empty,
    Arrow,
    Bar,
    Weight(f64),
}

impl Token {
    fn describe(&self) -> String {
        match self {
            Self::Name(name) => format!("the nonterminal {name}"),
            Self::Quoted(word) => format!("the terminal {word:?}"),
            Self::Empty => "ε".to_owned(),
            Self::Arrow => "->".to_owned(),
            Self::Bar => "|".to_owned(),
            Self::Weight(weight) => format!("[{weight}]"),
        }
    }
}

/// All rules of `text`, or else all lines that are not in the format.
pub(super) fn read(text: &str) -> Result<Vec<WrittenRule>, Vec<GrammarProblem>> {
    let mut reader = Reader::default();
    for (index, line) in text.lines().enumerate() {
        reader.line = index + 1;
        if let Err((expected, got)) = reader.read_line(line) {
            reader.problems.push(GrammarProblem::Syntax { line: index + 1, expected, got });
        }
    }
    if reader.rules.is_empty() && reader.problems.is_empty() {
        let got = "none".to_owned();
        reader.problems.push(GrammarProblem::Syntax { line: 1, expected: "a rule", got });
    }
    if reader.problems.is_empty() { Ok(reader.rules) } else { Err(reader.problems) }
}

/// What was expected and what is there instead.
type Mismatch = (&'static str, String);

#[derive(Default)]
struct Reader {
    line: usize,
    left: Option<String>,
    rules: Vec<WrittenRule>,
    problems: Vec<GrammarProblem>,
}

impl Reader {
    fn read_line(&mut self, line: &str) -> Result<(), Mismatch> {
        let tokens = tokens(line)?;
        let alternatives = match tokens.as_slice() {
            [] => return Ok(()),
            [Token::Bar, rest @ ..] => rest,
            [Token::Name(left), Token::Arrow, rest @ ..] => {
                self.left = Some(left.clone());
                rest
            }
            [Token::Name(_), rest @ ..] => return Err(("-> after the nonterminal", first(rest))),
            other => return Err(("a nonterminal, or | to continue", first(other))),
        };
        let left = self.left.clone().ok_or(("a nonterminal before the first |", "|".to_owned()))?;
        for alternative in alternatives.split(|token| *token == Token::Bar) {
            let (right, weight) = alternative_of(alternative)?;
            self.rules.push(WrittenRule { line: self.line, left: left.clone(), right, weight });
        }
        Ok(())
    }
}

fn first(tokens: &[Token]) -> String {
    tokens.first().map_or("the end of the line".to_owned(), Token::describe)
}

/// The symbols and the weight of one alternative.
fn alternative_of(tokens: &[Token]) -> Result<(Vec<WrittenSymbol>, Option<f64>), Mismatch> {
    let (symbols, weight) = match tokens {
        [symbols @ .., Token::Weight(weight)] => (symbols, Some(*weight)),
        symbols => (symbols, None),
    };
    match symbols {
        [] => Err(("symbols, or ε for nothing", first(&tokens[symbols.len()..]))),
        [Token::Empty] => Ok((Vec::new(), weight)),
        symbols => Ok((symbols.iter().map(symbol).collect::<Result<_, _>>()?, weight)),
    }
}

fn symbol(token: &Token) -> Result<WrittenSymbol, Mismatch> {
    match token {
        Token::Name(name) => Ok(WrittenSymbol::Nonterminal(name.clone())),
        Token::Quoted(word) => Ok(WrittenSymbol::Terminal(word.clone())),
        Token::Empty => Err(("ε alone, without other symbols", token.describe())),
        Token::Weight(_) => Err(("one probability at the end of the rule", token.describe())),
        Token::Arrow | Token::Bar => Err(("a symbol", token.describe())),
    }
}

fn tokens(line: &str) -> Result<Vec<Token>, Mismatch> {
    let mut tokens = Vec::new();
    let mut rest = line.trim_start();
    while let Some(next) = rest.chars().next() {
        let (token, length) = match next {
            '#' => break,
            '\'' | '"' => quoted(rest, next)?,
            '[' => weight(rest)?,
            '|' => (Token::Bar, 1),
            '→' => (Token::Arrow, next.len_utf8()),
            _ if rest.starts_with("->") => (Token::Arrow, 2),
            _ => name(rest)?,
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// A nonterminal: anything up to white space or a character with a meaning.
fn name(rest: &str) -> Result<(Token, usize), Mismatch> {
    let special = |c: char| c.is_whitespace() || "|[]'\"#→".contains(c);
    let end = rest.find(special).unwrap_or(rest.len());
    let end = rest[..end].find("->").unwrap_or(end);
    match &rest[..end] {
        "" => Err(("a symbol", rest.chars().take(1).collect())),
        "ε" => Ok((Token::Empty, end)),
        name => Ok((Token::Name(name.to_owned()), end)),
    }
}

fn weight(rest: &str) -> Result<(Token, usize), Mismatch> {
    let end = rest.find(']').ok_or(("] after the probability", rest.to_owned()))?;
    let inside = rest[1..end].trim();
    match inside.parse::<f64>() {
        Ok(weight) if weight >= 0.0 && weight.is_finite() => Ok((Token::Weight(weight), end + 1)),
        _ => Err(("a number of at least 0 in brackets", format!("[{inside}]"))),
    }
}

/// A terminal in quotes; a backslash stands before a quote, a backslash, `n` and `t`.
fn quoted(rest: &str, quote: char) -> Result<(Token, usize), Mismatch> {
    let mut word = String::new();
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        match c {
            _ if c == quote && word.is_empty() => return Ok((Token::Empty, at + 1)),
            _ if c == quote => return Ok((Token::Quoted(word), at + 1)),
            '\\' => match characters.next() {
                Some((_, 'n')) => word.push('\n'),
                Some((_, 't')) => word.push('\t'),
                Some((_, escaped @ ('\\' | '\'' | '"'))) => word.push(escaped),
                other => {
                    let got =
                        other.map_or("the end of the line".to_owned(), |(_, c)| c.to_string());
                    return Err(("\\n, \\t or a quote after the backslash", got));
                }
            },
            c => word.push(c),
        }
    }
    Err(("a closing quote", rest.to_owned()))
}

/// `word` as [`read`] reads it back.
pub(super) fn quote(word: &str) -> String {
    let mut out = String::from("'");
    for c in word.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\\' | '\'' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}
