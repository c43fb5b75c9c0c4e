//! What can go wrong on the disk. Each is a sentence: what happened, what to do, the path last.

use crate::project::EditError;
use rusqlite::ErrorCode;
use std::io;
use std::path::{Path, PathBuf};

/// Why the disk did not do what was asked. Files are then as they were before.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("There is already a file of this name. Choose another name: {}", path.display())]
    Exists { path: PathBuf },
    #[error("There is no such file. It may have been moved or renamed: {}", path.display())]
    Missing { path: PathBuf },
    #[error("This file is not a Gloss project. Choose a file that Gloss made: {}", path.display())]
    NotAProject { path: PathBuf },
    #[error("This project was made by a newer Gloss (format {found}, this one knows {known}). Update Gloss; the file was not touched: {}", path.display())]
    Newer { found: u32, known: u32, path: PathBuf },
    #[error("This project is damaged ({what}). Restore it from a backup; the file was not touched: {}", path.display())]
    Damaged { what: String, path: PathBuf },
    #[error("This project is open in another window or program. Close it there first: {}", path.display())]
    AlreadyOpen { path: PathBuf },
    #[error("The disk is full, so the change is not saved yet. Free some space and try again: {}", path.display())]
    DiskFull { path: PathBuf },
    #[error("This place can't be written to. Change its permissions or choose another folder: {}", path.display())]
    ReadOnly { path: PathBuf },
    #[error("{doing} failed ({source}). Check the disk and try again: {}", path.display())]
    Io { doing: &'static str, source: io::Error, path: PathBuf },
    #[error("{doing} failed ({source}). Try again, or open the project anew: {}", path.display())]
    Database { doing: &'static str, source: rusqlite::Error, path: PathBuf },
    #[error("The change does not follow the last one saved ({what}). Open the project anew: {}", path.display())]
    OutOfOrder { what: String, path: PathBuf },
    #[error("There is no column {column:?}; the columns are {have}. Choose one of them: {}", path.display())]
    NoColumn { column: String, have: String, path: PathBuf },
    #[error("The file can't be read ({what}). Save it again as CSV in UTF-8 and import that: {}", path.display())]
    Unreadable { what: String, path: PathBuf },
    #[error("This file is larger than 2 GB and of a kind that is read at once. Split it, or save it as JSON Lines or CSV: {}", path.display())]
    TooLarge { path: PathBuf },
    #[error("This can't be used ({what}). Choose a file that Gloss made: {}", path.display())]
    Archive { what: String, path: PathBuf },
    #[error("The workbook can't be read ({what}). Open it in the program it comes from and save it again as xlsx: {}", path.display())]
    Workbook { what: String, path: PathBuf },
    #[error("This is no whole {format} file ({what}). Export it again from the tool it comes from, or say which format it has: {}", path.display())]
    Annotated { format: &'static str, what: String, path: PathBuf },
    #[error("Column {column:?} has more than {limit} different values, so it holds no classes. Choose another label column: {}", path.display())]
    TooManyLabels { column: String, limit: usize, path: PathBuf },
    #[error("The model folder can't be used ({what}). It needs config.json, tokenizer.json and model.safetensors: {}", path.display())]
    Model { what: String, path: PathBuf },
    #[error("The other wordings can't be used ({what}). Write a text, a tab and its other wording on each line: {}", path.display())]
    Wordings { what: String, path: PathBuf },
    #[error("The word vectors can't be used ({what}). Choose text of word2vec or GloVe, or word2vec binary (.bin): {}", path.display())]
    WordVectors { what: String, path: PathBuf },
    #[error("The run can't be used ({what}). Train again or choose another run: {}", path.display())]
    Run { what: String, path: PathBuf },
}

impl StoreError {
    /// For `map_err` where `path` was to be read or written.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| {
            let path = path.to_owned();
            match source.kind() {
                io::ErrorKind::NotFound => Self::Missing { path },
                io::ErrorKind::AlreadyExists => Self::Exists { path },
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
                io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => Self::ReadOnly { path },
                _ => Self::Io { doing, source, path },
            }
        }
    }

    /// For `map_err` where `path` was only to be read.
    pub(crate) fn io_read(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { path: path.to_owned() },
            _ => Self::Io { doing, source, path: path.to_owned() },
        }
    }

    /// For `map_err` around SQLite.
    pub(crate) fn sql(doing: &'static str, path: &Path) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| {
            let path = path.to_owned();
            match source.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => Self::DiskFull { path },
                Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => Self::ReadOnly { path },
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::AlreadyOpen { path },
                Some(ErrorCode::NotADatabase) => Self::NotAProject { path },
                Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { what: source.to_string(), path },
                _ => Self::Database { doing, source, path },
            }
        }
    }

    /// Stored rows that make no project.
    pub(crate) fn damaged(path: &Path, what: impl ToString) -> Self {
        Self::Damaged { what: what.to_string(), path: path.to_owned() }
    }

    /// The same about another file: a copy was read in its place.
    pub(crate) fn at(self, path: &Path) -> Self {
        let path = path.to_owned();
        match self {
            Self::NotAProject { .. } => Self::NotAProject { path },
            Self::Newer { found, known, .. } => Self::Newer { found, known, path },
            Self::Damaged { what, .. } => Self::Damaged { what, path },
            other => other,
        }
    }

    pub(crate) fn edit(path: &Path) -> impl FnOnce(EditError) -> Self {
        move |error| Self::damaged(path, error)
    }

    /// Whether trying again later can help: the change stays pending then.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::DiskFull { .. } | Self::ReadOnly { .. } | Self::Io { .. } | Self::Database { .. })
    }
}
