//! Answers that a model has given, so that nothing is asked twice and a run that was cut off goes on
//! where it was.
//!
//! The file is a journal: one answer a line, appended. A last line that was not finished is dropped.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wuji_protocol::{Loglikelihood, LoglikelihoodRequest};

use super::error::HarnessError;
use super::request::{Answer, Request};

/// What a model has answered.
#[derive(Debug, Default)]
pub struct Cache {
    /// What the model is, so that another one's answers are not taken for its own.
    model: String,
    answers: HashMap<Key, Answer>,
    journal: Option<Journal>,
}

type Key = [u8; 32];

#[derive(Debug)]
struct Journal {
    path: PathBuf,
    file: BufWriter<File>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    key: String,
    answer: Answer,
}

impl Cache {
    /// Remembers while it lives, and no longer.
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// Reads the answers in `path`, which need not exist, and adds new ones to it. `model` says what
    /// the model is, down to its weights.
    ///
    /// # Errors
    /// A file that cannot be read or written, or a line before the last that is no answer.
    pub fn open(path: &Path, model: impl Into<String>) -> Result<Self, HarnessError> {
        let failed =
            |action| move |source| HarnessError::Io { action, path: path.to_path_buf(), source };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed("read")(error)),
        };
        let (mut answers, mut whole) = (HashMap::new(), 0);
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let parsed = serde_json::from_str::<Line>(line).ok();
            let entry = parsed.and_then(|line| Some((key_of(&line.key)?, line.answer)));
            match entry.filter(|_| line.ends_with('\n')) {
                Some((key, answer)) => {
                    answers.insert(key, answer);
                    whole += line.len();
                }
                None if whole + line.len() == text.len() => break,
                None => {
                    let reason = format!("line {} is no answer", index + 1);
                    return Err(HarnessError::Results { path: path.to_path_buf(), reason });
                }
            }
        }
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.map_err(failed("open"))?;
        file.set_len(whole as u64).map_err(failed("shorten"))?;
        let journal = Journal { path: path.to_path_buf(), file: BufWriter::new(file) };
        Ok(Self { model: model.into(), answers, journal: Some(journal) })
    }

    /// How many answers there are.
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    pub(super) fn has_likelihood(&self, request: &LoglikelihoodRequest) -> bool {
        self.answers.contains_key(&self.key("likelihood", request))
    }

    pub(super) fn likelihood(&self, request: &LoglikelihoodRequest) -> Option<Loglikelihood> {
        match self.answers.get(&self.key("likelihood", request)) {
            Some(Answer::Rolling(likelihood)) => Some(*likelihood),
            _ => None,
        }
    }

    pub(super) fn put_likelihood(
        &mut self,
        request: &LoglikelihoodRequest,
        answer: Loglikelihood,
    ) -> Result<(), HarnessError> {
        self.insert(self.key("likelihood", request), Answer::Rolling(answer))
    }

    pub(super) fn answer(&self, request: &Request) -> Option<Answer> {
        self.answers.get(&self.key("request", request)).cloned()
    }

    pub(super) fn put(&mut self, request: &Request, answer: &Answer) -> Result<(), HarnessError> {
        self.insert(self.key("request", request), answer.clone())
    }

    fn insert(&mut self, key: Key, answer: Answer) -> Result<(), HarnessError> {
        if let Some(journal) = &mut self.journal {
            let line = Line { key: hex(&key), answer: answer.clone() };
            let line = serde_json::to_string(&line).expect("an answer is JSON");
            journal.write(|file| writeln!(file, "{line}"))?;
        }
        self.answers.insert(key, answer);
        Ok(())
    }

    /// Makes sure that everything so far is in the file.
    pub(super) fn flush(&mut self) -> Result<(), HarnessError> {
        match &mut self.journal {
            Some(journal) => journal.write(|file| file.flush()),
            None => Ok(()),
        }
    }

    fn key(&self, kind: &str, request: &impl Serialize) -> Key {
        let request = serde_json::to_string(request).expect("a request is JSON");
        let mut hash = Sha256::new();
        for part in [&self.model, kind, &request] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize().into()
    }
}

impl Journal {
    fn write(
        &mut self,
        write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
    ) -> Result<(), HarnessError> {
        write(&mut self.file).map_err(|source| HarnessError::Io {
            action: "write",
            path: self.path.clone(),
            source,
        })
    }
}

fn hex(key: &Key) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn key_of(hex: &str) -> Option<Key> {
    let mut key = Key::default();
    let bytes = hex.as_bytes().as_chunks::<2>();
    if bytes.0.len() != key.len() || !bytes.1.is_empty() {
        return None;
    }
    for (byte, digits) in key.iter_mut().zip(bytes.0) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(model: &str, path: &Path) -> Cache {
        let mut cache = Cache::open(path, model).unwrap();
        let likelihood = Loglikelihood { log_prob: -1.5, is_greedy: true, tokens: 1, bytes: 2 };
        cache.put_likelihood(&LoglikelihoodRequest::new("a", "b"), likelihood).unwrap();
        cache.flush().unwrap();
        cache
    }

    #[test]
    fn answers_survive_and_belong_to_their_model() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("answers.jsonl");
        drop(answered("one", &path));
        let request = LoglikelihoodRequest::new("a", "b");
        assert_eq!(Cache::open(&path, "one").unwrap().likelihood(&request).unwrap().log_prob, -1.5);
        assert!(!Cache::open(&path, "two").unwrap().has_likelihood(&request));
        assert!(
            !Cache::open(&path, "one")
                .unwrap()
                .has_likelihood(&LoglikelihoodRequest::new("ab", ""))
        );
    }

    #[test]
    fn a_line_that_was_cut_off_anywhere_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("answers.jsonl");
        drop(answered("one", &path));
        let line = std::fs::read(&path).unwrap();
        for cut in 0..line.len() {
            std::fs::write(&path, [&line[..], &line[..cut]].concat()).unwrap();
            let cache = Cache::open(&path, "one").unwrap();
            assert_eq!((cache.len(), std::fs::read(&path).unwrap()), (1, line.clone()), "{cut}");
        }
        std::fs::write(&path, [b"nonsense\n", &line[..]].concat()).unwrap();
        let error = Cache::open(&path, "one").unwrap_err().to_string();
        assert!(error.ends_with("answers.jsonl: line 1 is no answer"), "{error}");
    }
}
