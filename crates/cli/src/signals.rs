//! Ctrl-C and SIGTERM as a request to stop.

use anyhow::Result;
use wuji::training::StopSignal;

/// Ctrl-C and SIGTERM end the run after the current step; a second one ends it at once.
pub fn stop_on_signals(stop: &StopSignal) -> Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, stop.flag())?;
        signal_hook::flag::register(signal, stop.flag())?;
    }
    Ok(())
}
