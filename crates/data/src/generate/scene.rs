//! The cast of one story: what each role is, and how it is written in a given form.

use std::sync::Arc;

use super::english;
use super::lexicon::{Entry, Lexicon};
use super::role::{Adjective, Casting, Role};
use crate::dice::Dice;

/// Attempts at a word that is not taken yet.
const ATTEMPTS: usize = 20;

/// Roles and what they are in one story, in the order of their declaration.
#[derive(Debug, Default)]
pub(super) struct Scene {
    cast: Vec<(String, Value)>,
}

/// What a role is.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// A word of a class, perhaps with an adjective.
    Word { entry: Arc<Entry>, adjective: Option<Arc<Entry>> },
    /// A number.
    Number(u32),
    /// An attribute of another role.
    Text(String),
}

impl Scene {
    /// Casts all roles, or `None` when they do not fit together this time (a negative number, no word left, or a
    /// class or role that does not exist, which [`super::Grammar`] has ruled out).
    pub fn cast(roles: &[Role], lexicon: &Lexicon, dice: &mut Dice) -> Option<Self> {
        let mut scene = Self::default();
        for role in roles {
            match &role.casting {
                Casting::Shuffle(names) => scene.shuffle(&role.names, names, dice)?,
                casting => {
                    let value = scene.value(casting, lexicon, dice)?;
                    scene.cast.push((role.names[0].clone(), value));
                }
            }
        }
        Some(scene)
    }

    /// What `role` is.
    pub fn get(&self, role: &str) -> Option<&Value> {
        self.cast.iter().find(|(name, _)| name == role).map(|(_, value)| value)
    }

    /// Every role with what it is, in plain words (numbers in digits).
    pub fn facts(&self) -> impl Iterator<Item = (String, String)> + '_ {
        self.cast.iter().map(|(name, value)| {
            let fact = match value {
                Value::Word { entry, adjective } => phrase(adjective.as_deref(), &entry.word),
                Value::Number(n) => n.to_string(),
                Value::Text(text) => text.clone(),
            };
            (name.clone(), fact)
        })
    }

    fn number(&self, role: &str) -> Option<u32> {
        if let Value::Number(n) = self.get(role)? { Some(*n) } else { None }
    }

    fn shuffle(&mut self, names: &[String], roles: &[String], dice: &mut Dice) -> Option<()> {
        let mut values: Vec<Value> =
            roles.iter().map(|role| self.get(role).cloned()).collect::<Option<_>>()?;
        dice.shuffle(&mut values);
        self.cast.extend(names.iter().cloned().zip(values));
        Some(())
    }

    fn value(&self, casting: &Casting, lexicon: &Lexicon, dice: &mut Dice) -> Option<Value> {
        Some(match casting {
            Casting::Word { class, adjective } => {
                let adjective = match adjective {
                    None => None,
                    Some(Adjective::Class(class)) => Some(dice.pick(lexicon.class(class)?).clone()),
                    Some(Adjective::Role(role)) => match self.get(role)? {
                        Value::Word { entry, .. } => Some(entry.clone()),
                        _ => return None,
                    },
                };
                Value::Word { entry: self.new_word(lexicon.class(class)?, dice)?, adjective }
            }
            Casting::Attribute { role, attribute } => match self.get(role)? {
                Value::Word { entry, .. } => {
                    Value::Text(self.new_text(entry.attribute(attribute)?, dice)?)
                }
                _ => return None,
            },
            Casting::Number { low, high, below } => {
                let high = match below {
                    Some(role) => (*high).min(self.number(role)?.checked_sub(1)?),
                    None => *high,
                };
                if *low > high {
                    return None;
                }
                Value::Number(dice.between(*low, high))
            }
            Casting::Sum { left, operator, right } => {
                Value::Number(operator.apply(self.number(left)?, self.number(right)?)?)
            }
            Casting::Shuffle(_) => return None,
        })
    }

    /// A word that no other role has: two heroes of one name would confuse every reader.
    fn new_word(&self, class: &[Arc<Entry>], dice: &mut Dice) -> Option<Arc<Entry>> {
        let taken = |word: &str| {
            self.cast
                .iter()
                .any(|(_, value)| matches!(value, Value::Word { entry, .. } if entry.word == word))
        };
        (0..ATTEMPTS).map(|_| dice.pick(class)).find(|entry| !taken(&entry.word)).cloned()
    }

    /// An attribute that no other role is: one spot hides one child.
    fn new_text(&self, alternatives: &[String], dice: &mut Dice) -> Option<String> {
        let taken = |text: &str| {
            self.cast.iter().any(|(_, value)| matches!(value, Value::Text(other) if other == text))
        };
        (0..ATTEMPTS).map(|_| dice.pick(alternatives)).find(|text| !taken(text)).cloned()
    }

    /// Writes `value` in a form, or `None` when it has no such form.
    pub fn render(
        &self,
        value: &Value,
        form: Option<&str>,
        argument: Option<&str>,
        dice: &mut Dice,
    ) -> Option<String> {
        match value {
            Value::Word { entry, adjective } => {
                let count = argument.map(|role| self.number(role).ok_or(())).transpose().ok()?;
                render_word(entry, adjective.as_deref(), form, count, dice)
            }
            Value::Number(n) => render_number(*n, form),
            Value::Text(text) => render_text(text, form),
        }
    }
}

