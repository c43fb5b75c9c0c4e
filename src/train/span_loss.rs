//! The loss of marked spans: of their tags, each by itself or in their order, and of candidate spans where those are judged.

use super::losses::{BatchWeights, CANDIDATES, HeadSet, TAGS, loss_of, share_of, sum};
use super::task::{Batch, Item};
use super::{TrainConfig, TrainError};
use crate::nn::{CandidateBatch, JointModel, Logits, Mode, Tensor, loss};
use crate::text::{Candidate, candidates};

/// Candidate spans of a part of a batch with what is right.
#[derive(Default)]
pub(super) struct CandidateLesson {
    pub candidates: CandidateBatch,
    /// `[candidates, labels]`: 1 where it is a span of the label.
    pub targets: Vec<f32>,
    /// 0 where nobody knows.
    pub weights: Vec<f32>,
    /// Words (characters, in Chinese) of the documents: what the loss is measured by.
    pub words: f64,
}

impl CandidateLesson {
    pub fn of(items: &[&Item], batch: &Batch, labels: usize, widest: usize) -> Self {
        let mut lesson = Self::default();
        for (text, item) in items.iter().enumerate().filter(|(_, item)| item.tags.is_some()) {
            lesson.words += words(item);
            let first_row = batch.texts.range(text).start;
            for candidate in candidates(&item.joined, widest) {
                lesson.candidates.push(super::opinions::edges(first_row, &item.reading, &candidate.units), candidate.width);
                lesson.answer(item, &candidate, labels);
            }
        }
        lesson
    }

    fn answer(&mut self, item: &Item, candidate: &Candidate, labels: usize) {
        let start = self.targets.len();
        self.targets.resize(start + labels, 0.0);
        self.weights.resize(start + labels, 1.0);
        for label in &item.partly {
            self.weights[start + usize::from(*label)] = 0.0;
        }
        for mark in item.marks.spans.iter().filter(|mark| mark.units == candidate.units) {
            let at = start + usize::from(mark.label);
            (self.targets[at], self.weights[at]) = (1.0, 1.0);
        }
    }
}

/// Words of a document that teaches spans.
pub(super) fn words(item: &Item) -> f64 {
    if item.tags.is_none() { 0.0 } else { item.joined.iter().enumerate().filter(|(at, joined)| *at == 0 || !**joined).count() as f64 }
}

/// The loss of a part of a batch as its share of the batch's; `taught` gets the heads it teaches.
pub(super) fn span_loss(
    model: &JointModel,
    logits: &Logits,
    members: &[&Item],
    (part, whole): (&Batch, &BatchWeights),
    (labels, widest): (usize, usize),
    config: &TrainConfig,
    (mode, taught): (&mut Mode, &mut HeadSet),
) -> Result<Option<Tensor>, TrainError> {
    let tags = share_of(tag_loss(model, logits, part)?, part.tags.weight() / whole.tags)?;
    if tags.is_some() {
        taught.insert(TAGS);
    }
    let Some(scorer) = model.scorer().filter(|_| widest > 0 && config.span_loss_weight > 0.0) else { return Ok(tags) };
    let lesson = CandidateLesson::of(members, part, labels, widest);
    if lesson.candidates.is_empty() {
        return Ok(tags);
    }
    let answers = scorer.forward(&logits.hidden, &lesson.candidates, mode).map_err(TrainError::compute)?;
    let judged =
        loss::binary_cross_entropy(&answers, &lesson.targets, &lesson.weights, whole.words.max(1.0)).map_err(TrainError::compute)?;
    taught.insert(CANDIDATES);
    sum([tags, Some(judged)].into_iter().flatten())
}

/// `None` when no unit teaches.
fn tag_loss(model: &JointModel, logits: &Logits, part: &Batch) -> Result<Option<Tensor>, TrainError> {
    let Some(tags) = logits.tags.as_ref().filter(|_| part.tags.teach()) else { return Ok(None) };
    if let Some(chain) = model.chain() {
        return chain.loss(tags, &part.chain).map(Some).map_err(TrainError::compute);
    }
    if part.is_open {
        let loss = loss::marginal_cross_entropy(tags, &part.chain.allowed, &part.tags.weights);
        return loss.map(Some).map_err(TrainError::compute);
    }
    loss_of(Some(tags), &part.tags)
}
