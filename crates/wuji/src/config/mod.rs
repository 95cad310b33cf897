//! How a run is described: one TOML file of five sections.
//!
//! A run's config is resolved from layers, each over the one before: a preset, your file, `--set`
//! options. Unknown keys are errors that suggest the nearest known one. What was resolved is saved
//! in the run directory, so that `--resume` needs nothing else.

mod layers;
mod presets;
mod reference;
mod sections;
mod sentence_pairs;
mod suggest;

pub use layers::ConfigLayers;
pub use presets::{PRESETS, Preset};
pub use reference::reference;
pub use sections::{
    DataConfig, EvaluationConfig, PairsConfig, RunConfig, SampleConfig, TokenizerConfig,
    TranslationConfig,
};
