//! Training: `fit` takes data, settings and a sink for news, and returns a model. It only computes:
//! no thread, no channel, no clock of its own, no file, no egui.

mod augment;
mod batching;
mod calibration;
mod config;
mod errors;
mod event;
mod example;
mod fit;
mod interval;
mod losses;
mod memory;
mod metrics;
mod opinion_scores;
mod opinions;
mod output;
mod patience;
mod run;
mod scoring;
mod scratch;
mod slices;
mod span_loss;
mod task;

pub use crate::nn::Pooling;
pub use crate::text::VocabularyUnit;
pub use batching::{epoch_batches, estimate_seconds, rate_factor, rough_length};
pub use calibration::{Reliability, ReliabilityBin, bins, calibrated, fit_calibration, fit_threshold, reliability};
pub use config::{ConfigError, EncoderChoice, TrainConfig};
pub use errors::{ErrorGroup, ErrorKind, error_groups};
pub use event::{Evaluation, HeldOut, LabelScore, LinkAnswer, OpinionAnswers, Report, Scores, Started, StepEvent, TrainEvent};
pub use example::{Example, Readiness, Roles, TrainData};
pub use fit::{Outcome, Signal, TrainError, fit};
pub use interval::{Interval, Uncertainty, uncertainty};
pub use memory::{memory_bytes, scratch_memory_bytes};
pub use metrics::{ClassScores, SpanKey, class_scores, span_scores};
pub use opinion_scores::{OpinionScores, opinion_scores};
pub use patience::{Patience, Verdict};
pub use scratch::{ModelChoice, learn_vocabulary, scratch_files};
pub use slices::{Slice, TrainingAspects, slices};
