//! Batches prepared ahead of the training step that needs them.

use std::ops::Range;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use super::{BatchLoader, TokenBatch};
use crate::error::{DataError, Result};

/// A batch and where in the run it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledBatch {
    /// Optimiser step.
    pub step: u64,
    /// Micro-step inside it.
    pub micro_step: u32,
    /// The batch.
    pub batch: TokenBatch,
}

/// Yields all batches of a range of steps in order, read by a thread of its own.
///
/// At most `depth` batches wait. Dropping it ends the thread.
#[derive(Debug)]
pub struct Prefetcher {
    batches: Option<Receiver<Result<ScheduledBatch>>>,
    thread: Option<JoinHandle<()>>,
}

impl Prefetcher {
    /// Starts reading the batches of `steps`.
    pub fn new(loader: BatchLoader, steps: Range<u64>, depth: usize) -> Result<Self> {
        let (sender, batches) = sync_channel(depth.max(1) - 1);
        let work = move || {
            for step in steps {
                for micro_step in 0..loader.options().gradient_accumulation_steps {
                    let batch = loader.batch(step, micro_step).map(|batch| ScheduledBatch {
                        step,
                        micro_step,
                        batch,
                    });
                    let failed = batch.is_err();
                    // The receiver is gone when the run ended early: nobody wants the rest.
                    if sender.send(batch).is_err() || failed {
                        return;
                    }
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("wuji-prefetch".to_owned())
            .spawn(work)
            .map_err(|source| DataError::Prefetch { reason: source.to_string() })?;
        Ok(Self { batches: Some(batches), thread: Some(thread) })
    }

    /// Waits for the thread; an error if it panicked rather than finished.
    fn join(&mut self) -> Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Err(_)) => Err(DataError::Prefetch { reason: "it panicked".to_owned() }),
            Some(Ok(())) | None => Ok(()),
        }
    }
}

impl Iterator for Prefetcher {
    type Item = Result<ScheduledBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.batches.as_ref()?.recv() {
            Ok(batch) => Some(batch),
            Err(_) => {
                self.batches = None;
                self.join().err().map(Err)
            }
        }
    }
}

impl Drop for Prefetcher {
    fn drop(&mut self) {
        // Closing the channel first frees a thread that waits to send.
        self.batches = None;
        // A panic has already been reported by the thread itself.
        let _ = self.join();
    }
}
