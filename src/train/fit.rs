//! The training loop. One exit for news and one for "stop": the same closure.

use super::resume::SavedRun;
use super::run::{End, Run};
use super::task::Task;
use super::{ConfigError, ModelChoice, TrainConfig, TrainData, TrainEvent};
use crate::nn::{EncoderConfig, ModelFiles, ScratchConfig, State};
use crate::text::Tokenizer;
use std::time::Duration;

/// What the listener wants after an event, weakest wish first. To pause, it just does not return.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    Continue,
    /// Hand the run's state over, to be kept, and go on as the one who takes it says.
    Keep,
    /// Hand the state over and end; another run can go on from it.
    Leave,
    /// End now, with the best weights so far and a report.
    StopAndKeepBest,
    /// End now, with nothing.
    Cancel,
}

/// How a run ended.
pub enum Outcome {
    /// The best weights, in Hugging Face layout, ready for `Predictor::new` and for the disk.
    /// The report went out as `TrainEvent::Finished`.
    Finished(Box<ModelFiles>),
    Cancelled,
    /// The state was handed over.
    Left,
}

/// A run that can be left and gone on with.
pub struct Resumable<'a> {
    /// Where another run of the same data, settings and encoder was left.
    pub from: Option<SavedRun>,
    /// Takes the state of the run: when it was asked for, and offered after every evaluation.
    pub keep: &'a mut dyn FnMut(&State) -> Signal,
}

/// Why a run could not go on. Each is a sentence a person can act on.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("nothing to learn from: {0}")]
    Data(String),
    #[error("the encoder can't be used: {0}")]
    Encoder(String),
    #[error("the loss is not a number after step {step} (learning rate {lr:.1e}); try a lower rate")]
    NotFinite { step: usize, lr: f64 },
    #[error("the run can't be continued: what it kept does not fit ({0}); start it anew")]
    Saved(String),
    #[error("computation failed: {0}")]
    Compute(String),
}

impl TrainError {
    pub(super) fn compute(error: impl std::fmt::Display) -> Self {
        Self::Compute(error.to_string())
    }

    pub(super) fn saved(error: impl std::fmt::Display) -> Self {
        Self::Saved(error.to_string())
    }

    pub(super) fn encoder(error: impl std::fmt::Display) -> Self {
        Self::Encoder(error.to_string())
    }
}

/// Trains a model. `elapsed` is the time since the run began, pauses left out (tests pass a constant).
///
/// The same data, settings and encoder give the same weights on the same machine. With dev documents the best
/// weights by [`super::Scores::selection`] are kept, without them the last.
///
/// # Errors
/// See [`TrainError`]; nothing is kept then.
///
/// `encoder` is what the run begins from: the files of an encoder, or for a network without pretraining those that
/// [`super::scratch_files`] makes.
pub fn fit(
    data: &TrainData,
    config: &TrainConfig,
    encoder: &ModelFiles,
    elapsed: &dyn Fn() -> Duration,
    sink: &mut dyn FnMut(TrainEvent) -> Signal,
) -> Result<Outcome, TrainError> {
    let resumable = Resumable { from: None, keep: &mut |_| Signal::Continue };
    fit_from(data, config, encoder, resumable, elapsed, sink)
}

/// The same for a run that can be left and gone on with: left at any step and continued, it ends with the very weights
/// of a run that was not.
///
/// # Errors
/// As [`fit`], and a state that does not fit.
pub fn fit_from(
    data: &TrainData,
    config: &TrainConfig,
    encoder: &ModelFiles,
    resumable: Resumable,
    elapsed: &dyn Fn() -> Duration,
    sink: &mut dyn FnMut(TrainEvent) -> Signal,
) -> Result<Outcome, TrainError> {
    config.check()?;
    let tokenizer = Tokenizer::from_bytes(&encoder.tokenizer).map_err(TrainError::encoder)?;
    let is_scratch = ScratchConfig::is_one(&encoder.config);
    if is_scratch != (config.model != ModelChoice::Encoder) {
        return Err(TrainError::Encoder(format!("the settings choose the model {}, the files hold another", config.model.name())));
    }
    let positions =
        if is_scratch { usize::MAX } else { EncoderConfig::parse(&encoder.config).map_err(TrainError::encoder)?.max_position_embeddings };
    let max_length = config.max_length.min(positions);
    let mut task = Task::prepare(data, config, max_length, &tokenizer)?;
    // A class is learnt in few steps, spans are not.
    let wants_steps = !is_scratch && !task.labels.is_empty();
    let batch_examples = if wants_steps { config.batch_for(task.read_in_an_epoch().len()) } else { config.batch_examples };
    if batch_examples < config.batch_examples {
        let (steps, asked) = (config.least_steps, config.batch_examples);
        task.notes
            .push(format!("batches of {batch_examples} documents in place of {asked}: with few documents, {steps} steps or near that"));
    }
    let lr = config.rate_of(!task.labels.is_empty());
    if config.lr == 0.0 {
        let what = if task.labels.is_empty() { "without spans" } else { "with spans" };
        task.notes.push(format!("learning rate {lr:.0e}, as suits a run {what}"));
    }
    let config = &TrainConfig { batch_examples, lr, ..config.clone() };
    let mut run = Run::new(&task, config, encoder, elapsed)?;
    if let Some(saved) = resumable.from {
        run.take_over(saved)?;
    }
    match run.train(sink, resumable.keep)? {
        End::Cancelled => Ok(Outcome::Cancelled),
        End::Left => Ok(Outcome::Left),
        end => run.finish(end, encoder, sink),
    }
}
