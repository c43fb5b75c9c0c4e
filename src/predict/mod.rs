//! Prediction: frozen weights of one model to a [`Prediction`] for a text. Reads no file, changes nothing.

mod ensemble;
mod foreign;
mod prediction;
mod predictor;
mod similar;
mod why;

pub use crate::nn::kernels::Stored;
pub use crate::nn::{QuestionAnswer, QuestionForm, QuestionKind, SpanAttribute};
pub use prediction::{Considered, PredictedAttribute, PredictedSpan, PredictedTriplet, Prediction, UnitTags, most_likely};
pub use predictor::{PredictError, Predictor, Turn};
pub use similar::{mean, similar};
pub use why::{Asked, Reason};
