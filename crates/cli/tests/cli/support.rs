//! Running the command, and one small trained model for all tests that need one.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// What a finished command left.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// The command, with nothing of the tester's environment that would change it.
pub fn wuji(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wuji"));
    command.args(arguments).stdin(Stdio::null());
    for name in [
        "WUJI_DATA",
        "WUJI_SIMD",
        "RUST_LOG",
        "RUST_BACKTRACE",
        "HF_HUB_CACHE",
        "HF_HOME",
        "HF_ENDPOINT",
    ] {
        command.env_remove(name);
    }
    command.env("HF_HUB_OFFLINE", "1");
    command
}

/// Runs it to its end.
pub fn run(arguments: &[&str]) -> Ran {
    finish(&mut wuji(arguments))
}

/// Runs it with `input` on standard input.
pub fn run_with_input(arguments: &[&str], input: &[u8]) -> Ran {
    let mut command = wuji(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    child.stdin.take().expect("it was piped").write_all(input).expect("it reads its input");
    ran(&child.wait_with_output().expect("the command ends"))
}

/// Runs a prepared command to its end.
pub fn finish(command: &mut Command) -> Ran {
    ran(&command.output().expect("the command starts"))
}

fn ran(output: &std::process::Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Ran {
    /// Standard output of a command that must succeed.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "stderr: {}", self.stderr);
        self.stdout
    }

    /// The JSON of a command that must succeed.
    #[track_caller]
    pub fn json(self) -> Value {
        let text = self.ok();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// A command that must fail with this code and one message that says all of `parts`.
    #[track_caller]
    pub fn fails(self, code: i32, parts: &[&str]) {
        let Self { code: found, stdout, stderr } = self;
        assert_eq!(found, code, "stdout: {stdout}\nstderr: {stderr}");
        for part in parts {
            assert!(stderr.contains(part), "no {part:?} in: {stderr}");
        }
        let messages = stderr.lines().filter(|line| line.starts_with("error:")).count();
        assert_eq!(messages, 1, "expected one message: {stderr}");
        for word in ["panicked", "RUST_BACKTRACE", "internal error"] {
            assert!(!stderr.contains(word), "{stderr}");
        }
    }
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("test paths are UTF-8")
}

/// The directory of a finished run of preset `tiny`, made once.
pub fn tiny_run() -> &'static Path {
    static RUN: OnceLock<PathBuf> = OnceLock::new();
    RUN.get_or_init(|| {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tiny-run");
        // An earlier test run's; there may be none.
        let _ = std::fs::remove_dir_all(&dir);
        run(&["train", "--preset", "tiny", "--quiet", "--out", text(&dir)]).ok();
        dir
    })
}

/// Reference data beside the workspace, or nothing after saying so.
pub fn shared(part: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("WUJI_SHARED").map_or(beside, PathBuf::from);
    let path = root.join(part);
    if !path.exists() {
        eprintln!("SKIPPED: shared/{part} not found");
        return None;
    }
    Some(path)
}
