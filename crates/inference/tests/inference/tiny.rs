//! Small random models whose every token has a visible effect.

use burn::tensor::Device;
use wuji_model::recurrent::{
    AttentionKind, CellKind, FeedForwardConfig, FeedForwardLm, RecurrentLm, RecurrentLmConfig,
    RecurrentSeq2Seq, Seq2SeqConfig,
};
use wuji_model::{CausalLm, EncoderModel, ModelConfig, Seq2SeqLm};
use wuji_tokenizer::{Tokenizer, TokenizerKind, TokenizerTrainerConfig};

/// Ids of every model here.
pub const VOCAB: usize = 40;

const T5: &str = r#"{"model_type": "t5", "vocab_size": 40, "d_model": 32, "d_kv": 8, "d_ff": 48,
    "num_heads": 4, "num_layers": 2, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": false,
    "initializer_factor": 3.0, "decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": 1}"#;

const MARIAN: &str = r#"{"model_type": "marian", "vocab_size": 40, "d_model": 32,
    "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
    "decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "dropout": 0.0,
    "max_position_embeddings": 64, "init_std": 0.3, "decoder_start_token_id": 39,
    "pad_token_id": 39, "eos_token_id": 1}"#;

const GLM: &str = r#"{"model_type": "glm_original", "vocab_size": 40, "hidden_size": 32,
    "num_layers": 2, "num_attention_heads": 4, "max_sequence_length": 48, "initializer_range": 0.3,
    "mask_token_id": 2, "gmask_token_id": 3, "sop_token_id": 4, "eop_token_id": 5}"#;

const BERT: &str = r#"{"model_type": "bert", "architectures": ["BertForMaskedLM"],
    "vocab_size": 40, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
    "intermediate_size": 48, "max_position_embeddings": 32, "initializer_range": 0.3}"#;

const QWEN: &str = r#"{"model_type": "qwen2", "vocab_size": 40, "hidden_size": 32,
    "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 64, "initializer_range": 0.3}"#;

fn config(json: &str) -> ModelConfig {
    ModelConfig::from_json(json).unwrap()
}

/// A T5 and a Marian.
pub fn seq2seq_models(device: &Device) -> [(&'static str, Seq2SeqLm); 2] {
    [("t5", T5), ("marian", MARIAN)]
        .map(|(name, json)| (name, Seq2SeqLm::init(&config(json), 7, device).unwrap()))
}

/// Recurrent encoder–decoders: Bahdanau's, and Luong's with and without input feeding.
pub fn recurrent_seq2seq_models(device: &Device) -> Vec<(&'static str, RecurrentSeq2Seq)> {
    let kinds = [
        ("additive", AttentionKind::Additive, true, CellKind::Gru),
        ("general", AttentionKind::General, true, CellKind::Lstm),
        ("general without feeding", AttentionKind::General, false, CellKind::Gru),
    ];
    let build = |(name, attention, input_feeding, cell)| {
        let config = Seq2SeqConfig {
            source_vocab_size: VOCAB,
            target_vocab_size: VOCAB,
            embedding_size: 12,
            hidden_size: 16,
            num_layers: 2,
            initializer_range: 2.0,
            attention,
            input_feeding,
            cell,
            ..Seq2SeqConfig::default()
        };
        (name, RecurrentSeq2Seq::init(&config, 7, device).unwrap())
    };
    kinds.into_iter().map(build).collect()
}

/// An LSTM.
pub fn recurrent_lm(device: &Device) -> RecurrentLm {
    let config = RecurrentLmConfig {
        vocab_size: VOCAB,
        hidden_size: 16,
        embedding_size: 12,
        num_layers: 2,
        initializer_range: 2.0,
        ..RecurrentLmConfig::default()
    };
    RecurrentLm::init(&config, 7, device).unwrap()
}

/// A window of `context_size` tokens.
pub fn feed_forward_lm(context_size: usize, device: &Device) -> FeedForwardLm {
    let config = FeedForwardConfig {
        vocab_size: VOCAB,
        context_size,
        embedding_size: 12,
        hidden_size: 16,
        initializer_range: 1.0,
        ..FeedForwardConfig::default()
    };
    FeedForwardLm::init(&config, 7, device).unwrap()
}

/// An original GLM.
pub fn glm(device: &Device) -> CausalLm {
    CausalLm::init(&config(GLM), 7, device).unwrap()
}

/// An encoder with a masked-language-model head.
pub fn bert(device: &Device) -> EncoderModel {
    EncoderModel::init(&config(BERT), 7, device).unwrap()
}

/// A decoder.
pub fn decoder(device: &Device) -> CausalLm {
    CausalLm::init(&config(QWEN), 7, device).unwrap()
}

/// Some ids, all different from the first six, which are special in some models.
pub fn ids(length: usize, salt: u32) -> Vec<u32> {
    (0..length as u32).map(|at| 6 + (at * at * 7 + at * 3 + salt * 11) % 33).collect()
}

/// Asserts that numbers are the same but for rounding.
pub fn assert_close(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst <= 2e-4, "{what}: differs by {worst}");
}

/// Characters, behind the special tokens of every model here.
pub fn tokenizer() -> Tokenizer {
    let special = ["[PAD]", "</s>", "[MASK]", "[gMASK]", "<|startofpiece|>", "<|endofpiece|>"];
    let config = TokenizerTrainerConfig {
        special_tokens: special.map(str::to_owned).to_vec(),
        ..TokenizerTrainerConfig::new(TokenizerKind::Char, VOCAB)
    };
    let characters = ('a'..='z').chain([' ', '.', ',', '?', '!', '-']).collect::<String>();
    Tokenizer::train(&config, std::iter::once(characters)).unwrap()
}
