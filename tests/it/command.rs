//! The real `wuji` command, started as a user starts it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longest that any run here may take, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// A command line being put together.
pub struct Wuji {
    command: Command,
    line: String,
}

impl Wuji {
    /// `wuji VERB`.
    pub fn new(verb: &str) -> Self {
        let mut command = Command::new(program());
        // A user's settings must not change what is tested; a backtrace, if one comes, must be seen.
        command.env_remove("RUST_LOG").env_remove("WUJI_DATA").env("RUST_BACKTRACE", "1");
        Self { command, line: "wuji".to_string() }.arg(verb)
    }

    /// Adds an argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.line.push(' ');
        self.line.push_str(&argument.as_ref().to_string_lossy());
        self.command.arg(argument);
        self
    }

    /// Adds several.
    pub fn args(self, arguments: &[&str]) -> Self {
        arguments.iter().fold(self, |line, argument| line.arg(argument))
    }

    /// Adds `--set OPTION`.
    pub fn set(self, option: impl AsRef<OsStr>) -> Self {
        self.arg("--set").arg(option)
    }

    /// Starts it and does not wait.
    pub fn start(mut self) -> Running {
        // Files rather than pipes: nobody has to empty them while the command runs.
        let (stdout, stderr) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        self.command.stdout(stdout.try_clone().unwrap()).stderr(stderr.try_clone().unwrap());
        let child = self.command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.line));
        Running { child, stdout, stderr, line: self.line, started: Instant::now() }
    }

    /// Runs it to its end.
    pub fn run(self) -> Finished {
        self.start().wait()
    }

    /// Runs it and expects success.
    pub fn succeed(self) -> Finished {
        let finished = self.run();
        assert!(finished.status.success(), "{finished}");
        finished
    }
}

/// The binary that `cargo xtask test` has built, or the one beside these tests.
pub fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("CARGO_BIN_EXE_wuji") {
        return path.into();
    }
    let tests = std::env::current_exe().unwrap(); // target/release/deps/it-…
    let beside = tests.parent().and_then(|deps| deps.parent()).unwrap().join("wuji");
    assert!(
        beside.is_file(),
        "the wuji command is not built: run `cargo xtask test -p wuji-tests`, or first \
         `cargo build --release --workspace --bin wuji` (expected {})",
        beside.display()
    );
    beside
}

/// A command that may still run; killed when dropped.
pub struct Running {
    child: Child,
    stdout: File,
    stderr: File,
    line: String,
    started: Instant,
}

impl Running {
    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until `condition` holds or the command ends; says which.
    pub fn wait_until(&mut self, mut condition: impl FnMut() -> bool) -> bool {
        loop {
            if condition() {
                return true;
            }
            if !self.is_running() {
                return false;
            }
            assert!(self.started.elapsed() < PATIENCE, "{} takes too long", self.line);
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// Sends a signal by name: `TERM`, `INT`.
    pub fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {process}")]).status();
        assert!(sent.unwrap().success(), "kill -{name} {process}");
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the end.
    pub fn wait(mut self) -> Finished {
        self.wait_until(|| false);
        let read = |file: &mut File| {
            let mut bytes = Vec::new();
            file.rewind().unwrap();
            file.read_to_end(&mut bytes).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Finished {
            status: self.child.wait().unwrap(),
            stdout: read(&mut self.stdout),
            stderr: read(&mut self.stderr),
            line: std::mem::take(&mut self.line),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that has ended.
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed as its result.
    pub stdout: String,
    /// What it printed beside that.
    pub stderr: String,
    line: String,
}

impl Finished {
    /// The one JSON object that `--json` prints.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// Fails unless the command ended with `code` (1 failed, 2 wrong usage, config or data) and one clear message that
    /// mentions all of `mentions`.
    pub fn assert_refused(&self, code: i32, mentions: &[&str]) {
        assert_eq!(self.status.code(), Some(code), "exit code: {self}");
        let messages = self.stderr.lines().filter(|line| line.starts_with("error:")).count();
        assert_eq!(messages, 1, "lines that begin with `error:`: {self}");
        for mention in mentions {
            assert!(self.stderr.contains(mention), "no mention of {mention:?}: {self}");
        }
        for alarm in ["panicked", "backtrace", "RUST_BACKTRACE", "internal error"] {
            assert!(!self.stderr.contains(alarm), "{alarm}: {self}");
        }
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { status, stdout, stderr, line } = self;
        write!(f, "{line}\n{status}\n-- stdout\n{stdout}\n-- stderr\n{stderr}")
    }
}
