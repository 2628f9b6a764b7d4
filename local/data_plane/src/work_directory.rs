//! Where functions' code and the like are put.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

/// Says whose directory it is.
const MARK: &str = ".data-plane";

/// A directory of the process's own. Removed with everything in it when this is dropped.
#[derive(Debug)]
pub struct WorkDirectory(PathBuf);

impl WorkDirectory {
    /// Makes it, or takes it over from a process that could not remove it.
    ///
    /// # Errors
    /// When it cannot be made, or holds something and is none of ours.
    pub fn new(path: &Path) -> anyhow::Result<Self> {
        let made = || -> io::Result<bool> {
            fs::create_dir_all(path)?;
            let is_ours = path.join(MARK).exists();
            if is_ours {
                fs::remove_dir_all(path)?;
                fs::create_dir_all(path)?;
            }
            let is_empty = fs::read_dir(path)?.next().is_none();
            if is_empty {
                fs::write(path.join(MARK), "Removed when the data plane ends.\n")?;
            }
            Ok(is_empty)
        };
        if !made().with_context(|| format!("cannot make the work directory {}", path.display()))? {
            bail!("{} is not empty: the work directory is removed at the end, so give one that is new", path.display());
        }
        // A function's code is run from another current directory.
        Ok(Self(path.canonicalize().with_context(|| format!("cannot use {}", path.display()))?))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for WorkDirectory {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(target: "data_plane", "{} stays: {error}", self.0.display());
        }
    }
}
