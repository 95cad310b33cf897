//! Blocks to f32: the plain types and those of 32 values.
//!
//! A block begins with a half-precision scale `d` (and an offset `m` in the `_1` types). Of two nibbles in a byte the
//! low one belongs to the block's first half. Products are taken in the order of the reference, so that values are
//! equal bit for bit.

use half::{bf16, f16};

use super::block_type::BlockType;
use super::k_quants;

/// The non-linear codes of IQ4_NL and IQ4_XS.
pub(super) const IQ4_CODES: [i8; 16] =
    [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/// Appends the values of `bytes`, which are whole blocks of `kind`, to `values`.
pub(super) fn dequantise(kind: BlockType, bytes: &[u8], values: &mut Vec<f32>) {
    match kind {
        BlockType::F32 => each(bytes, values, f32::from_le_bytes),
        BlockType::F64 => each(bytes, values, |b| f64::from_le_bytes(b) as f32),
        BlockType::F16 => each(bytes, values, |b| f16::from_le_bytes(b).to_f32()),
        BlockType::Bf16 => each(bytes, values, |b| bf16::from_le_bytes(b).to_f32()),
        _ => bytes.chunks_exact(kind.block_bytes()).for_each(|block| match kind {
            BlockType::Q4_0 => q4_0(block, values),
            BlockType::Q4_1 => q4_1(block, values),
            BlockType::Q5_0 => q5_0(block, values),
            BlockType::Q5_1 => q5_1(block, values),
            BlockType::Q8_0 => q8_0(block, values),
            BlockType::Iq4Nl => iq4_nl(block, values),
            BlockType::Q2K => k_quants::q2_k(block, values),
            BlockType::Q3K => k_quants::q3_k(block, values),
            BlockType::Q4K => k_quants::q4_k(block, values),
            BlockType::Q5K => k_quants::q5_k(block, values),
            BlockType::Q6K => k_quants::q6_k(block, values),
            BlockType::Iq4Xs => k_quants::iq4_xs(block, values),
            BlockType::F32 | BlockType::F64 | BlockType::F16 | BlockType::Bf16 => {}
        }),
    }
}

fn each<const N: usize>(bytes: &[u8], values: &mut Vec<f32>, convert: impl Fn([u8; N]) -> f32) {
    values.extend(bytes.as_chunks::<N>().0.iter().map(|chunk| convert(*chunk)));
}

/// The half at byte `at`.
pub(super) fn half(block: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

/// The low nibbles of `bytes`, then the high ones.
pub(super) fn nibbles(bytes: &[u8]) -> impl Iterator<Item = u8> {
    bytes.iter().map(|byte| byte & 15).chain(bytes.iter().map(|byte| byte >> 4))
}

fn q4_0(block: &[u8], values: &mut Vec<f32>) {
    let d = half(block, 0);
    values.extend(nibbles(&block[2..]).map(|code| d * (f32::from(code) - 8.0)));
}

fn q4_1(block: &[u8], values: &mut Vec<f32>) {
    let (d, m) = (half(block, 0), half(block, 2));
    values.extend(nibbles(&block[4..]).map(|code| d * f32::from(code) + m));
}

/// Codes of five bits: a nibble, and above it bit `place` of four bytes.
fn five_bits(high: &[u8], low: &[u8]) -> impl Iterator<Item = f32> {
    let high = u32::from_le_bytes([high[0], high[1], high[2], high[3]]);
    let code = move |(place, low): (u32, u8)| f32::from(low) + 16.0 * ((high >> place) & 1) as f32;
    (0..).zip(nibbles(low)).map(code)
}

fn q5_0(block: &[u8], values: &mut Vec<f32>) {
    let d = half(block, 0);
    values.extend(five_bits(&block[2..6], &block[6..]).map(|code| d * (code - 16.0)));
}

fn q5_1(block: &[u8], values: &mut Vec<f32>) {
    let (d, m) = (half(block, 0), half(block, 2));
    values.extend(five_bits(&block[4..8], &block[8..]).map(|code| d * code + m));
}

fn q8_0(block: &[u8], values: &mut Vec<f32>) {
    let d = half(block, 0);
    values.extend(block[2..].iter().map(|byte| d * f32::from(byte.cast_signed())));
}

fn iq4_nl(block: &[u8], values: &mut Vec<f32>) {
    let d = half(block, 0);
    values.extend(nibbles(&block[2..]).map(|code| d * f32::from(IQ4_CODES[usize::from(code)])));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: BlockType, block: &[u8], expected: &[(usize, f32)]) {
        assert_eq!(block.len(), kind.block_bytes(), "{kind:?}");
        let mut values = Vec::new();
        dequantise(kind, block, &mut values);
        assert_eq!(values.len(), kind.block_values(), "{kind:?}");
        for (at, value) in expected {
            assert_eq!(values[*at], *value, "{kind:?}, value {at}");
        }
    }

    /// d = 0.5 and m = −1 where there is one, then `rest`.
    fn block(head: &[f32], rest: &[u8]) -> Vec<u8> {
        let mut block: Vec<u8> =
            head.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect();
        block.extend(rest);
        block
    }

    #[test]
    fn blocks_of_32_are_what_a_hand_computes() {
        // The first byte holds the codes 3 (value 0) and 12 (value 16); the others 0.
        let mut codes = [0; 16];
        codes[0] = 0xC3;
        check(BlockType::Q4_0, &block(&[0.5], &codes), &[(0, -2.5), (16, 2.0), (1, -4.0)]);
        check(BlockType::Q4_1, &block(&[0.5, -1.0], &codes), &[(0, 0.5), (16, 5.0), (1, -1.0)]);
        // Fifth bits of values 0 and 17.
        let with_bits = [&[1, 0, 2, 0], codes.as_slice()].concat();
        check(BlockType::Q5_0, &block(&[0.5], &with_bits), &[(0, 1.5), (16, -2.0), (17, 0.0)]);
        check(BlockType::Q5_1, &block(&[0.5, -1.0], &with_bits), &[(0, 8.5), (16, 5.0), (17, 7.0)]);
        check(BlockType::Iq4Nl, &block(&[0.5], &codes), &[(0, -32.5), (16, 26.5), (1, -63.5)]);
        let mut bytes = [0; 32];
        (bytes[0], bytes[31]) = (0x80, 127);
        check(BlockType::Q8_0, &block(&[0.5], &bytes), &[(0, -64.0), (31, 63.5), (1, 0.0)]);
    }
}
