//! From the public source to a data root: download, check, compress where the copy is compressed, rename.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::{Compression, GzBuilder};
use tempfile::NamedTempFile;

use super::download::{Attempt, Client, part_size, remove};
use super::{CatalogueError, DatasetFile, DatasetManifest, GitBlobId, Result, Transform};
use crate::fingerprint::Fingerprint;

/// How to download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchOptions {
    /// Attempts per file before giving up, at least one. Default 4.
    pub attempts: u32,
    /// Pause before the second attempt; it doubles with each further one. Default one second.
    pub retry_delay: Duration,
    /// A proxy as `http://host:port`. Default none; this library does not look into the environment.
    pub proxy: Option<String>,
}

impl Default for FetchOptions {
    fn default() -> Self {
        Self { attempts: 4, retry_delay: Duration::from_secs(1), proxy: None }
    }
}

/// What is happening, for a progress display.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchEvent<'a> {
    /// A file is being downloaded; `have` bytes of it were there from before.
    Started {
        /// Path below the data root.
        path: &'a str,
        /// Bytes from an earlier download.
        have: u64,
        /// Bytes in all.
        total: u64,
    },
    /// This many bytes of the current file are there.
    Received {
        /// Bytes so far.
        have: u64,
        /// Bytes in all.
        total: u64,
    },
    /// An attempt failed, and another one follows.
    Retrying {
        /// Number of the coming attempt, from 2.
        attempt: u32,
        /// What went wrong.
        reason: &'a str,
    },
    /// A file is done with.
    Finished {
        /// Path below the data root.
        path: &'a str,
        /// What came of it.
        outcome: &'a FetchOutcome,
    },
}

/// What came of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchOutcome {
    /// It was there already and is right.
    Present,
    /// It was downloaded and checked.
    Downloaded,
    /// It cannot be rebuilt from its source here, because more than compression was done to it.
    NeedsLocalCopy {
        /// What was done.
        steps: String,
    },
}

/// What came of all files of a data set, in the order of the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchReport {
    /// Path below the data root, and what came of it.
    pub files: Vec<(String, FetchOutcome)>,
}

impl FetchReport {
    /// Whether every file is there now.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.files
            .iter()
            .all(|(_, outcome)| !matches!(outcome, FetchOutcome::NeedsLocalCopy { .. }))
    }
}

impl DatasetManifest {
    /// Brings every file that its source has as it is below `data_root`, checked and under its final name.
    ///
    /// What is there and right is left alone. A download that broke off goes on where it stopped, also in a later call.
    ///
    /// # Errors
    /// [`CatalogueError::NeedsLocalCopy`] if a file is missing and no missing file can be fetched; otherwise
    /// [`Offline`](CatalogueError::Offline), [`Interrupted`](CatalogueError::Interrupted),
    /// [`Status`](CatalogueError::Status), [`WrongContent`](CatalogueError::WrongContent) or
    /// [`Io`](CatalogueError::Io) for the first file that fails. Files before it stay.
    pub fn fetch(
        &self,
        data_root: &Path,
        options: &FetchOptions,
        progress: &mut dyn FnMut(FetchEvent<'_>),
    ) -> Result<FetchReport> {
        let client = Client::new(options)?;
        let mut files = Vec::with_capacity(self.files.len());
        for file in &self.files {
            let outcome = if file.status(data_root)?.is_good() {
                FetchOutcome::Present
            } else if let Some(url) = &file.source.url {
                let download =
                    Download { id: &self.id, file, url, part: part_path(data_root, file), options };
                download.run(&client, &data_root.join(&file.path), progress)?;
                FetchOutcome::Downloaded
            } else {
                FetchOutcome::NeedsLocalCopy {
                    steps: file.source.steps.clone().unwrap_or_default(),
                }
            };
            progress(FetchEvent::Finished { path: &file.path, outcome: &outcome });
            files.push((file.path.clone(), outcome));
        }
        let report = FetchReport { files };
        if report.is_complete()
            || report.files.iter().any(|(_, outcome)| *outcome == FetchOutcome::Downloaded)
        {
            Ok(report)
        } else {
            Err(self.needs_local_copy(&report))
        }
    }

    fn needs_local_copy(&self, report: &FetchReport) -> CatalogueError {
        let missing = report.files.iter().filter_map(|(path, outcome)| match outcome {
            FetchOutcome::NeedsLocalCopy { steps } => {
                Some(format!("{path} is not in its source like this ({steps})"))
            }
            _ => None,
        });
        CatalogueError::NeedsLocalCopy {
            id: self.id.clone(),
            steps: missing.collect::<Vec<_>>().join("; "),
        }
    }
}

/// The partial file beside the final one. The hash in its name keeps versions of a data set apart.
fn part_path(data_root: &Path, file: &DatasetFile) -> PathBuf {
    let (_, sha256) = file.download();
    data_root.join(format!("{}.{}.part", file.path, &sha256.to_string()[..8]))
}

/// The download of one file.
struct Download<'a> {
    id: &'a str,
    file: &'a DatasetFile,
    url: &'a str,
    part: PathBuf,
    options: &'a FetchOptions,
}

