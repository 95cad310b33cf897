//! f32 to the blocks that are written: F32, F16, BF16, Q8_0 and Q4_0, as llama.cpp's reference quantises.

use half::{bf16, f16};

use super::block_type::BlockType;

/// Appends `values`, which are whole blocks, to `bytes`.
///
/// # Panics
/// For a type that is only read.
pub(super) fn quantise(kind: BlockType, values: &[f32], bytes: &mut Vec<u8>) {
    match kind {
        BlockType::F32 => bytes.extend(values.iter().flat_map(|value| value.to_le_bytes())),
        BlockType::F16 => {
            bytes.extend(values.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()));
        }
        BlockType::Bf16 => {
            bytes.extend(values.iter().flat_map(|value| bf16::from_f32(*value).to_le_bytes()));
        }
        BlockType::Q8_0 => values.chunks_exact(32).for_each(|block| q8_0(block, bytes)),
        BlockType::Q4_0 => values.chunks_exact(32).for_each(|block| q4_0(block, bytes)),
        other => panic!("{} is not written", other.name()),
    }
}

fn inverse(d: f32) -> f32 {
    if d == 0.0 { 0.0 } else { 1.0 / d }
}

/// The largest magnitude becomes ±127; codes are rounded, halves away from zero.
fn q8_0(block: &[f32], bytes: &mut Vec<u8>) {
    let d = block.iter().fold(0.0, |most: f32, value| most.max(value.abs())) / 127.0;
    let inverse = inverse(d);
    bytes.extend(f16::from_f32(d).to_le_bytes());
    bytes.extend(block.iter().map(|value| ((value * inverse).round() as i8).cast_unsigned()));
}

/// The value of largest magnitude, the first of them, becomes code 0, which stands for −8.
fn q4_0(block: &[f32], bytes: &mut Vec<u8>) {
    let largest = block.iter().fold(
        0.0f32,
        |most, value| {
            if value.abs() > most.abs() { *value } else { most }
        },
    );
    let d = largest / -8.0;
    let inverse = f64::from(inverse(d));
    // Product and sum in f64: the reference fuses them, and only so do halves fall the same way.
    let code = |value: &f32| (f64::from(*value) * inverse + 8.5).trunc().clamp(0.0, 15.0) as u8;
    bytes.extend(f16::from_f32(d).to_le_bytes());
    let (first, second) = block.split_at(16);
    bytes.extend(first.iter().zip(second).map(|(low, high)| code(low) | code(high) << 4));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::dequantise::dequantise;
    use super::*;

    fn there_and_back(kind: BlockType, values: &[f32]) -> Vec<f32> {
        let (mut bytes, mut back) = (Vec::new(), Vec::new());
        quantise(kind, values, &mut bytes);
        dequantise(kind, &bytes, &mut back);
        back
    }

    proptest! {
        /// Half a step of the block's scale, and what rounding that scale to a half adds.
        #[test]
        fn a_value_comes_back_within_its_blocks_step(
            values in prop::collection::vec(-4.0f32..4.0, 64),
        ) {
            for (kind, steps) in [(BlockType::Q8_0, 127.0), (BlockType::Q4_0, 8.0)] {
                let back = there_and_back(kind, &values);
                for (block, back) in values.chunks(32).zip(back.chunks(32)) {
                    let largest = block.iter().fold(0.0f32, |most, value| most.max(value.abs()));
                    // On the side without a sixteenth code, Q4_0 ends at 7 steps.
                    let bound = if steps == 8.0 { 1.0 } else { 0.5 } * largest / steps + largest / 1024.0;
                    for (value, back) in block.iter().zip(back) {
                        prop_assert!((value - back).abs() <= bound + 1e-7, "{kind:?}: {value} → {back}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_exact_stays_exact() {
        let values: Vec<f32> = (0..32).map(|at| (at - 16) as f32 / 4.0).collect();
        for kind in [BlockType::F32, BlockType::F16, BlockType::Bf16] {
            assert_eq!(there_and_back(kind, &values), values, "{}", kind.name());
        }
        assert_eq!(there_and_back(BlockType::Q4_0, &[0.0; 32]), [0.0; 32]);
        assert_eq!(there_and_back(BlockType::Q8_0, &[0.0; 32]), [0.0; 32]);
    }
}
