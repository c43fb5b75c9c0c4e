//! What each task's loss counts: as the settings say, or by how uncertain the task is, which is learnt too.

use super::losses::{Losses, share_of, sum};
use super::{TrainConfig, TrainError};
use crate::nn::{Device, Params, Tensor, TensorResult};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who weighs the tasks against each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskWeights {
    /// The settings.
    #[default]
    Fixed,
    /// The run: each task has a variance that learns (Kendall, Gal and Cipolla 2018, section 3.2); the settings' weights
    /// come on top.
    Uncertainty,
}

/// Logarithms of the tasks' variances, `[1]` each, where they learn.
pub(super) struct Variances(BTreeMap<String, Tensor>);

/// Names of their parameters begin so.
pub(super) const PREFIX: &str = "gloss.variance.";

impl Variances {
    /// One for each task that is learnt, all 1 at first.
    pub fn new(config: &TrainConfig, tasks: impl Iterator<Item = String>, params: &mut Params) -> Result<Self, TrainError> {
        let mut variances = BTreeMap::new();
        for task in tasks.filter(|_| config.task_weights == TaskWeights::Uncertainty) {
            let zero = Tensor::from_slice(&[0f32], 1, &Device::Cpu).map_err(TrainError::compute)?;
            let variance = params.var(&format!("{PREFIX}{task}"), zero).map_err(TrainError::compute)?;
            variances.insert(task, variance);
        }
        Ok(Self(variances))
    }

    /// All losses of a part of a batch, weighted; `None` when there are none. `taught` gets the tasks with what they count.
    pub fn total(&self, losses: &Losses, config: &TrainConfig, taught: &mut Taught) -> Result<Option<Tensor>, TrainError> {
        let named = [
            ("class", &losses.class, 1.0),
            ("span", &losses.span, config.span_loss_weight),
            ("polarity", &losses.polarity, config.polarity_loss_weight),
            ("link", &losses.link, config.link_loss_weight),
            ("distilled", &losses.distilled, config.distil_weight),
        ];
        let named = named.into_iter().map(|(task, loss, weight)| (task.to_owned(), loss, weight));
        let questions = losses.questions.iter().enumerate().map(|(at, loss)| (question(at), loss, config.question_loss_weight));
        let mut parts = Vec::new();
        for (task, loss, weight) in named.chain(questions) {
            let Some(loss) = loss.clone() else { continue };
            let scaled = self.0.get(&task).map_or(Ok(loss.clone()), |log| scaled(&loss, log)).map_err(TrainError::compute)?;
            parts.extend(share_of(Some(scaled), weight)?);
            taught.insert(task, weight);
        }
        sum(parts.into_iter())
    }

    /// What keeps the variances of these tasks from growing; once a batch. `None` where none learns.
    pub fn penalty(&self, taught: &Taught) -> Result<Option<Tensor>, TrainError> {
        let of = taught.iter().filter_map(|(task, weight)| Some((self.0.get(task)?, weight)));
        let parts = of.map(|(log, weight)| penalty(log).and_then(|penalty| penalty * *weight).map_err(TrainError::compute));
        sum(parts.collect::<Result<Vec<_>, _>>()?.into_iter())
    }
}

/// Tasks that a batch taught, with the weights of the settings.
pub(super) type Taught = BTreeMap<String, f64>;

/// The name of the task of a question beside the main one.
pub(super) fn question(at: usize) -> String {
    format!("question{at}")
}

/// `loss · e^-s` for the logarithm s of the task's variance, `[1]`. With [`penalty`] this is the loss of Kendall, Gal and
/// Cipolla 2018, equation 10, where the variances of all tasks take the form that classes have there.
///
/// # Errors
/// When shapes do not fit.
pub fn scaled(loss: &Tensor, log_variance: &Tensor) -> TensorResult<Tensor> {
    loss.mul(&log_variance.sum_all()?.neg()?.exp()?)
}

/// `s / 2`
///
/// # Errors
/// When shapes do not fit.
pub fn penalty(log_variance: &Tensor) -> TensorResult<Tensor> {
    log_variance.sum_all()? * 0.5
}
