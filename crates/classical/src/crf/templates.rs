//! What a tagger looks at: properties of a token and its neighbours, in a notation for configuration files.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ClassicalError;

/// One or more properties of tokens at distances from the one to be tagged, which together make
/// a feature: `lower[-1]+lower[0]`.
///
/// | property | what it says of a token |
/// |---|---|
/// | `word` | the token itself |
/// | `lower` | the token in lower case, each digit as 0 |
/// | `shape` | upper-case letters as X, others as x, digits as 0, the rest as it is |
/// | `outline` | the shape, each run of a character once |
/// | `classes` | which of X, x, 0, hyphen and other characters there are |
/// | `prefixN`, `suffixN` | the first or last N characters of `lower`, if it has more |
/// | `runN` | every run of N characters of `lower` between `<` and `>`; only by itself |
///
/// Outside of the sentence every property is `<s>` or `</s>`; `runN` makes no feature there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template {
    parts: Vec<(Property, isize)>,
    /// How it is written, which also sets its features apart from those of others.
    name: String,
}

/// Something that can be said of a token: see [`Template`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Property {
    Word,
    Lower,
    Shape,
    Outline,
    Classes,
    Prefix(usize),
    Suffix(usize),
    Run(usize),
}

impl Template {
    /// What serves for names of drugs, diseases, people or places in any language with spaces: the word
    /// and those up to two places away, pairs of neighbours, shapes, beginnings, endings and inner runs.
    pub fn entities() -> Vec<Self> {
        let mut names: Vec<String> = Vec::new();
        for at in -2..=2 {
            names.extend(["lower", "outline"].map(|property| format!("{property}[{at}]")));
        }
        names.extend(["word[0]", "shape[0]", "classes[0]"].map(str::to_owned));
        for length in 1..=5 {
            names.extend(["prefix", "suffix"].map(|property| format!("{property}{length}[0]")));
        }
        for at in [-1, 1] {
            names.extend([2, 3, 4].map(|length| format!("suffix{length}[{at}]")));
            names.push(format!("prefix3[{at}]"));
        }
        names.extend([3, 4].map(|length| format!("run{length}[0]")));
        for (from, to) in [(-2, -1), (-1, 0), (0, 1), (1, 2), (-1, 1)] {
            names.push(format!("lower[{from}]+lower[{to}]"));
            names.push(format!("outline[{from}]+outline[{to}]"));
        }
        names.push("outline[-1]+outline[0]+outline[1]".to_owned());
        names.iter().map(|name| name.parse().expect("names of this crate are right")).collect()
    }

    /// Calls `found` with every feature that the template makes of a position.
    pub(super) fn each(&self, tokens: &[Token], position: usize, found: &mut dyn FnMut(&str)) {
        let mut feature = format!("{}=", self.name);
        if let [(Property::Run(length), at)] = self.parts[..] {
            let Some(token) = position.checked_add_signed(at).and_then(|at| tokens.get(at)) else {
                return;
            };
            let start = feature.len();
            token.each_run(length, &mut |run| {
                feature.truncate(start);
                feature.push_str(run);
                found(&feature);
            });
            return;
        }
        for (index, &(property, at)) in self.parts.iter().enumerate() {
            if index > 0 {
                feature.push('|');
            }
            match position.checked_add_signed(at) {
                None => feature.push_str("<s>"),
                Some(at) if at >= tokens.len() => feature.push_str("</s>"),
                Some(at) => match tokens[at].value(property) {
                    Some(value) => feature.push_str(value),
                    None => return,
                },
            }
        }
        found(&feature);
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word => f.write_str("word"),
            Self::Lower => f.write_str("lower"),
            Self::Shape => f.write_str("shape"),
            Self::Outline => f.write_str("outline"),
            Self::Classes => f.write_str("classes"),
            Self::Prefix(length) => write!(f, "prefix{length}"),
            Self::Suffix(length) => write!(f, "suffix{length}"),
            Self::Run(length) => write!(f, "run{length}"),
        }
    }
}

impl Property {
    fn read(name: &str) -> Option<Self> {
        let length = |kind: &str| {
            let length: Option<usize> = name.strip_prefix(kind)?.parse().ok();
            length.filter(|length| *length > 0)
        };
        match name {
            "word" => Some(Self::Word),
            "lower" => Some(Self::Lower),
            "shape" => Some(Self::Shape),
            "outline" => Some(Self::Outline),
            "classes" => Some(Self::Classes),
            _ => length("prefix")
                .map(Self::Prefix)
                .or_else(|| length("suffix").map(Self::Suffix))
                .or_else(|| length("run").map(Self::Run)),
        }
    }
}

impl FromStr for Template {
    type Err = ClassicalError;

