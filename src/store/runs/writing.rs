//! Writing a run while it goes on: its events, what it takes to go on later, its model and how it ended.

use super::{DATA, KeptData, MODEL, REPORT, RUN, RunFile, RunStatus, STATE, data_hash, fractions, learnt_ranges, write_json};
use crate::nn::{ModelFiles, State};
use crate::store::{StoreError, model_folder, write_atomically, write_atomically_with};
use crate::train::{Report, TrainData, TrainEvent};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

/// A run under way. Dropping it without an ending leaves it interrupted.
pub struct RunWriter {
    pub(super) id: String,
    pub(super) folder: PathBuf,
    pub(super) run: RunFile,
    pub(super) events: BufWriter<File>,
    /// Whether what it learns from is in its folder.
    pub(super) has_data: bool,
    pub(super) _lock: File,
}

impl RunWriter {
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Says that the run learns from other data than it was started with: models have answered.
    ///
    /// # Errors
    /// The disk is full or read-only.
    pub fn learns_from(&mut self, data: &TrainData) -> Result<(), StoreError> {
        (self.run.data_hash, self.run.learnt_from) = (data_hash(data), learnt_ranges(data));
        write_json(&self.folder, RUN, &self.run).map_err(StoreError::io("Starting the run", &self.folder))
    }

    /// Appends an event. All but the frequent steps reach the file at once.
    ///
    /// # Errors
    /// The disk is full or read-only.
    pub fn event(&mut self, event: &TrainEvent) -> Result<(), StoreError> {
        let write = || -> io::Result<()> {
            serde_json::to_writer(&mut self.events, event)?;
            self.events.write_all(b"\n")?;
            if !matches!(event, TrainEvent::Step(_)) {
                self.events.flush()?;
            }
            Ok(())
        };
        let mut write = write;
        write().map_err(StoreError::io("Writing the run", &self.folder))
    }

    /// Keeps what it takes to go on from here, in place of what was kept before. `data` is what the run learns from.
    ///
    /// # Errors
    /// The disk is full or read-only; what was kept before is still there.
    pub fn keep(&mut self, state: &State, data: &TrainData) -> Result<(), StoreError> {
        let mut write = || -> io::Result<()> {
            // What was told up to here must be there when the run goes on from here.
            self.events.flush()?;
            if !self.has_data {
                let kept = KeptData { data: data.clone(), numbers: fractions(&self.run.config) };
                write_atomically(&self.folder.join(DATA), &serde_json::to_vec(&kept)?)?;
                self.has_data = true;
            }
            write_atomically_with(&self.folder.join(STATE), |file| {
                let mut out = BufWriter::with_capacity(1 << 16, file);
                state.write(&mut out)?;
                out.flush()
            })
        };
        write().map_err(StoreError::io("Keeping the run's state", &self.folder))
    }

    /// Keeps the model and the report; the run is finished when all of it is on the disk.
    ///
    /// # Errors
    /// The disk is full or read-only; the run can still be ended with [`RunWriter::fail`].
    pub fn finish(&mut self, model: &ModelFiles, report: &Report) -> Result<(), StoreError> {
        const DOING: &str = "Keeping the model";
        model_folder::write(&self.folder.join(MODEL), model)?;
        write_json(&self.folder, REPORT, report).map_err(StoreError::io(DOING, &self.folder))?;
        self.end(RunStatus::Finished)?;
        self.forget_state();
        Ok(())
    }

    /// Ends the run with the reason it failed for.
    ///
    /// # Errors
    /// The disk is full or read-only.
    pub fn fail(&mut self, why: &str) -> Result<(), StoreError> {
        self.end(RunStatus::Failed(why.to_owned()))
    }

    /// Ends the run without a result, because a person wanted so.
    ///
    /// # Errors
    /// The disk is full or read-only.
    pub fn cancelled(&mut self) -> Result<(), StoreError> {
        self.end(RunStatus::Cancelled)?;
        self.forget_state();
        Ok(())
    }

    fn forget_state(&self) {
        for name in [STATE, DATA] {
            fs::remove_file(self.folder.join(name)).ok(); // it may never have been written
        }
    }

    fn end(&mut self, status: RunStatus) -> Result<(), StoreError> {
        let old = std::mem::replace(&mut self.run.status, status);
        let ended =
            self.events.flush().and_then(|()| self.events.get_ref().sync_data()).and_then(|()| write_json(&self.folder, RUN, &self.run));
        ended.map_err(|error| {
            self.run.status = old;
            StoreError::io("Ending the run", &self.folder)(error)
        })
    }
}
