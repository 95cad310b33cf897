//! The workspace's root and the cargo that belongs to it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, ensure};

/// The workspace that this program was started from.
pub struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// Finds the root: the folder above this package, which cargo names when it runs this program.
    pub fn find() -> anyhow::Result<Self> {
        let package = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = package.parent().unwrap_or(&package).to_path_buf();
        ensure!(
            root.join("Cargo.toml").is_file(),
            "no workspace at {}: start this through `cargo xtask`",
            root.display()
        );
        Ok(Self { root })
    }

    /// The workspace's root folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The reference data beside the root (`../shared`), where it is there.
    pub fn shared(&self) -> Option<PathBuf> {
        std::env::var_os("WUJI_SHARED")
            .map(PathBuf::from)
            .or_else(|| self.root.join("../shared").canonicalize().ok())
            .filter(|shared| shared.is_dir())
    }

    /// A `cargo` command in the root, as a user at the root would start it.
    pub fn cargo(&self, words: &[&str]) -> Command {
        let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(program);
        command.args(words).current_dir(&self.root).stdin(Stdio::null());
        forget_this_package(&mut command);
        command
    }

    /// A `cargo` command whose answer is its standard output; its complaints become the error.
    pub fn cargo_output(&self, words: &[&str]) -> anyhow::Result<String> {
        let command = self.cargo(words);
        output(command)
    }
}

/// Removes what `cargo run` says about this package, which the programs started from here must not take for their own.
pub fn forget_this_package(command: &mut Command) {
    const NAMES: [&str; 6] = [
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_PATH",
        "CARGO_CRATE_NAME",
        "CARGO_BIN_NAME",
        "CARGO_PRIMARY_PACKAGE",
        "CARGO_MANIFEST_LINKS",
    ];
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if NAMES.contains(&text.as_ref()) || text.starts_with("CARGO_PKG_") {
            command.env_remove(&name);
        }
    }
}

/// Runs a command to its end with our own standard streams.
pub fn status(mut command: Command) -> anyhow::Result<ExitStatus> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.status().with_context(|| format!("`{program}` could not be started"))
}

/// Runs a command for its standard output.
pub fn output(mut command: Command) -> anyhow::Result<String> {
    let line = describe(&command);
    let output = command.output().with_context(|| format!("`{line}` could not be started"))?;
    ensure!(
        output.status.success(),
        "`{line}` failed ({}):\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim_end()
    );
    String::from_utf8(output.stdout)
        .with_context(|| format!("`{line}` printed something that is not UTF-8"))
}

fn describe(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
