//! Prediction: frozen weights of one model to a [`Prediction`] for a text. Reads no file, changes nothing.

mod foreign;
mod prediction;
mod predictor;
mod similar;
mod why;

pub use crate::nn::kernels::Stored;
pub use crate::nn::{QuestionAnswer, QuestionForm, QuestionKind};
pub use prediction::{Considered, PredictedSpan, PredictedTriplet, Prediction, UnitTags, most_likely};
pub use predictor::{PredictError, Predictor};
pub use similar::{mean, similar};
pub use why::{Asked, Reason};
