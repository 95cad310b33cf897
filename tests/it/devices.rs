//! One body, every device: flex always, ndarray and wgpu with the features of those names.

use burn::tensor::Device;
use wuji::device::DeviceSpec;

/// Makes a test of each body for each device. A body takes a `&Device` without autodiff.
macro_rules! on_each_device {
    ($($body:ident),+ $(,)?) => {
        mod flex {
            $(#[test] fn $body() { super::$body(&crate::devices::cpu("flex")); })+
        }
        #[cfg(feature = "ndarray")]
        mod ndarray {
            $(#[test] fn $body() { super::$body(&crate::devices::cpu("ndarray")); })+
        }
        #[cfg(feature = "wgpu")]
        mod wgpu {
            $(#[test] fn $body() {
                if let Some(device) = crate::devices::gpu("wgpu") { super::$body(&device); }
            })+
        }
    };
}
pub(crate) use on_each_device;

/// A device that every machine has.
pub fn cpu(name: &str) -> Device {
    spec(name).open().unwrap()
}

/// The device most tests use.
pub fn flex() -> Device {
    cpu("flex")
}

/// A device that a machine may lack, which is then said.
#[cfg(feature = "wgpu")]
pub fn gpu(name: &str) -> Option<Device> {
    let opened = spec(name).open();
    opened.inspect_err(|error| eprintln!("SKIPPED: {error}")).ok()
}

fn spec(name: &str) -> DeviceSpec {
    name.parse().unwrap()
}