    fn from_str(text: &str) -> Result<Self, ClassicalError> {
        let wrong = || ClassicalError::Template { text: text.to_owned() };
        // A sign may stand in the brackets, so parts end with those and not at a `+`.
        let part = |(index, part): (usize, &str)| -> Option<(Property, isize)> {
            let part = part.trim();
            let part = if index == 0 { part } else { part.strip_prefix('+')?.trim_start() };
            let (property, at) = part.strip_suffix(']')?.split_once('[')?;
            Some((Property::read(property)?, at.parse().ok()?))
        };
        let parts: Option<Vec<_>> = text.split_inclusive(']').enumerate().map(part).collect();
        let parts = parts.filter(|parts| !parts.is_empty()).ok_or_else(wrong)?;
        let has_run = parts.iter().any(|(property, _)| matches!(property, Property::Run(_)));
        if has_run && parts.len() > 1 {
            return Err(wrong());
        }
        let names: Vec<String> = parts.iter().map(|(of, at)| format!("{of}[{at}]")).collect();
        Ok(Self { parts, name: names.join("+") })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A token with what is said of it.
pub(super) struct Token<'a> {
    word: &'a str,
    lower: String,
    shape: String,
    outline: String,
    classes: String,
}

impl<'a> Token<'a> {
    pub(super) fn new(word: &'a str) -> Self {
        let to_zero = |c: char| if c.is_numeric() { '0' } else { c };
        let shape: String = word.chars().map(shape_of).collect();
        let mut outline: Vec<char> = shape.chars().collect();
        outline.dedup();
        let mut classes: Vec<char> = word.chars().map(class_of).collect();
        classes.sort_unstable();
        classes.dedup();
        Self {
            word,
            lower: word.to_lowercase().chars().map(to_zero).collect(),
            shape,
            outline: outline.into_iter().collect(),
            classes: classes.into_iter().collect(),
        }
    }

    /// What a property says, if anything.
    fn value(&self, property: Property) -> Option<&str> {
        match property {
            Property::Word => Some(self.word),
            Property::Lower => Some(&self.lower),
            Property::Shape => Some(&self.shape),
            Property::Outline => Some(&self.outline),
            Property::Classes => Some(&self.classes),
            Property::Prefix(length) => {
                let (end, _) = self.lower.char_indices().nth(length)?;
                Some(&self.lower[..end])
            }
            Property::Suffix(length) => {
                let (start, _) = self.lower.char_indices().rev().nth(length - 1)?;
                (start > 0).then(|| &self.lower[start..])
            }
            Property::Run(_) => None,
        }
    }

    /// Calls `found` with every run of `length` characters.
    fn each_run(&self, length: usize, found: &mut dyn FnMut(&str)) {
        let marked = format!("<{}>", self.lower);
        let mut cuts: Vec<usize> = marked.char_indices().map(|(at, _)| at).collect();
        cuts.push(marked.len());
        for cut in cuts.windows(length + 1) {
            found(&marked[cut[0]..cut[length]]);
        }
    }
}

fn shape_of(c: char) -> char {
    match c {
        _ if c.is_uppercase() => 'X',
        _ if c.is_alphabetic() => 'x',
        _ if c.is_numeric() => '0',
        _ => c,
    }
}

fn class_of(c: char) -> char {
    match shape_of(c) {
        shape @ ('X' | 'x' | '0') => shape,
        '-' => '-',
        _ => '.',
    }
}

impl TryFrom<String> for Template {
    type Error = ClassicalError;

    fn try_from(text: String) -> Result<Self, ClassicalError> {
        text.parse()
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(template: &str, sentence: &str, position: usize) -> Vec<String> {
        let tokens: Vec<Token> = sentence.split(' ').map(Token::new).collect();
        let template: Template = template.parse().unwrap();
        let mut all = Vec::new();
        template.each(&tokens, position, &mut |feature| all.push(feature.to_owned()));
        all
    }

    #[test]
    fn properties_of_a_token() {
        let of = |property: &str| features(&format!("{property}[0]"), "N-Acetyl42β", 0);
        assert_eq!(of("word"), ["word[0]=N-Acetyl42β"]);
        assert_eq!(of("lower"), ["lower[0]=n-acetyl00β"]);
        assert_eq!(of("shape"), ["shape[0]=X-Xxxxxx00x"]);
        assert_eq!(of("outline"), ["outline[0]=X-Xx0x"]);
        assert_eq!(of("classes"), ["classes[0]=-0Xx"]);
        assert_eq!(of("prefix2"), ["prefix2[0]=n-"]);
        assert_eq!(of("suffix2"), ["suffix2[0]=0β"]);
        assert!(of("prefix11").is_empty() && of("suffix11").is_empty());
        assert_eq!(features("run3[0]", "né", 0), ["run3[0]=<né", "run3[0]=né>"]);
        assert!(features("run5[0]", "né", 0).is_empty());
    }

    #[test]
    fn neighbours_and_the_ends_of_a_sentence() {
        let pair = "lower[-1]+lower[0]";
        assert_eq!(features(pair, "The cat", 1), ["lower[-1]+lower[0]=the|cat"]);
        assert_eq!(features(pair, "The cat", 0), ["lower[-1]+lower[0]=<s>|the"]);
        assert_eq!(features("word[2]", "The cat", 0), ["word[2]=</s>"]);
        assert!(features("run3[-1]", "The cat", 0).is_empty());
    }

    #[test]
    fn templates_are_written_as_they_are_read() {
        for text in ["word[0]", "prefix3[-1]+outline[2]", "run4[1]"] {
            let template: Template = text.parse().unwrap();
            assert_eq!(template.to_string(), text);
        }
        assert_eq!(" lower[+1] + word[0]".parse::<Template>().unwrap().name, "lower[1]+word[0]");
        for text in
            ["", "word", "word[]", "colour[0]", "prefix0[0]", "prefix[0]", "run3[0]+word[0]"]
        {
            assert!(text.parse::<Template>().is_err(), "{text}");
        }
        assert!(Template::entities().len() > 30);
    }
}
