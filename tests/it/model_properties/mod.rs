//! What holds of every model family on every device.

mod learning;
mod reading;
mod weights;
