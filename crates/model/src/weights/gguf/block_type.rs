//! GGML's tensor types: how many values a block has, and how many bytes.

/// A type whose blocks are read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockType {
    F32,
    F16,
    Bf16,
    F64,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q2K,
    Q3K,
    Q4K,
    Q5K,
    Q6K,
    Iq4Nl,
    Iq4Xs,
}

/// Type, GGML's number of it, its name, values in a block, bytes of a block.
type Row = (BlockType, u32, &'static str, usize, usize);

const TABLE: [Row; 16] = [
    (BlockType::F32, 0, "F32", 1, 4),
    (BlockType::F16, 1, "F16", 1, 2),
    (BlockType::Q4_0, 2, "Q4_0", 32, 18),
    (BlockType::Q4_1, 3, "Q4_1", 32, 20),
    (BlockType::Q5_0, 6, "Q5_0", 32, 22),
    (BlockType::Q5_1, 7, "Q5_1", 32, 24),
    (BlockType::Q8_0, 8, "Q8_0", 32, 34),
    (BlockType::Q2K, 10, "Q2_K", 256, 84),
    (BlockType::Q3K, 11, "Q3_K", 256, 110),
    (BlockType::Q4K, 12, "Q4_K", 256, 144),
    (BlockType::Q5K, 13, "Q5_K", 256, 176),
    (BlockType::Q6K, 14, "Q6_K", 256, 210),
    (BlockType::Iq4Nl, 20, "IQ4_NL", 32, 18),
    (BlockType::Iq4Xs, 23, "IQ4_XS", 256, 136),
    (BlockType::F64, 28, "F64", 1, 8),
    (BlockType::Bf16, 30, "BF16", 1, 2),
];

impl BlockType {
    /// The type with GGML's number `number`, if it is one that is read.
    pub(super) fn from_number(number: u32) -> Option<Self> {
        TABLE.iter().find(|row| row.1 == number).map(|row| row.0)
    }

    fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.0 == self).expect("every type has a row")
    }

    /// GGML's number.
    pub(super) fn number(self) -> u32 {
        self.row().1
    }

    /// GGML's name.
    pub(super) fn name(self) -> &'static str {
        self.row().2
    }

    /// Values in a block.
    pub(super) fn block_values(self) -> usize {
        self.row().3
    }

    /// Bytes of a block.
    pub(super) fn block_bytes(self) -> usize {
        self.row().4
    }

    /// The names of all, for messages.
    pub(super) fn names() -> String {
        TABLE.map(|row| row.2).join(", ")
    }
}
