//! A function's package, as `make lambdas` makes it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where the benchmarks leave their figures, and what they need for them.
pub(crate) fn folder() -> anyhow::Result<PathBuf> {
    let folder = root().join("target/bench");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// Where a function's package is to run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum For {
    Lambda,
    ThisMachine,
}

/// Packs a function's program; returns where the zip is.
pub(crate) fn pack(program: &Path, place: For) -> anyhow::Result<PathBuf> {
    let root = root();
    let name = program.file_name().context("a program has a name")?;
    let zip = folder()?.join(name).with_extension("zip");
    let mut command = Command::new("python3");
    command.arg(root.join("scripts/lambda_package.py")).arg("pack");
    if matches!(place, For::ThisMachine) {
        command.arg("--this-machine");
    }
    let packed = command.args([program, &zip]).stdout(Stdio::null()).status()?;
    ensure!(packed.success(), "scripts/lambda_package.py failed");
    Ok(zip)
}
