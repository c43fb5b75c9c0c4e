//! What a run tells while it goes: numbers only, so that anything can listen.

use super::layer_stats::LayerStats;
use super::{AttributeScores, OpinionScores, QuestionOutcome, QuestionScores, Reliability, Slice, SpanKey, SpanValue};
use crate::project::Polarity;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// News from a run, in order. A run that ends without `Finished` was cancelled or has failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum TrainEvent {
    Started(Started),
    Step(StepEvent),
    Evaluated(Evaluation),
    /// The best weights so far were kept.
    Checkpoint {
        step: usize,
    },
    Finished(Report),
    /// Only where the settings ask for it, and not at every step.
    Layers(LayerStats),
}

/// The plan, known before the first step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Started {
    pub train_examples: usize,
    pub dev_examples: usize,
    pub test_examples: usize,
    pub steps_total: usize,
    /// Trainable numbers.
    pub parameters: usize,
    /// Sentences a person should read: what was loaded, what is missing or cut.
    pub notes: Vec<String>,
}

/// One optimiser step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepEvent {
    /// From 1.
    pub step: usize,
    /// Epochs done after this step, with fraction.
    pub epoch: f64,
    pub loss: f64,
    pub class_loss: Option<f64>,
    pub span_loss: Option<f64>,
    #[serde(default)]
    pub polarity_loss: Option<f64>,
    #[serde(default)]
    pub link_loss: Option<f64>,
    /// Of all questions beside the main one.
    #[serde(default)]
    pub question_loss: Option<f64>,
    pub lr: f64,
    /// Before clipping.
    pub grad_norm: f64,
    /// Real tokens a second since the run began, evaluations not counted.
    pub tokens_per_s: f64,
}

/// Scores on the dev documents after a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    pub step: usize,
    pub epoch: f64,
    pub scores: Scores,
    pub is_best: bool,
    /// Ids of the dev documents answered wrongly then, ascending, by task: "class", "spans", "links".
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub wrong: BTreeMap<String, Vec<u32>>,
}

/// How well held-out documents were answered. What was not asked or not labelled is `None` or empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    pub loss: f64,
    pub accuracy: Option<f64>,
    pub macro_f1: Option<f64>,
    pub per_class: Vec<LabelScore>,
    /// `confusion[gold][predicted]`, in the order of `per_class`.
    pub confusion: Vec<Vec<u32>>,
    /// Micro-averaged, exact boundaries and label.
    pub span_f1: Option<f64>,
    pub per_span_label: Vec<LabelScore>,
    #[serde(default)]
    pub opinions: OpinionScores,
    /// Of each attribute of spans.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<AttributeScores>,
    /// Of each question beside the main one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<QuestionScores>,
}

impl Scores {
    /// What the best checkpoint is chosen by: the mean over what was learnt of macro-F1, span F1, one score of polarity
    /// (with its aspect where aspects have one, else of marked spans), one of links (triplets, else pairs), one of each
    /// attribute (spans with it, end to end), and one of each question beside the main one (macro-F1 of labels, Pearson's correlation of a number).
    pub fn selection(&self) -> f64 {
        let attributes = self.attributes.iter().filter_map(|attribute| attribute.f1);
        let questions = self.questions.iter().filter_map(QuestionScores::selection);
        let tasks: Vec<f64> =
            self.macro_f1.into_iter().chain(self.span_f1).chain(self.opinions.tasks()).chain(attributes).chain(questions).collect();
        if tasks.is_empty() { f64::NAN } else { tasks.iter().sum::<f64>() / tasks.len() as f64 }
    }
}

