//! One run per directory.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use crate::TrainingError;

/// Holds a run directory for this process; released when dropped, and by the system when the
/// process dies in any way.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

impl RunLock {
    /// Takes the directory.
    ///
    /// # Errors
    /// [`TrainingError::RunInUse`] if another process has it, or an I/O error.
    pub fn acquire(run_dir: &Path) -> Result<Self, TrainingError> {
        let path = run_dir.join(".lock");
        let io = |source| TrainingError::io("opening", &path, source);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                file.read_to_string(&mut owner).map_err(io)?;
                let owner = owner.trim().to_string();
                return Err(TrainingError::RunInUse { path: run_dir.into(), owner });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(io)?;
        writeln!(file, "{}", std::process::id()).map_err(io)?;
        Ok(Self { _file: file })
    }
}
