//! Opens a file for reading as text: decompressed, and refused early when it cannot be text.

use std::fs::File;
use std::io::{self, Chain, Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::error::{DataError, Result};

/// How much of a file is looked at before it is taken for text.
const SNIFFED_BYTES: u64 = 8192;
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// An open text file.
pub(super) struct TextInput {
    pub reader: Chain<Cursor<Vec<u8>>, Box<dyn Read + Send>>,
    /// Bytes of the text before the first one that `reader` gives: those of a byte order mark.
    pub offset: u64,
}

/// Opens `path`, which is gzip if its name ends in `.gz`. A leading byte order mark is dropped.
pub(super) fn open_text(path: &Path) -> Result<TextInput> {
    let mut reader = open(path)?;
    let mut head = Vec::new();
    (&mut reader)
        .take(SNIFFED_BYTES)
        .read_to_end(&mut head)
        .map_err(|source| DataError::io("read", path, source))?;
    if head.is_empty() {
        return Err(DataError::EmptyFile { path: path.to_path_buf() });
    }
    if let Some(found) = what_else(&head) {
        return Err(DataError::BinaryFile { path: path.to_path_buf(), found });
    }
    let offset = if head.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    head.drain(..offset);
    Ok(TextInput { reader: Cursor::new(head).chain(reader), offset: offset as u64 })
}

/// Opens `path` and decompresses it if its name ends in `.gz`.
pub(super) fn open(path: &Path) -> Result<Box<dyn Read + Send>> {
    let file = File::open(path).map_err(|source| DataError::io("open", path, source))?;
    if !is_gzip(path) {
        return Ok(Box::new(file));
    }
    let empty = file.metadata().is_ok_and(|metadata| metadata.len() == 0);
    if empty {
        return Err(DataError::EmptyFile { path: path.to_path_buf() });
    }
    // The decoder reads in small steps.
    Ok(Box::new(GzipReader(MultiGzDecoder::new(io::BufReader::with_capacity(1 << 16, file)))))
}

pub(super) fn is_gzip(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"))
}

/// Says in its errors that it was the compression that broke.
struct GzipReader<R>(MultiGzDecoder<R>);

impl<R: io::BufRead> Read for GzipReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                io::Error::new(error.kind(), "the gzip data ends too early (truncated file?)")
            }
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                io::Error::new(error.kind(), format!("not valid gzip data ({error})"))
            }
            _ => error,
        })
    }
}

/// What a file is when it is not UTF-8 text.
fn what_else(head: &[u8]) -> Option<String> {
    if head.starts_with(GZIP_MAGIC) {
        return Some("it is gzip data; let its name end in .gz".to_owned());
    }
    if head.starts_with(b"PAR1") {
        return Some("it is Parquet; let its name end in .parquet".to_owned());
    }
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        return Some("it is UTF-16; convert it to UTF-8".to_owned());
    }
    let zero = head.iter().position(|&byte| byte == 0)?;
    Some(format!("it has a zero byte at offset {zero}"))
}
