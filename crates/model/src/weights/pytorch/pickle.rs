//! The pickle machine, for the instructions that `torch.save` writes.
//!
//! Reference: the comments of Python's `pickletools.py`, which define every instruction. Calls are not made: a call of
//! one of torch's rebuilding functions is read as the tensor it describes, any other as something opaque.

use std::collections::HashMap;

use super::value::{StorageRef, TensorView, Value};

/// Values that memo references may copy in all.
const MOST_COPIED: usize = 1_000_000;

/// The value that `bytes` describe.
pub(super) fn interpret(bytes: &[u8]) -> Result<Value, String> {
    let mut machine = Machine {
        bytes,
        at: 0,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        copied: 0,
    };
    loop {
        let at = machine.at;
        match machine.step() {
            Ok(None) => {}
            Ok(Some(value)) => return Ok(value),
            Err(reason) => return Err(format!("at byte {at} of its pickle: {reason}")),
        }
    }
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: HashMap<u64, Value>,
    copied: usize,
}

impl Machine<'_> {
    /// One instruction; the result after the last.
    fn step(&mut self) -> Result<Option<Value>, String> {
        let instruction = self.take(1)?[0];
        match instruction {
            b'.' => return self.pop().map(Some),
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.since_mark()?),
            b'}' => self.stack.push(Value::Dict(Vec::new())),
            b']' | b')' | 0x8F => self.stack.push(Value::Items(Vec::new())),
            b't' => {
                let items = self.since_mark()?;
                self.stack.push(Value::Items(items).shallow()?);
            }
            0x85..=0x87 => {
                let count = usize::from(instruction - 0x84);
                let first = self.stack.len().checked_sub(count).ok_or("the stack is empty")?;
                let items = self.stack.split_off(first);
                self.stack.push(Value::Items(items).shallow()?);
            }
            b'a' | b'e' | 0x90 => self.append(instruction == b'a')?,
            b's' | b'u' => self.set_items(instruction == b's')?,
            b'c' | 0x93 | b'R' | 0x81 | 0x92 | b'b' | b'Q' => self.object(instruction)?,
            b'q' | b'r' | 0x94 | b'h' | b'j' => self.remember(instruction)?,
            0x80 => drop(self.take(1)?),
            0x95 => drop(self.take(8)?),
            _ => {
                let value = self.scalar(instruction)?;
                self.stack.push(value);
            }
        }
        Ok(None)
    }

    fn take(&mut self, count: usize) -> Result<&[u8], String> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| format!("expected {count} more bytes"))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    /// A little-endian number of `count` bytes, at most eight.
    fn number(&mut self, count: usize) -> Result<u64, String> {
        let mut number = [0; 8];
        number[..count].copy_from_slice(self.take(count)?);
        Ok(u64::from_le_bytes(number))
    }

    fn pop(&mut self) -> Result<Value, String> {
        // What lies under a mark is not there.
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err("the stack is empty".into());
        }
        self.stack.pop().ok_or_else(|| "the stack is empty".into())
    }

    fn since_mark(&mut self) -> Result<Vec<Value>, String> {
        let mark = self.marks.pop().ok_or("there is no mark")?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn top(&mut self) -> Result<&mut Value, String> {
        self.stack.last_mut().ok_or_else(|| "the stack is empty".into())
    }

    fn scalar(&mut self, instruction: u8) -> Result<Value, String> {
        Ok(match instruction {
            b'N' => Value::Opaque,
            0x88 => Value::Integer(1),
            0x89 => Value::Integer(0),
            b'J' => Value::Integer(i64::from(self.number(4)? as u32 as i32)),
            b'K' => Value::Integer(self.number(1)? as i64),
            b'M' => Value::Integer(self.number(2)? as i64),
            0x8A => {
                let count = self.number(1)? as usize;
                long(self.take(count)?)
            }
            b'G' => {
                self.take(8)?;
                Value::Opaque
            }
            b'X' => self.text(4)?,
            0x8C => self.text(1)?,
            0x8D => self.text(8)?,
            b'C' | b'U' => self.skip(1)?,
            b'B' | b'T' => self.skip(4)?,
            0x8E => self.skip(8)?,
            other => return Err(format!("unknown instruction {other:#04x}")),
        })
    }

    fn text(&mut self, length_bytes: usize) -> Result<Value, String> {
        let length = self.number(length_bytes)? as usize;
        let text = std::str::from_utf8(self.take(length)?).map_err(|error| error.to_string())?;
        Ok(Value::Text(text.to_string()))
    }

    fn skip(&mut self, length_bytes: usize) -> Result<Value, String> {
        let length = self.number(length_bytes)? as usize;
        self.take(length)?;
        Ok(Value::Opaque)
    }

    fn append(&mut self, one: bool) -> Result<(), String> {
        let more = if one { vec![self.pop()?] } else { self.since_mark()? };
        let more = more.into_iter().map(Value::shallow).collect::<Result<Vec<_>, _>>()?;
        if let Value::Items(items) = self.top()? {
            items.extend(more);
        }
        self.check_top()
    }

    fn set_items(&mut self, one: bool) -> Result<(), String> {
        let mut more = if one {
            let value = self.pop()?;
            vec![self.pop()?, value]
        } else {
            self.since_mark()?
        }
        .into_iter();
        while let (Some(key), Some(value)) = (more.next(), more.next()) {
            let pair = (key.shallow()?, value.shallow()?);
            if let Value::Dict(pairs) = self.top()? {
                pairs.push(pair);
            }
        }
        self.check_top()
    }

    /// A container that grew may have become too deep.
    fn check_top(&mut self) -> Result<(), String> {
        let top = self.stack.pop().ok_or("the stack is empty")?;
        self.stack.push(top.shallow()?);
        Ok(())
    }

    fn remember(&mut self, instruction: u8) -> Result<(), String> {
        let place = match instruction {
            b'q' | b'h' => self.number(1)?,
            b'r' | b'j' => self.number(4)?,
            _ => self.memo.len() as u64,
        };
        if matches!(instruction, b'h' | b'j') {
            let value = self.memo.get(&place).cloned();
            let value = value.ok_or_else(|| format!("nothing is remembered at {place}"))?;
            self.count_copies(&value)?;
            self.stack.push(value);
        } else {
            let value = self.top()?.clone();
            self.count_copies(&value)?;
            self.memo.insert(place, value);
        }
        Ok(())
    }

    fn count_copies(&mut self, value: &Value) -> Result<(), String> {
        self.copied += value.measure().0;
        if self.copied > MOST_COPIED {
            return Err("it refers to its own values more often than any checkpoint".into());
        }
        Ok(())
    }

    fn object(&mut self, instruction: u8) -> Result<(), String> {
        let value = match instruction {
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                Value::Global(format!("{module}.{name}"))
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let text = |value: &Value| value.text().unwrap_or("?").to_string();
                Value::Global(format!("{}.{}", text(&module), text(&name)))
            }
            b'Q' => storage(&self.pop()?)?,
            b'b' => {
                // The state of an object that was just built: attributes, which hold no weights of a dict.
                self.pop()?;
                return Ok(());
            }
            _ => {
                if instruction == 0x92 {
                    self.pop()?; // Keyword arguments.
                }
                let (arguments, function) = (self.pop()?, self.pop()?);
                call(&function, arguments)?
            }
        };
        self.stack.push(value);
        Ok(())
    }

    fn line(&mut self) -> Result<String, String> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|byte| *byte == b'\n').ok_or("a name has no end")?;
        let line = String::from_utf8_lossy(&rest[..length]).into_owned();
        self.at += length + 1;
        Ok(line)
    }
}

