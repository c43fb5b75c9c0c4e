//! Messages to the person, as values: the interface puts them into words.

use std::path::PathBuf;

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Info,
    Warning,
    Error,
}

/// Something the person should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    Undone(String),
    Redone(String),
    /// So many steps were undone or redone at once.
    WentTo {
        steps: usize,
    },
    /// What the annotators agree on became the outcome of so many documents.
    Adopted(usize),
    NothingToUndo,
    NothingToRedo,
    /// A change of the schema touched answers; the sentence says how many.
    SchemaChanged(String),
    QueueEnd,
    AllDone,
    ProjectOpened(PathBuf),
    /// Another one must wait until this one is open.
    StillOpening(PathBuf),
    Imported {
        documents: usize,
        skipped: usize,
    },
    /// Documents of a colleague's project that were found here, and those that came new.
    Merged {
        matched: usize,
        added: usize,
    },
    /// A word list came in; `problem` is the first of its lines that could not.
    WordsImported {
        file: String,
        added: usize,
        left_out: usize,
        problem: Option<String>,
    },
    Exported(PathBuf),
    RunFinished(String),
    RunCancelled(String),
    RunFailed {
        run: String,
        reason: String,
    },
    /// The last change is not in the file; it is tried again.
    Unsaved(String),
    SavedAgain,
    /// Something could not be done; the sentence says what and why.
    Failed(String),
}

impl Notice {
    pub fn level(&self) -> Level {
        match self {
            Self::RunFailed { .. } | Self::Unsaved(_) | Self::Failed(_) => Level::Error,
            Self::NothingToUndo | Self::StillOpening(_) | Self::NothingToRedo | Self::QueueEnd => Level::Warning,
            Self::WordsImported { left_out, .. } if *left_out > 0 => Level::Warning,
            _ => Level::Info,
        }
    }
}
