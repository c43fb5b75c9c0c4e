//! A run of several finished ones that answer together. It keeps their names, not their weights.

use super::{EVENTS, REPORT, RUN, RunFile, RunStatus, Runs, ranges, read_json, write_json};
use crate::store::{StoreError, sync_folder};
use crate::train::Report;
use std::collections::BTreeSet;
use std::{fs, io};

impl Runs {
    /// Makes a run of finished ones that answer together, with the report of how well they do. Their weights stay where they
    /// are. Gives its id.
    ///
    /// # Errors
    /// One of them is not there or has not finished, or the disk is full or read-only.
    pub fn join(&self, members: &[String], report: &Report, time_ms: i64) -> Result<String, StoreError> {
        let first: RunFile = read_json(&self.folder_of(members.first().map_or("", String::as_str))?, RUN)?;
        let mut learnt = BTreeSet::new();
        for member in members {
            self.check_member(member)?;
            learnt.extend(self.learnt_from(member)?);
        }
        let run = RunFile {
            started_ms: time_ms,
            status: RunStatus::Finished,
            learnt_from: ranges(learnt.iter().map(|doc| doc.0)),
            members: members.to_vec(),
            ..first
        };
        let write = || -> io::Result<String> {
            let (id, folder) = self.new_folder()?;
            let filled = fs::write(folder.join(EVENTS), b"")
                .and_then(|()| write_json(&folder, REPORT, report))
                .and_then(|()| write_json(&folder, RUN, &run));
            filled.inspect_err(|_| {
                fs::remove_dir_all(&folder).ok(); // best effort: an empty folder is no run and is skipped
            })?;
            sync_folder(&folder);
            Ok(id)
        };
        write().map_err(StoreError::io("Keeping the run", &self.0))
    }

    /// Whether a run can be one of several that answer together.
    fn check_member(&self, id: &str) -> Result<(), StoreError> {
        let summary = self.summary(id)?;
        let what = match summary.status {
            RunStatus::Finished if summary.members.is_empty() => return Ok(()),
            RunStatus::Finished => "it is several runs already; join those",
            _ => "it has not finished, so it has no model",
        };
        Err(StoreError::Run { what: what.to_owned(), path: self.0.join(id) })
    }
}