/// A number of any length, little-endian in two's complement; beyond eight bytes none that a tensor needs.
fn long(bytes: &[u8]) -> Value {
    if bytes.len() > 8 {
        return Value::Opaque;
    }
    let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut number = [if negative { 0xFF } else { 0 }; 8];
    number[..bytes.len()].copy_from_slice(bytes);
    Value::Integer(i64::from_le_bytes(number))
}

/// The storage that a persistent id names: `("storage", type, key, location, count)`.
fn storage(id: &Value) -> Result<Value, String> {
    match id.items() {
        Some([Value::Text(tag), Value::Global(kind), Value::Text(key), ..]) if tag == "storage" => {
            Ok(Value::Storage(StorageRef { kind: kind.clone(), key: key.clone() }))
        }
        _ => Err("a persistent id is no storage".into()),
    }
}

fn call(function: &Value, arguments: Value) -> Result<Value, String> {
    let Value::Global(name) = function else { return Ok(Value::Opaque) };
    let Value::Items(arguments) = arguments else { return Ok(Value::Opaque) };
    match name.as_str() {
        "torch._utils._rebuild_tensor_v2" | "torch._utils._rebuild_tensor" => tensor(&arguments),
        "torch._utils._rebuild_parameter" | "torch._utils._rebuild_parameter_with_state" => {
            Ok(arguments.into_iter().next().unwrap_or(Value::Opaque))
        }
        "collections.OrderedDict" => Ok(Value::Dict(pairs(arguments))),
        _ => Ok(Value::Opaque),
    }
}

