//! The table of a zip archive whose entries are not compressed, as `torch.save` writes it; with zip64, because models
//! are larger than four gigabytes.
//!
//! Reference: PKWARE's APPNOTE, sections 4.3.7 to 4.3.16.

use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom};

/// The record at the end, and the longest comment after it.
const END_BYTES: usize = 22;
const LONGEST_COMMENT: u64 = 65_535;
/// Longest table of entries that is believed.
const MAX_TABLE_BYTES: u64 = 1 << 28;
/// What a field of 32 bits holds when the number is in the zip64 record.
const ELSEWHERE: u64 = 0xFFFF_FFFF;

/// An entry's bytes in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stored {
    pub(super) start: u64,
    pub(super) bytes: u64,
}

/// The entries by name.
#[derive(Debug)]
pub(super) struct Archive {
    entries: HashMap<String, Stored>,
    /// What all names begin with: `archive`, or the file's first name.
    root: String,
}

impl Archive {
    /// Reads the table of the archive `file`.
    pub(super) fn read(file: &mut (impl Read + Seek)) -> Result<Self, String> {
        let mut head = Vec::new();
        let taken = file.by_ref().take(2).read_to_end(&mut head);
        taken.map_err(|error| error.to_string())?;
        if head != b"PK" {
            return Err("it is no zip archive; files of PyTorch before 1.6 are not read: load it with PyTorch and \
                        save it again"
                .into());
        }
        let (start, bytes) = table(file)?;
        if bytes > MAX_TABLE_BYTES {
            return Err(format!("its table of entries claims {bytes} bytes"));
        }
        let table = read_at(file, start, bytes as usize)?;
        let mut entries = HashMap::new();
        let mut rest = table.as_slice();
        while rest.starts_with(b"PK\x01\x02") {
            let (name, stored, length) = entry(file, rest)?;
            entries.insert(name, stored);
            rest = &rest[length..];
        }
        let pickle = entries.keys().find(|name| name.ends_with("/data.pkl"));
        let root = pickle.and_then(|name| name.strip_suffix("/data.pkl"));
        let root = root.ok_or("there is no data.pkl in the archive")?.to_string();
        Ok(Self { entries, root })
    }

    /// The entry with this name under the root.
    pub(super) fn only(&self, name: &str) -> Result<Stored, String> {
        let found = self.entries.get(&format!("{}{name}", self.root)).copied();
        found.ok_or_else(|| format!("there is no {name} in the archive"))
    }

    /// An entry's bytes.
    pub(super) fn bytes(
        &self,
        file: &mut (impl Read + Seek),
        entry: Stored,
        most: u64,
    ) -> Result<Vec<u8>, String> {
        if entry.bytes > most {
            return Err(format!("an entry claims {} bytes; expected at most {most}", entry.bytes));
        }
        read_at(file, entry.start, entry.bytes as usize)
    }

    /// A small entry as text, if it is there.
    pub(super) fn text(&self, file: &mut (impl Read + Seek), name: &str) -> Option<String> {
        let bytes = self.bytes(file, self.only(name).ok()?, 64).ok()?;
        String::from_utf8(bytes).ok()
    }
}

/// Where the table of entries is, and its length.
fn table(file: &mut (impl Read + Seek)) -> Result<(u64, u64), String> {
    let length = file.seek(SeekFrom::End(0)).map_err(|error| error.to_string())?;
    let tail_bytes = length.min(END_BYTES as u64 + LONGEST_COMMENT);
    let tail = read_at(file, length - tail_bytes, tail_bytes as usize)?;
    let end = tail
        .windows(END_BYTES)
        .rposition(|window| window.starts_with(b"PK\x05\x06"))
        .ok_or("the archive has no end (truncated?)")?;
    let (bytes, start) = (number(&tail, end + 12, 4)?, number(&tail, end + 16, 4)?);
    if start != ELSEWHERE && bytes != ELSEWHERE {
        return Ok((start, bytes));
    }
    let locator = end.checked_sub(20).filter(|at| tail[*at..].starts_with(b"PK\x06\x07"));
    let locator = locator.ok_or("the archive's zip64 record is missing")?;
    let record = read_at(file, number(&tail, locator + 8, 8)?, 56)?;
    if !record.starts_with(b"PK\x06\x06") {
        return Err("the archive's zip64 record is damaged".into());
    }
    Ok((number(&record, 48, 8)?, number(&record, 40, 8)?))
}

/// An entry of the table: its name, its bytes, and the length of its row.
fn entry(file: &mut (impl Read + Seek), row: &[u8]) -> Result<(String, Stored, usize), String> {
    let lengths = [28, 30, 32].map(|at| number(row, at, 2));
    let [name, extra, comment] = lengths;
    let (name, extra, comment) = (name? as usize, extra? as usize, comment? as usize);
    let length = 46 + name + extra + comment;
    let truncated = || "the table of entries is cut short".to_string();
    let text = String::from_utf8_lossy(row.get(46..46 + name).ok_or_else(truncated)?).into_owned();
    let extra = row.get(46 + name..46 + name + extra).ok_or_else(truncated)?;
    row.get(..length).ok_or_else(truncated)?;
    if number(row, 10, 2)? != 0 || number(row, 8, 2)? & 1 != 0 {
        return Err(format!("{text} is compressed or encrypted, which torch.save never does"));
    }
    let mut wide = zip64(extra);
    let mut field = |at| match number(row, at, 4)? {
        ELSEWHERE => wide.next().ok_or_else(truncated),
        number => Ok(number),
    };
    let (bytes, _packed, header) = (field(24)?, field(20)?, field(42)?);
    let local = read_at(file, header, 30)?;
    if !local.starts_with(b"PK\x03\x04") {
        return Err(format!("{text} is not where the table says"));
    }
    let start = header + 30 + number(&local, 26, 2)? + number(&local, 28, 2)?;
    Ok((text, Stored { start, bytes }, length))
}

/// The numbers of the zip64 field, in their order.
fn zip64(mut extra: &[u8]) -> impl Iterator<Item = u64> {
    let mut numbers = Vec::new();
    while let [id, id_high, length, length_high, rest @ ..] = extra {
        let length = usize::from(u16::from_le_bytes([*length, *length_high])).min(rest.len());
        if [*id, *id_high] == [1, 0] {
            numbers =
                rest[..length].as_chunks::<8>().0.iter().map(|b| u64::from_le_bytes(*b)).collect();
        }
        extra = &rest[length..];
    }
    numbers.into_iter()
}

fn read_at(file: &mut (impl Read + Seek), start: u64, bytes: usize) -> Result<Vec<u8>, String> {
    let mut read = Vec::new();
    file.seek(SeekFrom::Start(start))
        .and_then(|_| file.by_ref().take(bytes as u64).read_to_end(&mut read))
        .map_err(|error| error.to_string())?;
    if read.len() == bytes {
        return Ok(read);
    }
    Err(format!("expected {bytes} bytes at {start}, found {} (truncated?)", read.len()))
}

/// A little-endian number of `count` bytes at `at`.
fn number(bytes: &[u8], at: usize, count: usize) -> Result<u64, String> {
    let mut number = [0; 8];
    let found = bytes.get(at..at + count).ok_or("the archive is cut short")?;
    number[..count].copy_from_slice(found);
    Ok(u64::from_le_bytes(number))
}