impl Download<'_> {
    fn run(
        &self,
        client: &Client,
        target: &Path,
        progress: &mut dyn FnMut(FetchEvent<'_>),
    ) -> Result<()> {
        let directory = target.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(directory).map_err(CatalogueError::io("create", directory))?;
        let (total, _) = self.file.download();
        let have = part_size(&self.part, total)?;
        progress(FetchEvent::Started { path: &self.file.path, have, total });
        self.receive(client, progress)?;
        if let Err(wrong) = self.check() {
            remove(&self.part)?;
            if have == 0 {
                return Err(wrong);
            }
            // What was left from an earlier call may have been the wrong part: once more, from the beginning.
            progress(FetchEvent::Retrying {
                attempt: 2,
                reason: "the continued file has the wrong hash",
            });
            self.receive(client, progress)?;
            self.check().inspect_err(|_| drop(remove(&self.part)))?;
        }
        self.finish(directory, target)
    }

    /// Attempts until the partial file has all bytes.
    fn receive(&self, client: &Client, progress: &mut dyn FnMut(FetchEvent<'_>)) -> Result<()> {
        let (total, _) = self.file.download();
        let mut delay = self.options.retry_delay;
        for attempt in 1.. {
            let mut received = |have| progress(FetchEvent::Received { have, total });
            match client.attempt(self.url, &self.part, total, &mut received)? {
                Attempt::Complete => break,
                Attempt::Broken { reason, connected }
                    if attempt >= self.options.attempts.max(1) =>
                {
                    return Err(self.gave_up(reason, connected)?);
                }
                Attempt::Broken { reason, .. } => {
                    progress(FetchEvent::Retrying { attempt: attempt + 1, reason: &reason });
                    std::thread::sleep(delay);
                    delay *= 2;
                }
                Attempt::Refused(status) => {
                    return Err(CatalogueError::Status {
                        id: self.id.to_owned(),
                        file: self.file.path.clone(),
                        status,
                    });
                }
                Attempt::WrongSize(found) => {
                    remove(&self.part)?;
                    return Err(
                        self.wrong_content(format!("{total} bytes"), format!("{found} bytes"))
                    );
                }
            }
        }
        Ok(())
    }

    /// The error after the last attempt: nothing came, or not all of it.
    fn gave_up(&self, reason: String, connected: bool) -> Result<CatalogueError> {
        let (expected, _) = self.file.download();
        let received = part_size(&self.part, expected)?;
        let (id, file) = (self.id.to_owned(), self.file.path.clone());
        Ok(if connected || received > 0 {
            CatalogueError::Interrupted { id, file, received, expected, reason }
        } else {
            CatalogueError::Offline { id, file, reason }
        })
    }

    /// Compares the download with what the manifest knows of it: SHA-256, and git's id where the source has one.
    fn check(&self) -> Result<()> {
        let (_, expected) = self.file.download();
        let (found, _) = Fingerprint::of_file(&self.part)?;
        if found != expected {
            return Err(CatalogueError::wrong_hash(self.id, &self.file.path, expected, found));
        }
        let Some(expected) = self.file.source.git_blob else { return Ok(()) };
        let found = GitBlobId::of_file(&self.part)?;
        if found == expected {
            Ok(())
        } else {
            Err(self.wrong_content(format!("git blob {expected}"), format!("git blob {found}")))
        }
    }

    fn wrong_content(&self, expected: String, found: String) -> CatalogueError {
        CatalogueError::WrongContent {
            id: self.id.to_owned(),
            file: self.file.path.clone(),
            expected,
            found,
        }
    }

    /// Puts the checked download under its final name, compressed if the data set's copy is.
    fn finish(&self, directory: &Path, target: &Path) -> Result<()> {
        if self.file.source.transform == Transform::Gzip {
            let failed = || CatalogueError::io("write", target);
            let input = File::open(&self.part).map_err(CatalogueError::io("open", &self.part))?;
            let output = NamedTempFile::with_prefix_in(".fetch-", directory).map_err(failed())?;
            // No time stamp and no name, so that fetching twice gives the same bytes.
            let mut encoder = GzBuilder::new().write(output, Compression::best());
            io::copy(&mut BufReader::new(input), &mut encoder).map_err(failed())?;
            let output = encoder.finish().map_err(failed())?;
            output.as_file().sync_all().map_err(failed())?;
            output.persist(target).map_err(|error| failed()(error.error))?;
            remove(&self.part)?;
        } else {
            fs::rename(&self.part, target).map_err(CatalogueError::io("rename", target))?;
        }
        Ok(())
    }
}
