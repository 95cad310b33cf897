//! What can be wrong with a grammar file.

/// A grammar file is malformed; every message names the file and the key.
#[derive(Debug, thiserror::Error)]
pub enum GrammarError {
    /// The file is not TOML, or not of the expected shape.
    #[error("{file}: {source}")]
    Toml {
        /// The grammar file.
        file: String,
        /// What the TOML reader says, with line and column.
        source: Box<toml::de::Error>,
    },
    /// A template does not parse.
    #[error("{place}, byte {offset}: {problem} in {text:?}")]
    Template {
        /// The file and the key.
        place: String,
        /// Where in `text` the problem is.
        offset: usize,
        /// The template.
        text: String,
        /// What is wrong.
        problem: String,
    },
    /// A row of a word class has the wrong shape.
    #[error("{file}, class {class}: {problem}: {line:?}")]
    Row {
        /// The grammar file.
        file: String,
        /// The class.
        class: String,
        /// The row.
        line: String,
        /// What is wrong.
        problem: String,
    },
    /// The line that declares a role is malformed.
    #[error("{place}: {problem} in the role {text:?}")]
    Role {
        /// The file and the key.
        place: String,
        /// The declaration.
        text: String,
        /// What is wrong.
        problem: String,
    },
    /// Something is used that nothing defines.
    #[error("{file}, {key}: no {kind} is called {name:?}")]
    Unknown {
        /// The grammar file.
        file: String,
        /// Where it is used.
        key: String,
        /// What it would have to be: class, rule, role, form.
        kind: &'static str,
        /// The name that is used.
        name: String,
    },
    /// A plot has nothing to tell, or a rule calls itself.
    #[error("{file}, {key}: {problem}")]
    Plot {
        /// The grammar file.
        file: String,
        /// The key.
        key: String,
        /// What is wrong.
        problem: String,
    },
}

impl GrammarError {
    pub(super) fn toml(file: &str, source: toml::de::Error) -> Self {
        Self::Toml { file: file.to_owned(), source: Box::new(source) }
    }

    pub(super) fn row(file: &str, class: &str, line: &str, problem: &str) -> Self {
        Self::Row {
            file: file.to_owned(),
            class: class.to_owned(),
            line: line.to_owned(),
            problem: problem.to_owned(),
        }
    }

    pub(super) fn role(place: &str, text: &str, problem: &str) -> Self {
        Self::Role { place: place.to_owned(), text: text.to_owned(), problem: problem.to_owned() }
    }

    pub(super) fn unknown(file: &str, key: &str, kind: &'static str, name: &str) -> Self {
        Self::Unknown { file: file.to_owned(), key: key.to_owned(), kind, name: name.to_owned() }
    }

    pub(super) fn plot(file: &str, key: &str, problem: &str) -> Self {
        Self::Plot { file: file.to_owned(), key: key.to_owned(), problem: problem.to_owned() }
    }
}
