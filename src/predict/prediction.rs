//! What a model says about one text. All offsets are bytes of the original text.

use crate::nn::QuestionAnswer;
use crate::project::{Polarity, TextRange};
use std::ops::Range;

/// What a model says about one text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prediction {
    /// Probability of each class; empty when the model has no class head.
    pub probabilities: Vec<f32>,
    /// Answers to the questions beside the main one, in the model's order.
    pub questions: Vec<QuestionAnswer>,
    /// In reading order; they overlap only where the model judges spans one by one.
    pub spans: Vec<PredictedSpan>,
    /// Which spans belong together, in the order of their aspects.
    pub triplets: Vec<PredictedTriplet>,
    /// The tagging units the spans were decoded from; empty when the model tags no spans.
    pub units: Vec<UnitTags>,
    /// Byte offset from which the model did not read on, when the text is longer than its limit.
    pub cut_at: Option<usize>,
}

impl Prediction {
    /// The most probable class and its probability.
    pub fn best_class(&self) -> Option<(u16, f32)> {
        let best = self.probabilities.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
        Some((best.0 as u16, best.1))
    }
}

/// A place that the model did not mark and thought about marking.
#[derive(Clone, Debug, PartialEq)]
pub struct Considered {
    /// Bytes of the text.
    pub bytes: Range<usize>,
    pub label: u16,
    /// That its least likely unit belongs to such a span.
    pub probability: f32,
}

/// Less likely than this was not considered.
const CONSIDERED: f32 = 0.1;

impl Prediction {
    /// What else was considered: runs of units that another label than the decoded one has a tenth of the probability
    /// or more. The likeliest first.
    pub fn considered(&self) -> Vec<Considered> {
        let labels = self.units.first().map_or(0, |unit| unit.probabilities.len().saturating_sub(1) / 2);
        let mut found: Vec<Considered> = Vec::new();
        for label in 0..labels {
            let (begin, inside) = (1 + 2 * label, 2 + 2 * label);
            let mut last = None;
            for (at, unit) in self.units.iter().enumerate() {
                let probability = unit.probabilities[begin] + unit.probabilities[inside];
                let is_marked = usize::from(unit.tag) == begin || usize::from(unit.tag) == inside;
                if is_marked || probability < CONSIDERED {
                    continue;
                }
                let goes_on = at > 0 && last == Some(at - 1) && unit.probabilities[inside] >= unit.probabilities[begin];
                match found.last_mut().filter(|_| goes_on) {
                    Some(run) => {
                        run.bytes.end = unit.range.end();
                        run.probability = run.probability.min(probability);
                    }
                    None => found.push(Considered { bytes: unit.range.bytes(), label: label as u16, probability }),
                }
                last = Some(at);
            }
        }
        found.sort_by(|a, b| b.probability.total_cmp(&a.probability).then(a.bytes.start.cmp(&b.bytes.start)));
        found
    }
}

/// A span the model marks.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictedSpan {
    pub range: TextRange,
    /// Place in the model's span labels.
    pub label: u16,
    pub probability: f32,
    /// Probability of negative, neutral and positive; `None` when the model learnt no polarity of spans.
    pub polarity: Option<[f32; 3]>,
    /// Attributes that spans of its label have in the model.
    pub attributes: Vec<PredictedAttribute>,
}

/// What a model says of a span beside its polarity, such as its category.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictedAttribute {
    /// Place among the model's attributes.
    pub attribute: u16,
    /// Probability of each value.
    pub shares: Vec<f32>,
}

impl PredictedAttribute {
    /// Place of the most probable value, and its probability.
    pub fn best(&self) -> (u16, f32) {
        let best = self.shares.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
        best.map_or((0, 0.0), |(value, share)| (value as u16, share))
    }
}

/// An opinion and the aspect it is about, by their places in [`Prediction::spans`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PredictedTriplet {
    /// `None`: the opinion is about nothing that has words.
    pub aspect: Option<usize>,
    pub opinion: usize,
    /// Probability of negative, neutral and positive, if the two belong together; `None` when the model learnt none.
    pub polarity: Option<[f32; 3]>,
    /// That the two belong together, if both are there; without an aspect, that the opinion belongs to none.
    pub link: f32,
    /// That all of it is so: both spans, the link and the most probable polarity.
    pub probability: f32,
}

/// The most probable polarity and its probability.
pub fn most_likely(shares: [f32; 3]) -> (Polarity, f32) {
    let [negative, neutral, positive] = shares;
    if negative >= neutral && negative >= positive {
        (Polarity::Negative, negative)
    } else if positive > neutral {
        (Polarity::Positive, positive)
    } else {
        (Polarity::Neutral, neutral)
    }
}

/// One tagging unit with the probability of each tag: O, then B and I of label 0, B and I of label 1, …
#[derive(Clone, Debug, PartialEq)]
pub struct UnitTags {
    pub range: TextRange,
    pub probabilities: Vec<f32>,
    /// The decoded tag, an index into `probabilities`.
    pub tag: u16,
}