/// Precision, recall and F1 of one label; `support` is the number of gold cases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelScore {
    pub name: String,
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
    pub support: usize,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Scores of the best weights, on test documents where there are any, else on dev.
    pub scores: Scores,
    /// "test" or "dev".
    pub scored_on: String,
    /// The same scores for parts of these documents.
    #[serde(default)]
    pub slices: Vec<Slice>,
    /// Documents scored.
    pub examples: usize,
    /// The span labels that are aspects.
    #[serde(default)]
    pub aspects: Vec<u16>,
    pub best_step: usize,
    pub best_epoch: f64,
    /// True when patience ran out before the last epoch.
    pub stopped_early: bool,
    /// True when a person stopped the run and kept the best.
    pub stopped_by_hand: bool,
    pub seconds: f64,
    pub real_tokens_per_s: f64,
    /// How often the held-out answers are right, by how sure the model was.
    #[serde(default)]
    pub reliability: Vec<Reliability>,
    /// `None` where it was not measured: of a network without pretraining, of low-rank updates, and on a processor that has
    /// no instruction for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eight_bits: Option<EightBits>,
    /// Held-out documents with gold and prediction: the evidence behind the scores.
    pub held_out: Vec<HeldOut>,
}

/// The same held-out documents with the encoder's weights held as whole numbers of eight bits: what that costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EightBits {
    pub accuracy: Option<f64>,
    pub macro_f1: Option<f64>,
    pub span_f1: Option<f64>,
    pub triplet_f1: Option<f64>,
    /// Documents whose class or spans are others than with float32.
    pub changed: usize,
}

/// One held-out document as the best weights answer it. Offsets are bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HeldOut {
    /// Document id.
    pub doc: u32,
    pub gold_class: Option<u16>,
    pub class: Option<u16>,
    /// Probability of each class.
    pub probabilities: Vec<f32>,
    /// `(start, end, label)`; `None` when the document's spans were not marked.
    pub gold_spans: Option<Vec<(u32, u32, u16)>>,
    pub spans: Vec<(u32, u32, u16)>,
    /// Polarities and links of both.
    #[serde(default)]
    pub opinions: OpinionAnswers,
    /// Answers to the questions beside the main one, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<QuestionOutcome>,
}

/// Polarities and links of a held-out document. What was not learnt is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OpinionAnswers {
    /// Probability of each predicted span; in a report calibrated, as all others here.
    pub probabilities: Vec<f32>,
    /// Of each predicted span.
    pub polarities: Vec<Option<Polarity>>,
    /// How likely each predicted span's polarity is.
    pub polarity_shares: Vec<f32>,
    /// Of each gold span, as marked.
    pub gold_polarities: Vec<Option<Polarity>>,
    /// Of each gold span, as the model says; `None` where it did not read the span.
    pub of_gold: Vec<Option<Polarity>>,
    /// How likely each polarity of each gold span is: negative, neutral, positive.
    pub gold_shares: Vec<Option<[f32; 3]>>,
    /// What is said of each predicted span beside its polarity.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Vec<SpanValue>>,
    /// Of each gold span, as marked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gold_attributes: Vec<Vec<SpanValue>>,
    /// Of each gold span, as the model says; nothing where it did not read the span.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes_of_gold: Vec<Vec<SpanValue>>,
    /// Of each known value of a gold span: how likely each value is, and the place of the right one. Not kept.
    #[serde(skip)]
    pub gold_values: Vec<(Vec<f32>, usize)>,
    /// Between predicted spans.
    pub links: Vec<LinkAnswer>,
    /// Between gold spans; `None` when nobody linked in the document.
    pub gold_links: Option<Vec<LinkAnswer>>,
}

/// Two spans that belong together, by their places in the list of spans: the opinion and the aspect it is about.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkAnswer {
    pub from: u32,
    /// `None`: the opinion is about nothing that has words, an implicit aspect.
    pub to: Option<u32>,
    pub polarity: Option<Polarity>,
    /// That all of it is so: both spans, the link and its polarity. 1 for gold.
    pub probability: f32,
}

impl LinkAnswer {
    /// Both ends in a list of spans; `None` when one is not there.
    pub fn ends(&self, spans: &[SpanKey]) -> Option<(SpanKey, Option<SpanKey>)> {
        let span = |at: u32| spans.get(at as usize).copied();
        let to = match self.to {
            Some(to) => Some(span(to)?),
            None => None,
        };
        Some((span(self.from)?, to))
    }
}
