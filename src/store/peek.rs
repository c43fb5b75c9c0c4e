//! Looking into a project file of someone else: it is read from a copy, so that it stays byte for byte as it was.

use super::project_file::Lock;
use super::{Opened, ProjectFile, StoreError, with_suffix};
use crate::project::{History, Project};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Reads a project with its history and leaves its file alone.
///
/// # Errors
/// As [`ProjectFile::open`]; also when there is no room for a copy.
pub fn read_project(path: &Path) -> Result<(Project, History), StoreError> {
    const DOING: &str = "Reading the colleague's project";
    if !path.is_file() {
        return Err(StoreError::Missing { path: path.to_owned() });
    }
    // Not while it is being written; where its folder can't be written to, nobody writes it.
    let lock = match Lock::take(path) {
        Err(error @ StoreError::AlreadyOpen { .. }) => return Err(error),
        other => other.ok(),
    };
    let folder = CopyFolder::new().map_err(StoreError::io(DOING, path))?;
    let copy = folder.0.join("project.gloss");
    fs::copy(path, &copy).map_err(StoreError::io_read(DOING, path))?;
    let log = with_suffix(path, "-wal");
    if log.exists() {
        fs::copy(&log, with_suffix(&copy, "-wal")).map_err(StoreError::io_read(DOING, &log))?;
    }
    drop(lock);
    let Opened { project, history, .. } = ProjectFile::open(&copy).map_err(|error| error.at(path))?;
    Ok((project, history))
}

/// A folder of our own that goes when it is no longer needed.
struct CopyFolder(PathBuf);

impl CopyFolder {
    fn new() -> std::io::Result<Self> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let folder = std::env::temp_dir().join(format!("gloss-copy-{since}"));
        fs::create_dir(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for CopyFolder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok(); // the system clears its folder of temporary files anyway
    }
}
