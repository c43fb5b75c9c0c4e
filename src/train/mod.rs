//! Training: `fit` takes data, settings and a sink for news, and returns a model. It only computes:
//! no thread, no channel, no clock of its own, no file, no egui.

mod augment;
mod batching;
mod calibration;
mod compare;
mod config;
mod errors;
mod event;
mod example;
mod fit;
mod interval;
mod layer_stats;
mod losses;
mod memory;
mod metrics;
mod opinion_scores;
mod opinions;
mod output;
mod patience;
mod run;
mod scoring;
mod slices;
mod span_loss;
mod tally;
mod task;
mod wrong;

pub use batching::{epoch_batches, estimate_seconds, rate_factor, rough_length};
pub use calibration::{Reliability, ReliabilityBin, bins, calibrated, fit_calibration, fit_threshold, reliability};
pub use compare::{Better, Comparison, Difference, Side, compare};
pub use config::{ConfigError, EncoderChoice, SettingDifference, TrainConfig};
pub use errors::{ErrorGroup, ErrorKind, error_groups};
pub use event::{Evaluation, HeldOut, LabelScore, LinkAnswer, OpinionAnswers, Report, Scores, Started, StepEvent, TrainEvent};
pub use example::{Example, Readiness, Roles, TrainData};
pub use fit::{Outcome, Signal, TrainError, fit};
pub use interval::{Interval, Uncertainty, uncertainty};
pub use layer_stats::{LayerNorms, LayerStats};
pub use memory::memory_bytes;
pub use metrics::{ClassScores, SpanKey, class_scores, span_scores};
pub use opinion_scores::{OpinionScores, opinion_scores};
pub use patience::{Patience, Verdict};
pub use slices::{Slice, TrainingAspects, slices};
pub use tally::Score;
pub use wrong::wrong_documents;
