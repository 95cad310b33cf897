//! What happened in a study, one JSON object a line, appended and never changed.
//!
//! Each line is on the disk before anybody acts on it. A process that dies while it writes leaves half a
//! line at the end, which is cut off; anything else that cannot be read is an error.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Budget, StudyConfig, TrialState};
use crate::search::{Assignment, SearchError, SearchSpace};

/// The file in a study's directory.
pub(super) const FILE: &str = "journal.jsonl";
/// The file that is locked while a process writes the journal.
const LOCK: &str = "journal.lock";
/// Raised when a line is no longer read as it was.
pub(super) const FORMAT: u32 = 1;

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum Event {
    /// The first line.
    Study { format: u32, config: StudyConfig, space: SearchSpace },
    /// A process goes on with the study. Whatever ran is abandoned.
    Session { budget: Budget },
    /// A trial was proposed.
    Ask { number: u64, seed: u64, parameters: Assignment },
    /// Somebody takes a waiting trial up again.
    Retry { number: u64 },
    /// A trial reported a value on its way.
    Report { number: u64, step: u64, value: f64 },
    /// A trial was given back, to be taken up later.
    Release { number: u64 },
    /// A trial is over; `at` is the session's age in seconds.
    End { number: u64, outcome: TrialState, seconds: f64, at: f64 },
}

/// An open journal.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// Held by the system for this process as long as the file is open.
    _lock: File,
}

impl Journal {
    /// Opens the journal in `dir` for this process alone, and reads it. A torn last line is cut off.
    pub(super) fn open(dir: &Path) -> Result<(Self, Vec<Event>), SearchError> {
        std::fs::create_dir_all(dir).map_err(|source| SearchError::io("creating", dir, source))?;
        let lock = lock(dir)?;
        let path = dir.join(FILE);
        let io = |action| move |source| SearchError::io(action, dir.join(FILE), source);
        let opened = OpenOptions::new().read(true).append(true).create(true).open(&path);
        let mut file = opened.map_err(io("opening"))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io("reading"))?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if whole < bytes.len() {
            tracing::warn!(
                path = %path.display(),
                bytes = bytes.len() - whole,
                "the last line of the journal is incomplete and was dropped"
            );
            file.set_len(whole as u64).map_err(io("cutting"))?;
        }
        let events = parse(&path, &bytes[..whole])?;
        sync_directory(dir)?;
        Ok((Self { path, file, _lock: lock }, events))
    }

    /// Writes a line and waits until it is on the disk.
    pub(super) fn append(&mut self, event: &Event) -> Result<(), SearchError> {
        let mut line = serde_json::to_string(event).expect("events hold numbers and words");
        line.push('\n');
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(|source| SearchError::io("writing", &self.path, source))
    }
}

/// Reads the journal in `dir` while somebody may be writing it: whole lines only.
pub(super) fn read(dir: &Path) -> Result<Vec<Event>, SearchError> {
    let path = dir.join(FILE);
    let bytes = std::fs::read(&path).map_err(|source| SearchError::io("reading", &path, source))?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    parse(&path, &bytes[..whole])
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Vec<Event>, SearchError> {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let event = |(index, line): (usize, &[u8])| {
        serde_json::from_slice(line).map_err(|error| SearchError::BadJournal {
            path: path.into(),
            line: index + 1,
            reason: error.to_string(),
        })
    };
    lines.enumerate().map(event).collect()
}

fn lock(dir: &Path) -> Result<File, SearchError> {
    let path = dir.join(LOCK);
    let io = |source| SearchError::io("opening", &path, source);
    let mut options = OpenOptions::new();
    let mut file =
        options.read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut owner = String::new();
            file.read_to_string(&mut owner).map_err(io)?;
            return Err(SearchError::InUse { path: dir.into(), owner: owner.trim().to_string() });
        }
        Err(TryLockError::Error(source)) => return Err(io(source)),
    }
    file.set_len(0).and_then(|()| file.rewind()).map_err(io)?;
    writeln!(file, "{}", std::process::id()).map_err(io)?;
    Ok(file)
}

/// A new file is there after a crash only once its directory is on the disk, too.
#[cfg(unix)]
fn sync_directory(dir: &Path) -> Result<(), SearchError> {
    let synced = File::open(dir).and_then(|dir| dir.sync_all());
    synced.map_err(|source| SearchError::io("writing", dir, source))
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> Result<(), SearchError> {
    Ok(())
}
