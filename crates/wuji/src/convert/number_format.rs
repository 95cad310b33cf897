//! The number formats that weights can be written in, and which of them a file format has.

use serde::Serialize;
use wuji_model::weights::{GgufDtype, StoredDtype};

/// A number format of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberFormat {
    /// 32-bit IEEE.
    F32,
    /// 16-bit IEEE.
    F16,
    /// bfloat16.
    Bf16,
    /// 8.5 bits, in GGUF.
    Q8_0,
    /// 4.5 bits, in GGUF.
    Q4_0,
}

impl NumberFormat {
    /// As a safetensors file has it; `None` if it has not.
    pub fn in_safetensors(self) -> Option<StoredDtype> {
        match self {
            Self::F32 => Some(StoredDtype::F32),
            Self::F16 => Some(StoredDtype::F16),
            Self::Bf16 => Some(StoredDtype::Bf16),
            Self::Q8_0 | Self::Q4_0 => None,
        }
    }

    /// As a GGUF file has it.
    pub fn in_gguf(self) -> GgufDtype {
        match self {
            Self::F32 => GgufDtype::F32,
            Self::F16 => GgufDtype::F16,
            Self::Bf16 => GgufDtype::Bf16,
            Self::Q8_0 => GgufDtype::Q8_0,
            Self::Q4_0 => GgufDtype::Q4_0,
        }
    }

    /// The format that a config's `dtype` or `torch_dtype` names; f32 if it names none that is written.
    pub(super) fn stated_in(config: &wuji_model::ModelConfig) -> Self {
        let stated = ["dtype", "torch_dtype"].iter().find_map(|key| config.extra().get(*key));
        match stated.and_then(serde_json::Value::as_str) {
            Some("float16") => Self::F16,
            Some("bfloat16") => Self::Bf16,
            _ => Self::F32,
        }
    }
}

impl From<StoredDtype> for NumberFormat {
    fn from(dtype: StoredDtype) -> Self {
        match dtype {
            StoredDtype::F32 => Self::F32,
            StoredDtype::F16 => Self::F16,
            StoredDtype::Bf16 => Self::Bf16,
        }
    }
}

impl std::fmt::Display for NumberFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::Q8_0 => "q8_0",
            Self::Q4_0 => "q4_0",
        })
    }
}
