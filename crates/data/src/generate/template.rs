//! The template language of the grammar files, parsed to a small syntax tree.
//!
//! | written | means |
//! |---|---|
//! | `{item}` `{item.the}` `{hero.they}` | a role of the story in some form |
//! | `{duck.sound}` `{duck.a_young}` | an attribute, bare or with an article |
//! | `{shell.counted:n}` | a form that needs another role (here: as many as `n`) |
//! | `{~flower.plural}` | any word of a class, forgotten at once |
//! | `{#rule}` `{#rule who=friend}` | an alternative of a rule, in which `who` stands for `friend` |
//! | `[a\|b\|]` | one of the alternatives, the last of which is empty |
//!
//! A capital in a role, form or rule name (`{Item.the}`, `{hero.They}`, `{#Rule}`) capitalises what it yields.

use super::GrammarError;

/// A parsed template: pieces to be written one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(pub(super) Vec<Node>);

/// One piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// Text that stands for itself.
    Text(String),
    /// One of several templates, chosen at random.
    Choice(Vec<Template>),
    /// A role, or a word of a class, in a form.
    Slot(Slot),
    /// An alternative of a rule.
    Call(Call),
}

/// A role in a form, as in `{item.the}`, or any word of a class, as in `{~flower}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    pub source: Source,
    pub form: Option<String>,
    pub argument: Option<String>,
    pub capital: bool,
}

/// What a slot writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// Someone or something cast for the whole story.
    Role(String),
    /// A word of this class, picked on the spot.
    AnyOf(String),
}

/// A call of a rule, as in `{#rule who=friend}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub rule: String,
    pub aliases: Vec<(String, String)>,
    pub capital: bool,
}

impl Template {
    /// Parses `text`; `place` names the file and the key it comes from, for error messages.
    ///
    /// # Errors
    /// [`GrammarError::Template`] when brackets do not match or a slot is malformed.
    pub fn parse(text: &str, place: &str) -> Result<Self, GrammarError> {
        let mut parser = Parser { text, at: 0, place };
        let template = parser.sequence(0)?;
        match parser.peek() {
            None => Ok(template),
            Some(c) => Err(parser.error(&format!("unexpected {c:?}"))),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    place: &'a str,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn error(&self, problem: &str) -> GrammarError {
        GrammarError::Template {
            place: self.place.to_owned(),
            offset: self.at,
            text: self.text.to_owned(),
            problem: problem.to_owned(),
        }
    }

    /// Everything up to the end of the text or, inside brackets, up to `|` or `]`.
    fn sequence(&mut self, depth: usize) -> Result<Template, GrammarError> {
        let mut nodes = Vec::new();
        while let Some(c) = self.peek() {
            nodes.push(match c {
                '|' | ']' if depth > 0 => break,
                '|' | ']' | '}' => return Err(self.error(&format!("unexpected {c:?}"))),
                '[' => self.choice(depth)?,
                '{' => self.braces()?,
                _ => self.literal(),
            });
        }
        Ok(Template(nodes))
    }

    fn literal(&mut self) -> Node {
        let rest = &self.text[self.at..];
        let end = rest.find(['[', ']', '{', '}', '|']).unwrap_or(rest.len());
        self.at += end;
        Node::Text(rest[..end].to_owned())
    }

    fn choice(&mut self, depth: usize) -> Result<Node, GrammarError> {
        let mut alternatives = Vec::new();
        loop {
            self.at += 1; // the `[` or `|` that was seen
            alternatives.push(self.sequence(depth + 1)?);
            match self.peek() {
                Some('|') => {}
                Some(_) => break,
                None => return Err(self.error("a `[` is not closed")),
            }
        }
        self.at += 1;
        Ok(Node::Choice(alternatives))
    }

    fn braces(&mut self) -> Result<Node, GrammarError> {
        let rest = &self.text[self.at + 1..];
        let end = rest.find('}').ok_or_else(|| self.error("a `{` is not closed"))?;
        let inside = &rest[..end];
        let node = match inside.strip_prefix('#') {
            Some(call) => self.call(call)?,
            None => self.slot(inside)?,
        };
        self.at += end + 2;
        Ok(node)
    }

    fn slot(&self, inside: &str) -> Result<Node, GrammarError> {
        let (path, argument) = match inside.split_once(':') {
            Some((path, argument)) => (path, Some(self.name(argument)?)),
            None => (inside, None),
        };
        let (source, form) = match path.split_once('.') {
            Some((source, form)) => (source, Some(self.name(form)?)),
            None => (path, None),
        };
        let source = match source.strip_prefix('~') {
            Some(class) => Source::AnyOf(self.name(class)?),
            None => Source::Role(self.name(source)?),
        };
        let capital = path.contains(|c: char| c.is_ascii_uppercase());
        Ok(Node::Slot(Slot { source, form, argument, capital }))
    }

    fn call(&self, inside: &str) -> Result<Node, GrammarError> {
        let mut words = inside.split_whitespace();
        let rule = words.next().ok_or_else(|| self.error("a call names no rule"))?;
        let aliases = words.map(|word| {
            let (alias, role) = word
                .split_once('=')
                .ok_or_else(|| self.error("an alias is not written name=role"))?;
            Ok((self.name(alias)?, self.name(role)?))
        });
        let aliases = aliases.collect::<Result<_, _>>()?;
        Ok(Node::Call(Call {
            rule: self.name(rule)?,
            aliases,
            capital: rule.starts_with(|c: char| c.is_ascii_uppercase()),
        }))
    }

    /// A role, form or rule name in lower case.
    fn name(&self, name: &str) -> Result<String, GrammarError> {
        let valid = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if valid {
            Ok(name.to_ascii_lowercase())
        } else {
            Err(self.error(&format!("{name:?} is not a name")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Template {
        Template::parse(text, "test").expect(text)
    }

    #[test]
    fn slots_calls_and_choices_are_read() {
        let Template(nodes) = parse("{hero.They} had [a|{#Thing who=friend}|] {shell.counted:n}.");
        let slot = |role: &str, form: &str, argument: Option<&str>, capital| {
            Node::Slot(Slot {
                source: Source::Role(role.into()),
                form: Some(form.into()),
                argument: argument.map(Into::into),
                capital,
            })
        };
        let call = Call {
            rule: "thing".into(),
            aliases: vec![("who".into(), "friend".into())],
            capital: true,
        };
        assert_eq!(
            nodes,
            [
                slot("hero", "they", None, true),
                Node::Text(" had ".into()),
                Node::Choice(vec![parse("a"), Template(vec![Node::Call(call)]), parse("")]),
                Node::Text(" ".into()),
                slot("shell", "counted", Some("n"), false),
                Node::Text(".".into()),
            ]
        );
    }

    #[test]
    fn a_word_of_a_class_needs_no_role() {
        let Template(nodes) = parse("{~flower.A}");
        let slot = Slot {
            source: Source::AnyOf("flower".into()),
            form: Some("a".into()),
            argument: None,
            capital: true,
        };
        assert_eq!(nodes, [Node::Slot(slot)]);
    }

    #[test]
    fn mistakes_are_errors_with_their_offset() {
        for (text, offset) in [
            ("a ] b", 2),
            ("[a|b", 4),
            ("x {hero", 2),
            ("{he ro}", 0),
            ("{#}", 0),
            ("{#r who}", 0),
            ("a|b", 1),
            ("{}", 0),
        ] {
            match Template::parse(text, "file: key") {
                Err(GrammarError::Template { place, offset: at, .. }) => {
                    assert_eq!((place.as_str(), at), ("file: key", offset), "{text}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
