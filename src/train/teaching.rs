//! What a teacher says of the classes, and how far the model is from it (distillation).

use super::{Example, TrainConfig, TrainError};
use crate::nn::{Tensor, loss};

/// A teacher's answers for the texts of a batch.
#[derive(Default)]
pub(super) struct TaughtClasses {
    /// `[texts, classes]`, logarithms of probabilities.
    logs: Vec<f32>,
    /// 0 where the teacher was not asked.
    pub weights: Vec<f32>,
}

impl TaughtClasses {
    pub fn of<'e>(examples: impl Iterator<Item = &'e Example>, classes: usize) -> Self {
        let mut all = Self::default();
        for example in examples {
            let is_taught = classes > 0 && example.taught.len() == classes;
            all.weights.push(f32::from(u8::from(is_taught)));
            if is_taught {
                all.logs.extend(&example.taught);
            } else {
                all.logs.resize(all.logs.len() + classes, 0.0);
            }
        }
        all
    }

    /// The loss of a part of a batch, of whose texts the teacher answered `whole`. `None` where it answered none.
    pub fn loss(&self, logits: Option<&Tensor>, whole: f64, config: &TrainConfig) -> Result<Option<Tensor>, TrainError> {
        let teaches = config.distil_weight > 0.0 && self.weights.iter().any(|weight| *weight > 0.0);
        let Some(logits) = logits.filter(|_| teaches) else { return Ok(None) };
        let loss = loss::distillation(logits, &self.logs, &self.weights, config.distil_temperature, whole);
        loss.map(Some).map_err(TrainError::compute)
    }
}
