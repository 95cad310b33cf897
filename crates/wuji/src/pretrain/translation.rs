//! Held-out sources translated by the trained model, and how good the translations are.

use serde::{Deserialize, Serialize};
use wuji_data::TextPair;
use wuji_evaluation::CorpusMetric;
use wuji_evaluation::bleu::{BleuOptions, CorpusBleu};
use wuji_evaluation::chrf::{ChrfOptions, CorpusChrf};
use wuji_evaluation::uncertainty::{BootstrapOptions, Estimate, bootstrap};
use wuji_inference::{AttentionMap, ConditionalModel, TargetTokens, TranslatedText, Translator};
use wuji_model::AnyModel;
use wuji_training::{StopReason, TrainSummary};

use super::Job;
use super::pairs::NamedPairs;
use crate::WujiError;

/// How good the translations of a set of pairs are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TranslationScores {
    /// Which pairs.
    pub name: String,
    /// How many.
    pub pairs: usize,
    /// BLEU from 0 to 100, with its interval over resampled sentences.
    pub bleu: Estimate,
    /// What it was computed with, in sacreBLEU's notation.
    pub bleu_signature: String,
    /// chrF from 0 to 100, with its interval.
    pub chrf: Estimate,
    /// Translations that are the reference to the letter, from 0 to 1.
    pub exact: f64,
    /// The floor: BLEU of the sources themselves.
    pub copy_bleu: f64,
    /// Translations for people to look at.
    pub examples: Vec<TranslatedExample>,
}

/// A translation beside what it is compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TranslatedExample {
    /// What was read.
    pub source: String,
    /// What was to be written.
    pub reference: String,
    /// What was written.
    pub translation: String,
    /// Where the model looked.
    pub attention: AttentionMap,
}

impl Job<'_> {
    /// Translates and scores the held-out pairs and those of the tests; the translations are in
    /// `translations/NAME.txt`.
    pub(super) fn write_translations(
        &mut self,
        model: &AnyModel,
        trained: &TrainSummary,
    ) -> Result<Vec<TranslationScores>, WujiError> {
        if !self.config.has_pairs() || trained.reason == StopReason::Interrupted {
            return Ok(Vec::new());
        }
        self.progress.stage("translating");
        match model {
            AnyModel::EncoderDecoder(model) => self.translate_all(model.clone()),
            AnyModel::RecurrentSeq2Seq(model) => self.translate_all(model.clone()),
            _ => Ok(Vec::new()),
        }
    }

    fn translate_all<M: ConditionalModel>(
        &self,
        model: M,
    ) -> Result<Vec<TranslationScores>, WujiError> {
        let pad = self.special_ids().padding();
        let end: Vec<u32> = self.text.tokenizer.eos_token_id().into_iter().collect();
        let suppressed = if end.contains(&pad) { Vec::new() } else { vec![pad] };
        let tokens = TargetTokens { start: pad, end, suppressed };
        let translator = Translator::shared(model, self.text.tokenizer.clone(), tokens);
        let sets = &self.text.material.pairs()?.scored;
        sets.iter().map(|set| self.translate(&translator, set)).collect()
    }

    fn translate<M: ConditionalModel>(
        &self,
        translator: &Translator<M>,
        set: &NamedPairs,
    ) -> Result<TranslationScores, WujiError> {
        let config = &self.config.evaluation.translation;
        let sources: Vec<&str> = set.pairs.iter().map(|pair| pair.source.as_str()).collect();
        let found = translator.translate(&sources, &config.options())?;
        let lines: Vec<String> = found.iter().map(|found| on_one_line(&found.text)).collect();
        let file = format!("translations/{}.txt", file_name(&set.name));
        self.run_dir.write(&file, &(lines.join("\n") + "\n"))?;
        let options = BleuOptions::with_tokenizer(config.bleu_tokenizer);
        let shown = set.pairs.iter().zip(&found).take(config.examples);
        let example = |(pair, found)| example(translator, pair, found);
        let examples = shown.map(example).collect::<Result<_, _>>()?;
        scores(set, &found, &options, examples)
    }
}

fn scores(
    set: &NamedPairs,
    found: &[TranslatedText],
    options: &BleuOptions,
    examples: Vec<TranslatedExample>,
) -> Result<TranslationScores, WujiError> {
    let mut bleu = CorpusBleu::new(options.clone())?;
    let mut copies = CorpusBleu::new(options.clone())?;
    let mut chrf = CorpusChrf::new(ChrfOptions::default())?;
    let mut exact = 0;
    for (pair, found) in set.pairs.iter().zip(found) {
        let reference = [pair.target.as_str()];
        bleu.add(&found.text, &reference)?;
        copies.add(&pair.source, &reference)?;
        chrf.add(&found.text, &reference)?;
        exact += usize::from(found.text == pair.target);
    }
    Ok(TranslationScores {
        name: set.name.clone(),
        pairs: set.pairs.len(),
        bleu: bootstrap(&bleu, &BootstrapOptions::default())?,
        bleu_signature: bleu.signature(),
        chrf: bootstrap(&chrf, &BootstrapOptions::default())?,
        exact: exact as f64 / set.pairs.len().max(1) as f64,
        copy_bleu: copies.value(),
        examples,
    })
}

fn example<M: ConditionalModel>(
    translator: &Translator<M>,
    pair: &TextPair,
    found: &TranslatedText,
) -> Result<TranslatedExample, WujiError> {
    Ok(TranslatedExample {
        source: pair.source.clone(),
        reference: pair.target.clone(),
        translation: found.text.clone(),
        attention: translator.attention_map(&pair.source, &found.ids)?,
    })
}

/// A line for each translation, whatever is in it.
fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A name as that of a file.
fn file_name(name: &str) -> String {
    let safe = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    name.chars().map(safe).collect()
}
