//! Training: `fit` takes data, settings and a sink for news, and returns a model. It only computes:
//! no thread, no channel, no clock of its own, no file, no egui.

mod augment;
mod averaging;
mod batching;
mod calibration;
mod config;
mod errors;
mod event;
mod example;
mod fit;
mod interval;
mod judging;
mod losses;
mod memory;
mod methods;
mod metrics;
mod opinion_scores;
mod opinions;
mod output;
mod patience;
mod plan;
mod regularise;
mod resume;
mod run;
mod scoring;
mod slices;
mod span_loss;
mod task;

pub use batching::{epoch_batches, estimate_seconds, rate_factor, rough_length};
pub use calibration::{Reliability, ReliabilityBin, bins, calibrated, fit_calibration, fit_threshold, reliability};
pub use config::{ConfigError, EncoderChoice, TrainConfig};
pub use errors::{ErrorGroup, ErrorKind, error_groups};
pub use event::{Evaluation, HeldOut, LabelScore, LinkAnswer, OpinionAnswers, Report, Scores, Started, StepEvent, TrainEvent};
pub use example::{Example, Readiness, Roles, TrainData};
pub use fit::{Outcome, Resumable, Signal, TrainError, fit, fit_from};
pub use interval::{Interval, Uncertainty, uncertainty};
pub use memory::memory_bytes;
pub use methods::{OptimiserChoice, Schedule, Tuned, first_learning_layer};
pub use metrics::{ClassScores, SpanKey, class_scores, span_scores};
pub use opinion_scores::{OpinionScores, opinion_scores};
pub use patience::{Patience, Verdict};
pub use regularise::{Adversarial, push_along};
pub use resume::{SavedAt, SavedRun};
pub use slices::{Slice, TrainingAspects, slices};
