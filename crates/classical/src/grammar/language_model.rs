//! A grammar as a [`TextModel`]: it scores texts and continues them, a word at a time.

use std::ops::ControlFlow;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use wuji_protocol::{
    FinishReason, GenerateOptions, GenerateRequest, GenerateResponse, InvalidOption, Loglikelihood,
    LoglikelihoodRequest, Prompt, Sink, TextModel, TextModelError, Usage,
};

use super::chart::Chart;
use super::{Grammar, GrammarError, NextWord, Parser};
use crate::random::draw;
use crate::streaming::TextStream;

/// A text is one sentence of the grammar. Its tokens are the words, and the end of the sentence.
///
/// * [`loglikelihood`](TextModel::loglikelihood) divides the probability of all sentences that begin with context and
///   continuation by that of all that begin with the context. A word that the context ends within belongs to the
///   continuation.
/// * [`loglikelihood_rolling`](TextModel::loglikelihood_rolling) is the probability of the text as a whole sentence;
///   the end of the sentence counts as a token.
/// * A text that the grammar does not derive has a log-probability of −∞.
///
/// ```
/// use wuji_classical::grammar::{Grammar, GrammarModel};
/// use wuji_protocol::{GenerateOptions, GenerateRequest, LoglikelihoodRequest, TextModel};
///
/// let grammar = Grammar::parse("句 -> 主 谓\n主 -> '猫' [0.75] | '小狗' [0.25]\n谓 -> '睡觉'")?;
/// let model = GrammarModel::characters(grammar);
/// let score = &model.loglikelihood(&[LoglikelihoodRequest::new("", "小")])?[0];
/// assert!((score.log_prob.exp() - 0.25).abs() < 1e-12);
/// let request = GenerateRequest::new("小").with_options(GenerateOptions::greedy());
/// assert_eq!(model.complete(&request)?.text, "狗睡觉");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct GrammarModel {
    parser: Parser,
    unit: Unit,
}

/// What the terminals are in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Word,
    Character,
}

impl GrammarModel {
    /// A model of texts whose words are divided by white space.
    ///
    /// # Errors
    /// [`GrammarError::Space`] for a terminal that could not be found in such a text.
    pub fn words(grammar: Grammar) -> Result<Self, GrammarError> {
        let spaced = |word: &&String| word.contains(char::is_whitespace);
        match grammar.terminals().iter().find(spaced) {
            Some(terminal) => Err(GrammarError::Space { terminal: terminal.clone() }),
            None => Ok(Self { parser: Parser::new(grammar), unit: Unit::Word }),
        }
    }

    /// A model of texts whose words stand side by side, as in Chinese. Its tokens are characters, and white space is
    /// one of them only where a terminal has it.
    pub fn characters(grammar: Grammar) -> Self {
        Self { parser: Parser::new(grammar.by_character()), unit: Unit::Character }
    }

    /// The parser behind the model, of characters for a model of characters.
    pub fn parser(&self) -> &Parser {
        &self.parser
    }

    /// The tokens of a text, each with the byte at which it ends.
    fn tokens(&self, text: &str) -> Vec<(Option<usize>, usize)> {
        let pieces: Vec<&str> = match self.unit {
            Unit::Word => text.split_whitespace().collect(),
            Unit::Character => text.split_inclusive(|_| true).collect(),
        };
        let end = |piece: &str| piece.as_ptr() as usize - text.as_ptr() as usize + piece.len();
        pieces.iter().map(|piece| (self.parser.grammar().terminal(piece), end(piece))).collect()
    }

    /// A chart of the tokens of a text.
    fn chart(&self, text: &str) -> Chart<'_> {
        let words: Vec<Option<usize>> = self.tokens(text).iter().map(|token| token.0).collect();
        Chart::of(&self.parser.form, &words)
    }

    fn score_continuation(
        &self,
        index: usize,
        request: &LoglikelihoodRequest,
    ) -> Result<Loglikelihood, TextModelError> {
        let text = format!("{}{}", request.context, request.continuation);
        let tokens = self.tokens(&text);
        let first = tokens.partition_point(|(_, end)| *end <= request.context.len());
        if first == tokens.len() {
            return Err(TextModelError::InvalidRequest {
                index,
                reason: format!("the continuation {:?} has no words", request.continuation),
            });
        }
        let mut score = Scorer::default();
        let mut chart = Chart::new(&self.parser.form);
        for (position, &(word, _)) in tokens.iter().enumerate() {
            if position >= first {
                score.word(&chart, word);
            }
            chart.push(word);
        }
        Ok(score.finish(request.continuation.len()))
    }

    fn score_text(&self, index: usize, text: &str) -> Result<Loglikelihood, TextModelError> {
        if text.is_empty() {
            return Err(TextModelError::InvalidRequest {
                index,
                reason: "the text is empty".to_owned(),
            });
        }
        let mut score = Scorer::default();
        let mut chart = Chart::new(&self.parser.form);
        for (word, _) in self.tokens(text) {
            score.word(&chart, word);
            chart.push(word);
        }
        score.end(&chart);
        Ok(score.finish(text.len()))
    }
}

