//! The presets that come with the binary.

/// A named config.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    /// Its name in `--preset`.
    pub name: &'static str,
    /// What it is for, in a line: the first comment of its file.
    pub summary: &'static str,
    /// Its TOML.
    pub text: &'static str,
}

macro_rules! presets {
    ($($name:literal: $summary:literal),* $(,)?) => {
        /// All presets, default first.
        pub const PRESETS: &[Preset] = &[$(Preset {
            name: $name,
            summary: $summary,
            text: include_str!(concat!("../../presets/", $name, ".toml")),
        }),*];
    };
}

presets! {
    "quickstart": "a few minutes on two cores, on the embedded story world, with nothing to download",
    "shakespeare-char-cpu": "nanoGPT's documented CPU run, to the letter",
    "shakespeare-char-best": "better than nanoGPT's documented runs, in under half an hour on two cores",
    "chinese-poetry": "classical Chinese poems with a byte-level BPE vocabulary",
    "tiny": "a minute of nothing in particular: for tests and for trying things out",
}
