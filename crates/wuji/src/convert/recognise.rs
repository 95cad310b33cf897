//! What a path holds, by its content.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Serialize;

use crate::WujiError;

/// The formats that can be converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceFormat {
    /// A directory with `config.json` and safetensors.
    HuggingFace,
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

const READABLE: &str =
    "a Hugging Face directory (config.json and *.safetensors) or a llama2.c .bin";

fn recognise_directory(path: &Path) -> Result<SourceFormat, WujiError> {
    let has = |name: &str| path.join(name).is_file();
    let weights = has("model.safetensors") || has("model.safetensors.index.json");
    if weights && has("config.json") {
        return Ok(SourceFormat::HuggingFace);
    }
    if weights {
        return Err(WujiError::input(path, "there are weights, but no config.json"));
    }
    if has("pytorch_model.bin") || has("pytorch_model.bin.index.json") {
        return Err(unsupported("reading PyTorch's pytorch_model.bin"));
    }
    Err(WujiError::input(path, format!("no model is in this directory; expected {READABLE}")))
}

fn recognise_file(path: &Path) -> Result<SourceFormat, WujiError> {
    let io = |source| WujiError::io("reading", path, source);
    let mut head = Vec::new();
    File::open(path).map_err(io)?.take(28).read_to_end(&mut head).map_err(io)?;
    if head.starts_with(b"GGUF") {
        return Err(unsupported("reading GGUF"));
    }
    // PyTorch writes zip archives today and bare pickles before version 1.6.
    if head.starts_with(b"PK\x03\x04") || head.starts_with(&[0x80, 0x02]) {
        return Err(unsupported("reading PyTorch checkpoints"));
    }
    if is_safetensors(&head) {
        let problem = "a safetensors file has no config; give the directory that holds both";
        return Err(WujiError::input(path, problem));
    }
    if is_llama2c(&head) {
        return Ok(SourceFormat::Llama2c);
    }
    Err(WujiError::input(path, format!("not a checkpoint that is recognised; expected {READABLE}")))
}

fn unsupported(what: &str) -> WujiError {
    let instead = "it comes with the other formats in a later one; save the model as safetensors with \
         transformers' save_pretrained and give that directory";
    WujiError::Unsupported { what: what.to_string(), instead: instead.to_string() }
}

/// A length of eight bytes, then JSON.
fn is_safetensors(head: &[u8]) -> bool {
    head.get(8) == Some(&b'{')
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
        check(b"GGUF\x03\0\0\0", Err("reading GGUF is not in this version"));
        check(b"PK\x03\x04rest", Err("PyTorch"));
        check(b"\x02\0\0\0\0\0\0\0{}", Err("give the directory"));
        check(b"", Err("not a checkpoint"));
        check("Once upon a time, there was".as_bytes(), Err("not a checkpoint"));
    }

    #[test]
    fn directories_are_told_by_their_files() {
        let dir = tempfile::tempdir().unwrap();
        let message = |dir: &Path| recognise(dir).unwrap_err().to_string();
        assert!(message(dir.path()).contains("no model is in this directory"));
        std::fs::write(dir.path().join("pytorch_model.bin"), "").unwrap();
        assert!(message(dir.path()).contains("pytorch_model.bin"));
        std::fs::write(dir.path().join("model.safetensors"), "").unwrap();
        assert!(message(dir.path()).contains("no config.json"));
        std::fs::write(dir.path().join("config.json"), "").unwrap();
        assert_eq!(recognise(dir.path()).unwrap(), SourceFormat::HuggingFace);
        assert!(message(&dir.path().join("gone")).contains("gone"));
    }
}
