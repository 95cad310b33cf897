//! Trains a Unigram model (Kudo 2018) with the `tokenizers` crate's trainer, made reproducible.

use serde_json::json;
use tokenizers::AddedToken;
use tokenizers::models::unigram::{Unigram, UnigramTrainer};

use super::corpus::count_words;
use super::limit::{kept_characters, runs_of};
use super::{TokenizerTrainerConfig, Trained};
use crate::error::TokenizerError;
use crate::load::tokenizer_json;
use crate::pipeline::{Description, leading_special_tokens, sequence, template};
use crate::tokenizer::PipelineError;

/// SentencePiece's sign for a space.
const SPACE: &str = "▁";

/// Longest piece in characters, SentencePiece's default.
const LONGEST_PIECE: usize = 16;

/// The crate's trainer gives characters that only ever occur inside longer pieces the lowest score, each this much
/// above the one before.
const RARE_SCORE_STEP: f64 = 0.0001;

pub(super) fn train(
    config: &TokenizerTrainerConfig,
    texts: impl Iterator<Item = String>,
) -> Result<Trained, TokenizerError> {
    let special = config.effective_special_tokens();
    let unknown = config.unknown_token().unwrap_or_default();
    let unknown_id = special.iter().position(|token| *token == unknown);
    let placeholder = special.iter().map(|token| (token.clone(), 0.0)).collect();
    let skeleton = describe(config, placeholder, unknown_id, &special);
    let skeleton = tokenizer_json::pipeline(&skeleton.into_json())
        .map_err(|message| failed(message.into()))?;
    let corpus = count_words(&skeleton, texts)?;

    let kept = kept_characters(&corpus.items, config.limit_alphabet);
    if special.len() + kept.len() > config.vocab_size {
        return Err(TokenizerError::VocabularyTooSmall {
            requested: config.vocab_size,
            special: special.len(),
            alphabet: kept.len(),
            unit: "characters (limit_alphabet keeps fewer)",
        });
    }
    let sentences = corpus
        .items
        .iter()
        .flat_map(|(word, count)| runs_of(word, &kept).map(|run| (run.to_owned(), *count)))
        .flat_map(|(run, count)| frequent_or_letters(run, count, config.min_frequency))
        .map(|(text, count)| (text, u32::try_from(count).unwrap_or(u32::MAX)))
        .collect();
    let mut pieces = train_on_one_thread(config, &special, &unknown, sentences)?;
    order_rare_characters(&mut pieces[special.len()..]);
    Ok(Trained {
        description: describe(config, pieces, unknown_id, &special),
        texts: corpus.texts,
        bytes: corpus.bytes,
        distinct_words: corpus.items.len(),
    })
}

/// A word that is too rare to learn from still brings its characters, so that each of them gets a piece.
fn frequent_or_letters(word: String, count: u64, min_frequency: u64) -> Vec<(String, u64)> {
    if count >= min_frequency {
        return vec![(word, count)];
    }
    word.chars().map(|character| (character.to_string(), count)).collect()
}

/// Runs the crate's trainer where its sums of floating-point numbers always have the same order.
fn train_on_one_thread(
    config: &TokenizerTrainerConfig,
    special: &[String],
    unknown: &str,
    sentences: Vec<(String, u32)>,
) -> Result<Vec<(String, f64)>, TokenizerError> {
    let letters: usize = sentences.iter().map(|(text, _)| text.chars().count()).sum();
    // The trainer reserves memory for the whole vocabulary; no corpus has more pieces than substrings.
    let possible = special.len() + letters.saturating_mul(LONGEST_PIECE);
    let trainer = UnigramTrainer::builder()
        .show_progress(false)
        .vocab_size(config.vocab_size.min(possible) as u32)
        .special_tokens(special.iter().map(|token| AddedToken::from(token.clone(), true)).collect())
        .unk_token(Some(unknown.to_owned()))
        .max_piece_length(config.max_token_length.unwrap_or(LONGEST_PIECE))
        .build()
        .map_err(|error| failed(error.to_string().into()))?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .map_err(|error| failed(error.into()))?;
    let mut model = Unigram::default();
    pool.install(|| trainer.do_train(sentences, &mut model)).map_err(failed)?;
    Ok(model.iter().cloned().collect())
}

fn failed(source: PipelineError) -> TokenizerError {
    TokenizerError::Train { source }
}

/// Gives the characters with the lowest scores, which the trainer hands out in random order, an order.
///
/// Which characters they are and which scores there are is certain; only who gets which is not. So the scores are
/// dealt out again: highest to the smallest code point.
fn order_rare_characters(pieces: &mut [(String, f64)]) {
    let mut single: Vec<usize> =
        (0..pieces.len()).filter(|&index| pieces[index].0.chars().nth(1).is_none()).collect();
    single.sort_by(|&left, &right| pieces[left].1.total_cmp(&pieces[right].1));
    let Some(lowest) = single.first().map(|&index| pieces[index].1) else { return };
    let mut rare = Vec::new();
    let mut last_step = 0.0;
    for index in single {
        let step = (pieces[index].1 - lowest) / RARE_SCORE_STEP;
        if (step - step.round()).abs() > 1e-6 || step.round() > last_step + 1.0 {
            break;
        }
        last_step = step.round();
        rare.push(index);
    }
    let mut scores: Vec<f64> = rare.iter().map(|&index| pieces[index].1).collect();
    scores.sort_by(|left, right| right.total_cmp(left));
    rare.sort_by(|&left, &right| pieces[left].0.cmp(&pieces[right].0));
    for (index, score) in rare.into_iter().zip(scores) {
        pieces[index].1 = score;
    }
    pieces.sort_by(|left, right| right.1.total_cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
}

fn describe(
    config: &TokenizerTrainerConfig,
    pieces: Vec<(String, f64)>,
    unknown_id: Option<usize>,
    special: &[String],
) -> Description {
    let mut normalizers = vec![json!({"type": "NFKC"})];
    if config.lowercase {
        normalizers.push(json!({"type": "Lowercase"}));
    }
    normalizers.push(json!({"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}));
    let metaspace = json!({"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "always", "split": true});
    let end = special.iter().position(|token| token == "</s>").map(|id| ("</s>", id as u32));
    Description {
        normalizer: sequence("normalizers", normalizers),
        pre_tokenizer: metaspace.clone(),
        post_processor: template(None, end),
        decoder: metaspace,
        model: json!({"type": "Unigram", "unk_id": unknown_id, "vocab": pieces, "byte_fallback": false}),
        added_tokens: leading_special_tokens(special),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_characters_get_their_scores_in_the_order_of_code_points() {
        let piece = |text: &str, score: f64| (text.to_owned(), score);
        let mut one =
            vec![piece("ab", -2.0), piece("c", -9.9998), piece("a", -9.9999), piece("b", -10.0)];
        let mut other =
            vec![piece("ab", -2.0), piece("b", -9.9998), piece("c", -9.9999), piece("a", -10.0)];
        order_rare_characters(&mut one);
        order_rare_characters(&mut other);
        assert_eq!(one, other);
        assert_eq!(
            one.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>(),
            ["ab", "a", "b", "c"]
        );
    }
}
