//! Reads the output of `cargo test -- --show-output` and shows what a person needs of it.
//!
//! Shown: one line for each test binary, every failure in full, every ignored test, and at the end what was skipped,
//! what failed and the total. Hidden: the names of passing tests and what they printed, except lines that begin with
//! `SKIPPED:`. A test that skipped counts as skipped, not as passed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

/// The sum over all test binaries.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Tests that ran to their end and held, skipped ones left out.
    pub passed: usize,
    /// Tests that failed, and test binaries that died before their result.
    pub failed: usize,
    /// Tests that were ignored or said that they skipped something.
    pub skipped: usize,
}

/// A reader of test output, one line at a time.
pub struct Report<W> {
    out: W,
    section: Section,
    binary: String,
    /// Tests announced by the present binary whose result is still to come.
    open: Option<usize>,
    /// Whether the present binary's line waits for its result.
    mid_line: bool,
    totals: Totals,
    failures: Vec<String>,
    /// What was said about skipping, by whom.
    skips: BTreeMap<String, BTreeSet<String>>,
    /// The present binary's tests that skipped.
    skipping_tests: BTreeSet<String>,
}

/// Which part of a binary's output the present line belongs to.
enum Section {
    /// The list of tests with their outcome, and cargo's own lines.
    Tests,
    /// What passing tests printed; the name is the present one's.
    Passing(String),
    /// What failing tests printed.
    Failing,
}

impl<W: Write> Report<W> {
    /// Starts a report on `out`.
    pub fn new(out: W) -> Self {
        Self {
            out,
            section: Section::Tests,
            binary: String::new(),
            open: None,
            mid_line: false,
            totals: Totals::default(),
            failures: Vec::new(),
            skips: BTreeMap::new(),
            skipping_tests: BTreeSet::new(),
        }
    }

    /// Takes the next line of output, without its end.
    pub fn line(&mut self, line: &str) -> io::Result<()> {
        if let Some(result) = line.strip_prefix("test result: ") {
            return self.result(result);
        }
        if line == "failures:" {
            self.section = Section::Failing;
        } else if line == "successes:" {
            self.section = Section::Passing(String::new());
            return Ok(());
        }
        match &mut self.section {
            Section::Failing => self.show(line),
            Section::Tests => self.outcome(line),
            Section::Passing(test) => {
                if let Some(name) = heading(line) {
                    *test = name.to_owned();
                } else if line.starts_with("SKIPPED:") {
                    let name = test.clone();
                    self.skipping_tests.insert(name.clone());
                    self.skip(line, &name);
                }
                Ok(())
            }
        }
    }

    /// Prints the skips, the failures and the total, and returns the total.
    pub fn finish(mut self) -> io::Result<Totals> {
        self.died_before_its_result()?;
        if !self.skips.is_empty() {
            writeln!(self.out, "\nSkipped, wholly or in part:")?;
        }
        for (message, tests) in &self.skips {
            let others = tests.len().saturating_sub(1);
            let first = tests.first().map_or("", String::as_str);
            let more = if others > 0 { format!(" and {others} more") } else { String::new() };
            writeln!(self.out, "  {message} ({first}{more})")?;
        }
        if !self.failures.is_empty() {
            writeln!(self.out, "\nFailed:")?;
        }
        for failure in &self.failures {
            writeln!(self.out, "  {failure}")?;
        }
        let Totals { passed, failed, skipped } = self.totals;
        let skips = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
        writeln!(self.out, "\n{passed} passed, {failed} failed{skips}")?;
        Ok(self.totals)
    }

    /// A line of the list of tests, or of cargo's.
    fn outcome(&mut self, line: &str) -> io::Result<()> {
        if let Some(binary) = binary(line) {
            self.died_before_its_result()?;
            self.binary = binary;
            return Ok(());
        }
        if let Some(count) = running(line) {
            self.open = Some(count);
            if count > 0 {
                self.fresh_line()?;
                let tests = if count == 1 { "test" } else { "tests" };
                write!(self.out, "{}: {count} {tests}", self.binary)?;
                self.out.flush()?;
                self.mid_line = true;
            }
            return Ok(());
        }
        if let Some((name, outcome)) =
            line.strip_prefix("test ").and_then(|rest| rest.rsplit_once(" ... "))
        {
            if outcome == "ok" {
                return Ok(());
            }
            if outcome == "FAILED" {
                self.failures.push(format!("{} {name}", self.binary));
            }
            return self.show(line);
        }
        if line.starts_with("SKIPPED:") {
            // From a program that a test started: no capture, so no name.
            let binary = self.binary.clone();
            self.skip_by(line, binary);
            return Ok(());
        }
        if is_noise(line) { Ok(()) } else { self.show(line) }
    }

