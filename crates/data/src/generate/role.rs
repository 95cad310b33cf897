//! The roles of a plot: who and what takes part, declared one a line and cast anew for every story.
//!
//! ```text
//! hero = person                 a word of a class
//! item = toy with colour        a noun with an adjective
//! gift = toy with @favourite    a noun with the adjective that another role already is
//! spot = place.spot             an attribute of another role
//! found = 2..9                  a number
//! given = 1..5 < found          a number below another one
//! left = found - given          + - * of two numbers
//! first second = shuffle a b    other roles in a random order
//! ```

use super::GrammarError;

/// One declaration: the names it casts and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Role {
    pub names: Vec<String>,
    pub casting: Casting,
}

/// How a role is cast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Casting {
    /// A word of a class that no other role of the story has, perhaps with an adjective.
    Word { class: String, adjective: Option<Adjective> },
    /// An attribute of a role that has been cast.
    Attribute { role: String, attribute: String },
    /// A number from `low` to `high`, and below that of another role.
    Number { low: u32, high: u32, below: Option<String> },
    /// A sum, difference or product.
    Sum { left: String, operator: Operator, right: String },
    /// These roles in a random order.
    Shuffle(Vec<String>),
}

/// Where an adjective comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Adjective {
    /// A class of adjectives.
    Class(String),
    /// A role that is an adjective.
    Role(String),
}

/// What to do with two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
}

impl Operator {
    /// The result, unless it is negative or too large.
    pub fn apply(self, left: u32, right: u32) -> Option<u32> {
        match self {
            Self::Add => left.checked_add(right),
            Self::Subtract => left.checked_sub(right),
            Self::Multiply => left.checked_mul(right),
        }
    }
}

impl Role {
    /// Reads one declaration; `place` is the file and the key, for error messages.
    pub fn parse(text: &str, place: &str) -> Result<Self, GrammarError> {
        let error = |problem: &str| GrammarError::role(place, text, problem);
        let (names, casting) = text.split_once('=').ok_or_else(|| error("there is no `=`"))?;
        let names: Vec<String> = names.split_whitespace().map(str::to_owned).collect();
        let casting = Casting::parse(casting)
            .ok_or_else(|| error("the right-hand side is not understood"))?;
        let cast = if let Casting::Shuffle(roles) = &casting { roles.len() } else { 1 };
        if names.len() != cast {
            return Err(error(&format!("expected {cast} names on the left")));
        }
        Ok(Self { names, casting })
    }
}

impl Casting {
    fn parse(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        Some(match words.as_slice() {
            ["shuffle", roles @ ..] => {
                Self::Shuffle(roles.iter().map(|&role| role.to_owned()).collect())
            }
            [class, "with", adjective] => Self::Word {
                class: (*class).to_owned(),
                adjective: Some(Adjective::parse(adjective)),
            },
            [range, "<", below] => Self::number(range, Some(below))?,
            [left, operator, right] => {
                let operator = match *operator {
                    "+" => Operator::Add,
                    "-" => Operator::Subtract,
                    "*" => Operator::Multiply,
                    _ => return None,
                };
                Self::Sum { left: (*left).to_owned(), operator, right: (*right).to_owned() }
            }
            [range] if range.contains("..") => Self::number(range, None)?,
            [path] => match path.split_once('.') {
                Some((role, attribute)) => {
                    Self::Attribute { role: role.to_owned(), attribute: attribute.to_owned() }
                }
                None => Self::Word { class: (*path).to_owned(), adjective: None },
            },
            _ => return None,
        })
    }

    fn number(range: &str, below: Option<&str>) -> Option<Self> {
        let (low, high) = range.split_once("..")?;
        let (low, high) = (low.parse().ok()?, high.parse().ok()?);
        (low <= high).then(|| Self::Number { low, high, below: below.map(str::to_owned) })
    }
}

impl Adjective {
    fn parse(text: &str) -> Self {
        match text.strip_prefix('@') {
            Some(role) => Self::Role(role.to_owned()),
            None => Self::Class(text.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn casting(text: &str) -> Casting {
        Role::parse(text, "test").expect(text).casting
    }

    #[test]
    fn every_kind_of_declaration_is_read() {
        let word = |class: &str, adjective| Casting::Word { class: class.into(), adjective };
        assert_eq!(casting("hero = person"), word("person", None));
        assert_eq!(
            casting("a = toy with colour"),
            word("toy", Some(Adjective::Class("colour".into())))
        );
        assert_eq!(casting("a = toy with @b"), word("toy", Some(Adjective::Role("b".into()))));
        assert_eq!(
            casting("a = b.spot"),
            Casting::Attribute { role: "b".into(), attribute: "spot".into() }
        );
        assert_eq!(casting("a = 2..9"), Casting::Number { low: 2, high: 9, below: None });
        assert_eq!(
            casting("a = 2..9 < b"),
            Casting::Number { low: 2, high: 9, below: Some("b".into()) }
        );
        assert_eq!(
            casting("a = b - c"),
            Casting::Sum { left: "b".into(), operator: Operator::Subtract, right: "c".into() }
        );
        assert_eq!(casting("a b = shuffle c d"), Casting::Shuffle(vec!["c".into(), "d".into()]));
    }

    #[test]
    fn malformed_declarations_are_errors() {
        for text in
            ["hero", "a = 9..2", "a = x..y", "a = b / c", "a b = person", "a = shuffle b c", "a ="]
        {
            assert!(matches!(Role::parse(text, "test"), Err(GrammarError::Role { .. })), "{text}");
        }
    }

    #[test]
    fn arithmetic_is_checked() {
        assert_eq!(Operator::Subtract.apply(2, 3), None);
        assert_eq!(Operator::Multiply.apply(4, 3), Some(12));
    }
}
