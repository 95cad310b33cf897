//! What `--model` names: a path, a run, or a model of the Hugging Face Hub.
//!
//! The Hub's own variables say where its cache is (`HF_HUB_CACHE`, else `HF_HOME`, else `~/.cache/huggingface`), where
//! the Hub is (`HF_ENDPOINT`), and whether to stay offline (`HF_HUB_OFFLINE`).

use std::path::{Path, PathBuf};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wuji::hub::{DownloadEvent, Hub, ModelName};

use crate::common::Common;

/// `path`, or the model in it where it is a run directory.
pub fn model_dir(path: &Path) -> PathBuf {
    let of_run = path.join("model");
    let is_run = !path.join("config.json").exists() && of_run.join("config.json").is_file();
    if is_run { of_run } else { path.to_path_buf() }
}

/// The model that `given` names, as a path. A name of the Hub is downloaded unless it is in the cache.
///
/// What is neither there nor such a name stays as it is: whoever opens it says so.
pub fn model_path(given: &Path, common: &Common) -> Result<PathBuf> {
    let name = given.to_str().and_then(|text| text.parse::<ModelName>().ok());
    let (Some(name), false, Some(cache)) = (name, given.exists(), cache()) else {
        return Ok(model_dir(given));
    };
    let offline = variable("HF_HUB_OFFLINE").is_some_and(|value| value != "0");
    let mut hub = Hub::new(cache).offline(offline);
    if let Some(endpoint) = variable("HF_ENDPOINT") {
        hub = hub.with_endpoint(endpoint);
    }
    let mut bar = DownloadBar::new(common.quiet);
    let path = hub.resolve(&name, &mut |event| bar.show(&event))?;
    Ok(model_dir(&path))
}

/// The cache's folder, unless there is not even a home.
fn cache() -> Option<PathBuf> {
    let path = |name| variable(name).map(PathBuf::from);
    let home = || path("HOME").or_else(|| path("USERPROFILE"));
    let general = || path("XDG_CACHE_HOME").or_else(|| Some(home()?.join(".cache")));
    let of_hugging_face = || path("HF_HOME").or_else(|| Some(general()?.join("huggingface")));
    path("HF_HUB_CACHE").or_else(|| Some(of_hugging_face()?.join("hub")))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A bar for each file.
struct DownloadBar {
    quiet: bool,
    bar: ProgressBar,
}

impl DownloadBar {
    fn new(quiet: bool) -> Self {
        Self { quiet, bar: ProgressBar::hidden() }
    }

    fn show(&mut self, event: &DownloadEvent<'_>) {
        match event {
            DownloadEvent::Begins { file, bytes } => self.begin(file, *bytes),
            DownloadEvent::Received(bytes) => self.bar.inc(*bytes),
            DownloadEvent::Ends => self.bar.finish_and_clear(),
        }
    }

    fn begin(&mut self, file: &str, bytes: u64) {
        if self.quiet {
            return;
        }
        // hf-hub begins a file twice: before it asks, and when bytes come.
        if self.bar.message() != file {
            eprintln!("· downloading {file}");
        }
        let target = ProgressDrawTarget::stderr();
        let style = "  {bar:24} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
        self.bar = ProgressBar::with_draw_target(Some(bytes), target)
            .with_style(ProgressStyle::with_template(style).expect("the template is valid"))
            .with_message(file.to_string());
    }
}
