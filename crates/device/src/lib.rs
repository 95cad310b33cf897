//! From a `--device` string to a burn device, and what this build and this machine offer.
//!
//! This is the only crate that names a backend. A [`DeviceSpec`] is what a user writes
//! (`flex`, `ndarray`, `wgpu`, `wgpu:1`, `cuda:0`); [`DeviceSpec::open`] turns it into a
//! [`burn::tensor::Device`] or says which cargo feature is missing; [`capabilities`] lists what
//! there is.
//!
//! ```
//! use wuji_device::DeviceSpec;
//!
//! let device = "flex".parse::<DeviceSpec>().unwrap().open().unwrap();
//! assert!("tpu".parse::<DeviceSpec>().is_err());
//! # let _ = device;
//! ```

mod capabilities;
mod spec;

pub use capabilities::{BackendReport, Capabilities, capabilities};
pub use spec::{BackendKind, DeviceError, DeviceSpec};
