//! A search for good settings: each trial is a run of the project, left and gone on with as [`Halving`] decides. Writes
//! runs, changes no project. For a thread that nobody waits for.

use super::{BaseError, KeepingPace, starting_model};
use crate::nn::{EncoderConfig, ModelFiles, State};
use crate::store::{ResumedRun, RunWriter, Runs, StoreError};
use crate::train::{
    Halving, Outcome, Report, Resumable, SavedRun, Signal, TrainConfig, TrainData, TrainError, TrainEvent, fit_from, trial_settings,
};
use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

/// News of a search, in order.
pub enum SearchNews<'a> {
    /// A trial begins, or goes on with what it had told before.
    Trial { at: usize, run: &'a str, config: &'a TrainConfig, before: Vec<TrainEvent> },
    /// From the trial that goes on.
    Event(Box<TrainEvent>),
    /// A trial stands still: its best score, and whether it is at its end.
    Stands { at: usize, score: f64, epochs: f64, finished: bool },
    /// These end here, by place.
    Ended(&'a [usize]),
}

/// What was tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Empty before it has begun.
    pub run: String,
    pub config: TrainConfig,
    /// The best on the dev documents so far, as the best weights are chosen.
    pub score: f64,
    /// Epochs it was learnt for.
    pub epochs: f64,
    pub finished: bool,
}

/// Why a search ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Base(#[from] BaseError),
    #[error(transparent)]
    Train(#[from] TrainError),
    #[error("the search was cancelled")]
    Cancelled,
    /// The trial under way kept its state and can be continued as a run.
    #[error("the search was left")]
    Left,
}

/// What a search works on.
pub struct Search<'a> {
    pub runs: &'a Runs,
    pub data: &'a TrainData,
    pub base: &'a TrainConfig,
    pub trials: usize,
    /// Milliseconds since 1970.
    pub now: &'a dyn Fn() -> i64,
    /// What is wanted now; waits while the search is paused.
    pub wait: &'a dyn Fn() -> Signal,
}

