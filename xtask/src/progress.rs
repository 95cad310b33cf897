//! Shows cargo's progress only where there is some: everything but the lines that say it is done.
//!
//! A build with nothing to do prints only those, so a command whose binary is up to date starts in silence.

use std::io::{self, IsTerminal, Read, Write};
use std::process::{Command, Stdio};

use anyhow::Context;

/// The lines with which cargo closes a build.
const CLOSING: [&str; 2] = ["Finished ", "Executable "];

/// Runs a build with its progress on our standard error.
///
/// Returns whether it succeeded, and its standard output.
pub fn build(mut command: Command) -> anyhow::Result<(bool, String)> {
    if io::stderr().is_terminal() {
        // cargo sees a pipe; it is our terminal all the same.
        command.envs([
            ("CARGO_TERM_COLOR", "always"),
            ("CARGO_TERM_PROGRESS_WHEN", "always"),
            ("CARGO_TERM_PROGRESS_WIDTH", "80"),
        ]);
    }
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cargo could not be started")?;
    let errors = child.stderr.take().context("cargo's standard error is piped")?;
    let mut output = child.stdout.take().context("cargo's standard output is piped")?;
    let shown = std::thread::spawn(move || forward(errors, io::stderr()));
    let mut messages = String::new();
    output.read_to_string(&mut messages).context("cargo's messages could not be read")?;
    let succeeded = child.wait().context("cargo could not be waited for")?.success();
    // A terminal that went away while cargo was building is no reason to lose the build.
    let _ = shown.join();
    Ok((succeeded, messages))
}

/// Copies cargo's standard error to `out` as it comes, without its closing lines.
fn forward(mut from: impl Read, mut out: impl Write) -> io::Result<()> {
    let mut buffer = [0; 8192];
    let mut segment = Vec::new();
    let mut bar_is_shown = false;
    loop {
        let length = from.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        for &byte in &buffer[..length] {
            segment.push(byte);
            match byte {
                // A progress bar ends with a carriage return, so that what follows overwrites it.
                b'\r' => {
                    bar_is_shown = true;
                    out.write_all(&segment)?;
                    segment.clear();
                }
                b'\n' => {
                    line(&segment, bar_is_shown, &mut out)?;
                    bar_is_shown = false;
                    segment.clear();
                }
                _ => {}
            }
        }
        out.flush()?;
    }
    line(&segment, bar_is_shown, &mut out)
}

fn line(segment: &[u8], bar_is_shown: bool, out: &mut impl Write) -> io::Result<()> {
    if !is_closing(segment) {
        return out.write_all(segment);
    }
    if bar_is_shown {
        // The dropped line would have wiped the bar.
        out.write_all(b"\x1b[K")?;
    }
    Ok(())
}

/// Whether this is one of cargo's closing lines, coloured or not.
fn is_closing(segment: &[u8]) -> bool {
    let text = without_escapes(&String::from_utf8_lossy(segment));
    CLOSING.iter().any(|start| text.trim_start().starts_with(start))
}

/// The text without terminal control sequences (`ESC [ … letter`).
fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\x1b' {
            plain.push(character);
        } else if characters.next() == Some('[') {
            for inside in characters.by_ref() {
                if inside.is_ascii_alphabetic() {
                    break;
                }
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forwarded(text: &str) -> String {
        let mut out = Vec::new();
        forward(text.as_bytes(), &mut out).expect("writing to memory");
        String::from_utf8(out).expect("the input was UTF-8")
    }

    #[test]
    fn a_build_with_nothing_to_do_shows_nothing() {
        assert_eq!(
            forwarded("    Finished `release` profile [optimized] target(s) in 0.21s\n"),
            ""
        );
        assert_eq!(forwarded("  Executable unittests src/lib.rs (deps/wuji-1)\n"), "");
        assert_eq!(forwarded("\x1b[1m\x1b[32m    Finished\x1b[0m `release` in 0.2s\n"), "");
    }

    #[test]
    fn compiling_lines_warnings_and_unfinished_lines_are_shown_as_they_come() {
        let text = "   Compiling wuji v0.1.0\nwarning: unused: Finished work\nerror: no";
        assert_eq!(forwarded(text), text);
    }

    #[test]
    fn a_progress_bar_is_wiped_when_the_line_that_would_wipe_it_is_dropped() {
        let bar = "    Building [==>  ] 1/2: wuji\r";
        let shown = forwarded(&format!("{bar}\x1b[K    Finished `release` in 9s\n"));
        assert_eq!(shown, format!("{bar}\x1b[K"));
    }
}
