//! Text to token ids with byte offsets and back: training, loading and saving tokenizers.
