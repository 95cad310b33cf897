//! Command lines of runs that are small enough to be made many times over.

use std::path::Path;

use crate::command::Wuji;
use crate::files::names;

/// `wuji train --preset tiny` into `run_dir`, with its result as JSON.
pub fn train(run_dir: &Path) -> Wuji {
    Wuji::new("train").args(&["--preset", "tiny", "--json", "--quiet", "--out"]).arg(run_dir)
}

/// A run of a second: few stories, few words, narrow, no baseline, no samples.
pub fn small(run_dir: &Path, max_steps: u64) -> Wuji {
    let line = train(run_dir)
        .set("data.stories.size={documents=40}")
        .set("tokenizer.vocab_size=300")
        .set("model.n_embd=32")
        .set(format!("training.max_steps={max_steps}"));
    brief(line)
}

/// Without what comes after training.
pub fn brief(line: Wuji) -> Wuji {
    line.set("evaluation.ngram_max_order=0").set("evaluation.samples.prompts=[]")
}

/// `wuji train --resume`.
pub fn resume(run_dir: &Path) -> Wuji {
    Wuji::new("train").args(&["--json", "--quiet", "--resume"]).arg(run_dir)
}

/// The number of the newest finished checkpoint; 0 where there is none.
pub fn last_checkpoint(run_dir: &Path) -> u64 {
    let names = names(&run_dir.join("checkpoints"));
    let steps = names.iter().filter_map(|name| name.strip_prefix("step-")?.parse().ok());
    steps.max().unwrap_or(0)
}
