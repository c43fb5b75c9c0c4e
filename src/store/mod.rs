//! The disk: the project file with its journal, runs, import and export, model folders, the user's settings.
//!
//! Every call here may fail for reasons outside the program and says so with a [`StoreError`], a sentence a person
//! can act on. Nothing here draws, starts threads, or changes a project: it is handed projects that have changed.

pub mod copies;
mod encoding;
mod error;
pub mod export;
pub mod formats;
pub mod hub;
pub mod import;
mod json_array;
mod jsonl;
pub mod key_file;
mod metas;
pub mod model_folder;
mod peek;
mod pieces;
mod project_file;
mod rows;
pub mod runs;
pub mod sample;
mod scan;
mod settings;
mod sheet;
mod table;
pub mod tensorboard;
pub mod word_vectors;
pub mod wordings;
pub mod words;

pub use encoding::Charset;
pub use error::StoreError;
pub use jsonl::{export_documents, export_jsonl};
pub use peek::read_project;
pub use project_file::{Fault, Opened, ProjectFile};
pub use runs::{ResumedRun, RunStatus, RunSummary, RunWriter, Runs};
pub use sample::create_sample;
pub use settings::{Language, Settings, Theme};

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes a file that a person asked for; a crash at any moment leaves the old one or the new one.
///
/// # Errors
/// The disk is full or read-only.
pub fn write_file(path: &Path, content: &[u8]) -> Result<(), StoreError> {
    write_atomically(path, content).map_err(StoreError::io("Writing the file", path))
}

/// Writes a file so that a crash at any moment leaves either the old content or the new one.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_atomically_with(path, |file| file.write_all(bytes))
}

/// The same with what `write` writes.
pub(crate) fn write_atomically_with(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let temporary = with_suffix(path, ".new");
    let mut file = File::create(&temporary)?;
    write(&mut file)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&temporary, path)?;
    sync_folder(path);
    Ok(())
}

/// Makes a rename or a new file in the folder of `path` survive a power cut, where the system can say so.
pub(crate) fn sync_folder(path: &Path) {
    if cfg!(unix)
        && let Some(folder) = path.parent()
        && let Ok(folder) = File::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
    {
        folder.sync_all().ok(); // some file systems can't; the file itself is synced all the same
    }
}

/// `reviews.gloss` with ".lock" gives `reviews.gloss.lock`.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
