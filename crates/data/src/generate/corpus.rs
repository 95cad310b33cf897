//! How much of the story world makes a corpus.

use serde::{Deserialize, Serialize};

use super::StoryWorld;
use crate::source::GeneratedSource;

/// A corpus of generated stories: which world and how much of it.
///
/// ```
/// use wuji_data::generate::{CorpusSize, StoryCorpusConfig};
///
/// let corpus = StoryCorpusConfig { seed: 3, size: CorpusSize::Documents(10) };
/// assert_eq!(corpus.documents().count(), 10);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoryCorpusConfig {
    /// The seed of the world. Default 0.
    pub seed: u64,
    /// Where to stop. Default five million bytes, some seven thousand stories.
    pub size: CorpusSize,
}

/// Where a generated corpus stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CorpusSize {
    /// After this many stories.
    Documents(usize),
    /// With the story that brings the texts to at least this many bytes.
    TargetBytes(usize),
}

impl Default for StoryCorpusConfig {
    fn default() -> Self {
        Self { seed: 0, size: CorpusSize::TargetBytes(5_000_000) }
    }
}

impl StoryCorpusConfig {
    /// The corpus as a source of documents; its fingerprint covers the grammar, the seed and the size.
    #[must_use]
    pub fn source(&self) -> GeneratedSource {
        let grammar = StoryWorld::new(self.seed).grammar().fingerprint();
        let recipe = format!("story world, grammar {grammar}, seed {}, {:?}", self.seed, self.size);
        let config = self.clone();
        GeneratedSource::new("stories", &recipe, move || config.documents())
    }

    /// The stories of the corpus, one document each, told as they are asked for.
    pub fn documents(&self) -> impl Iterator<Item = String> + use<> {
        let world = StoryWorld::new(self.seed);
        let (documents, bytes) = match self.size {
            CorpusSize::Documents(documents) => (documents, usize::MAX),
            CorpusSize::TargetBytes(bytes) => (usize::MAX, bytes),
        };
        let mut told = 0;
        (0..documents as u64).map_while(move |index| {
            if told >= bytes {
                return None;
            }
            let text = world.story(index).text();
            told += text.len();
            Some(text)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corpus_stops_where_it_should() {
        let corpus = StoryCorpusConfig { seed: 1, size: CorpusSize::TargetBytes(10_000) };
        let texts: Vec<String> = corpus.documents().collect();
        let bytes: usize = texts.iter().map(String::len).sum();
        assert!(bytes >= 10_000 && bytes - texts.last().unwrap().len() < 10_000, "{bytes} bytes");
        let shorter = StoryCorpusConfig { size: CorpusSize::Documents(3), ..corpus };
        assert_eq!(
            shorter.documents().collect::<Vec<_>>(),
            texts[..3],
            "a larger corpus continues a smaller one"
        );
    }

    #[test]
    fn the_configuration_is_readable_toml() {
        let config = StoryCorpusConfig { seed: 2, size: CorpusSize::Documents(5) };
        let text = toml::to_string(&config).unwrap();
        assert_eq!(text, "seed = 2\n\n[size]\ndocuments = 5\n");
        assert_eq!(toml::from_str::<StoryCorpusConfig>(&text).unwrap(), config);
        assert_eq!(toml::from_str::<StoryCorpusConfig>("").unwrap(), StoryCorpusConfig::default());
        assert!(toml::from_str::<StoryCorpusConfig>("sead = 1").is_err());
    }
}
