//! Procedural corpora: text from seeded grammars, so that everything runs on a machine without network or data.
//!
//! [`DatePairs`] are sources and targets for a model that makes texts of texts; all else is stories.
//! [`StoryWorld`] tells children's stories; [`StoryCorpusConfig`] says how many of them make a corpus. The engine is a
//! small probabilistic grammar: a lexicon of word classes with attributes, plots that cast *roles* from it once per
//! story, and templates that write the roles in the form that the sentence needs. All text lives in the TOML files
//! under `stories/`; `Grammar` checks them whole when they are loaded.
//!
//! Invariant: the same seed gives the same bytes on every platform and in every build.

mod corpus;
mod dates;
mod english;
mod error;
mod grammar;
mod lexicon;
mod plots;
mod role;
mod scene;
mod story;
mod teller;
mod template;

pub use corpus::{CorpusSize, StoryCorpusConfig};
pub use dates::DatePairs;
pub use error::GrammarError;
pub use grammar::Grammar;
pub use story::{STORY_WORDS, Story, StoryWorld};

#[cfg(test)]
mod tests;