/// `(storage, offset, shape, strides, …)`.
fn tensor(arguments: &[Value]) -> Result<Value, String> {
    let sizes =
        |value: &Value| -> Option<Vec<usize>> { value.items()?.iter().map(Value::size).collect() };
    let view = match arguments {
        [Value::Storage(storage), offset, shape, strides, ..] => {
            match (offset.size(), sizes(shape), sizes(strides)) {
                (Some(offset), Some(shape), Some(strides)) => {
                    Some(TensorView { storage: storage.clone(), offset, shape, strides })
                }
                _ => None,
            }
        }
        _ => None,
    };
    view.map(Value::Tensor)
        .ok_or_else(|| "a tensor without storage, offset, shape or strides".into())
}

/// The pairs that `OrderedDict([...])` is made of; older files write them so.
fn pairs(arguments: Vec<Value>) -> Vec<(Value, Value)> {
    let Some(Value::Items(items)) = arguments.into_iter().next() else { return Vec::new() };
    let pair = |item: Value| match item {
        Value::Items(items) => <[Value; 2]>::try_from(items).ok().map(|[key, value]| (key, value)),
        _ => None,
    };
    items.into_iter().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_not_made() {
        let value = interpret(b"\x80\x02cos\nsystem\n(X\x04\0\0\0echotR.").unwrap();
        assert!(matches!(value, Value::Opaque), "{value:?}");
    }

    #[test]
    fn numbers_of_any_length_are_read() {
        let check = |bytes: &[u8], expected: i64| {
            let value = interpret(bytes).unwrap();
            assert!(matches!(value, Value::Integer(found) if found == expected), "{value:?}");
        };
        check(b"J\xFE\xFF\xFF\xFF.", -2);
        check(b"K\xFE.", 254);
        check(b"M\x00\x02.", 512);
        check(b"\x8A\x02\x00\xFF.", -256);
        check(b"\x8A\x05\x00\x00\x00\x00\x01.", 1 << 32);
    }

    #[test]
    fn what_is_remembered_comes_back() {
        let value = interpret(b"}q\x00(X\x01\0\0\0aq\x01K\x07h\x01K\x08u.").unwrap();
        let Value::Dict(pairs) = &value else { panic!("{value:?}") };
        assert_eq!(pairs.len(), 2);
        assert_eq!(value.get("a").and_then(Value::size), Some(7));
    }

    #[test]
    fn malformed_and_hostile_pickles_are_refused_where_they_go_wrong() {
        let refused = |bytes: &[u8], mentions: &str| {
            let error = interpret(bytes).unwrap_err();
            assert!(error.contains(mentions), "{error}");
        };
        refused(b"", "at byte 0");
        refused(b"\x80\x02}", "at byte 3");
        refused(b"t.", "no mark");
        refused(b"(0.", "the stack is empty");
        refused(b"h\x05.", "nothing is remembered at 5");
        refused(b"\xFF", "unknown instruction 0xff");
        refused(b"X\xFF\xFF\xFF\xFFabc", "more bytes");
        refused(b"K\x01Q.", "no storage");
        refused(&[b")".as_slice(), &[0x85; 1000], b"."].concat(), "nested more than");
        // A pair of itself, over and over.
        let twice = b"h\x00h\x00\x86q\x00";
        let doubled = [b"]q\x00".as_slice(), &twice.repeat(60), b"."].concat();
        refused(&doubled, "more often than any checkpoint");
    }
}
