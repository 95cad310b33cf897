//! GGUF's metadata: key–value pairs after the first 24 bytes of the file.

use std::collections::HashMap;
use std::io::{self, Read, Write};

use super::{Malformed, Reader};

/// Longest array that is believed; a damaged length would otherwise ask for all memory.
const LONGEST_ARRAY: u64 = 1 << 26;
/// Arrays of arrays end here; the reader follows them by recursion.
const DEEPEST_ARRAY: usize = 4;

/// A value, integers and floats widened.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Any of the eight integer types; written as `u32` where it fits.
    Integer(i64),
    /// `f32` or `f64`; written as `f32`.
    Float(f64),
    /// A boolean.
    Bool(bool),
    /// A string.
    String(String),
    /// An array of integers; written as `i32`.
    Integers(Vec<i64>),
    /// An array of floats; written as `f32`.
    Floats(Vec<f64>),
    /// An array of strings.
    Strings(Vec<String>),
    /// An array that is empty, or of booleans or arrays: nothing asks for those.
    Nothing,
}

/// The numbers that the file has for the types written here.
mod kind {
    pub const U32: u32 = 4;
    pub const I32: u32 = 5;
    pub const F32: u32 = 6;
    pub const BOOL: u32 = 7;
    pub const STRING: u32 = 8;
    pub const ARRAY: u32 = 9;
    pub const I64: u32 = 11;
}

/// The metadata that were asked for.
#[derive(Debug, Clone, Default)]
pub struct Metadata {
    values: HashMap<String, Value>,
}

