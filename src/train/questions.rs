//! Questions beside the main one: several labels at once, or a number. From answers to targets and losses.

use super::{TrainConfig, TrainError};
use crate::nn::{QuestionForm, QuestionKind, Tensor, loss};
use crate::project::{Annotation, Answer, Kind, Project, QuestionId};
use serde::{Deserialize, Serialize};

/// A question of the project that can be learnt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AskedQuestion {
    pub name: String,
    pub kind: AskedKind,
}

/// What it wants to hear.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AskedKind {
    /// Any of these labels.
    Labels(Vec<String>),
    /// A number on a scale.
    Number { min: f64, max: f64, step: f64 },
}

/// An answer that teaches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaughtAnswer {
    /// Places of the labels that hold, ascending.
    Labels(Vec<u16>),
    Number(f64),
}

/// How a number is learnt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NumberLoss {
    /// The mean of squared differences.
    #[default]
    Squared,
    /// Step by step of the scale whether the answer lies beyond it (Cao, Mirjalili and Raschka 2020).
    Ordinal,
}

impl AskedQuestion {
    /// The questions of a project that can be learnt beside its main one, with their ids: those that somebody answered.
    pub fn of(project: &Project) -> Vec<(QuestionId, Self)> {
        let answered = |id: QuestionId| project.documents().any(|doc| doc.annotation.answers.contains_key(&id));
        let asked = project.schema().questions().filter_map(|(id, question)| {
            let kind = match question.kind {
                Kind::Several => AskedKind::Labels(question.classes.iter().map(|class| class.name.clone()).collect()),
                Kind::Number(scale) => AskedKind::Number { min: scale.min.value(), max: scale.max.value(), step: scale.step.value() },
                Kind::One | Kind::Text => return None,
            };
            Some((id, Self { name: question.name.clone(), kind }))
        });
        asked.filter(|(id, _)| answered(*id)).collect()
    }

    /// What the model answers with these settings.
    pub(super) fn form(&self, config: &TrainConfig) -> QuestionForm {
        /// A scale of more steps is no scale of grades.
        const MOST_STEPS: usize = 200;
        let kind = match &self.kind {
            AskedKind::Labels(labels) => QuestionKind::Labels { labels: labels.clone(), thresholds: vec![0.5; labels.len()] },
            AskedKind::Number { min, max, step } => {
                let steps = ((max - min) / step).round() as usize;
                if config.number_loss == NumberLoss::Ordinal && (1..=MOST_STEPS).contains(&steps) {
                    QuestionKind::Ordinal { min: *min, step: *step, steps }
                } else {
                    QuestionKind::Number { min: *min, max: *max }
                }
            }
        };
        QuestionForm { name: self.name.clone(), kind }
    }
}

/// What a document teaches of these questions.
pub(super) fn answers_of(annotation: &Annotation, questions: &[(QuestionId, AskedQuestion)]) -> Vec<Option<TaughtAnswer>> {
    let answer = |(id, _): &(QuestionId, AskedQuestion)| match annotation.answers.get(id)? {
        Answer::Classes(classes) => Some(TaughtAnswer::Labels(classes.iter().copied().collect())),
        Answer::Number(number) => Some(TaughtAnswer::Number(number.value())),
        Answer::Class(_) | Answer::Text(_) => None,
    };
    questions.iter().map(answer).collect()
}

/// Targets of one question in a batch: as many of each text as the network has outputs.
#[derive(Default)]
pub(super) struct QuestionTargets {
    pub targets: Vec<f32>,
    /// 0 where nobody answered.
    pub weights: Vec<f32>,
    /// Texts with an answer.
    pub answered: f64,
}

impl QuestionTargets {
    pub fn of<'a>(kind: &QuestionKind, answers: impl Iterator<Item = Option<&'a TaughtAnswer>>) -> Self {
        let mut all = Self::default();
        let outputs = kind.size().outputs;
        for answer in answers {
            let targets = answer.and_then(|answer| targets(kind, answer));
            let weight = if targets.is_some() { 1.0 } else { 0.0 };
            all.answered += f64::from(weight);
            all.weights.extend(std::iter::repeat_n(weight, outputs));
            all.targets.extend(targets.unwrap_or_else(|| vec![0.0; outputs]));
        }
        all
    }
}

/// `None` where an answer is of another kind.
fn targets(kind: &QuestionKind, answer: &TaughtAnswer) -> Option<Vec<f32>> {
    match (kind, answer) {
        (QuestionKind::Labels { labels, .. }, TaughtAnswer::Labels(held)) => {
            Some((0..labels.len()).map(|at| f32::from(u8::from(held.contains(&(at as u16))))).collect())
        }
        (QuestionKind::Number { min, max }, TaughtAnswer::Number(number)) => Some(vec![((number - min) / (max - min)) as f32]),
        (QuestionKind::Ordinal { min, step, steps }, TaughtAnswer::Number(number)) => {
            // Beyond half a step: a number between two steps counts as the nearer one.
            let beyond = |at: usize| *number > min + (at as f64 + 0.5) * step;
            Some((0..*steps).map(|at| f32::from(u8::from(beyond(at)))).collect())
        }
        _ => None,
    }
}

/// The loss of a question over a part of a batch, `whole` answers of which the batch has. Of several labels the mean over
/// them; of a number the squared difference on a scale from 0 to 1; of steps the sum over them. `None` where nobody answered.
pub(super) fn question_loss(
    kind: &QuestionKind,
    outputs: &Tensor,
    part: &QuestionTargets,
    whole: f64,
) -> Result<Option<Tensor>, TrainError> {
    if part.answered == 0.0 {
        return Ok(None);
    }
    let QuestionTargets { targets, weights, .. } = part;
    let loss = match kind {
        QuestionKind::Labels { labels, .. } => loss::binary_cross_entropy(outputs, targets, weights, whole * labels.len() as f64),
        QuestionKind::Number { .. } => loss::squared_error(outputs, targets, weights, whole),
        QuestionKind::Ordinal { .. } => loss::binary_cross_entropy(outputs, targets, weights, whole),
    };
    loss.map(Some).map_err(TrainError::compute)
}
