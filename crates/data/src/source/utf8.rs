//! Bytes to text, in chunks, with the offset of whatever is not UTF-8.

use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

use super::input::TextInput;
use super::options::InvalidUtf8;
use crate::error::{DataError, Result};

const CHUNK_BYTES: usize = 1 << 16;

/// The text of a file in chunks of about 64 KiB, never cut inside a character.
pub(super) struct Utf8Chunks {
    input: TextInput,
    path: Arc<Path>,
    policy: InvalidUtf8,
    /// A character whose last bytes have not been read yet.
    carry: Vec<u8>,
    finished: bool,
}

impl Utf8Chunks {
    pub(super) fn new(input: TextInput, path: Arc<Path>, policy: InvalidUtf8) -> Self {
        Self { input, path, policy, carry: Vec::new(), finished: false }
    }

    fn next_chunk(&mut self) -> Result<Option<String>> {
        let mut bytes = std::mem::take(&mut self.carry);
        let carried = bytes.len();
        bytes.resize(CHUNK_BYTES, 0);
        let count = self.fill(&mut bytes[carried..])?;
        bytes.truncate(carried + count);
        if bytes.is_empty() {
            return Ok(None);
        }
        let at_end = count == 0;
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let fault = error.utf8_error();
                let mut bytes = error.into_bytes();
                if fault.error_len().is_none() && !at_end {
                    self.carry = bytes.split_off(fault.valid_up_to());
                } else if self.policy == InvalidUtf8::Replace && !at_end {
                    self.carry = bytes.split_off(complete_len(&bytes));
                }
                decode(&bytes, self.policy, &self.path, self.input.offset)?
            }
        };
        self.input.offset += (carried + count - self.carry.len()) as u64;
        Ok(Some(text))
    }

    /// Reads until the buffer is full or the file ends.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.input.reader.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(source) => return Err(DataError::io("read", &self.path, source)),
            }
        }
        Ok(filled)
    }
}

impl Iterator for Utf8Chunks {
    type Item = Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        let chunk = self.next_chunk().transpose();
        self.finished = !matches!(chunk, Some(Ok(_)));
        chunk
    }
}

/// Bytes as text by the policy; `offset` is that of the first byte, for the message.
pub(super) fn decode(
    bytes: &[u8],
    policy: InvalidUtf8,
    path: &Path,
    offset: u64,
) -> Result<String> {
    match (std::str::from_utf8(bytes), policy) {
        (Ok(text), _) => Ok(text.to_owned()),
        (Err(_), InvalidUtf8::Replace) => Ok(String::from_utf8_lossy(bytes).into_owned()),
        (Err(error), InvalidUtf8::Error) => Err(DataError::InvalidUtf8 {
            path: path.to_path_buf(),
            offset: offset + error.valid_up_to() as u64,
        }),
    }
}

/// Length without a character at the end that more bytes could still complete.
fn complete_len(bytes: &[u8]) -> usize {
    (1..=bytes.len().min(3))
        .map(|count| bytes.len() - count)
        .find(|&start| {
            std::str::from_utf8(&bytes[start..])
                .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
        })
        .unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    /// Gives one byte at a time, as a slow decompressor might.
    struct Trickle(Cursor<Vec<u8>>);

    impl Read for Trickle {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let end = buffer.len().min(1);
            self.0.read(&mut buffer[..end])
        }
    }

    fn read(bytes: &[u8], policy: InvalidUtf8) -> Result<String> {
        let rest: Box<dyn Read + Send> = Box::new(Trickle(Cursor::new(bytes.to_vec())));
        let reader = Cursor::new(Vec::new()).chain(rest);
        let input = TextInput { reader, offset: 0 };
        Utf8Chunks::new(input, Path::new("f.txt").into(), policy).collect()
    }

    #[test]
    fn characters_across_chunks_stay_whole() {
        for shift in 0..4 {
            let text = "x".repeat(CHUNK_BYTES - shift) + "😀字é" + &"y".repeat(CHUNK_BYTES);
            assert_eq!(read(text.as_bytes(), InvalidUtf8::Error).expect("valid"), text);
        }
    }

    #[test]
    fn the_offset_of_a_fault_is_exact_in_any_chunk() {
        for position in [0, 5, CHUNK_BYTES - 1, CHUNK_BYTES, 2 * CHUNK_BYTES + 7] {
            let mut bytes = vec![b'a'; 3 * CHUNK_BYTES];
            bytes[position] = 0xff;
            match read(&bytes, InvalidUtf8::Error) {
                Err(DataError::InvalidUtf8 { offset, .. }) => assert_eq!(offset, position as u64),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_character_cut_off_by_the_end_of_the_file_is_a_fault() {
        let error = read(b"abc\xe5\xad", InvalidUtf8::Error).expect_err("incomplete");
        assert!(error.to_string().contains("byte 3"), "{error}");
        assert_eq!(read(b"abc\xe5\xad", InvalidUtf8::Replace).expect("lossy"), "abc\u{fffd}");
    }

    proptest! {
        #[test]
        fn lossy_chunks_equal_lossy_whole(noise in proptest::collection::vec(any::<u8>(), 1..40), shift in 0_usize..40) {
            let mut bytes = vec![b'a'; CHUNK_BYTES - shift];
            bytes.extend(&noise);
            bytes.extend("é字".as_bytes());
            let expected = String::from_utf8_lossy(&bytes).into_owned();
            prop_assert_eq!(read(&bytes, InvalidUtf8::Replace).expect("lossy"), expected);
        }
    }
}