    /// `ok. 3 passed; 0 failed; 1 ignored; …; finished in 0.01s`
    fn result(&mut self, result: &str) -> io::Result<()> {
        let count = |what: &str| {
            let number =
                result.split(&[';', '.'][..]).find_map(|part| part.trim().strip_suffix(what));
            number.and_then(|number| number.trim().parse::<usize>().ok()).unwrap_or(0)
        };
        let skipping = self.skipping_tests.len();
        let skipped = skipping + count(" ignored");
        let (passed, failed) = (count(" passed"), count(" failed"));
        self.totals.passed += passed.saturating_sub(skipping);
        self.totals.failed += failed;
        self.totals.skipped += skipped;
        if passed + failed + skipped > 0 {
            let verdict = if failed == 0 { "ok".to_owned() } else { format!("{failed} FAILED") };
            let skips = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
            let time = result.rsplit_once("finished in ").map_or("", |(_, time)| time);
            let separator = if self.mid_line { ":" } else { "  result:" };
            writeln!(self.out, "{separator} {verdict}{skips}, {time}")?;
        }
        self.mid_line = false;
        self.open = None;
        self.skipping_tests.clear();
        self.section = Section::Tests;
        Ok(())
    }

    /// Counts a binary that announced tests and never gave their result: it crashed or was killed.
    fn died_before_its_result(&mut self) -> io::Result<()> {
        if self.open.take().is_some() {
            self.totals.failed += 1;
            self.failures.push(format!("{} ended before its result", self.binary));
            self.show("the test binary ended before its result")?;
        }
        self.skipping_tests.clear();
        self.section = Section::Tests;
        Ok(())
    }

    fn skip(&mut self, line: &str, test: &str) {
        self.skip_by(line, format!("{} {test}", self.binary));
    }

    fn skip_by(&mut self, line: &str, who: String) {
        let message = line.trim_start_matches("SKIPPED:").trim().to_owned();
        self.skips.entry(message).or_default().insert(who);
    }

    fn show(&mut self, line: &str) -> io::Result<()> {
        self.fresh_line()?;
        writeln!(self.out, "{line}")
    }

    fn fresh_line(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.mid_line) {
            writeln!(self.out)?;
        }
        Ok(())
    }
}

/// The test named by `---- NAME stdout ----`.
fn heading(line: &str) -> Option<&str> {
    line.strip_prefix("---- ")?.strip_suffix(" stdout ----")
}

/// The binary named by cargo's `Running unittests src/lib.rs (…/deps/wuji_data-0123)` or `Doc-tests wuji_data`.
fn binary(line: &str) -> Option<String> {
    let line = line.trim_start();
    if let Some(package) = line.strip_prefix("Doc-tests ") {
        return Some(format!("{package}, examples in the docs"));
    }
    let (source, path) = line.strip_prefix("Running ")?.strip_suffix(')')?.split_once(" (")?;
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let name = file.rsplit_once('-').map_or(file, |(name, _)| name);
    Some(format!("{name}, {}", source.trim_start_matches("unittests ")))
}

/// The count in `running 3 tests`.
fn running(line: &str) -> Option<usize> {
    let (count, rest) = line.strip_prefix("running ")?.split_once(' ')?;
    matches!(rest, "test" | "tests").then(|| count.parse().ok()).flatten()
}

