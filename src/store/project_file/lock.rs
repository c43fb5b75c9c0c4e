//! The right to write a project.

use crate::store::{StoreError, with_suffix};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The right to write a project: a locked file beside it. The system frees it when the process ends, however it ends.
pub(in crate::store) struct Lock {
    _file: File,
    path: PathBuf,
}

impl Lock {
    pub(in crate::store) fn take(project: &Path) -> Result<Self, StoreError> {
        // The real file, so that a project reached through a link has one lock.
        let real = project.canonicalize().unwrap_or_else(|_| project.to_owned());
        let path = with_suffix(&real, ".lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(|error| match error.kind() {
            // The lock's folder is the project's.
            io::ErrorKind::NotFound => StoreError::Missing { path: project.parent().unwrap_or(project).to_owned() },
            _ => StoreError::io("Opening the project", project)(error),
        })?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::AlreadyOpen { path: project.to_owned() }),
            // A disk without locks: SQLite's own lock remains.
            Err(TryLockError::Error(error)) => log::warn!("no lock on {}: {error}", path.display()),
        }
        Ok(Self { _file: file, path })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Whoever opened this very file a moment ago and gets its lock now still meets SQLite's.
        fs::remove_file(&self.path).ok();
    }
}