/// The word of a class on its own, without any role.
pub(super) fn render_any(entry: &Entry, form: Option<&str>, dice: &mut Dice) -> Option<String> {
    render_word(entry, None, form, None, dice)
}

fn phrase(adjective: Option<&Entry>, noun: &str) -> String {
    match adjective {
        Some(adjective) => format!("{} {noun}", adjective.word),
        None => noun.to_owned(),
    }
}

fn render_word(
    entry: &Entry,
    adjective: Option<&Entry>,
    form: Option<&str>,
    count: Option<u32>,
    dice: &mut Dice,
) -> Option<String> {
    let noun = || if count.is_some_and(|n| n != 1) { entry.plural() } else { entry.word.clone() };
    match form {
        Some("counted") => {
            Some(format!("{} {}", english::number_word(count?), phrase(adjective, &noun())))
        }
        Some("noun") => Some(noun()),
        Some("adjective") => Some(adjective?.word.clone()),
        Some("plural") => Some(phrase(adjective, &entry.plural())),
        Some(form @ ("they" | "them" | "their" | "theirs" | "themself")) => {
            let gender = entry.attribute("gender")?.first()?;
            english::pronoun(gender, form).map(str::to_owned)
        }
        Some(form) if entry.attribute(form).is_some() => entry.pick(form, dice).map(str::to_owned),
        Some(form) if form.starts_with("a_") => {
            entry.pick(&form[2..], dice).map(english::with_article)
        }
        _ => render_text(&phrase(adjective, &entry.word), form),
    }
}

fn render_number(n: u32, form: Option<&str>) -> Option<String> {
    Some(match form {
        None => english::number_word(n),
        Some("digits") => n.to_string(),
        Some("ordinal") => english::ordinal_word(n),
        Some("times") => english::times_word(n),
        Some("was") => if n == 1 { "was" } else { "were" }.to_owned(),
        Some("is") => if n == 1 { "is" } else { "are" }.to_owned(),
        _ => return None,
    })
}

fn render_text(text: &str, form: Option<&str>) -> Option<String> {
    Some(match form {
        None => text.to_owned(),
        Some("a") => english::with_article(text),
        Some("the") => format!("the {text}"),
        Some("s") => format!("{text}'s"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEXICON: &str = "
        [person]
        columns = ['word', 'gender']
        rows = '''
        Ann | she
        Bob | he
        Cy | he
        '''
        [thing]
        columns = ['word', 'plural', 'use']
        rows = 'knife | knives | cut'
        [colour]
        rows = 'orange'
    ";

    fn scene(roles: &[&str]) -> (Scene, Dice) {
        let lexicon = Lexicon::parse("test", LEXICON).unwrap();
        let roles: Vec<Role> =
            roles.iter().map(|text| Role::parse(text, "test").unwrap()).collect();
        let mut dice = Dice::new(5, 0);
        (Scene::cast(&roles, &lexicon, &mut dice).expect("castable"), dice)
    }

    #[test]
    fn every_form_is_written() {
        let (scene, mut dice) = scene(&[
            "who = person",
            "it = thing with colour",
            "n = 3..3",
            "one = 1..1",
            "use = it.use",
        ]);
        for (role, form, argument, expected) in [
            ("it", None, None, Some("orange knife")),
            ("it", Some("a"), None, Some("an orange knife")),
            ("it", Some("the"), None, Some("the orange knife")),
            ("it", Some("noun"), None, Some("knife")),
            ("it", Some("adjective"), None, Some("orange")),
            ("it", Some("plural"), None, Some("orange knives")),
            ("it", Some("counted"), Some("n"), Some("three orange knives")),
            ("it", Some("counted"), Some("one"), Some("one orange knife")),
            ("it", Some("use"), None, Some("cut")),
            ("it", Some("a_use"), None, Some("a cut")),
            ("it", Some("they"), None, None),
            ("it", Some("counted"), None, None),
            ("it", Some("noun"), Some("who"), None),
            ("n", None, None, Some("three")),
            ("n", Some("ordinal"), None, Some("third")),
            ("one", Some("was"), None, Some("was")),
            ("n", Some("a"), None, None),
            ("use", Some("a"), None, Some("a cut")),
        ] {
            let value = scene.get(role).unwrap();
            assert_eq!(
                scene.render(value, form, argument, &mut dice).as_deref(),
                expected,
                "{role} {form:?} {argument:?}"
            );
        }
    }

    #[test]
    fn nobody_is_cast_twice_and_a_shuffle_permutes() {
        let (scene, _) =
            scene(&["a = person", "b = person", "c = person", "x y z = shuffle a b c"]);
        let facts: Vec<String> = scene.facts().map(|(_, fact)| fact).collect();
        for trio in [&facts[..3], &facts[3..]] {
            let mut trio = trio.to_vec();
            trio.sort();
            assert_eq!(trio, ["Ann", "Bob", "Cy"]);
        }
    }

    #[test]
    fn a_cast_that_cannot_be_is_refused() {
        let lexicon = Lexicon::parse("test", LEXICON).unwrap();
        for roles in [
            &["a = 1..1", "b = 2..2", "c = a - b"][..],
            &["a = colour", "b = colour"],
            &["a = 1..1", "b = 1..5 < a"],
        ] {
            let roles: Vec<Role> =
                roles.iter().map(|text| Role::parse(text, "test").unwrap()).collect();
            assert!(Scene::cast(&roles, &lexicon, &mut Dice::new(0, 0)).is_none());
        }
    }
}
