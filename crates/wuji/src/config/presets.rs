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
    "ladder-mlp": "from n-gram to Transformer: a feed-forward model of 16 characters, at nanoGPT's CPU budget",
    "ladder-rnn": "from n-gram to Transformer: a simple recurrent model, at the same budget",
    "ladder-gru": "from n-gram to Transformer: a GRU, at the same budget",
    "ladder-lstm": "from n-gram to Transformer: an LSTM, at the same budget",
    "chinese-poetry": "classical Chinese poems with a byte-level BPE vocabulary",
    "llama-15m": "Llama of 15 million parameters, the shape of stories15M, on the story world",
    "bert-mini": "BERT of 4 layers, 256 wide (Turc et al. 2019): masked words of the story world",
    "t5-mini": "T5 v1.1 of 4 + 4 layers, 256 wide: spans of the story world",
    "glm-mini": "the original GLM of 4 layers, 256 wide: blanks of the story world",
    "translation-transformer": "the original Transformer for a few ten thousand sentence pairs, as in Multi30k",
    "translation-rnn": "a GRU encoder–decoder with additive attention, for the same",
    "dates": "a GRU encoder–decoder that learns to read dates in a few minutes, with attention to look at",
    "tiny": "a minute of nothing in particular: for tests and for trying things out",
    "tiny-gpt-neox": "GPT-NeoX, in miniature: for tests and for trying things out",
    "tiny-llama": "Llama, in miniature: for tests and for trying things out",
    "tiny-mistral": "Mistral, in miniature: for tests and for trying things out",
    "tiny-mixtral": "Mixtral, in miniature: for tests and for trying things out",
    "tiny-qwen2": "Qwen2, in miniature: for tests and for trying things out",
    "tiny-qwen2-moe": "Qwen2 with experts, in miniature: for tests and for trying things out",
    "tiny-qwen3": "Qwen3, in miniature: for tests and for trying things out",
    "tiny-qwen3-moe": "Qwen3 with experts, in miniature: for tests and for trying things out",
    "tiny-glm4": "GLM-4, in miniature: for tests and for trying things out",
    "tiny-prefix-lm": "a decoder that reads its prefix in both directions, in miniature: for tests and for trying things out",
    "tiny-glm": "the original GLM, in miniature: for tests and for trying things out",
    "tiny-bert": "BERT, in miniature: for tests and for trying things out",
    "tiny-bert-pairs": "BERT with next sentences, in miniature: for tests and for trying things out",
    "tiny-roberta": "RoBERTa, in miniature: for tests and for trying things out",
    "tiny-distilbert": "DistilBERT, in miniature: for tests and for trying things out",
    "tiny-t5": "T5, in miniature: for tests and for trying things out",
    "tiny-t5-v1": "T5 v1.0, in miniature: for tests and for trying things out",
    "tiny-marian": "the original Transformer, in miniature: for tests and for trying things out",
    "tiny-translation": "the original Transformer on pairs of texts, in miniature: for tests and for trying things out",
    "tiny-rnn": "an LSTM language model, in miniature: for tests and for trying things out",
    "tiny-mlp": "a feed-forward language model, in miniature: for tests and for trying things out",
    "tiny-rnn-seq2seq": "a GRU encoder–decoder with attention, in miniature: for tests and for trying things out",
}
