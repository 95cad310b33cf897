//! A Hugging Face directory, with weights as safetensors or as PyTorch saves them.

use std::path::{Path, PathBuf};

use wuji_device::DeviceSpec;
use wuji_model::AnyModel;
use wuji_tokenizer::Tokenizer;

use super::NumberFormat;
use super::loaded::{CopiedFile, Loaded, TAKEN_ALONG, given_tokenizer};
use crate::WujiError;
use crate::embed::module_folders;

pub(super) fn load(source: &Path, tokenizer: Option<&Path>) -> Result<Loaded, WujiError> {
    let model = AnyModel::from_dir(source, &DeviceSpec::default().open()?)?;
    let config = model.config().into_owned();
    let found = match tokenizer {
        Some(path) => Some(given_tokenizer(path, config.vocab_size())?),
        None => Tokenizer::load(source).ok().map(|found| (source.to_path_buf(), found)),
    };
    Ok(Loaded {
        tensors: model.file_tensors(),
        parameters: model.num_params(),
        dtype: NumberFormat::stated_in(&config),
        tokenizer: found,
        tokenizer_is_given: tokenizer.is_some(),
        beside: beside(source)?,
        generation_config: None,
        config,
    })
}

/// What stands beside the weights, with the folders of sentence-transformers' modules.
fn beside(source: &Path) -> Result<Vec<CopiedFile>, WujiError> {
    let mut names: Vec<PathBuf> = TAKEN_ALONG.iter().map(PathBuf::from).collect();
    for folder in module_folders(source)? {
        // A module without parameters may have no folder.
        let Ok(entries) = std::fs::read_dir(source.join(&folder)) else { continue };
        names.extend(entries.flatten().map(|entry| Path::new(&folder).join(entry.file_name())));
    }
    let file = |name: PathBuf| CopiedFile { from: source.join(&name), name };
    Ok(names.into_iter().map(file).filter(|file| file.from.is_file()).collect())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;
    use wuji_model::weights::StoredDtype;
    use wuji_model::{EncoderModel, ModelConfig};
    use wuji_tokenizer::{TokenizerKind, TokenizerTrainerConfig};

    use crate::convert::{ConvertOptions, convert};
    use crate::embed::SentenceEncoder;

    use super::*;

    const TEXTS: [&str; 2] = ["The old man and the sea.", "The Sea"];

    /// A small directory as sentence-transformers writes them, with options that all change vectors.
    fn sentence_model(dir: &Path) {
        let config = TokenizerTrainerConfig::new(TokenizerKind::WordPiece, 60);
        let tokenizer = Tokenizer::train(&config, TEXTS.map(str::to_owned).into_iter()).unwrap();
        tokenizer.save(dir).unwrap();
        let keys = json!({
            "model_type": "bert", "vocab_size": tokenizer.vocab_size(), "hidden_size": 8,
            "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16,
            "max_position_embeddings": 32, "initializer_range": 0.5,
        });
        let config = ModelConfig::from_json(&keys.to_string()).unwrap();
        let model = EncoderModel::init(&config, 1, &DeviceSpec::default().open().unwrap()).unwrap();
        model.save(dir, StoredDtype::F32).unwrap();
        let module = |path: &str, kind: &str| json!({"path": path, "type": format!("x.{kind}")});
        let modules = [
            module("", "Transformer"),
            module("1_Pooling", "Pooling"),
            module("2_Normalize", "Normalize"),
        ];
        fs::create_dir(dir.join("1_Pooling")).unwrap();
        for (name, value) in [
            ("modules.json", json!(modules)),
            ("1_Pooling/config.json", json!({"pooling_mode_cls_token": true})),
            ("sentence_bert_config.json", json!({"max_seq_length": 6, "do_lower_case": true})),
        ] {
            fs::write(dir.join(name), value.to_string()).unwrap();
        }
    }

    #[test]
    fn a_converted_sentence_model_gives_the_same_vectors() {
        let dir = tempfile::tempdir().unwrap();
        let [source, target] = ["source", "target"].map(|name| dir.path().join(name));
        fs::create_dir(&source).unwrap();
        sentence_model(&source);
        convert(&source, &target, &ConvertOptions::default()).unwrap();
        let device = DeviceSpec::default().open().unwrap();
        let embed = |dir: &Path| {
            let encoder = SentenceEncoder::from_dir(dir, &device).unwrap();
            assert!(encoder.normalise && encoder.lower_case && encoder.max_length == 6);
            encoder.embed(&TEXTS).unwrap()
        };
        assert_eq!(embed(&target), embed(&source));
    }

    #[test]
    fn modules_that_lead_out_of_the_directory_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        sentence_model(dir.path());
        let modules = json!([{"path": "../secrets", "type": "x.Pooling"}]).to_string();
        fs::write(dir.path().join("modules.json"), modules).unwrap();
        let error = convert(dir.path(), &dir.path().join("out"), &ConvertOptions::default());
        let message = error.unwrap_err().to_string();
        assert!(message.contains("modules.json") && message.contains("../secrets"), "{message}");
    }
}
