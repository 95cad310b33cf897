//! Sentence embeddings: a text in, one vector out, near the vectors of texts that mean the same
//! (Reimers & Gurevych 2019, Sentence-BERT).
//!
//! A directory of sentence-transformers is read as it is; any other encoder with a tokenizer gives
//! the mean of its tokens.

mod folder;

use std::path::Path;

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use wuji_model::{BackboneInput, EncoderModel, ModelKind, Pooling, normalise};
use wuji_tokenizer::{BatchConfig, BatchEncoder, PaddedBatch, Tokenizer};

use crate::WujiError;
use folder::Folder;
pub(crate) use folder::module_folders;

/// Texts that are encoded at once; more would pad more.
const BATCH_SIZE: usize = 32;

/// An encoder, its tokenizer, and how the vectors of tokens become one.
#[derive(Debug)]
pub struct SentenceEncoder {
    /// Text to tokens.
    pub tokenizer: Tokenizer,
    /// Tokens to vectors.
    pub model: EncoderModel,
    /// Vectors of tokens to that of the text.
    pub pooling: Pooling,
    /// Whether vectors are scaled to length one.
    pub normalise: bool,
    /// Tokens of a text that are read, with those of the template.
    pub max_length: usize,
    /// Whether texts are lower-cased before they reach the tokenizer.
    pub lower_case: bool,
    device: Device,
}

impl SentenceEncoder {
    /// Reads a model directory with `tokenizer.json`, and what sentence-transformers says of it:
    /// `modules.json`, `1_Pooling/config.json` and `sentence_bert_config.json`, where they are there.
    ///
    /// # Errors
    /// Files that are missing or malformed, a model that is no encoder, a tokenizer of another model,
    /// or a module that this version does not have.
    pub fn from_dir(dir: &Path, device: &Device) -> Result<Self, WujiError> {
        let folder = Folder::read(dir)?;
        let (config, files) = wuji_model::weights::open_model(&folder.model)?;
        if config.kind() != ModelKind::Encoder {
            let problem = format!(
                "{} is no encoder; expected BERT, RoBERTa or DistilBERT",
                config.model_type()
            );
            return Err(WujiError::input(&folder.model, problem));
        }
        let model = EncoderModel::from_files(&config, &files, device)?;
        let tokenizer = Tokenizer::load(&folder.model)?;
        let (found, ids) = (tokenizer.vocab_size(), config.vocab_size());
        if found > ids {
            let problem =
                format!("the tokenizer has {found} ids, but the model's vocabulary {ids}");
            return Err(WujiError::input(&folder.model, problem));
        }
        let positions = config.max_position_embeddings();
        Ok(Self {
            tokenizer,
            model,
            pooling: folder.pooling,
            normalise: folder.normalise,
            max_length: folder.max_length.unwrap_or(positions).min(positions),
            lower_case: folder.lower_case,
            device: device.clone(),
        })
    }

    /// Entries of a vector.
    pub fn width(&self) -> usize {
        self.model.encoder.architecture().hidden_size
    }

    /// A vector for each text, in the order of the texts. Texts of like length are read together, so
    /// that little is padded; padding changes nothing.
    ///
    /// # Errors
    /// A text that the tokenizer cannot encode, or a `max_length` without room for the template.
    pub fn embed<S: AsRef<str>>(&self, texts: &[S]) -> Result<Vec<Vec<f32>>, WujiError> {
        let config = BatchConfig { max_length: Some(self.max_length), ..BatchConfig::default() };
        let encoder = self.tokenizer.batch_encoder(&config)?;
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|&index| texts[index].as_ref().len());
        let mut vectors = vec![Vec::new(); texts.len()];
        for chunk in order.chunks(BATCH_SIZE) {
            let batch: Vec<&str> = chunk.iter().map(|&index| texts[index].as_ref()).collect();
            let found = self.vectors(&encoder, &batch)?;
            for (&index, vector) in chunk.iter().zip(found) {
                vectors[index] = vector;
            }
        }
        Ok(vectors)
    }

    fn vectors(&self, encoder: &BatchEncoder, texts: &[&str]) -> Result<Vec<Vec<f32>>, WujiError> {
        let batch = match self.lower_case {
            true => {
                let lower: Vec<String> = texts.iter().map(|text| text.to_lowercase()).collect();
                encoder.encode(&lower)?
            }
            false => encoder.encode(texts)?,
        };
        if batch.ids.iter().all(Vec::is_empty) {
            // Texts without tokens, by a tokenizer without a template.
            return Ok(vec![vec![0.0; self.width()]; texts.len()]);
        }
        let pooled = self.pooled(&batch);
        let pooled = if self.normalise { normalise(pooled) } else { pooled };
        let values: Vec<f32> = pooled.into_data().iter::<f32>().collect();
        Ok(values.chunks_exact(self.width()).map(<[f32]>::to_vec).collect())
    }

    /// One vector for each row, `[batch, hidden_size]`.
    fn pooled(&self, batch: &PaddedBatch) -> Tensor<2> {
        let mask: Tensor<2, Bool> = self.tensor(&batch.attention_mask).not_equal_scalar(0);
        let has_types = self.model.encoder.architecture().token_types > 0;
        let input = BackboneInput {
            attention_mask: Some(mask.clone()),
            token_type_ids: has_types.then(|| self.tensor(&batch.type_ids)),
            ..BackboneInput::new(self.tensor(&batch.ids))
        };
        self.pooling.pool(self.model.forward(input), mask)
    }

    fn tensor(&self, rows: &[Vec<u32>]) -> Tensor<2, Int> {
        let shape = [rows.len(), rows.first().map_or(0, Vec::len)];
        let values: Vec<i64> = rows.iter().flatten().map(|value| i64::from(*value)).collect();
        Tensor::from_data(TensorData::new(values, shape), &self.device)
    }
}