impl Metadata {
    /// Reads `count` pairs and keeps those whose key `keep` wants.
    pub(super) fn read(
        reader: &mut Reader<impl Read>,
        count: u64,
        keep: impl Fn(&str) -> bool,
    ) -> Result<Self, Malformed> {
        let mut values = HashMap::new();
        for _ in 0..count {
            let key = reader.string()?;
            let kind = reader.u32()?;
            let value = read_value(reader, kind, 0)?;
            if keep(&key) {
                values.insert(key, value);
            }
        }
        Ok(Self { values })
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    /// The string `key`, if it is one.
    #[must_use]
    pub fn string(&self, key: &str) -> Option<&str> {
        match self.values.get(key)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The integer `key`, if it is one.
    #[must_use]
    pub fn integer(&self, key: &str) -> Option<i64> {
        match self.values.get(key)? {
            Value::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// The number `key`, if it is one, integer or not.
    #[must_use]
    pub fn float(&self, key: &str) -> Option<f64> {
        match self.values.get(key)? {
            Value::Float(number) => Some(*number),
            Value::Integer(number) => Some(*number as f64),
            _ => None,
        }
    }

    /// The boolean `key`, if it is one.
    #[must_use]
    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.values.get(key)? {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The strings `key`, if it is an array of them.
    #[must_use]
    pub fn strings(&self, key: &str) -> Option<&[String]> {
        match self.values.get(key)? {
            Value::Strings(strings) => Some(strings),
            _ => None,
        }
    }

    /// The integers `key`, if it is an array of them.
    #[must_use]
    pub fn integers(&self, key: &str) -> Option<&[i64]> {
        match self.values.get(key)? {
            Value::Integers(numbers) => Some(numbers),
            _ => None,
        }
    }

    /// The floats `key`, if it is an array of them.
    #[must_use]
    pub fn floats(&self, key: &str) -> Option<&[f64]> {
        match self.values.get(key)? {
            Value::Floats(numbers) => Some(numbers),
            _ => None,
        }
    }
}

fn read_value(reader: &mut Reader<impl Read>, kind: u32, depth: usize) -> Result<Value, Malformed> {
    if kind != kind::ARRAY {
        return read_scalar(reader, kind);
    }
    let offset = reader.offset;
    let kind = reader.u32()?;
    let length = reader.u64()?;
    let refused = |message: String| Err(Malformed { offset, message });
    if length > LONGEST_ARRAY {
        return refused(format!(
            "expected an array of at most {LONGEST_ARRAY} entries, got {length}"
        ));
    }
    if depth >= DEEPEST_ARRAY {
        return refused(format!("expected arrays at most {DEEPEST_ARRAY} deep"));
    }
    let mut array = Value::Nothing;
    for _ in 0..length {
        push(&mut array, read_value(reader, kind, depth + 1)?);
    }
    Ok(array)
}

fn read_scalar(reader: &mut Reader<impl Read>, kind: u32) -> Result<Value, Malformed> {
    Ok(match kind {
        0 => Value::Integer(u8::from_le_bytes(reader.array()?).into()),
        1 => Value::Integer(i8::from_le_bytes(reader.array()?).into()),
        2 => Value::Integer(u16::from_le_bytes(reader.array()?).into()),
        3 => Value::Integer(i16::from_le_bytes(reader.array()?).into()),
        kind::U32 => Value::Integer(reader.u32()?.into()),
        kind::I32 => Value::Integer(i32::from_le_bytes(reader.array()?).into()),
        kind::F32 => Value::Float(f32::from_le_bytes(reader.array()?).into()),
        kind::BOOL => Value::Bool(reader.array::<1>()? != [0]),
        kind::STRING => Value::String(reader.string()?),
        10 => Value::Integer(reader.u64()? as i64),
        kind::I64 => Value::Integer(i64::from_le_bytes(reader.array()?)),
        12 => Value::Float(f64::from_le_bytes(reader.array()?)),
        _ => return Err(reader.malformed(format!("unknown value type {kind}"))),
    })
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

/// A length and the bytes.
pub(super) fn write_string(out: &mut impl Write, text: &str) -> io::Result<()> {
    out.write_all(&(text.len() as u64).to_le_bytes())?;
    out.write_all(text.as_bytes())
}

/// The number of its type, and the value.
pub(super) fn write_value(out: &mut impl Write, value: &Value) -> io::Result<()> {
    match value {
        Value::Integer(number) => match u32::try_from(*number) {
            Ok(number) => write_scalar(out, kind::U32, &number.to_le_bytes()),
            Err(_) => write_scalar(out, kind::I64, &number.to_le_bytes()),
        },
        Value::Float(number) => write_scalar(out, kind::F32, &(*number as f32).to_le_bytes()),
        Value::Bool(flag) => write_scalar(out, kind::BOOL, &[u8::from(*flag)]),
        Value::String(text) => {
            out.write_all(&kind::STRING.to_le_bytes())?;
            write_string(out, text)
        }
        Value::Integers(numbers) => write_array(out, kind::I32, numbers, |out, number| {
            out.write_all(&(*number as i32).to_le_bytes())
        }),
        Value::Floats(numbers) => write_array(out, kind::F32, numbers, |out, number| {
            out.write_all(&(*number as f32).to_le_bytes())
        }),
        Value::Strings(strings) => {
            write_array(out, kind::STRING, strings, |out, text| write_string(out, text))
        }
        Value::Nothing => write_array::<_, ()>(out, kind::I32, &[], |_, ()| Ok(())),
    }
}

fn write_scalar(out: &mut impl Write, kind: u32, bytes: &[u8]) -> io::Result<()> {
    out.write_all(&kind.to_le_bytes())?;
    out.write_all(bytes)
}

fn write_array<W: Write, T>(
    out: &mut W,
    kind: u32,
    entries: &[T],
    write: impl Fn(&mut W, &T) -> io::Result<()>,
) -> io::Result<()> {
    out.write_all(&kind::ARRAY.to_le_bytes())?;
    out.write_all(&kind.to_le_bytes())?;
    out.write_all(&(entries.len() as u64).to_le_bytes())?;
    entries.iter().try_for_each(|entry| write(out, entry))
}
