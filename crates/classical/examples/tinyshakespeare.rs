//! Prints nats per character by order on the last tenth of a text, trained on the rest:
//! `cargo run --release -p wuji-classical --example tinyshakespeare -- PATH` (plain or `.gz`).

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::time::Instant;

use anyhow::Context;
use flate2::read::MultiGzDecoder;
use wuji_classical::{KneserNey, KneserNeyConfig, MAX_ORDER, select_order};

fn main() -> anyhow::Result<()> {
    let path = std::env::args().nth(1).context("usage: tinyshakespeare PATH")?;
    let mut out = std::io::stdout().lock();
    let text = read(&path)?;
    let characters: Vec<char> = text.chars().collect::<BTreeSet<_>>().into_iter().collect();
    let ids = text.chars().filter_map(|c| characters.binary_search(&c).ok());
    let tokens: Vec<u32> = ids.map(|id| id as u32).collect();
    let (train, validation) = tokens.split_at(tokens.len() * 9 / 10);
    writeln!(
        out,
        "{} training and {} validation characters, {} different ones\n",
        train.len(),
        validation.len(),
        characters.len()
    )?;
    print_table(&mut out, train, validation, characters.len())?;
    print_selection(&mut out, train, validation, &characters)
}

fn read(path: &str) -> anyhow::Result<String> {
    let file = std::fs::File::open(path).with_context(|| format!("cannot open {path}"))?;
    let mut text = String::new();
    let read = if path.ends_with(".gz") {
        MultiGzDecoder::new(file).read_to_string(&mut text)
    } else {
        std::io::BufReader::new(file).read_to_string(&mut text)
    };
    read.with_context(|| format!("cannot read {path}"))?;
    Ok(text)
}

fn print_table(
    out: &mut impl Write,
    train: &[u32],
    validation: &[u32],
    vocab_size: usize,
) -> anyhow::Result<()> {
    writeln!(out, "| order | nats/char | bits/char | n-grams | MiB | train s | score M char/s |")?;
    writeln!(out, "|------:|----------:|----------:|--------:|----:|--------:|---------------:|")?;
    for order in 1..=MAX_ORDER {
        let start = Instant::now();
        let model = KneserNey::train(KneserNeyConfig::new(order, vocab_size), [train])?;
        let train_seconds = start.elapsed().as_secs_f64();
        let start = Instant::now();
        let nats = model.score(validation).nats_per_token();
        writeln!(
            out,
            "| {order} | {nats:.4} | {:.4} | {} | {:.1} | {train_seconds:.2} | {:.1} |",
            nats / std::f64::consts::LN_2,
            model.ngram_count(),
            model.memory_bytes() as f64 / (1 << 20) as f64,
            validation.len() as f64 / 1e6 / start.elapsed().as_secs_f64(),
        )?;
    }
    Ok(())
}

fn print_selection(
    out: &mut impl Write,
    train: &[u32],
    validation: &[u32],
    characters: &[char],
) -> anyhow::Result<()> {
    let start = Instant::now();
    let selection = select_order(train, characters.len(), 1..=MAX_ORDER, 0.1)?;
    let seconds = start.elapsed().as_secs_f64();
    writeln!(out, "\nNats per character on the last tenth of the training text, by order:")?;
    for (order, nats) in &selection.per_order {
        writeln!(out, "  {order}: {nats:.4}")?;
    }
    writeln!(
        out,
        "Order {} it is ({seconds:.1} s in all): {:.4} nats per character of the validation text.\n",
        selection.order,
        selection.best.score(validation).nats_per_token()
    )?;
    let sample = selection.best.generate(validation, 400, 0.8, 1);
    writeln!(out, "{}", sample.iter().map(|&id| characters[id as usize]).collect::<String>())?;
    Ok(())
}
