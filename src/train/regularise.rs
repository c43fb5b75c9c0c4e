//! Learning against small changes: of the embedded pieces (adversarial training), and of the dropout (R-Drop).

use super::losses::BatchWeights;
use super::run::Run;
use super::task::{Batch, Item};
use super::{TrainConfig, TrainError};
use crate::nn::{Gradients, Logits, RaggedBatch, Tensor, loss};
use serde::{Deserialize, Serialize};

/// Whether each batch is read again with its embedded pieces moved to where the loss is larger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Adversarial {
    #[default]
    Off,
    /// One step along the gradient (Miyato, Dai and Goodfellow 2017, section 3).
    Fgm,
    /// Several smaller steps, each brought back to within the size (Madry et al. 2018, section 2.1).
    Pgd,
}

impl Adversarial {
    pub const ALL: [Self; 3] = [Self::Off, Self::Fgm, Self::Pgd];
}

/// Of PGD: the length of a step, as a share of the size over the number of steps. More than 1, so that the edge is reached.
const PGD_STRIDE: f64 = 1.5;

/// Adds `length` along each text's own gradient to a shift, and brings each text's shift back to within `size`. Lengths are
/// Euclidean, over all numbers of a text; `width` is that of a piece.
pub fn push_along(shift: &mut [f32], gradient: &[f32], texts: &RaggedBatch, width: usize, length: f64, size: f64) {
    let norm = |numbers: &[f32]| numbers.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    for range in (0..texts.texts()).map(|text| texts.range(text)) {
        let range = range.start * width..range.end * width;
        let (shift, gradient) = (&mut shift[range.clone()], &gradient[range]);
        let steepness = norm(gradient);
        if steepness > 0.0 {
            let factor = (length / steepness) as f32;
            shift.iter_mut().zip(gradient).for_each(|(shift, slope)| *shift += factor * slope);
        }
        let far = norm(shift);
        if far > size {
            let factor = (size / far) as f32;
            shift.iter_mut().for_each(|shift| *shift *= factor);
        }
    }
}

impl Run<'_> {
    /// Has the next passes leave the gradient of the embedded pieces, where the settings need it.
    pub(super) fn watch_for_attacks(&self) {
        if let Some(encoder) = self.model.encoder() {
            encoder.watch_input(self.config.adversarial != Adversarial::Off);
        }
    }

    /// The gradients of a part of a batch whose embedded pieces are moved to where the loss is larger, right after its plain
    /// gradients were taken. `None` where nothing attacks.
    pub(super) fn attacked(&mut self, members: &[&Item], part: &Batch, whole: &BatchWeights) -> Result<Option<Gradients>, TrainError> {
        let size = self.config.adversarial_size;
        let (steps, length) = match self.config.adversarial {
            Adversarial::Off => return Ok(None),
            Adversarial::Fgm => (1, size),
            Adversarial::Pgd => (self.config.adversarial_steps, PGD_STRIDE * size / self.config.adversarial_steps as f64),
        };
        let mut grads = None;
        let mut shift = Vec::new();
        for _ in 0..steps {
            let Some(encoder) = self.model.encoder() else { break };
            let Some(gradient) = encoder.take_input_gradient() else { break };
            shift.resize(gradient.len(), 0.0);
            push_along(&mut shift, &gradient, &part.texts, gradient.len() / part.texts.tokens().max(1), length, size);
            encoder.shift_input(Some(shift.clone()));
            let (losses, _) = self.losses(members, part, whole)?;
            let total = self.variances.total(&losses, self.config, &mut Default::default())?;
            grads = total.map(|total| self.params.backward(&total)).transpose().map_err(TrainError::compute)?;
        }
        if let Some(encoder) = self.model.encoder() {
            encoder.shift_input(None);
        }
        Ok(grads)
    }

    /// R-Drop (Liang et al. 2021, section 2): the loss of a part of a batch is that of two passes with other dropouts, halved,
    /// and how far their answers are apart. `first` is the pass that was made.
    pub(super) fn with_second_pass(
        &mut self,
        (total, first): (Tensor, &Logits),
        members: &[&Item],
        part: &Batch,
        whole: &BatchWeights,
    ) -> Result<Tensor, TrainError> {
        if self.config.r_drop == 0.0 {
            return Ok(total);
        }
        let (losses, second) = self.losses(members, part, whole)?;
        let Some(other) = self.variances.total(&losses, self.config, &mut Default::default())? else { return Ok(total) };
        let mut sum = ((total + other).map_err(TrainError::compute)? * 0.5).map_err(TrainError::compute)?;
        for apart in apart(first, &second, part, whole, self.config)? {
            sum = (sum + apart).map_err(TrainError::compute)?;
        }
        Ok(sum)
    }
}

/// How far two passes' answers are apart: of classes and of tags, each a share of the whole batch's, weighted.
fn apart(first: &Logits, second: &Logits, part: &Batch, whole: &BatchWeights, config: &TrainConfig) -> Result<Vec<Tensor>, TrainError> {
    let rows = [
        (first.class.as_ref().zip(second.class.as_ref()), &part.classes.weights, whole.classes, 1.0),
        (first.tags.as_ref().zip(second.tags.as_ref()), &part.tags.weights, whole.tags, config.span_loss_weight),
    ];
    let mut terms = Vec::new();
    for (logits, weights, total, weight) in rows {
        if let Some((first, second)) = logits.filter(|_| weights.iter().any(|weight| *weight > 0.0)) {
            let apart = loss::symmetric_divergence(first, second, weights, total).map_err(TrainError::compute)?;
            terms.push((apart * (weight * config.r_drop)).map_err(TrainError::compute)?);
        }
    }
    Ok(terms)
}
