//! Blocks of 256 values to f32: the K-quants and IQ4_XS.
//!
//! A block is cut into sub-blocks of 16 or 32 values, each with a scale (and in Q2_K, Q4_K and Q5_K a minimum) that is
//! itself a small integer, to be multiplied by the block's half-precision `d` (and `dmin`).

use super::dequantise::{IQ4_CODES, half, nibbles};

/// Two bits each, sixteen sub-blocks of 16: scales and minima in nibbles, codes, d, dmin.
pub(super) fn q2_k(block: &[u8], values: &mut Vec<f32>) {
    let (scales, codes) = (&block[..16], &block[16..80]);
    let (d, dmin) = (half(block, 80), half(block, 82));
    for (sub, scale) in scales.iter().enumerate() {
        let (dl, ml) = (d * f32::from(scale & 15), dmin * f32::from(scale >> 4));
        values.extend(two_bits(codes, sub).map(|code| dl * f32::from(code) - ml));
    }
}

/// The codes of sub-block `sub`: 128 values lie in 32 bytes, 32 of them at each of four shifts.
fn two_bits(codes: &[u8], sub: usize) -> impl Iterator<Item = u8> {
    let (half, shift, quarter) = (sub / 8, sub % 8 / 2, sub % 2);
    codes[32 * half + 16 * quarter..][..16].iter().map(move |byte| (byte >> (2 * shift)) & 3)
}

/// Three bits each: third bits, two-bit codes, sixteen scales of six bits, d.
pub(super) fn q3_k(block: &[u8], values: &mut Vec<f32>) {
    let (third_bits, codes, scales) = (&block[..32], &block[32..96], &block[96..108]);
    let d = half(block, 108);
    for sub in 0..16 {
        // Four low bits in a nibble of the first eight bytes, two high ones in the last four.
        let low = (scales[sub % 8] >> (4 * (sub / 8))) & 15;
        let high = (scales[8 + sub % 4] >> (2 * (sub / 4))) & 3;
        let dl = d * (f32::from(low | high << 4) - 32.0);
        let bits = &third_bits[16 * (sub % 2)..][..16];
        let code = |(low, bits): (u8, &u8)| {
            let third = (bits >> (sub / 2)) & 1;
            dl * (f32::from(low) + 4.0 * f32::from(third) - 4.0)
        };
        values.extend(two_bits(codes, sub).zip(bits).map(code));
    }
}

/// The six-bit scale and minimum of sub-block `sub` of eight, packed in twelve bytes.
fn scale_and_minimum(packed: &[u8], sub: usize) -> (u8, u8) {
    if sub < 4 {
        return (packed[sub] & 63, packed[sub + 4] & 63);
    }
    let low = packed[sub + 4];
    ((low & 15) | (packed[sub - 4] >> 6) << 4, (low >> 4) | (packed[sub] >> 6) << 4)
}

/// Four bits each, eight sub-blocks of 32: d, dmin, scales and minima, codes.
pub(super) fn q4_k(block: &[u8], values: &mut Vec<f32>) {
    four_or_five_bits(block, &block[4..16], |_, _| 0, &block[16..], values);
}

/// Five bits each: as Q4_K with the fifth bits before the codes.
pub(super) fn q5_k(block: &[u8], values: &mut Vec<f32>) {
    let fifth_bits = &block[16..48];
    let fifth = |sub: usize, at: usize| 16 * ((fifth_bits[at] >> sub) & 1);
    four_or_five_bits(block, &block[4..16], fifth, &block[48..], values);
}

fn four_or_five_bits(
    block: &[u8],
    packed: &[u8],
    fifth: impl Fn(usize, usize) -> u8,
    codes: &[u8],
    values: &mut Vec<f32>,
) {
    let (d, dmin) = (half(block, 0), half(block, 2));
    for (pair, bytes) in codes.chunks_exact(32).enumerate() {
        // 32 low nibbles are one sub-block, the 32 high ones the next.
        for (at, low) in nibbles(bytes).enumerate() {
            let sub = 2 * pair + at / 32;
            let (scale, minimum) = scale_and_minimum(packed, sub);
            let (dl, ml) = (d * f32::from(scale), dmin * f32::from(minimum));
            values.push(dl * f32::from(low + fifth(sub, at % 32)) - ml);
        }
    }
}

/// Six bits each, sixteen sub-blocks of 16: low nibbles, high bits, signed scales, d.
pub(super) fn q6_k(block: &[u8], values: &mut Vec<f32>) {
    let (low, high, scales) = (&block[..128], &block[128..192], &block[192..208]);
    let d = half(block, 208);
    for at in 0..256 {
        // Of each 128 values, the four rows of 32 share 64 bytes of nibbles and 32 of high bits.
        let (part, row, column) = (at / 128, at % 128 / 32, at % 32);
        let nibble = (low[64 * part + 32 * (row % 2) + column] >> (4 * (row / 2))) & 15;
        let bits = (high[32 * part + column] >> (2 * row)) & 3;
        let scale = f32::from(scales[at / 16].cast_signed());
        values.push(d * scale * (f32::from(nibble | bits << 4) - 32.0));
    }
}

/// Four bits with non-linear codes, eight sub-blocks of 32: d, high scale bits, low scale bits, codes.
pub(super) fn iq4_xs(block: &[u8], values: &mut Vec<f32>) {
    let d = half(block, 0);
    let high = u16::from_le_bytes([block[2], block[3]]);
    for (sub, codes) in block[8..].chunks_exact(16).enumerate() {
        let low = (block[4 + sub / 2] >> (4 * (sub % 2))) & 15;
        let bits = ((high >> (2 * sub)) & 3) as u8;
        let dl = d * (f32::from(low | bits << 4) - 32.0);
        values.extend(nibbles(codes).map(|code| dl * f32::from(IQ4_CODES[usize::from(code)])));
    }
}

#[cfg(test)]
mod tests {
    use super::super::block_type::BlockType;
    use super::super::dequantise::dequantise;
    use super::*;

    #[test]
    fn a_scale_of_six_bits_is_put_together_from_its_two_places() {
        // Sub-block 4: low bits in byte 8, high bits on top of bytes 0 and 4.
        let mut packed = [0; 12];
        (packed[0], packed[4], packed[8]) = (0b10_000111, 0b01_001000, 0x9C);
        assert_eq!(scale_and_minimum(&packed, 0), (7, 8));
        assert_eq!(scale_and_minimum(&packed, 4), (0x2C, 0x19));
    }

    #[test]
    fn every_type_gives_as_many_values_as_a_block_has() {
        for number in 0..40 {
            let Some(kind) = BlockType::from_number(number) else { continue };
            assert_eq!(kind.number(), number);
            let mut values = Vec::new();
            dequantise(kind, &vec![0; 3 * kind.block_bytes()], &mut values);
            assert_eq!(values.len(), 3 * kind.block_values(), "{}", kind.name());
            assert!(values.iter().all(|value| *value == 0.0), "{}", kind.name());
        }
    }
}
