//! What a path holds, by its content.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Serialize;
use wuji_model::weights::WeightFormat;

use crate::WujiError;

/// The formats that can be converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceFormat {
    /// A directory with `config.json` and safetensors.
    HuggingFace,
    /// A directory with `config.json` and a PyTorch checkpoint.
    Pytorch,
    /// A GGUF file.
    Gguf,
    /// A checkpoint of llama2.c, version 0.
    Llama2c,
}

/// Tells what `path` holds.
///
/// # Errors
/// Nothing there, or something that cannot be converted: with what it is and what can be done.
pub fn recognise(path: &Path) -> Result<SourceFormat, WujiError> {
    if path.is_dir() { recognise_directory(path) } else { recognise_file(path) }
}

const READABLE: &str = "a Hugging Face directory (config.json and *.safetensors or pytorch_model.bin), a .gguf file \
     or a llama2.c .bin";

fn recognise_directory(path: &Path) -> Result<SourceFormat, WujiError> {
    let has = |name: &str| path.join(name).is_file();
    let safetensors = has("model.safetensors") || has("model.safetensors.index.json");
    // Whatever else there is in PyTorch's formats is found, or missed by name, when it is opened.
    let weights = safetensors || has("pytorch_model.bin") || has("pytorch_model.bin.index.json");
    match (weights || has_pytorch(path)?, has("config.json")) {
        (true, true) if safetensors => Ok(SourceFormat::HuggingFace),
        (true, true) => Ok(SourceFormat::Pytorch),
        (true, false) => Err(WujiError::input(path, "there are weights, but no config.json")),
        (false, _) => {
            let problem = format!("no model is in this directory; expected {READABLE}");
            Err(WujiError::input(path, problem))
        }
    }
}

/// Whether a file in `dir` is a PyTorch checkpoint under a name of its own.
fn has_pytorch(dir: &Path) -> Result<bool, WujiError> {
    let io = |source| WujiError::io("reading", dir, source);
    for entry in std::fs::read_dir(dir).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let ends = path
            .extension()
            .is_some_and(|ending| ending == "pt" || ending == "pth" || ending == "bin");
        if ends && path.is_file() && WeightFormat::of(&path)? == Some(WeightFormat::Pytorch) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn recognise_file(path: &Path) -> Result<SourceFormat, WujiError> {
    let alone = |what: &str| {
        let problem = format!("{what} has no config; give the directory that holds both");
        Err(WujiError::input(path, problem))
    };
    match WeightFormat::of(path)? {
        Some(WeightFormat::Gguf) => return Ok(SourceFormat::Gguf),
        Some(WeightFormat::Pytorch) => return alone("a PyTorch checkpoint"),
        Some(WeightFormat::Safetensors) => return alone("a safetensors file"),
        None => {}
    }
    let io = |source| WujiError::io("reading", path, source);
    let mut head = Vec::new();
    File::open(path).map_err(io)?.take(28).read_to_end(&mut head).map_err(io)?;
    if is_llama2c(&head) {
        return Ok(SourceFormat::Llama2c);
    }
    Err(WujiError::input(path, format!("not a checkpoint that is recognised; expected {READABLE}")))
}

/// Seven positive numbers of a sensible size, of which only the vocabulary's may be negative.
fn is_llama2c(head: &[u8]) -> bool {
    let fields: Vec<i32> =
        head.as_chunks::<4>().0.iter().map(|chunk| i32::from_le_bytes(*chunk)).collect();
    let sensible = |value: i32| (1..1 << 24).contains(&value);
    fields.len() == 7
        && fields
            .iter()
            .enumerate()
            .all(|(at, value)| sensible(if at == 5 { value.saturating_abs() } else { *value }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: &[u8], expected: Result<SourceFormat, &str>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model.bin");
        std::fs::write(&path, content).unwrap();
        match (recognise(&path), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (found, expected) => panic!("{found:?}, expected {expected:?}"),
        }
    }

    fn header(fields: [i32; 7]) -> Vec<u8> {
        fields.iter().flat_map(|field| field.to_le_bytes()).collect()
    }

    #[test]
    fn files_are_told_by_their_content() {
        check(&header([64, 172, 5, 8, 4, 512, 512]), Ok(SourceFormat::Llama2c));
        check(&header([64, 172, 5, 8, 4, -512, 512]), Ok(SourceFormat::Llama2c));
        check(&header([64, -172, 5, 8, 4, 512, 512]), Err("not a checkpoint"));
        check(b"GGUF\x03\0\0\0", Ok(SourceFormat::Gguf));
        check(b"PK\x03\x04rest", Err("a PyTorch checkpoint has no config"));
        check(b"\x02\0\0\0\0\0\0\0{}", Err("give the directory"));
        check(b"", Err("not a checkpoint"));
        check("Once upon a time, there was".as_bytes(), Err("not a checkpoint"));
    }

    #[test]
    fn directories_are_told_by_their_files() {
        let dir = tempfile::tempdir().unwrap();
        let message = |dir: &Path| recognise(dir).unwrap_err().to_string();
        assert!(message(dir.path()).contains("no model is in this directory"));
        std::fs::write(dir.path().join("notes.bin"), "no weights").unwrap();
        assert!(message(dir.path()).contains("no model is in this directory"));
        std::fs::write(dir.path().join("mine.pt"), b"PK\x03\x04").unwrap();
        assert!(message(dir.path()).contains("no config.json"));
        std::fs::write(dir.path().join("config.json"), "").unwrap();
        assert_eq!(recognise(dir.path()).unwrap(), SourceFormat::Pytorch);
        std::fs::write(dir.path().join("pytorch_model.bin"), "").unwrap();
        assert_eq!(recognise(dir.path()).unwrap(), SourceFormat::Pytorch);
        std::fs::write(dir.path().join("model.safetensors"), "").unwrap();
        assert_eq!(recognise(dir.path()).unwrap(), SourceFormat::HuggingFace);
        assert!(message(&dir.path().join("gone")).contains("gone"));
    }
}
