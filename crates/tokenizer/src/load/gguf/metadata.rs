//! GGUF's metadata: a header and key–value pairs, read from the front of the file. Only the tokenizer's keys are kept.

use std::collections::HashMap;
use std::io::Read;

/// Where the file is malformed: byte offset, and how.
type Malformed = (u64, String);

/// Longest string and array that are believed; a damaged length would otherwise ask for all memory.
const LONGEST_STRING: u64 = 1 << 24;
const LONGEST_ARRAY: u64 = 1 << 26;

const PREFIX: &str = "tokenizer.";

/// A value, integers and floats widened.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Integer(i64),
    Float(f64),
    Bool(bool),
    String(String),
    Integers(Vec<i64>),
    Floats(Vec<f64>),
    Strings(Vec<String>),
    Nothing,
}

/// The metadata whose keys begin with `tokenizer.`.
#[derive(Debug)]
pub(super) struct Metadata {
    values: HashMap<String, Value>,
}

impl Metadata {
    /// Reads the metadata of `file`, which stands at its beginning.
    pub(super) fn read(file: impl Read) -> Result<Self, Malformed> {
        let mut reader = Reader { file, offset: 0 };
        reader.array::<4>()?;
        let version = u32::from_le_bytes(reader.array()?);
        if !(2..=3).contains(&version) {
            return Err((4, format!("expected version 2 or 3, got {version}")));
        }
        let _tensors = reader.u64()?;
        let count = reader.u64()?;
        let mut values = HashMap::new();
        for _ in 0..count {
            let key = reader.string()?;
            let kind = u32::from_le_bytes(reader.array()?);
            let value = reader.value(kind)?;
            if key.starts_with(PREFIX) {
                values.insert(key, value);
            }
        }
        Ok(Self { values })
    }

    pub(super) fn string(&self, key: &str) -> Option<&str> {
        match self.values.get(key)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn integer(&self, key: &str) -> Option<i64> {
        match self.values.get(key)? {
            Value::Integer(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        match self.values.get(key)? {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    pub(super) fn strings(&self, key: &str) -> Option<&[String]> {
        match self.values.get(key)? {
            Value::Strings(strings) => Some(strings),
            _ => None,
        }
    }

    pub(super) fn integers(&self, key: &str) -> Option<&[i64]> {
        match self.values.get(key)? {
            Value::Integers(numbers) => Some(numbers),
            _ => None,
        }
    }

    pub(super) fn floats(&self, key: &str) -> Option<&[f64]> {
        match self.values.get(key)? {
            Value::Floats(numbers) => Some(numbers),
            _ => None,
        }
    }
}

struct Reader<R> {
    file: R,
    offset: u64,
}

impl<R: Read> Reader<R> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Malformed> {
        let length = bytes.len();
        self.file
            .read_exact(bytes)
            .map_err(|error| (self.offset, format!("expected {length} more bytes: {error}")))?;
        self.offset += length as u64;
        Ok(())
    }

    fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    fn string(&mut self) -> Result<String, Malformed> {
        let start = self.offset;
        let length = self.u64()?;
        if length > LONGEST_STRING {
            return Err((
                start,
                format!("expected a string of at most {LONGEST_STRING} bytes, got {length}"),
            ));
        }
        let mut bytes = vec![0; length as usize];
        self.fill(&mut bytes)?;
        String::from_utf8(bytes).map_err(|error| (start, format!("a string is not UTF-8: {error}")))
    }

    fn value(&mut self, kind: u32) -> Result<Value, Malformed> {
        if kind != 9 {
            return self.scalar(kind);
        }
        let start = self.offset;
        let kind = u32::from_le_bytes(self.array()?);
        let length = self.u64()?;
        if length > LONGEST_ARRAY {
            return Err((
                start,
                format!("expected an array of at most {LONGEST_ARRAY} entries, got {length}"),
            ));
        }
        let mut array = Value::Nothing;
        for _ in 0..length {
            push(&mut array, self.value(kind)?);
        }
        Ok(array)
    }

    fn scalar(&mut self, kind: u32) -> Result<Value, Malformed> {
        Ok(match kind {
            0 => Value::Integer(u8::from_le_bytes(self.array()?).into()),
            1 => Value::Integer(i8::from_le_bytes(self.array()?).into()),
            2 => Value::Integer(u16::from_le_bytes(self.array()?).into()),
            3 => Value::Integer(i16::from_le_bytes(self.array()?).into()),
            4 => Value::Integer(u32::from_le_bytes(self.array()?).into()),
            5 => Value::Integer(i32::from_le_bytes(self.array()?).into()),
            6 => Value::Float(f32::from_le_bytes(self.array()?).into()),
            7 => Value::Bool(self.array::<1>()? != [0]),
            8 => Value::String(self.string()?),
            10 => Value::Integer(u64::from_le_bytes(self.array()?) as i64),
            11 => Value::Integer(i64::from_le_bytes(self.array()?)),
            12 => Value::Float(f64::from_le_bytes(self.array()?)),
            _ => return Err((self.offset, format!("unknown value type {kind}"))),
        })
    }
}

/// Appends `entry` to an array, which takes the type of its first entry; what is no number and no string is dropped.
fn push(array: &mut Value, entry: Value) {
    match (array, entry) {
        (array @ Value::Nothing, Value::Integer(number)) => *array = Value::Integers(vec![number]),
        (array @ Value::Nothing, Value::Float(number)) => *array = Value::Floats(vec![number]),
        (array @ Value::Nothing, Value::String(text)) => *array = Value::Strings(vec![text]),
        (Value::Integers(numbers), Value::Integer(number)) => numbers.push(number),
        (Value::Floats(numbers), Value::Float(number)) => numbers.push(number),
        (Value::Strings(strings), Value::String(text)) => strings.push(text),
        _ => {}
    }
}
