//! In which number format matrix products take their operands.

use std::cell::Cell;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::fused;

thread_local! {
    static CURRENT: Cell<Precision> = const { Cell::new(Precision::F32) };
}

/// The format of the operands of matrix products; everything else, sums and results included, is
/// `f32` (Micikevicius et al. 2018, "Mixed precision training"; Kalamkar et al. 2019 for bfloat16).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit IEEE.
    #[default]
    F32,
    /// Operands rounded to bfloat16: as wide a range as `f32`, so no loss scaling, with 8 bits of
    /// mantissa. On CPUs with AVX-512 BF16 a product takes half the time; elsewhere it is no faster.
    Bf16,
}

impl Precision {
    /// Runs `body` with this precision on this thread: [`crate::linear`] and the losses over a
    /// [`crate::linear`] head use it, and their gradients later use what was set here. Only the Flex
    /// backend has bfloat16 products; others stay at `f32`.
    pub fn scope<R>(self, body: impl FnOnce() -> R) -> R {
        /// Puts back what was there, even if the body panics.
        struct Guard(Precision);
        impl Drop for Guard {
            fn drop(&mut self) {
                CURRENT.set(self.0);
            }
        }
        let _guard = Guard(CURRENT.replace(self));
        body()
    }

    /// Whether products on this device can be made so.
    pub fn is_supported_on(self, device: &Device) -> bool {
        self == Self::F32 || fused::is_flex(device)
    }

    /// What is set on this thread.
    pub fn current() -> Self {
        CURRENT.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_ends_however_its_body_ends() {
        Precision::Bf16.scope(|| {
            assert_eq!(Precision::current(), Precision::Bf16);
            Precision::F32.scope(|| assert_eq!(Precision::current(), Precision::F32));
            assert_eq!(Precision::current(), Precision::Bf16);
        });
        let _ = std::panic::catch_unwind(|| Precision::Bf16.scope(|| panic!("on purpose")));
        assert_eq!(Precision::current(), Precision::F32);
    }
}
