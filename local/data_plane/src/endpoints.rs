//! The file that names every front door, for tests and scripts.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use serde_json::json;

use crate::front_doors::FrontDoor;

/// `endpoints.json`. It is there as long as what it names is served.
#[derive(Debug)]
pub struct EndpointsFile {
    path: PathBuf,
    control_plane: String,
    gateway: String,
    written: Option<String>,
}

impl EndpointsFile {
    /// Not written yet; one that an earlier process left behind is removed.
    ///
    /// # Errors
    /// When its folder cannot be made or the old file not removed.
    pub fn new(path: &Path, control_plane: &str, gateway: &str) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        remove(path)?;
        let [control_plane, gateway] = [control_plane, gateway].map(String::from);
        Ok(Self { path: path.into(), control_plane, gateway, written: None })
    }

    /// Writes the file, if it would be another than it is; whoever reads it meanwhile sees the old one or the new one,
    /// never a part. Whether it was written.
    ///
    /// # Errors
    /// When it cannot be.
    pub fn write(&mut self, front_doors: &[FrontDoor]) -> io::Result<bool> {
        let content = json!({
            "control_plane": self.control_plane,
            "gateway": self.gateway,
            "endpoints": front_doors,
        });
        let content = format!("{content:#}\n");
        if self.written.as_ref() == Some(&content) {
            return Ok(false);
        }
        let unfinished = self.path.with_extension("json.unfinished");
        fs::write(&unfinished, &content)?;
        fs::rename(&unfinished, &self.path)?;
        self.written = Some(content);
        Ok(true)
    }
}

impl Drop for EndpointsFile {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.path) {
            tracing::warn!(target: "data_plane", "{} stays: {error}", self.path.display());
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
