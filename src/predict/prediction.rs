//! What a model says about one text. All offsets are bytes of the original text.

use crate::project::TextRange;

/// What a model says about one text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prediction {
    /// Probability of each class; empty when the model has no class head.
    pub probabilities: Vec<f32>,
    /// In reading order, without overlaps.
    pub spans: Vec<PredictedSpan>,
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

/// A span the model marks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PredictedSpan {
    pub range: TextRange,
    /// Place in the model's span labels.
    pub label: u16,
    pub probability: f32,
}

/// One tagging unit with the probability of each tag: O, then B and I of label 0, B and I of label 1, …
#[derive(Clone, Debug, PartialEq)]
pub struct UnitTags {
    pub range: TextRange,
    pub probabilities: Vec<f32>,
    /// The decoded tag, an index into `probabilities`.
    pub tag: u16,
}
