//! Names and their numbers.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// Names in ascending order, numbered from 0. Saved as the list of names.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct Interner {
    names: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Interner {
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
    fn from(mut names: Vec<String>) -> Self {
        names.sort_unstable();
        names.dedup();
        let numbers = names.iter().cloned().zip(0..).collect();
        Self { names, numbers }
    }
}

impl From<Interner> for Vec<String> {
    fn from(interner: Interner) -> Self {
        interner.names
    }
}
