//! Working memory of a thread, kept between calls so that nobody waits for fresh pages.

use std::cell::RefCell;

thread_local! {
    static BUFFER: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Gives `body` slices of the given lengths. Their contents are arbitrary.
pub fn with<const N: usize, R>(lengths: [usize; N], body: impl FnOnce([&mut [f32]; N]) -> R) -> R {
    let total = lengths.iter().sum();
    // Taken out rather than borrowed, so that a nested call would get a buffer of its own.
    let mut buffer = BUFFER.take();
    if buffer.len() < total {
        buffer.resize(total, 0.0);
    }
    let mut rest = buffer.as_mut_slice();
    let slices = lengths.map(|length| {
        let (slice, after) = std::mem::take(&mut rest).split_at_mut(length);
        rest = after;
        slice
    });
    let result = body(slices);
    BUFFER.replace(buffer);
    result
}