fn is_noise(line: &str) -> bool {
    let line = line.trim_start();
    ["Finished ", "Executable ", "all doctests ran in "].iter().any(|start| line.starts_with(start))
        || line.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(text: &str) -> (String, Totals) {
        let mut out = Vec::new();
        let mut report = Report::new(&mut out);
        for line in text.lines() {
            report.line(line).expect("writing to memory");
        }
        let totals = report.finish().expect("writing to memory");
        (String::from_utf8(out).expect("UTF-8"), totals)
    }

    const PASSING: &str = "\
     Running unittests src/lib.rs (target/release/deps/wuji_data-0123abc)

running 4 tests
test packing::a ... ok
test packing::b ... ok
test slow ... ignored, takes an hour
test golden::c ... ok

successes:

---- packing::a stdout ----
chatter that nobody needs

---- golden::c stdout ----
SKIPPED: ../shared/golden not found


successes:
    golden::c
    packing::a
    packing::b

test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.12s

";

    const FAILING: &str = "\
     Running tests/it/main.rs (target/release/deps/it-77)

running 2 tests
test good ... ok
test bad ... FAILED

successes:

---- good stdout ----
fine


successes:
    good

failures:

---- bad stdout ----
thread 'bad' panicked at tests/it/main.rs:3:5:
left: 1

failures:
    bad

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.50s

error: test failed, to rerun pass `-p wuji-tests --test it`
";

    #[test]
    fn passing_tests_are_one_line_and_their_chatter_is_hidden() {
        let (shown, _) = report(PASSING);
        assert!(shown.contains("wuji_data, src/lib.rs: 4 tests"), "{shown}");
        assert!(!shown.contains("chatter") && !shown.contains("packing::b"), "{shown}");
    }

    #[test]
    fn a_skip_is_shown_with_its_test_and_counted_as_skipped_not_passed() {
        let (shown, totals) = report(PASSING);
        assert!(
            shown.contains("../shared/golden not found (wuji_data, src/lib.rs golden::c)"),
            "{shown}"
        );
        assert!(shown.contains("test slow ... ignored, takes an hour"), "{shown}");
        assert_eq!(totals, Totals { passed: 2, failed: 0, skipped: 2 });
        assert_eq!(shown.lines().last(), Some("2 passed, 0 failed, 2 skipped"));
    }

    #[test]
    fn the_same_skip_of_many_tests_is_one_line() {
        let block = "---- golden::c stdout ----\nSKIPPED: ../shared/golden not found\n";
        let twice = PASSING.replace(block, &format!("{block}\n{}", block.replace("::c", "::d")));
        let (shown, _) = report(&twice);
        assert_eq!(shown.matches("golden not found").count(), 1, "{shown}");
        assert!(shown.contains("golden::c and 1 more"), "{shown}");
    }

    #[test]
    fn failures_are_shown_in_full_and_listed_again() {
        let (shown, totals) = report(FAILING);
        for text in ["test bad ... FAILED", "thread 'bad' panicked", "left: 1", "--test it"] {
            assert!(shown.contains(text), "{text} missing in {shown}");
        }
        assert!(!shown.contains("fine"), "{shown}");
        assert!(shown.contains("\nFailed:\n  it, tests/it/main.rs bad\n"), "{shown}");
        assert_eq!(totals, Totals { passed: 1, failed: 1, skipped: 0 });
        assert_eq!(shown.lines().last(), Some("1 passed, 1 failed"));
    }

    #[test]
    fn totals_are_summed_over_binaries() {
        let (_, totals) = report(&format!("{PASSING}{FAILING}"));
        assert_eq!(totals, Totals { passed: 3, failed: 1, skipped: 2 });
    }

    #[test]
    fn a_binary_that_dies_counts_as_a_failure() {
        let died = "     Running unittests src/lib.rs (deps/wuji_model-1)\n\nrunning 2 tests\ntest a ... ok\n\
                    error: test failed, to rerun pass `-p wuji-model --lib`\n\
                    \n\x20\x20Caused by: process didn't exit successfully (signal: 11, SIGSEGV)\n";
        let (shown, totals) = report(&format!("{died}{PASSING}"));
        assert!(shown.contains("wuji_model, src/lib.rs ended before its result"), "{shown}");
        assert!(shown.contains("SIGSEGV"), "{shown}");
        assert_eq!(totals, Totals { passed: 2, failed: 1, skipped: 2 });
        assert_eq!(report(died).1.failed, 1);
    }

    #[test]
    fn binaries_without_tests_are_not_mentioned() {
        let empty = "   Doc-tests wuji_device\n\nrunning 0 tests\n\n\
                     test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
        let (shown, totals) = report(empty);
        assert_eq!(shown, "\n0 passed, 0 failed\n");
        assert_eq!(totals, Totals::default());
    }

    #[test]
    fn a_skip_printed_past_the_capture_is_still_shown() {
        let (shown, totals) =
            report(&PASSING.replace("test packing::a ... ok", "SKIPPED: no Vulkan driver"));
        assert!(shown.contains("no Vulkan driver (wuji_data, src/lib.rs)"), "{shown}");
        assert_eq!(totals.passed, 2);
    }
}
