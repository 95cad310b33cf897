//! Counts the bytes of a large text, on disk or in memory, and prints the peak memory:
//! `cargo run --release -p wuji-classical --example external_counts -- ORDER MIB PATH…`
//! reads files (plain or `.gz`) one after the other, and again from the first, up to `MIB` MiB of text.
//! With `BUFFER_MIB=64` in the environment the buffer is as large; `BUFFER_MIB=0` counts in memory.

use std::io::{Read, Write};
use std::time::Instant;

use anyhow::{Context, ensure};
use flate2::read::MultiGzDecoder;
use wuji_classical::{ExternalCounter, NgramConfig, NgramCounts, Score};

/// Bytes read at once.
const PART: usize = 1 << 20;

fn main() -> anyhow::Result<()> {
    let usage = "usage: external_counts ORDER MIB PATH…";
    let mut arguments = std::env::args().skip(1);
    let order: usize = arguments.next().context(usage)?.parse().context(usage)?;
    let mebibytes: usize = arguments.next().context(usage)?.parse().context(usage)?;
    let paths: Vec<String> = arguments.collect();
    ensure!(!paths.is_empty(), usage);
    let buffer: usize = std::env::var("BUFFER_MIB").map_or(Ok(64), |text| text.parse())?;

    let mut text =
        Text { paths, next: 0, reader: Box::new(std::io::empty()), left: mebibytes << 20 };
    let config = NgramConfig::new(order, 256);
    let start = Instant::now();
    let counts = if buffer == 0 {
        let mut tokens = Vec::with_capacity(text.left);
        while let Some(part) = text.part()? {
            tokens.extend(part);
        }
        NgramCounts::collect(config, [tokens.as_slice()])?
    } else {
        count_on_disk(config, buffer << 20, &mut text)?
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "order {order}, {} bytes of text, buffer {buffer} MiB", counts.tokens())?;
    writeln!(
        out,
        "counted in {:.1} s, peak {} MiB",
        start.elapsed().as_secs_f64(),
        peak_mebibytes()?
    )?;
    let model = counts.into_model();
    writeln!(
        out,
        "{} n-grams ({:?}), model of {} MiB, {:.1} s in all, peak {} MiB",
        model.ngram_count(),
        model.ngram_counts(),
        model.memory_bytes() >> 20,
        start.elapsed().as_secs_f64(),
        peak_mebibytes()?
    )?;
    let sample = "the quick brown fox jumps over the lazy dog".bytes().map(u32::from);
    let score: Score = model.score(&sample.collect::<Vec<_>>());
    writeln!(out, "a sentence costs {:.6} nats per byte", score.nats_per_token())?;
    Ok(())
}

fn count_on_disk(
    config: NgramConfig,
    memory_bytes: usize,
    text: &mut Text,
) -> anyhow::Result<NgramCounts> {
    let directory = tempfile::tempdir()?;
    let mut counter = ExternalCounter::new(config, directory.path(), memory_bytes)?;
    while let Some(part) = text.part()? {
        counter.extend(&part)?;
    }
    counter.end_document()?;
    Ok(counter.finish()?)
}

/// Files in a circle, up to a length.
struct Text {
    paths: Vec<String>,
    next: usize,
    reader: Box<dyn Read>,
    left: usize,
}

impl Text {
    /// The next bytes as tokens.
    fn part(&mut self) -> anyhow::Result<Option<Vec<u32>>> {
        let mut bytes = vec![0; PART.min(self.left)];
        let mut filled = 0;
        while filled < bytes.len() {
            let read = self.reader.read(&mut bytes[filled..])?;
            filled += read;
            if read == 0 {
                let path = &self.paths[self.next % self.paths.len()];
                self.next += 1;
                ensure!(self.next < 100_000, "the files have no text");
                let file =
                    std::fs::File::open(path).with_context(|| format!("cannot open {path}"))?;
                self.reader = match path.ends_with(".gz") {
                    true => Box::new(MultiGzDecoder::new(file)),
                    false => Box::new(file),
                };
            }
        }
        self.left -= filled;
        Ok((filled > 0).then(|| bytes.into_iter().map(u32::from).collect()))
    }
}

/// The most memory that this process has had, as Linux tells it.
fn peak_mebibytes() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("needs Linux")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).context("no VmHWM")?;
    let kibibytes: u64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(kibibytes >> 10)
}
