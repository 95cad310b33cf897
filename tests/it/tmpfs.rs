//! A small file system in memory, to be filled or made read-only. It takes root to mount one.

use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A mounted file system, unmounted when dropped.
pub struct Tmpfs {
    dir: TempDir,
}

impl Tmpfs {
    /// Mounts one of this size; where that is not allowed, says so.
    pub fn mount(size: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let options = format!("size={size}");
        if !run("mount", &["-t", "tmpfs", "-o", &options, "tmpfs"], dir.path()) {
            eprintln!("SKIPPED: a small file system: not found, as mounting one takes root");
            return None;
        }
        Some(Self { dir })
    }

    /// Its root.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Changes its options: `size=8m`, `ro`.
    pub fn remount(&self, options: &str) {
        assert!(run("mount", &["-o", &format!("remount,{options}")], self.path()), "{options}");
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        run("umount", &[], self.path());
    }
}

fn run(program: &str, arguments: &[&str], path: &Path) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).arg(path).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
