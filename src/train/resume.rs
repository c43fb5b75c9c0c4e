//! Stopping and going on exactly: what a run keeps, and how another run takes it over. The files are the caller's.
//!
//! Kept are the weights, the best weights, the optimiser's state and the place in the plan. Everything drawn at random
//! comes from generators of the seed and the step, so none of their states need keeping.

use super::averaging::shaped;
use super::run::{Best, Run};
use super::{Patience, TrainError};
use crate::nn::{Numbers, State, StateFile};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The note beside the lists. Times and the best score are kept as bits: text would round them.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    version: u32,
    /// Steps done.
    step: usize,
    /// Whether what follows this step was done too.
    evaluated: bool,
    tokens: usize,
    training_ns: u64,
    elapsed_ns: u64,
    patience_best: Option<u64>,
    patience_without: usize,
    best_step: Option<usize>,
    optimiser_steps: BTreeMap<String, u32>,
    checkpoints: usize,
}

const VERSION: u32 = 1;

/// Where a kept run stands, without its weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavedAt {
    /// Steps done.
    pub step: usize,
    /// Whether the evaluation after this step, if there is one, was done too.
    pub evaluated: bool,
}

/// What a run has kept, to go on from.
pub struct SavedRun {
    file: StateFile,
    note: Note,
}

impl SavedRun {
    /// Reads what [`State::write`] has written.
    ///
    /// # Errors
    /// A damaged file, or one of a later version of Gloss.
    pub fn read(bytes: &[u8]) -> Result<Self, TrainError> {
        let file = StateFile::read(bytes).map_err(TrainError::saved)?;
        let note: Note = serde_json::from_str(file.note()).map_err(TrainError::saved)?;
        if note.version > VERSION {
            return Err(TrainError::saved(format!("version {} is newer than this program", note.version)));
        }
        Ok(Self { file, note })
    }

    pub fn at(&self) -> SavedAt {
        SavedAt { step: self.note.step, evaluated: self.note.evaluated }
    }

    /// How long the run had gone on, pauses left out.
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.note.elapsed_ns)
    }
}

impl Run<'_> {
    /// What must be kept to go on exactly from here.
    ///
    /// # Errors
    /// When a tensor can't be written.
    pub(super) fn state(&mut self) -> Result<State<'_>, TrainError> {
        // Rows that lag behind are made up for: the same steps as they would take later.
        self.optimiser.catch_up_all(&self.params).map_err(TrainError::compute)?;
        let kept = self.optimiser.lists();
        let note = Note {
            version: VERSION,
            step: self.steps_done,
            evaluated: !self.evaluation_due,
            tokens: self.tokens,
            training_ns: nanoseconds(self.training_time),
            elapsed_ns: nanoseconds(self.whole_time()),
            patience_best: self.patience.best().map(f64::to_bits),
            patience_without: self.patience.without(),
            best_step: self.best.as_ref().map(|best| best.step),
            optimiser_steps: kept.steps,
            checkpoints: self.averaging.checkpoints(),
        };
        let now = self.params.lists().map(|(name, tensor)| (format!("now/{name}"), Numbers::Tensor(tensor)));
        let best = self.best.iter().flat_map(|best| &best.weights);
        let best = best.map(|(name, tensor)| (format!("best/{name}"), Numbers::Tensor(tensor)));
        let optimiser = kept.lists.into_iter().map(|(kind, name, numbers)| (format!("{kind}/{name}"), numbers));
        let lists = now.chain(best).chain(optimiser).chain(self.averaging.lists()).collect();
        Ok(State { lists, note: serde_json::to_string(&note).map_err(TrainError::compute)? })
    }

    /// Goes on where `saved` was kept, by a run of the same data and settings.
    ///
    /// # Errors
    /// When it does not fit the model.
    pub(super) fn take_over(&mut self, saved: SavedRun) -> Result<(), TrainError> {
        let SavedRun { mut file, note } = saved;
        if note.step > self.plan.len() || note.best_step.is_some_and(|step| step == 0 || step > note.step) {
            return Err(TrainError::saved(format!("step {} of {} is not in the plan", note.step, self.plan.len())));
        }
        let has_moving = file.has("moving/");
        let mut take = |name: &str| file.take(name).map_err(TrainError::saved);
        let now = shaped(&self.params, "now/", &mut take)?;
        self.params.restore(&now).map_err(TrainError::compute)?;
        if let Some(step) = note.best_step {
            let weights = shaped(&self.params, "best/", &mut take)?;
            self.best = Some(Best { step, epoch: self.plan[step - 1].epoch, weights, scored: None });
        }
        self.averaging.restore(&self.params, note.checkpoints, has_moving, &mut take)?;
        self.optimiser.restore(&mut |kind, name| file.take(&format!("{kind}/{name}")), &note.optimiser_steps).map_err(TrainError::saved)?;
        self.patience = Patience::resumed(self.config.patience, note.patience_best.map(f64::from_bits), note.patience_without);
        self.steps_done = note.step;
        self.evaluation_due = !note.evaluated;
        self.tokens = note.tokens;
        self.training_time = Duration::from_nanos(note.training_ns);
        self.earlier = Duration::from_nanos(note.elapsed_ns);
        Ok(())
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
