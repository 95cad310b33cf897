//! Plain text: the file as one document, or one per paragraph, or one per line.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use super::input::open_text;
use super::options::{DocumentMode, SourceOptions};
use super::piece::PartCutter;
use super::utf8::Utf8Chunks;
use super::{DocumentPart, Origin, Place};
use crate::error::Result;

/// The documents of a plain text file.
pub(super) struct TextDocuments {
    chunks: Utf8Chunks,
    splitter: Splitter,
    finished: bool,
}

impl TextDocuments {
    pub(super) fn open(path: &Arc<Path>, options: &SourceOptions) -> Result<Self> {
        let chunks = Utf8Chunks::new(open_text(path)?, path.clone(), options.invalid_utf8);
        Ok(Self {
            chunks,
            splitter: Splitter::new(path.clone(), options.documents),
            finished: false,
        })
    }
}

impl Iterator for TextDocuments {
    type Item = Result<DocumentPart>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(part) = self.splitter.ready.pop_front() {
                return Some(Ok(part));
            }
            if self.finished {
                return None;
            }
            match self.chunks.next() {
                Some(Ok(chunk)) => self.splitter.push(&chunk),
                Some(Err(error)) => {
                    self.finished = true;
                    return Some(Err(error));
                }
                None => {
                    self.finished = true;
                    self.splitter.finish();
                }
            }
        }
    }
}

/// Chunks of text to documents.
struct Splitter {
    mode: DocumentMode,
    cutter: PartCutter,
    /// Where the document in the cutter began.
    origin: Origin,
    /// The line being read, counted from 1.
    line: u64,
    /// White space of the line that is held back until something follows it: at the beginning,
    /// because the line may be blank, and a carriage return, because it may end the line.
    held: String,
    /// Whether something visible has been seen in the line.
    line_has_text: bool,
    /// Whether a line of the document in the cutter has ended: the next one is joined by `\n`.
    pending_newline: bool,
    ready: VecDeque<DocumentPart>,
}

impl Splitter {
    fn new(path: Arc<Path>, mode: DocumentMode) -> Self {
        Self {
            mode,
            cutter: PartCutter::new(),
            origin: Origin::new(path, Place::Whole),
            line: 1,
            held: String::new(),
            line_has_text: false,
            pending_newline: false,
            ready: VecDeque::new(),
        }
    }

    fn push(&mut self, chunk: &str) {
        if self.mode == DocumentMode::WholeFile {
            self.append(chunk);
            return;
        }
        for piece in chunk.split_inclusive('\n') {
            let (text, ended) = match piece.strip_suffix('\n') {
                Some(text) => (text, true),
                None => (piece, false),
            };
            self.push_line_text(text);
            if ended {
                self.end_line();
            }
        }
    }

    fn finish(&mut self) {
        if self.mode != DocumentMode::WholeFile {
            self.end_line();
        }
        self.end_document();
    }

    fn push_line_text(&mut self, text: &str) {
        if !self.line_has_text {
            let visible = text.trim_start();
            self.held.push_str(&text[..text.len() - visible.len()]);
            if visible.is_empty() {
                return;
            }
            self.begin_line();
            self.append_line_text(visible);
        } else {
            self.append_line_text(text);
        }
    }

    /// The line turned out not to be blank: it belongs to a document.
    fn begin_line(&mut self) {
        self.line_has_text = true;
        if self.pending_newline {
            self.append("\n");
        } else {
            self.origin.place = Place::Line(self.line);
        }
        let indent = std::mem::take(&mut self.held);
        self.append(&indent);
    }

    /// Appends text but holds a carriage return at its end back, as it may belong to `\r\n`.
    fn append_line_text(&mut self, text: &str) {
        let held = std::mem::take(&mut self.held);
        self.append(&held);
        match text.strip_suffix('\r') {
            Some(rest) => {
                self.append(rest);
                self.held.push('\r');
            }
            None => self.append(text),
        }
    }

    fn end_line(&mut self) {
        self.held.clear();
        let blank = !std::mem::take(&mut self.line_has_text);
        self.line += 1;
        if self.mode == DocumentMode::Line || blank {
            self.end_document();
        } else {
            self.pending_newline = true;
        }
    }

    fn end_document(&mut self) {
        self.pending_newline = false;
        let ready = &mut self.ready;
        self.cutter.end(&self.origin, &mut |part| ready.push_back(part));
    }

    fn append(&mut self, text: &str) {
        let ready = &mut self.ready;
        self.cutter.push(text, &self.origin, &mut |part| ready.push_back(part));
    }
}
