//! Files as `torch.save` writes them: a zip archive, uncompressed, with a pickle of protocol 2 and one entry for each
//! storage.

use std::path::Path;

/// A tensor to be saved.
pub struct Torch {
    pub name: String,
    /// `FloatStorage`, `HalfStorage`, …
    pub storage: &'static str,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

impl Torch {
    pub fn f32(name: &str, shape: &[usize], values: &[f32]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { name: name.into(), storage: "FloatStorage", shape: shape.into(), bytes }
    }
}

/// Saves a state dict, under `key` of another dict if there is one.
pub fn save(path: &Path, tensors: &[Torch], key: Option<&str>) {
    let mut entries = vec![
        ("archive/data.pkl".to_string(), pickle(tensors, key)),
        ("archive/version".into(), b"3\n".into()),
    ];
    for (index, tensor) in tensors.iter().enumerate() {
        entries.push((format!("archive/data/{index}"), tensor.bytes.clone()));
    }
    std::fs::write(path, zip(&entries)).unwrap();
}

fn pickle(tensors: &[Torch], key: Option<&str>) -> Vec<u8> {
    let mut out = vec![0x80, 2];
    if let Some(key) = key {
        out.extend(b"}(");
        text(&mut out, "epoch");
        out.extend(b"K\x03");
        text(&mut out, key);
    }
    out.extend(b"}(");
    for (index, tensor) in tensors.iter().enumerate() {
        text(&mut out, &tensor.name);
        rebuild(&mut out, tensor, index);
    }
    out.extend(b"u");
    if key.is_some() {
        out.extend(b"u");
    }
    out.push(b'.');
    out
}

/// `_rebuild_tensor_v2(storage, offset, shape, stride, requires_grad, backward_hooks)`.
fn rebuild(out: &mut Vec<u8>, tensor: &Torch, index: usize) {
    let values: usize = tensor.shape.iter().product();
    out.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
    text(out, "storage");
    out.extend(format!("ctorch\n{}\n", tensor.storage).bytes());
    text(out, &index.to_string());
    text(out, "cpu");
    integer(out, values);
    out.extend(b"tQ");
    integer(out, 0);
    let mut strides = vec![1; tensor.shape.len()];
    for place in (1..strides.len()).rev() {
        strides[place - 1] = strides[place] * tensor.shape[place];
    }
    for extents in [&tensor.shape, &strides] {
        out.push(b'(');
        extents.iter().for_each(|extent| integer(out, *extent));
        out.push(b't');
    }
    out.extend(b"\x89ccollections\nOrderedDict\n)RtR");
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'X');
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.bytes());
}

fn integer(out: &mut Vec<u8>, number: usize) {
    out.push(b'J');
    out.extend((number as i32).to_le_bytes());
}

/// An archive of uncompressed entries.
fn zip(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in entries {
        let start = out.len() as u32;
        let mut fields = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0]; // version, flags, method, time, date
        fields.extend(crc32(content).to_le_bytes());
        fields.extend((content.len() as u32).to_le_bytes());
        fields.extend((content.len() as u32).to_le_bytes());
        fields.extend((name.len() as u16).to_le_bytes());
        fields.extend([0, 0]); // extra field
        out.extend(b"PK\x03\x04");
        out.extend(&fields);
        out.extend(name.bytes());
        out.extend(content);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&fields);
        directory.extend([0; 10]); // comment, disk, attributes
        directory.extend(start.to_le_bytes());
        directory.extend(name.bytes());
    }
    let at = out.len() as u32;
    let count = (entries.len() as u16).to_le_bytes();
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([count, count].concat());
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend([0, 0]);
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}