/// Adds up the probabilities of tokens, and whether each was the likeliest.
struct Scorer {
    log_prob: f64,
    is_greedy: bool,
    tokens: usize,
}

impl Default for Scorer {
    fn default() -> Self {
        Self { log_prob: 0.0, is_greedy: true, tokens: 0 }
    }
}

impl Scorer {
    fn word(&mut self, chart: &Chart<'_>, word: Option<usize>) {
        self.add(chart, |_| word);
    }

    fn end(&mut self, chart: &Chart<'_>) {
        self.add(chart, |probabilities| probabilities.len().checked_sub(1));
    }

    /// Adds the token that `choose` takes from the probabilities of all words and the end; none if it is no word.
    fn add(&mut self, chart: &Chart<'_>, choose: impl Fn(&[f64]) -> Option<usize>) {
        self.tokens += 1;
        let probabilities = chart.next_word().map(|next| all(&next)).unwrap_or_default();
        match choose(&probabilities).filter(|_| !probabilities.is_empty()) {
            Some(token) => {
                self.log_prob += probabilities[token].ln();
                self.is_greedy &= likeliest(&probabilities) == token;
            }
            None => (self.log_prob, self.is_greedy) = (f64::NEG_INFINITY, false),
        }
    }

    fn finish(self, bytes: usize) -> Loglikelihood {
        let Self { log_prob, is_greedy, tokens } = self;
        Loglikelihood { log_prob, is_greedy, tokens, bytes }
    }
}

/// Probabilities of all words, and of the end behind them.
fn all(next: &NextWord) -> Vec<f64> {
    next.words.iter().copied().chain([next.end]).collect()
}

/// The index of the largest, the first among equals.
fn likeliest(probabilities: &[f64]) -> usize {
    let mut best = 0;
    for (index, probability) in probabilities.iter().enumerate() {
        if *probability > probabilities[best] {
            best = index;
        }
    }
    best
}

impl TextModel for GrammarModel {
    fn loglikelihood(
        &self,
        requests: &[LoglikelihoodRequest],
    ) -> Result<Vec<Loglikelihood>, TextModelError> {
        let scores = requests.iter().enumerate();
        scores.map(|(index, request)| self.score_continuation(index, request)).collect()
    }

    fn loglikelihood_rolling(&self, texts: &[&str]) -> Result<Vec<Loglikelihood>, TextModelError> {
        texts.iter().enumerate().map(|(index, text)| self.score_text(index, text)).collect()
    }

    /// Continues a text to the end of a sentence. Of the options, `temperature`, `top_k`, `top_p`, `min_p`,
    /// `min_new_tokens`, `max_new_tokens`, `stop` and `seed` are followed; others are refused.
    fn generate(
        &self,
        request: &GenerateRequest,
        sink: &mut Sink<'_>,
    ) -> Result<GenerateResponse, TextModelError> {
        request.validate()?;
        let options = &request.options;
        check_options(options)?;
        let prompt = match &request.prompt {
            Prompt::Text(text) => text,
            Prompt::Chat(_) => return Err(TextModelError::Unsupported { what: "conversations" }),
        };
        let mut chart = self.chart(prompt);
        let prompt_tokens = chart.words().len();
        let mut next = chart.next_word().ok_or_else(|| TextModelError::InvalidRequest {
            index: 0,
            reason: format!("no sentence of the grammar begins with {prompt:?}"),
        })?;
        let mut random = ChaCha8Rng::seed_from_u64(options.seed);
        let mut stream = TextStream::new(&options.stop, sink);
        let mut spaced = self.unit == Unit::Character
            || prompt.is_empty()
            || prompt.ends_with(char::is_whitespace);
        let mut completion_tokens = 0;
        let mut finish_reason = FinishReason::Length;
        while completion_tokens < options.max_new_tokens {
            let may_end = completion_tokens >= options.min_new_tokens;
            completion_tokens += 1;
            let word = choose(&next, options, may_end, &mut random);
            let Some(text) = self.parser.grammar().terminals().get(word) else {
                finish_reason = FinishReason::EndOfText;
                break;
            };
            let space = if spaced { "" } else { " " };
            spaced = self.unit == Unit::Character;
            if let ControlFlow::Break(reason) = stream.push(&format!("{space}{text}")) {
                finish_reason = reason;
                break;
            }
            chart.push(Some(word));
            next = chart.next_word().expect("a word that may come next leads to a sentence");
        }
        let (text, finish_reason) = stream.finish(finish_reason);
        Ok(GenerateResponse {
            text,
            finish_reason,
            usage: Usage { prompt_tokens, completion_tokens },
        })
    }
}

