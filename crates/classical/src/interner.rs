//! Names and their numbers.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// Different names, numbered from 0. Saved as the list of names.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct Interner {
    names: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Interner {
    /// The different ones of `names`, in alphabetic order.
    pub fn sorted(mut names: Vec<String>) -> Self {
        names.sort_unstable();
        names.dedup();
        names.into()
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// All names in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The number of a name.
    pub fn number(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }
}

impl From<Vec<String>> for Interner {
    /// Keeps the order; no name may be there twice.
    fn from(names: Vec<String>) -> Self {
        let numbers = names.iter().cloned().zip(0..).collect();
        Self { names, numbers }
    }
}

impl From<Interner> for Vec<String> {
    fn from(interner: Interner) -> Self {
        interner.names
    }
}
