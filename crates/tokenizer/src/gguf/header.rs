//! Everything in front of the tensors' bytes: magic, version, counts, metadata, table of tensors, padding.

use std::io::{self, Read, Write};

use super::metadata::{write_string, write_value};
use super::{Malformed, Metadata, Reader, Value};

const MAGIC: [u8; 4] = *b"GGUF";
const VERSION: u32 = 3;
/// What tensors are aligned to unless `general.alignment` says otherwise.
const ALIGNMENT: u64 = 32;
const ALIGNMENT_KEY: &str = "general.alignment";
/// More tensors and dimensions than any file has.
const MOST_TENSORS: u64 = 1 << 20;
const MOST_DIMENSIONS: u32 = 4;

/// A row of the table of tensors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Name, for example `blk.0.attn_q.weight`.
    pub name: String,
    /// Extents, the fastest-running first: a matrix `[rows, columns]` has `[columns, rows]` here.
    pub dimensions: Vec<u64>,
    /// Number of its GGML type.
    pub kind: u32,
    /// Where its bytes begin, counted from [`Header::data_offset`].
    pub offset: u64,
}

/// What stands in front of the tensors' bytes.
#[derive(Debug, Clone)]
pub struct Header {
    /// The key–value pairs that were asked for, and the alignment.
    pub metadata: Metadata,
    /// The table of tensors, in the file's order.
    pub tensors: Vec<TensorInfo>,
    /// Where the tensors' bytes begin.
    pub data_offset: u64,
    /// What tensors are aligned to.
    pub alignment: u64,
}

impl Header {
    /// Reads the header of `file`, which stands at its beginning, with the metadata whose key `keep` wants.
    ///
    /// # Errors
    ///
    /// If the file is no GGUF file of version 2 or 3, cut short, or has lengths that no file has.
    pub fn read(file: impl Read, keep: impl Fn(&str) -> bool) -> Result<Self, Malformed> {
        let mut reader = Reader::new(file);
        let (tensors, pairs) = begin(&mut reader)?;
        let keep = |key: &str| key == ALIGNMENT_KEY || keep(key);
        let metadata = Metadata::read(&mut reader, pairs, keep)?;
        let alignment = match metadata.integer(ALIGNMENT_KEY) {
            None => ALIGNMENT,
            Some(number @ 1..=0x10_0000) if number.count_ones() == 1 => number as u64,
            Some(other) => {
                let message = format!("{ALIGNMENT_KEY} = {other}: expected a power of two");
                return Err(reader.malformed(message));
            }
        };
        if tensors > MOST_TENSORS {
            let message = format!("expected at most {MOST_TENSORS} tensors, got {tensors}");
            return Err(Malformed { offset: 8, message });
        }
        let tensors =
            (0..tensors).map(|_| TensorInfo::read(&mut reader)).collect::<Result<_, _>>()?;
        let data_offset = reader.offset.next_multiple_of(alignment);
        Ok(Self { metadata, tensors, data_offset, alignment })
    }

    /// As [`Header::read`], without the table of tensors.
    pub(crate) fn read_metadata(
        file: impl Read,
        keep: impl Fn(&str) -> bool,
    ) -> Result<Metadata, Malformed> {
        let mut reader = Reader::new(file);
        let (_tensors, pairs) = begin(&mut reader)?;
        Metadata::read(&mut reader, pairs, keep)
    }
}

/// Magic and version; the numbers of tensors and of pairs.
fn begin(reader: &mut Reader<impl Read>) -> Result<(u64, u64), Malformed> {
    let magic = reader.array::<4>()?;
    if magic != MAGIC {
        let message = format!("expected the magic {MAGIC:?}, got {magic:?}");
        return Err(Malformed { offset: 0, message });
    }
    let version = reader.u32()?;
    if !(2..=VERSION).contains(&version) {
        let message = format!("expected version 2 or 3, got {version}");
        return Err(Malformed { offset: 4, message });
    }
    Ok((reader.u64()?, reader.u64()?))
}

impl TensorInfo {
    fn read(reader: &mut Reader<impl Read>) -> Result<Self, Malformed> {
        let name = reader.string()?;
        let offset = reader.offset;
        let count = reader.u32()?;
        if count > MOST_DIMENSIONS {
            let message =
                format!("{name}: expected at most {MOST_DIMENSIONS} dimensions, got {count}");
            return Err(Malformed { offset, message });
        }
        let dimensions = (0..count).map(|_| reader.u64()).collect::<Result<_, _>>()?;
        Ok(Self { name, dimensions, kind: reader.u32()?, offset: reader.u64()? })
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        write_string(out, &self.name)?;
        out.write_all(&(self.dimensions.len() as u32).to_le_bytes())?;
        for extent in &self.dimensions {
            out.write_all(&extent.to_le_bytes())?;
        }
        out.write_all(&self.kind.to_le_bytes())?;
        out.write_all(&self.offset.to_le_bytes())
    }
}

/// Writes a header for `metadata` and `tensors`, up to where the tensors' bytes begin. Tensors must be placed at
/// multiples of 32, the alignment of files that state none.
///
/// # Errors
///
/// If `out` cannot be written.
pub fn write_header(
    out: &mut impl Write,
    metadata: &[(String, Value)],
    tensors: &[TensorInfo],
) -> io::Result<()> {
    let mut header = Vec::new();
    header.extend(MAGIC);
    header.extend(VERSION.to_le_bytes());
    header.extend((tensors.len() as u64).to_le_bytes());
    header.extend((metadata.len() as u64).to_le_bytes());
    for (key, value) in metadata {
        write_string(&mut header, key)?;
        write_value(&mut header, value)?;
    }
    for tensor in tensors {
        tensor.write(&mut header)?;
    }
    header.resize(header.len().next_multiple_of(ALIGNMENT as usize), 0);
    out.write_all(&header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> (Vec<(String, Value)>, Vec<TensorInfo>, Vec<u8>) {
        let values = [
            Value::Integer(7),
            Value::Integer(-1 << 40),
            Value::Float(0.5),
            Value::Bool(true),
            Value::String("wújí 無極".to_owned()),
            Value::Integers(vec![-3, 4]),
            Value::Floats(vec![0.25, -1.0]),
            Value::Strings(vec!["a".to_owned(), String::new()]),
            Value::Nothing,
        ];
        let metadata: Vec<_> =
            (0..).zip(values).map(|(at, value): (u32, _)| (format!("k{at}"), value)).collect();
        let tensor = TensorInfo { name: "t".into(), dimensions: vec![3, 2], kind: 0, offset: 64 };
        let mut bytes = Vec::new();
        write_header(&mut bytes, &metadata, std::slice::from_ref(&tensor)).unwrap();
        (metadata, vec![tensor], bytes)
    }

    #[test]
    fn what_is_written_is_read() {
        let (metadata, tensors, bytes) = written();
        let header = Header::read(bytes.as_slice(), |_| true).unwrap();
        for (key, value) in &metadata {
            assert_eq!(header.metadata.get(key), Some(value), "{key}");
        }
        assert_eq!(header.tensors, tensors);
        assert_eq!(header.data_offset, bytes.len() as u64);
        assert!(
            Header::read(bytes.as_slice(), |key| key == "k1").unwrap().metadata.get("k0").is_none()
        );
    }

    #[test]
    fn a_header_that_is_cut_anywhere_is_refused() {
        let (_, tensors, bytes) = written();
        let unpadded = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        for length in 0..unpadded {
            let cut = Header::read(&bytes[..length], |_| true);
            assert!(cut.is_err(), "{length} of {} bytes, {tensors:?}", bytes.len());
        }
    }
}
