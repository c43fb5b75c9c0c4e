//! Prediction: frozen weights of one model to a [`Prediction`] for a text. Reads no file, changes nothing.

mod prediction;
mod predictor;
mod why;

pub use prediction::{Considered, PredictedSpan, PredictedTriplet, Prediction, UnitTags, most_likely};
pub use predictor::{PredictError, Predictor};
pub use why::{Asked, Reason};
