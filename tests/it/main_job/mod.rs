//! The main job through the real command: raw text to a trained, resumable, reported model.

mod families;
mod generating;
mod interruption;
mod one_run_per_directory;
mod pairs;
mod run_directory;
mod runs;
mod unchanged_inputs;

pub use run_directory::steps_in;
pub use runs::{last_checkpoint, resume, small, train};
