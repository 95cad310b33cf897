//! The `--device` string: parsing, and opening the device it names.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The backends Wuji knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackendKind {
    /// burn-flex on the CPU; always there.
    Flex,
    /// burn-ndarray on the CPU.
    Ndarray,
    /// burn-wgpu: Vulkan, Metal or DirectX 12.
    Wgpu,
    /// burn-cuda.
    Cuda,
}

impl BackendKind {
    /// All of them, default first.
    pub const ALL: [Self; 4] = [Self::Flex, Self::Ndarray, Self::Wgpu, Self::Cuda];

    /// The name in `--device` and of the cargo feature.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flex => "flex",
            Self::Ndarray => "ndarray",
            Self::Wgpu => "wgpu",
            Self::Cuda => "cuda",
        }
    }

    /// Whether this build has it.
    pub fn is_compiled(self) -> bool {
        match self {
            Self::Flex => true,
            Self::Ndarray => cfg!(feature = "ndarray"),
            Self::Wgpu => cfg!(feature = "wgpu"),
            Self::Cuda => cfg!(feature = "cuda"),
        }
    }
}

/// A device as the user names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceSpec {
    /// Which backend.
    pub backend: BackendKind,
    /// Which of its devices; the backend's own choice when absent.
    pub index: Option<usize>,
}

/// Why a device cannot be had.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum DeviceError {
    /// The string names no backend.
    #[error("unknown device {found:?}: expected flex, ndarray, wgpu[:n] or cuda[:n]")]
    Unknown {
        /// What was written.
        found: String,
    },
    /// What follows the colon is no number, or the backend has only one device.
    #[error("bad device index in {found:?}: {reason}")]
    BadIndex {
        /// What was written.
        found: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// This build does not contain the backend.
    #[error(
        "device {name} is not in this build; build with `--features {name}` \
         (`cargo xtask <verb> --device {name}` does it by itself)"
    )]
    NotCompiled {
        /// The backend and feature.
        name: &'static str,
    },
    /// The backend is there but found no such hardware.
    #[error("device {spec} cannot be opened on this machine: {reason}")]
    Unavailable {
        /// What was asked for.
        spec: String,
        /// What the backend said.
        reason: String,
    },
}

impl Default for DeviceSpec {
    fn default() -> Self {
        Self { backend: BackendKind::Flex, index: None }
    }
}

impl fmt::Display for DeviceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            Some(index) => write!(f, "{}:{index}", self.backend.name()),
            None => f.write_str(self.backend.name()),
        }
    }
}

impl From<DeviceSpec> for String {
    fn from(spec: DeviceSpec) -> Self {
        spec.to_string()
    }
}

impl TryFrom<String> for DeviceSpec {
    type Error = DeviceError;

    fn try_from(text: String) -> Result<Self, DeviceError> {
        text.parse()
    }
}

impl FromStr for DeviceSpec {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, DeviceError> {
        let (name, index) = match text.split_once(':') {
            Some((name, index)) => (name, Some(index)),
            None => (text, None),
        };
        let backend = BackendKind::ALL
            .into_iter()
            .find(|backend| backend.name() == name)
            .ok_or_else(|| DeviceError::Unknown { found: text.to_string() })?;
        let bad = |reason| DeviceError::BadIndex { found: text.to_string(), reason };
        let index = match (backend, index) {
            (_, None) => None,
            (BackendKind::Flex | BackendKind::Ndarray, Some(_)) => {
                return Err(bad("the CPU is one device and takes no index"));
            }
            (_, Some(index)) => Some(index.parse().map_err(|_| bad("expected a whole number"))?),
        };
        Ok(Self { backend, index })
    }
}

impl DeviceSpec {
    /// Opens the device, without autodiff.
    ///
    /// # Errors
    /// The backend is not in this build, or finds no such hardware.
    pub fn open(&self) -> Result<Device, DeviceError> {
        if !self.backend.is_compiled() {
            return Err(DeviceError::NotCompiled { name: self.backend.name() });
        }
        match self.backend {
            BackendKind::Flex => Ok(Device::flex()),
            BackendKind::Ndarray => Ok(open_ndarray()),
            BackendKind::Wgpu | BackendKind::Cuda => self.open_probed(),
        }
    }

    /// GPU backends fail by panicking inside their runtime; a first tiny computation under
    /// `catch_unwind` turns that into an error.
    fn open_probed(&self) -> Result<Device, DeviceError> {
        let spec = self.clone();
        let probe = std::panic::catch_unwind(move || {
            let device = spec.construct();
            let ones = burn::tensor::Tensor::<1>::ones([2], &device);
            let sum: f32 = ones.sum().into_scalar();
            (device, sum)
        });
        match probe {
            Ok((device, 2.0)) => Ok(device),
            Ok((_, sum)) => Err(self.unavailable(format!("1 + 1 gave {sum}"))),
            Err(panic) => Err(self.unavailable(panic_message(panic.as_ref()))),
        }
    }

    fn unavailable(&self, reason: String) -> DeviceError {
        DeviceError::Unavailable { spec: self.to_string(), reason }
    }

    fn construct(&self) -> Device {
        match self.backend {
            #[cfg(feature = "wgpu")]
            BackendKind::Wgpu => Device::wgpu(match self.index {
                Some(index) => burn::tensor::DeviceKind::DiscreteGpu(index),
                None => burn::tensor::DeviceKind::DefaultDevice,
            }),
            #[cfg(feature = "cuda")]
            BackendKind::Cuda => Device::cuda(self.index.unwrap_or(0)),
            _ => Device::flex(),
        }
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("the backend failed without a message").to_string()
}

#[cfg(feature = "ndarray")]
fn open_ndarray() -> Device {
    #[expect(deprecated, reason = "kept for its users; see docs/decisions")]
    Device::ndarray()
}

#[cfg(not(feature = "ndarray"))]
fn open_ndarray() -> Device {
    unreachable!("open() has checked that the backend is compiled in")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for text in ["flex", "ndarray", "wgpu", "wgpu:1", "cuda:0"] {
            let spec: DeviceSpec = text.parse().unwrap();
            assert_eq!(spec.to_string(), text);
        }
    }

    #[test]
    fn nonsense_is_refused_with_the_choices() {
        let error = "gpu".parse::<DeviceSpec>().unwrap_err();
        assert!(error.to_string().contains("flex, ndarray, wgpu[:n] or cuda[:n]"), "{error}");
        assert!("wgpu:x".parse::<DeviceSpec>().is_err());
        assert!("flex:0".parse::<DeviceSpec>().is_err());
    }

    #[test]
    fn an_absent_backend_names_its_feature() {
        for backend in BackendKind::ALL.into_iter().filter(|backend| !backend.is_compiled()) {
            let error = DeviceSpec { backend, index: None }.open().unwrap_err();
            assert!(
                error.to_string().contains(&format!("--features {}", backend.name())),
                "{error}"
            );
        }
    }

    #[test]
    fn flex_always_opens() {
        assert!(DeviceSpec::default().open().is_ok());
    }
}