/// The index of the next word, or the number of words for the end.
fn choose(
    next: &NextWord,
    options: &GenerateOptions,
    may_end: bool,
    random: &mut ChaCha8Rng,
) -> usize {
    let mut weights = all(next);
    let end = weights.len() - 1;
    // Where nothing but the end is possible, it comes however early it is.
    if !may_end && weights[..end].iter().any(|weight| *weight > 0.0) {
        weights[end] = 0.0;
    }
    if options.temperature == 0.0 {
        return likeliest(&weights);
    }
    normalise(&mut weights);
    sharpen(&mut weights, options);
    truncate(&mut weights, options);
    draw(&weights, random)
}

fn normalise(weights: &mut [f64]) {
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
}

fn sharpen(weights: &mut [f64], options: &GenerateOptions) {
    let power = f64::from(options.temperature).recip();
    let largest = weights.iter().copied().fold(0.0, f64::max);
    for weight in weights.iter_mut().filter(|weight| **weight > 0.0) {
        *weight = (*weight / largest).powf(power);
    }
    normalise(weights);
}

/// Top-k, then top-p, then min-p, as in `transformers`.
fn truncate(weights: &mut [f64], options: &GenerateOptions) {
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]));
    if let Some(k) = options.top_k.filter(|k| *k < order.len()) {
        let last = weights[order[k - 1]];
        weights.iter_mut().filter(|weight| **weight < last).for_each(|weight| *weight = 0.0);
        normalise(weights);
    }
    if let Some(p) = options.top_p {
        let mut before = 0.0;
        for &index in &order {
            let weight = weights[index];
            if before >= f64::from(p) {
                weights[index] = 0.0;
            }
            before += weight;
        }
        normalise(weights);
    }
    if let Some(p) = options.min_p {
        let least = f64::from(p) * weights[order[0]];
        weights.iter_mut().filter(|weight| **weight < least).for_each(|weight| *weight = 0.0);
        normalise(weights);
    }
}

/// # Errors
/// Options that a grammar does not follow.
fn check_options(options: &GenerateOptions) -> Result<(), TextModelError> {
    let off = GenerateOptions::default();
    let mut problems = Vec::new();
    let mut unless = |is_off: bool, option: &'static str, got: String| {
        if !is_off {
            let expected = "the default: a grammar does not follow this option";
            problems.push(InvalidOption { option, got, expected });
        }
    };
    unless(options.typical_p.is_none(), "typical_p", format!("{:?}", options.typical_p));
    unless(
        options.epsilon_cutoff.is_none(),
        "epsilon_cutoff",
        format!("{:?}", options.epsilon_cutoff),
    );
    unless(options.eta_cutoff.is_none(), "eta_cutoff", format!("{:?}", options.eta_cutoff));
    let penalty = options.repetition_penalty;
    unless(penalty == off.repetition_penalty, "repetition_penalty", penalty.to_string());
    let ngram = options.no_repeat_ngram_size;
    unless(ngram.is_none(), "no_repeat_ngram_size", format!("{ngram:?}"));
    unless(options.bad_words.is_empty(), "bad_words", format!("{:?}", options.bad_words));
    unless(options.num_beams == 1, "num_beams", options.num_beams.to_string());
    if problems.is_empty() { Ok(()) } else { Err(TextModelError::InvalidOptions { problems }) }
}
