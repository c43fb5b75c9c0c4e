//! The loss of a batch: one term a kind of answer, each a share of the whole batch's, and which heads they teach.

use super::opinions::OpinionWeights;
use super::span_loss::words;
use super::task::{Batch, Item, Targets};
use super::{TrainConfig, TrainError};
use crate::nn::loss::ClassLoss;
use crate::nn::{OpinionSizes, Tensor, loss};
use std::collections::BTreeSet;

/// What a whole batch weighs in the loss of each kind: its parts count by their shares.
#[derive(Default)]
pub(super) struct BatchWeights {
    pub classes: f64,
    pub tags: f64,
    /// Words of the documents that teach spans.
    pub words: f64,
    pub opinions: OpinionWeights,
    /// Answers to each question beside the main one.
    pub questions: Vec<f64>,
    /// Documents that a teacher answered.
    pub distilled: f64,
}

/// Losses of a part of a batch, as shares of the batch's; `None` where it teaches nothing of the kind.
#[derive(Default)]
pub(super) struct Losses {
    pub class: Option<Tensor>,
    pub span: Option<Tensor>,
    pub polarity: Option<Tensor>,
    pub link: Option<Tensor>,
    /// How far the classes are from a teacher's.
    pub distilled: Option<Tensor>,
    /// Of each question beside the main one.
    pub questions: Vec<Option<Tensor>>,
    pub heads: HeadSet,
}

/// Parameters that learn from the same targets.
pub(super) type HeadSet = BTreeSet<&'static str>;

/// The head a parameter belongs to; `None` in the encoder.
pub(super) fn head_of(name: &str) -> Option<&'static str> {
    const HEADS: [(&str, &str); 12] = [
        ("classifier.", CLASS),
        ("pooling.", CLASS),
        ("bert.pooler.", CLASS),
        ("gloss.tag.", TAGS),
        ("gloss.scorer.", CANDIDATES),
        ("gloss.span.polarity.", POLARITY),
        ("gloss.span.value.", VALUES),
        ("gloss.span.", SPANS),
        ("gloss.pair.polarity.", LINK_POLARITY),
        ("gloss.pair.", LINKS),
        ("gloss.question.", QUESTIONS),
        ("gloss.", ""),
    ];
    HEADS.iter().find(|(start, _)| name.starts_with(start)).map(|(_, head)| *head)
}

pub(super) const CLASS: &str = "class";
pub(super) const TAGS: &str = "tags";
pub(super) const CANDIDATES: &str = "candidates";
pub(super) const SPANS: &str = "spans";
pub(super) const POLARITY: &str = "polarity";
pub(super) const VALUES: &str = "values";
pub(super) const LINKS: &str = "links";
pub(super) const LINK_POLARITY: &str = "link polarity";
pub(super) const QUESTIONS: &str = "questions";

impl BatchWeights {
    pub fn add(&mut self, members: &[&Item], batch: &Batch, opinions: OpinionSizes) {
        self.classes += batch.classes.weight();
        self.tags += batch.tags.weight();
        self.words += members.iter().map(|item| words(item)).sum::<f64>();
        self.opinions += OpinionWeights::of(members, opinions);
        self.questions.resize(batch.questions.len(), 0.0);
        self.questions.iter_mut().zip(&batch.questions).for_each(|(sum, part)| *sum += part.answered);
        self.distilled += batch.taught.weights.iter().map(|weight| f64::from(*weight)).sum::<f64>();
    }
}

/// The loss of the classes, as the settings want it; `None` when the batch has none.
pub(super) fn class_loss_of(logits: Option<&Tensor>, targets: &Targets, config: &TrainConfig) -> Result<Option<Tensor>, TrainError> {
    let kind = ClassLoss { smoothing: config.label_smoothing, gamma: config.focal_gamma };
    let taught = logits.filter(|_| targets.teach());
    taught.map(|logits| loss::class_loss(logits, &targets.targets, &targets.weights, kind).map_err(TrainError::compute)).transpose()
}

/// `None` when the batch has no target for the head.
pub(super) fn loss_of(logits: Option<&Tensor>, targets: &Targets) -> Result<Option<Tensor>, TrainError> {
    let taught = logits.filter(|_| targets.teach());
    taught.map(|logits| loss::cross_entropy(logits, &targets.targets, Some(&targets.weights)).map_err(TrainError::compute)).transpose()
}

/// A part's loss as its share of the batch's.
pub(super) fn share_of(loss: Option<Tensor>, share: f64) -> Result<Option<Tensor>, TrainError> {
    let shared = |loss: Tensor| if share == 1.0 { Ok(loss) } else { loss.affine(share, 0.0).map_err(TrainError::compute) };
    loss.map(shared).transpose()
}

/// `None` of nothing.
pub(super) fn sum(parts: impl Iterator<Item = Tensor>) -> Result<Option<Tensor>, TrainError> {
    let mut total: Option<Tensor> = None;
    for part in parts {
        total = Some(match total {
            Some(total) => total.add(&part).map_err(TrainError::compute)?,
            None => part,
        });
    }
    Ok(total)
}

pub(super) fn number(scalar: &Tensor) -> Result<f64, TrainError> {
    scalar.to_scalar::<f32>().map(f64::from).map_err(TrainError::compute)
}
