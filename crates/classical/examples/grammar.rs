//! Parses a sentence with a grammar file, or draws sentences from it:
//! `cargo run --release -p wuji-classical --example grammar -- FILE [SENTENCE]`.

use std::io::Write;

use anyhow::Context;
use wuji_classical::grammar::{Grammar, Parser};

const SAMPLES: usize = 5;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().context("usage: grammar FILE [SENTENCE]")?;
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let grammar = Grammar::parse(&text).with_context(|| path.clone())?;
    match arguments.next() {
        Some(sentence) => parse(&Parser::new(grammar), &sentence),
        None => sample(&grammar),
    }
}

fn parse(parser: &Parser, sentence: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let words: Vec<&str> = sentence.split_whitespace().collect();
    writeln!(out, "ln P(sentence)      {:.4}", parser.log_probability(&words))?;
    writeln!(out, "ln P(beginning)     {:.4}", parser.prefix_log_probability(&words))?;
    if let Some(best) = parser.best(&words) {
        writeln!(out, "ln P(best tree)     {:.4}", best.log_probability)?;
        writeln!(out, "{}", best.derivation.bracketed(parser.grammar()))?;
    }
    let Some(next) = parser.next_word(&words) else { return Ok(()) };
    writeln!(out, "\nWhat comes next:\n{:.4}  (the end)", next.end)?;
    let words = parser.grammar().terminals().iter().zip(&next.words);
    let mut words: Vec<_> = words.filter(|(_, probability)| **probability > 0.0).collect();
    words.sort_by(|a, b| b.1.total_cmp(a.1));
    words.iter().try_for_each(|(word, probability)| writeln!(out, "{probability:.4}  {word}"))?;
    Ok(())
}

fn sample(grammar: &Grammar) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let sampler = grammar.sampler()?;
    writeln!(out, "{:.2} words are expected in a sentence\n", grammar.expected_length())?;
    for derivation in sampler.samples(0).take(SAMPLES) {
        writeln!(out, "{}", derivation.words(grammar).join(" "))?;
    }
    Ok(())
}
