//! The number formats of safetensors and PyTorch files, widened to the two that this crate computes with.

use half::{bf16, f16};

/// What one number of a tensor on disk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberType {
    F64,
    F32,
    F16,
    Bf16,
    I64,
    I32,
    I16,
    I8,
    U64,
    U32,
    U16,
    U8,
    Bool,
}

impl NumberType {
    /// Bytes of one number.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::F64 | Self::I64 | Self::U64 => 8,
            Self::F32 | Self::I32 | Self::U32 => 4,
            Self::F16 | Self::Bf16 | Self::I16 | Self::U16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }

    /// Little-endian `bytes` as f32; `None` if these are no real numbers.
    pub(super) fn to_f32(self, bytes: &[u8]) -> Option<Vec<f32>> {
        Some(match self {
            Self::F32 => numbers(bytes, f32::from_le_bytes),
            Self::F16 => numbers(bytes, |b| f16::from_le_bytes(b).to_f32()),
            Self::Bf16 => numbers(bytes, |b| bf16::from_le_bytes(b).to_f32()),
            Self::F64 => numbers(bytes, |b| f64::from_le_bytes(b) as f32),
            _ => return None,
        })
    }

    /// Little-endian `bytes` as i64; `None` if these are no integers, or some that i64 cannot hold.
    pub(super) fn to_i64(self, bytes: &[u8]) -> Option<Vec<i64>> {
        Some(match self {
            Self::I64 => numbers(bytes, i64::from_le_bytes),
            Self::I32 => numbers(bytes, |b| i64::from(i32::from_le_bytes(b))),
            Self::I16 => numbers(bytes, |b| i64::from(i16::from_le_bytes(b))),
            Self::U32 => numbers(bytes, |b| i64::from(u32::from_le_bytes(b))),
            Self::U16 => numbers(bytes, |b| i64::from(u16::from_le_bytes(b))),
            Self::U8 | Self::Bool => bytes.iter().map(|b| i64::from(*b)).collect(),
            Self::I8 => numbers(bytes, |b| i64::from(i8::from_le_bytes(b))),
            Self::U64 => {
                let wide = numbers(bytes, u64::from_le_bytes);
                return wide.into_iter().map(|number| i64::try_from(number).ok()).collect();
            }
            Self::F64 | Self::F32 | Self::F16 | Self::Bf16 => return None,
        })
    }
}

fn numbers<const N: usize, T>(bytes: &[u8], convert: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|chunk| convert(*chunk)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_read_as_reals_or_as_integers_and_never_as_both() {
        let real = |kind: NumberType, bytes: &[u8], expected: f32| {
            assert_eq!(kind.to_f32(bytes).unwrap(), [expected], "{kind:?}");
            assert!(kind.to_i64(bytes).is_none(), "{kind:?}");
        };
        real(NumberType::F64, &1.5f64.to_le_bytes(), 1.5);
        real(NumberType::F32, &(-2.5f32).to_le_bytes(), -2.5);
        real(NumberType::F16, &f16::from_f32(0.25).to_le_bytes(), 0.25);
        real(NumberType::Bf16, &bf16::from_f32(3.0).to_le_bytes(), 3.0);
        let integer = |kind: NumberType, bytes: &[u8], expected: i64| {
            assert_eq!(kind.to_i64(bytes).unwrap(), [expected], "{kind:?}");
            assert!(kind.to_f32(bytes).is_none(), "{kind:?}");
        };
        integer(NumberType::I64, &(-7i64).to_le_bytes(), -7);
        integer(NumberType::I32, &(-7i32).to_le_bytes(), -7);
        integer(NumberType::I16, &(-7i16).to_le_bytes(), -7);
        integer(NumberType::I8, &(-7i8).to_le_bytes(), -7);
        integer(NumberType::U64, &7u64.to_le_bytes(), 7);
        integer(NumberType::U32, &u32::MAX.to_le_bytes(), u32::MAX.into());
        integer(NumberType::U16, &u16::MAX.to_le_bytes(), u16::MAX.into());
        integer(NumberType::U8, &[255], 255);
        integer(NumberType::Bool, &[1], 1);
        assert!(NumberType::U64.to_i64(&u64::MAX.to_le_bytes()).is_none());
    }
}
