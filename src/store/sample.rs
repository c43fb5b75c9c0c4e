//! The sample project: reviews compiled into the program, brought in as one import step that can be undone like any.

use super::import::{self, Draft};
use super::{ProjectFile, StoreError, jsonl};
use crate::project::{History, Project, Schema};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

const REVIEWS: &str = include_str!("../../sample-data/reviews.jsonl");

/// Makes the sample project at `path`.
///
/// # Errors
/// [`StoreError::Exists`], or the folder can't be written to.
pub fn create_sample(path: &Path) -> Result<ProjectFile, StoreError> {
    let drafts: Vec<Draft> = jsonl::rows(REVIEWS)
        .map(|(row, parsed)| parsed.map_err(|reason| StoreError::damaged(path, format!("row {row} of the sample {reason}"))))
        .collect::<Result<_, _>>()?;
    let mut project = Project::new(Schema::default());
    let mut history = History::default();
    let (edits, _) = import::edits(&project, drafts);
    let time_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
    let step =
        history.commit(&mut project, "sample reviews".to_owned(), "Gloss".to_owned(), time_ms, edits).map_err(StoreError::edit(path))?;
    ProjectFile::create_filled(path, &project, &[step])
}
