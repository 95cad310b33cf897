//! Times a rule set with thousands of phrases on a made-up document of ten megabytes:
//! `cargo run --release -p wuji-classical --example rules_speed`.

use std::io::Write;
use std::time::Instant;

use wuji_classical::rules::RuleSet;

const PHRASES: usize = 5_000;
const BYTES: usize = 10_000_000;

/// A made-up word for a number: the same number, the same word.
fn word(mut number: usize) -> String {
    const SYLLABLES: [&str; 16] = [
        "ba", "co", "di", "fu", "ga", "he", "ji", "ko", "la", "mu", "ne", "pi", "ro", "su", "ti",
        "wo",
    ];
    let mut word = String::new();
    for _ in 0..3 {
        word.push_str(SYLLABLES[number % 16]);
        number /= 16;
    }
    word
}

fn rules() -> anyhow::Result<RuleSet> {
    let phrases: Vec<String> =
        (0..PHRASES).map(|n| format!("\"{} {}\"", word(n % 4096), word(n * 7 % 4096))).collect();
    let cues: Vec<String> = (0..50).map(|n| format!("\"{}\"", word(n * 81))).collect();
    let mut file =
        format!("[lists]\nphrase = [{}]\ncue = [{}]\n", phrases.join(","), cues.join(","));
    let example = format!("x {} {}", word(1), word(7));
    file += &format!(
        "[[rule]]\nid = 'phrase'\nlabel = 'phrase'\nsource = 'made up'\npattern = '@phrase'\n\
         not_before = '@cue inner{{0,5}}'\nmatches = ['{example}']\n"
    );
    // Two hundred rules that begin with a word, and two that have to be tried at every word.
    for n in 0..200 {
        let (first, second) = (word(n * 20), word(n * 31 % 4096));
        file += &format!(
            "[[rule]]\nid = 'word{n}'\nlabel = 'w'\nsource = 'made up'\npattern = \"'{first}' inner{{0,3}} '{second}'\"\n\
             matches = ['{first} {second}']\n"
        );
    }
    for (id, pattern, example) in
        [("amount", r"/\d+/ ('mg' | 'g')", "5 mg"), ("code", r"/[A-Z]{2}\d+/", "AB12")]
    {
        file += &format!(
            "[[rule]]\nid = '{id}'\nlabel = 'n'\nsource = 'made up'\npattern = '''{pattern}'''\nmatches = ['{example}']\n"
        );
    }
    Ok(RuleSet::parse(&file)?)
}

fn document() -> String {
    let mut text = String::with_capacity(BYTES + 100);
    let mut state = 1_usize;
    while text.len() < BYTES {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let number = state >> 33;
        match number % 40 {
            0 => text.push_str(". "),
            1 => text.push_str(&format!("{} mg ", number % 100)),
            _ => text.push_str(&(word(number / 40 % 4096) + " ")),
        }
    }
    text
}

fn main() -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let start = Instant::now();
    let rules = rules()?;
    writeln!(
        out,
        "{} rules and {PHRASES} phrases read in {:.2?}",
        rules.rules().len(),
        start.elapsed()
    )?;
    let text = document();
    for part in [text.len() / 10, text.len()] {
        let part = &text[..part];
        let start = Instant::now();
        let found = rules.find(part).len();
        writeln!(out, "{found} matches in {} bytes in {:.2?}", part.len(), start.elapsed())?;
    }
    Ok(())
}
