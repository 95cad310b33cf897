//! The story world: an endless, seeded supply of short stories for a small language model.
//!
//! Every story has its own cast and its own facts, and keeps to them: what was lost is what is found, sums are right,
//! pronouns agree. A model that only knows which words follow which cannot get these right; one that remembers the
//! story so far can. The register follows TinyStories (Eldan and Li, 2023); the words are this project's own.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, LazyLock};

use super::Grammar;
use super::english;
use super::grammar::Plot;
use super::scene::Scene;
use super::teller::Teller;
use crate::dice::Dice;

/// The length of a story in words, its title included.
pub const STORY_WORDS: RangeInclusive<usize> = 60..=250;

/// One story in four has a title, so that a model learns both ways to begin.
const TITLE_ONE_IN: usize = 4;

/// Attempts at a story of the right length; one in a dozen or so is too long or cannot be cast.
const MAX_ATTEMPTS: usize = 200;

static EMBEDDED: LazyLock<Arc<Grammar>> = LazyLock::new(|| {
    let grammar = Grammar::parse(
        include_str!("stories/lexicon.toml"),
        include_str!("stories/phrases.toml"),
        &super::plots::PLOTS,
    );
    Arc::new(grammar.expect("the embedded grammar is loaded by every test of this module"))
});

/// A world of stories: story `i` of a seed is the same on every machine and in every run.
///
/// ```
/// use wuji_data::generate::StoryWorld;
///
/// let world = StoryWorld::new(7);
/// let first = world.stories().next().unwrap();
/// assert_eq!(first, world.story(0).text());
/// assert!(first.split_whitespace().count() >= 60);
/// ```
#[derive(Debug, Clone)]
pub struct StoryWorld {
    grammar: Arc<Grammar>,
    seed: u64,
}

/// One story and the facts that it keeps to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// The plot it follows, such as `lost_and_found`.
    pub plot: String,
    /// The title, if it has one.
    pub title: Option<String>,
    /// The paragraphs.
    pub paragraphs: Vec<String>,
    /// Who and what every role of the plot is: `hero` → "Mia", `total` → "12".
    pub facts: BTreeMap<String, String>,
}

impl StoryWorld {
    /// The world of the embedded grammar under `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::with_grammar(EMBEDDED.clone(), seed)
    }

    /// A world of another grammar.
    #[must_use]
    pub fn with_grammar(grammar: Arc<Grammar>, seed: u64) -> Self {
        Self { grammar, seed }
    }

    /// The grammar that the stories follow.
    #[must_use]
    pub fn grammar(&self) -> &Grammar {
        &self.grammar
    }

    /// Story number `index`, without telling the ones before it.
    #[must_use]
    pub fn story(&self, index: u64) -> Story {
        let mut dice = Dice::new(self.seed, index);
        let mut last = None;
        for _ in 0..MAX_ATTEMPTS {
            let plot = self.grammar.pick_plot(&mut dice);
            let Some(story) = self.tell(plot, &mut dice) else { continue };
            if STORY_WORDS.contains(&story.words()) {
                return story;
            }
            last = Some(story);
        }
        last.unwrap_or_default()
    }

    /// All stories from the first on, without end.
    pub fn stories(&self) -> impl Iterator<Item = String> + '_ {
        (0..).map(|index| self.story(index).text())
    }

    fn tell(&self, plot: &Plot, dice: &mut Dice) -> Option<Story> {
        let scene = Scene::cast(&plot.roles, &self.grammar.lexicon, dice)?;
        let has_title = dice.below(TITLE_ONE_IN) == 0;
        let title = dice.pick(&plot.titles).clone();
        let outline = dice.pick(&plot.outlines).clone();
        let facts = scene.facts().collect();
        let mut teller = Teller::new(&self.grammar, plot, &scene, dice);
        let title = has_title.then(|| english::title_case(&teller.tell(&title)));
        let paragraphs = outline
            .iter()
            .map(|template| teller.tell(template))
            .filter(|text| !text.is_empty())
            .collect();
        Some(Story { plot: plot.id.clone(), title, paragraphs, facts })
    }
}

impl Story {
    /// The text as it goes into a corpus: the title if there is one, then the paragraphs, with empty lines between.
    #[must_use]
    pub fn text(&self) -> String {
        let parts: Vec<&str> =
            self.title.iter().chain(&self.paragraphs).map(String::as_str).collect();
        parts.join("\n\n")
    }

    /// Number of words, the title included.
    #[must_use]
    pub fn words(&self) -> usize {
        self.title.iter().chain(&self.paragraphs).map(|text| text.split_whitespace().count()).sum()
    }
}

impl Default for Story {
    /// A story without words.
    fn default() -> Self {
        Self { plot: String::new(), title: None, paragraphs: Vec::new(), facts: BTreeMap::new() }
    }
}
