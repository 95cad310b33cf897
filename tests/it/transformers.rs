//! Hugging Face's own tools on files of this workshop, and files of theirs read here. They need a Python with torch and
//! transformers, which `WUJI_PYTHON` names (`python3` otherwise); where those are missing, that is said.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use wuji::model::weights::TensorFiles;

use crate::command::{Wuji, program};

/// What the scripts end with where Python lacks what they import.
const MISSING_PACKAGES: i32 = 77;

/// Families, their presets, and how weights are made so large that all of them have an effect. T5 does
/// not scale its scores: with wider weights their softmax is so sharp that rounding is felt.
const PRESETS: [(&str, &str, &[&str]); 17] = [
    ("gpt2", "tiny", WIDE),
    ("gpt_neox", "tiny-gpt-neox", WIDE),
    ("llama", "tiny-llama", WIDE),
    ("mistral", "tiny-mistral", WIDE),
    ("qwen2", "tiny-qwen2", WIDE),
    ("qwen3", "tiny-qwen3", WIDE),
    ("glm", "tiny-glm4", &["model.model_type=glm", "model.initializer_range=0.2"]),
    ("glm4", "tiny-glm4", WIDE),
    ("mixtral", "tiny-mixtral", WIDE),
    ("qwen2_moe", "tiny-qwen2-moe", WIDE),
    ("qwen3_moe", "tiny-qwen3-moe", WIDE),
    ("bert", "tiny-bert-pairs", WIDE),
    ("roberta", "tiny-roberta", WIDE),
    ("distilbert", "tiny-distilbert", WIDE),
    ("t5-v1.0", "tiny-t5-v1", WIDE),
    ("t5-v1.1", "tiny-t5", &["model.initializer_range=0.1"]),
    ("marian", "tiny-marian", &["model.init_std=0.2"]),
];

/// Standard deviation of the initial weights.
const WIDE: &[&str] = &["model.initializer_range=0.2"];

/// Runs a script; its standard output, or nothing after saying why it could not be run.
fn python(script: &str, arguments: &[&OsStr]) -> Option<String> {
    let python = std::env::var_os("WUJI_PYTHON").unwrap_or_else(|| "python3".into());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("transformers").join(script);
    let run = match Command::new(&python).arg(&script).args(arguments).output() {
        Ok(run) => run,
        Err(error) => {
            eprintln!("SKIPPED: {}: {error}", python.display());
            return None;
        }
    };
    let [stdout, stderr] = [run.stdout, run.stderr].map(|text| String::from_utf8(text).unwrap());
    if run.status.code() == Some(MISSING_PACKAGES) {
        eprintln!("SKIPPED: {}: {stderr}", python.display());
        return None;
    }
    assert!(run.status.success(), "{}\n{stdout}\n{stderr}", script.display());
    Some(stdout)
}

/// A model after a step of training.
fn train(run: &Path, preset: &str, options: &[&str]) -> PathBuf {
    let line = Wuji::new("train").args(&["--preset", preset, "--json", "--quiet"]);
    let line = line.arg("--out").arg(run);
    let line = [
        "data.stories.size={ documents = 60 }",
        "training.max_steps=1",
        "evaluation.ngram_max_order=0",
        "evaluation.samples.prompts=[]",
    ]
    .iter()
    .chain(options)
    .fold(line, |line, option| line.set(option));
    line.succeed();
    run.join("model")
}

#[test]
fn golden_transformers_loads_every_family_with_the_same_outputs() {
    if python("check.py", &["--help".as_ref()]).is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let models =
        PRESETS.map(|(family, preset, options)| train(&dir.path().join(family), preset, options));
    let wuji = program();
    let mut arguments = vec!["--wuji".as_ref(), wuji.as_os_str()];
    arguments.extend(models.iter().map(|model| model.as_os_str()));
    eprintln!("{}", python("check.py", &arguments).unwrap_or_default());
}

#[test]
fn golden_files_of_torch_save_are_read_as_torch_reads_them() {
    let dir = tempfile::tempdir().unwrap();
    if python("torch_files.py", &[dir.path().as_os_str()]).is_none() {
        return;
    }
    let entries = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
    let is_torch = |path: &PathBuf| path.extension() == Some("pt".as_ref());
    for path in entries.filter(is_torch) {
        let name = path.file_stem().unwrap().to_string_lossy();
        if name == "old" {
            let error = TensorFiles::open(&path).unwrap_err().to_string();
            assert!(error.contains("PyTorch before 1.6"), "{error}");
            continue;
        }
        let found = TensorFiles::open(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let expected = TensorFiles::open(&path.with_extension("safetensors")).unwrap();
        let mut names: Vec<&str> = expected.names().collect();
        names.sort_unstable();
        for tensor in names {
            let what = format!("{name}: {tensor}");
            assert_eq!(found.shape(tensor), expected.shape(tensor), "{what}");
            let [found, expected] = [&found, &expected].map(|files| files.read_f32(tensor));
            assert_eq!(found.unwrap(), expected.unwrap(), "{what}");
        }
    }
}
