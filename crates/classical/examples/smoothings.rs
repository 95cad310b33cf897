//! Prints nats per character by smoothing and order on the last tenth of a text, trained on the rest;
//! what cut-offs and pruning cost and save; and how often drafts guess right:
//! `cargo run --release -p wuji-classical --example smoothings -- PATH` (plain or `.gz`).

use std::io::{Read, Write};

use anyhow::Context;
use flate2::read::MultiGzDecoder;
use wuji_classical::{
    CharacterCodec, Draft, Estimation, FirstOf, MAX_ORDER, NgramConfig, NgramCounts, NgramModel,
    PromptLookup, Smoothing, TextCodec, Vocabulary,
};

const SMOOTHINGS: [(&str, Smoothing); 4] = [
    ("Kneser–Ney", Smoothing::KneserNey),
    ("absolute discounting", Smoothing::AbsoluteDiscounting),
    ("Witten–Bell", Smoothing::WittenBell),
    ("Katz", Smoothing::KATZ),
];

fn main() -> anyhow::Result<()> {
    let path = std::env::args().nth(1).context("usage: smoothings PATH")?;
    let text = read(&path)?;
    let codec = CharacterCodec::of(&text);
    let tokens = codec.encode(&text).map_err(anyhow::Error::from_boxed)?;
    let (train, validation) = tokens.split_at(tokens.len() * 9 / 10);
    let config = NgramConfig::new(MAX_ORDER, codec.characters().len());
    let counts = NgramCounts::collect(config, [train])?;
    let mut out = std::io::stdout().lock();
    print_smoothings(&mut out, &counts, validation)?;
    print_cut_offs(&mut out, &counts, validation)?;
    print_pruning(&mut out, &counts, validation, &Vocabulary::characters(codec.characters())?)?;
    print_drafts(&mut out, &counts.smoothed(7, &Estimation::default())?, validation)
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

fn print_smoothings(
    out: &mut impl Write,
    counts: &NgramCounts,
    validation: &[u32],
) -> anyhow::Result<()> {
    writeln!(out, "| order | {} |", SMOOTHINGS.map(|(name, _)| name).join(" | "))?;
    writeln!(out, "|------:|{}", "-----:|".repeat(SMOOTHINGS.len()))?;
    for order in 1..=MAX_ORDER {
        write!(out, "| {order} |")?;
        for (_, smoothing) in SMOOTHINGS {
            let model = counts.smoothed(order, &smoothing.into())?;
            write!(out, " {:.4} |", model.score(validation).nats_per_token())?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn print_cut_offs(
    out: &mut impl Write,
    counts: &NgramCounts,
    validation: &[u32],
) -> anyhow::Result<()> {
    writeln!(out, "\n| order 7, cut-offs | n-grams | nats/char | perplexity |")?;
    writeln!(out, "|---|---:|---:|---:|")?;
    for min_counts in [vec![], vec![1, 1, 1, 1, 2], vec![1, 1, 2], vec![1, 1, 2, 3]] {
        let estimation = Estimation::default().with_min_counts(min_counts);
        let model = counts.smoothed(7, &estimation)?;
        print_size(out, &format!("{:?}", estimation.min_counts), &model, validation)?;
    }
    Ok(())
}

fn print_size(
    out: &mut impl Write,
    name: &str,
    model: &NgramModel,
    validation: &[u32],
) -> anyhow::Result<()> {
    let score = model.score(validation);
    let (nats, perplexity) = (score.nats_per_token(), score.perplexity());
    writeln!(out, "| {name} | {} | {nats:.4} | {perplexity:.3} |", model.ngram_count())?;
    Ok(())
}

fn print_pruning(
    out: &mut impl Write,
    counts: &NgramCounts,
    validation: &[u32],
    vocabulary: &Vocabulary,
) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    for (name, smoothing) in SMOOTHINGS {
        writeln!(out, "\n| order 7, {name}, pruned at | n-grams | nats/char | perplexity |")?;
        writeln!(out, "|---|---:|---:|---:|")?;
        let model = counts.smoothed(7, &smoothing.into())?;
        print_size(out, "not at all", &model, validation)?;
        for threshold in [1e-8, 1e-7, 1e-6, 1e-5] {
            let pruned = model.prune(threshold)?;
            print_size(out, &format!("{threshold:e}"), &pruned, validation)?;
        }
        let path = directory.path().join("model.arpa.gz");
        model.write_arpa(&path, vocabulary)?;
        let read = NgramModel::read_arpa(&path, vocabulary, model.config().boundaries)?;
        let mebibytes = std::fs::metadata(&path)?.len() as f64 / (1 << 20) as f64;
        print_size(out, &format!("(from an ARPA file of {mebibytes:.1} MiB)"), &read, validation)?;
    }
    Ok(())
}

/// How many of `LENGTH` proposed characters are right before the first wrong one, every 50 characters of the
/// validation text, with the last 2000 characters to look in.
fn print_drafts(
    out: &mut impl Write,
    model: &NgramModel,
    validation: &[u32],
) -> anyhow::Result<()> {
    const LENGTH: usize = 8;
    let lookup = PromptLookup { max_ngram: 12, min_ngram: 4 };
    let drafts: [(&str, &dyn Draft); 3] = [
        ("lookup in the text", &lookup),
        ("7-gram", model),
        ("lookup, then 7-gram", &FirstOf(lookup, model)),
    ];
    writeln!(
        out,
        "\n| draft of {LENGTH} characters | proposed | right before the first mistake |"
    )?;
    writeln!(out, "|---|---:|---:|")?;
    for (name, draft) in drafts {
        let (mut proposed, mut right, mut asked) = (0, 0, 0);
        for end in (2000..validation.len() - LENGTH).step_by(50) {
            let guesses = draft.propose(&validation[end - 2000..end], LENGTH, 0.0);
            let truth = &validation[end..];
            asked += 1;
            proposed += guesses.len();
            right += guesses.iter().zip(truth).take_while(|(guess, id)| guess.id == **id).count();
        }
        let mean = |sum: usize| sum as f64 / f64::from(asked);
        writeln!(out, "| {name} | {:.2} | {:.2} |", mean(proposed), mean(right))?;
    }
    Ok(())
}
