//! The little of protocol buffers' wire format that a SentencePiece model needs: a walk over the fields of a message.
//!
//! Written by hand because it is all there is to it; a code generator and its runtime would be a thousand times that.
//! Reference: <https://protobuf.dev/programming-guides/encoding/>.

/// A field's content.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'bytes> {
    /// Integers, booleans and enums.
    Varint(u64),
    /// `fixed32` and `float`.
    Fixed32([u8; 4]),
    /// `fixed64` and `double`.
    Fixed64([u8; 8]),
    /// Strings, bytes and messages.
    Bytes(&'bytes [u8]),
}

/// Where a message is malformed: offset from its beginning, and how.
pub(super) type Malformed = (usize, String);

/// The fields of a message, in their order; ends after the first malformed one.
pub(super) struct Fields<'bytes> {
    message: &'bytes [u8],
    position: usize,
    failed: bool,
}

impl<'bytes> Fields<'bytes> {
    pub(super) fn new(message: &'bytes [u8]) -> Self {
        Self { message, position: 0, failed: false }
    }

    fn field(&mut self) -> Result<(u64, Value<'bytes>), String> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(self.array()?),
            2 => {
                let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Fixed32(self.array()?),
            wire_type => return Err(format!("unknown wire type {wire_type}")),
        };
        match key >> 3 {
            0 => Err("field number 0".to_owned()),
            number => Ok((number, value)),
        }
    }

    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("an integer of more than ten bytes".to_owned())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let bytes = self.take(N)?;
        Ok(std::array::from_fn(|index| bytes[index]))
    }

    fn take(&mut self, length: usize) -> Result<&'bytes [u8], String> {
        let rest = &self.message[self.position..];
        let taken = rest
            .get(..length)
            .ok_or_else(|| format!("expected {length} more bytes, got {}", rest.len()))?;
        self.position += length;
        Ok(taken)
    }
}

impl<'bytes> Iterator for Fields<'bytes> {
    type Item = Result<(u64, Value<'bytes>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.position == self.message.len() {
            return None;
        }
        let start = self.position;
        let field = self.field();
        self.failed = field.is_err();
        Some(field.map_err(|problem| (start, problem)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_specification_are_read() {
        // Test1 { a = 150 } and Test2 { b = "testing" }.
        let message = b"\x08\x96\x01\x12\x07testing\x1d\x00\x00\x80\x3f";
        let fields: Vec<_> = Fields::new(message).collect::<Result<_, _>>().unwrap();
        let one = Value::Fixed32(1f32.to_le_bytes());
        assert_eq!(fields, [(1, Value::Varint(150)), (2, Value::Bytes(b"testing")), (3, one)]);
    }

    #[test]
    fn a_cut_message_says_where() {
        let fields: Vec<_> = Fields::new(b"\x08\x01\x12\x07test").collect();
        assert_eq!(fields[1], Err((2, "expected 7 more bytes, got 4".to_owned())));
        assert_eq!(fields.len(), 2);
    }
}
