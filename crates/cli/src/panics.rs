//! A panic is a bug of this program: one line that says where, and no backtrace.

use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Mutex, PoisonError};

/// What the last panic said, on whichever thread it was.
static LAST: Mutex<Option<String>> = Mutex::new(None);

/// Runs `work`; a panic that nobody inside catches becomes an error that says what and where.
///
/// Nothing is printed at the panic itself: GPU runtimes panic where hardware is missing, and those
/// panics are caught and explained by whoever opened the device.
pub fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(remember));
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    panic::set_hook(hook);
    result.map_err(|_| {
        let last = LAST.lock().unwrap_or_else(PoisonError::into_inner).take();
        last.unwrap_or_else(|| "a thread failed without a message".to_string())
    })
}

fn remember(panic: &PanicHookInfo<'_>) {
    let message = panic.payload_as_str().unwrap_or("no message");
    // One line, however the message was laid out.
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let place = panic.location().map(|place| format!(" ({}:{})", place.file(), place.line()));
    let text = format!("{message}{}", place.unwrap_or_default());
    *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_one_line_with_its_place() {
        assert_eq!(catch(|| 3), Ok(3));
        let message = catch(|| panic!("out of\n  {}", "cheese")).unwrap_err();
        assert!(message.starts_with("out of cheese (crates/cli/src/panics.rs:"), "{message}");
        assert!(!message.contains('\n'));
    }
}
