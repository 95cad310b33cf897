//! Numbers and strings from the front of a GGUF file, with the offset of whatever is malformed.

use std::fmt;
use std::io::Read;

/// Longest string that is believed; a damaged length would otherwise ask for all memory.
const LONGEST_STRING: u64 = 1 << 24;

/// Where a file is malformed, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// Byte offset of the problem.
    pub offset: u64,
    /// What was expected and what was there.
    pub message: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: {}", self.offset, self.message)
    }
}

impl std::error::Error for Malformed {}

/// Reads forward and counts.
pub(super) struct Reader<R> {
    file: R,
    pub(super) offset: u64,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(file: R) -> Self {
        Self { file, offset: 0 }
    }

    pub(super) fn malformed(&self, message: String) -> Malformed {
        Malformed { offset: self.offset, message }
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Malformed> {
        let length = bytes.len();
        self.file
            .read_exact(bytes)
            .map_err(|error| self.malformed(format!("expected {length} more bytes: {error}")))?;
        self.offset += length as u64;
        Ok(())
    }

    pub(super) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn string(&mut self) -> Result<String, Malformed> {
        let offset = self.offset;
        let length = self.u64()?;
        if length > LONGEST_STRING {
            let message =
                format!("expected a string of at most {LONGEST_STRING} bytes, got {length}");
            return Err(Malformed { offset, message });
        }
        let mut bytes = vec![0; length as usize];
        self.fill(&mut bytes)?;
        String::from_utf8(bytes).map_err(|error| Malformed {
            offset,
            message: format!("a string is not UTF-8: {error}"),
        })
    }
}