impl Search<'_> {
    /// Tries settings around the base, and gives all trials and the place of the best. A listener that wants to stop and keep
    /// the best ends the trial under way so, and the search with it; one that leaves or cancels ends it with an error.
    ///
    /// # Errors
    /// As a run.
    pub fn run(&self, sink: &mut dyn FnMut(SearchNews) -> Signal) -> Result<(Vec<Trial>, usize), SearchError> {
        let files = starting_model(self.runs, self.base, self.data)?;
        let layers = EncoderConfig::parse(&files.config).map_or(0, |config| config.num_hidden_layers);
        let base = TrainConfig { lr: self.base.rate_of(self.base.learns_spans(self.data)), ..self.base.clone() };
        let settings = trial_settings(&base, self.trials, layers, base.seed);
        let mut halving = Halving::new(&settings.iter().map(|config| config.epochs).collect::<Vec<_>>());
        let start = |config| Trial { run: String::new(), config, score: f64::NAN, epochs: 0.0, finished: false };
        let mut trials: Vec<Trial> = settings.into_iter().map(start).collect();
        let mut stopped = false;
        while let Some(epochs) = halving.epochs().filter(|_| !stopped) {
            for at in halving.alive().to_vec() {
                if !trials[at].finished && !stopped {
                    stopped = self.go_on(at, &mut trials[at], epochs, &files, sink)?;
                    let Trial { score, epochs, finished, .. } = trials[at];
                    sink(SearchNews::Stands { at, score, epochs, finished });
                }
            }
            let ended = halving.judge(|at| trials[at].score);
            sink(SearchNews::Ended(&ended));
            for at in ended {
                self.end(&trials[at], at, trials.len())?;
            }
        }
        let best = (0..trials.len()).filter(|at| trials[*at].finished);
        // What is no number is worse than all that are.
        let score = |at: usize| if trials[at].score.is_nan() { f64::NEG_INFINITY } else { trials[at].score };
        let best = best.max_by(|a, b| score(*a).total_cmp(&score(*b)).then(b.cmp(a)));
        best.map(|best| (trials, best)).ok_or(SearchError::Cancelled)
    }

    /// A trial that goes no further: what it kept to go on is given up, its curves stay.
    fn end(&self, trial: &Trial, at: usize, of: usize) -> Result<(), StoreError> {
        if trial.run.is_empty() {
            return Ok(());
        }
        if !trial.finished {
            self.runs.resume(&trial.run)?.writer.cancelled()?;
        }
        let how_far =
            if trial.finished { "to its end".to_owned() } else { format!("for {:.1} of {} epochs", trial.epochs, trial.config.epochs) };
        self.runs.set_notes(&trial.run, &format!("Search: trial {} of {of}, learnt {how_far}, dev {:.4}", at + 1, trial.score))
    }

    /// Learns a trial up to so many epochs. Whether the listener wants no more.
    fn go_on(
        &self,
        at: usize,
        trial: &mut Trial,
        epochs: usize,
        files: &ModelFiles,
        sink: &mut dyn FnMut(SearchNews) -> Signal,
    ) -> Result<bool, SearchError> {
        let (mut writer, state, before) = if trial.run.is_empty() {
            (self.runs.start(&trial.config, self.data, (self.now)())?, None, Vec::new())
        } else {
            let ResumedRun { writer, state, events, .. } = self.runs.resume(&trial.run)?;
            (writer, Some(state), events)
        };
        writer.id().clone_into(&mut trial.run);
        sink(SearchNews::Trial { at, run: &trial.run, config: &trial.config, before });
        let is_last = epochs >= trial.config.epochs;
        let until = if is_last { f64::INFINITY } else { epochs as f64 };
        match self.learn(trial, until, (&mut writer, state), files, sink) {
            Ok(stopped) => Ok(stopped),
            Err(SearchError::Cancelled) => {
                writer.cancelled()?;
                Err(SearchError::Cancelled)
            }
            Err(SearchError::Left) => Err(SearchError::Left),
            Err(error) => {
                writer.fail(&error.to_string()).ok(); // the disk may be what failed: the person is told in any case
                Err(error)
            }
        }
    }

    fn learn(
        &self,
        trial: &mut Trial,
        until: f64,
        (writer, state): (&mut RunWriter, Option<SavedRun>),
        files: &ModelFiles,
        sink: &mut dyn FnMut(SearchNews) -> Signal,
    ) -> Result<bool, SearchError> {
        let began = Instant::now();
        let (config, writer, trouble) = (trial.config.clone(), RefCell::new(writer), RefCell::new(None));
        let (stopped, enough) = (Cell::new(false), Cell::new(false));
        let mut report: Option<Report> = None;
        let mut listen = |event: TrainEvent| {
            if let Err(error) = writer.borrow_mut().event(&event) {
                trouble.replace(Some(error));
                return Signal::Cancel;
            }
            let mut own = Signal::Continue;
            match &event {
                TrainEvent::Evaluated(evaluation) => {
                    trial.epochs = evaluation.epoch;
                    trial.score = trial.score.max(evaluation.scores.selection());
                    if evaluation.epoch >= until {
                        enough.set(true);
                        own = Signal::Leave;
                    }
                }
                TrainEvent::Finished(finished) => report = Some(finished.clone()),
                _ => {}
            }
            let wish = sink(SearchNews::Event(Box::new(event)));
            stopped.set(stopped.get() || wish == Signal::StopAndKeepBest);
            wish.max(own)
        };
        let mut pace = KeepingPace::new();
        let mut keep = |state: &State| {
            // Nothing is waited for where the trial is left anyway.
            let wish = if enough.get() { Signal::Continue } else { (self.wait)() };
            stopped.set(stopped.get() || wish == Signal::StopAndKeepBest);
            if enough.get() || wish == Signal::Leave || pace.is_due() {
                if let Err(error) = writer.borrow_mut().keep(state, self.data) {
                    trouble.replace(Some(error));
                    return Signal::Cancel;
                }
                pace.kept();
            }
            wish
        };
        let resumable = Resumable { from: state, keep: &mut keep };
        let elapsed = || -> Duration { began.elapsed() };
        let outcome = fit_from(self.data, &config, files, resumable, &elapsed, &mut listen);
        if let Some(error) = trouble.into_inner() {
            return Err(error.into());
        }
        match (outcome?, report) {
            (Outcome::Finished(model), Some(report)) => {
                writer.into_inner().finish(&model, &report)?;
                trial.finished = true;
                Ok(stopped.get())
            }
            (Outcome::Left, _) if enough.get() => Ok(stopped.get()),
            (Outcome::Left, _) => Err(SearchError::Left),
            _ => Err(SearchError::Cancelled),
        }
    }
}
