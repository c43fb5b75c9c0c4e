//! What a model says about one text. All offsets are bytes of the original text.

use crate::project::{Polarity, TextRange};

/// What a model says about one text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prediction {
    /// Probability of each class; empty when the model has no class head.
    pub probabilities: Vec<f32>,
    /// In reading order, without overlaps.
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

/// A span the model marks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PredictedSpan {
    pub range: TextRange,
    /// Place in the model's span labels.
    pub label: u16,
    pub probability: f32,
    /// Probability of negative, neutral and positive; `None` when the model learnt no polarity of spans.
    pub polarity: Option<[f32; 3]>,
}

/// An opinion and the aspect it is about, by their places in [`Prediction::spans`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PredictedTriplet {
    pub aspect: usize,
    pub opinion: usize,
    /// Probability of negative, neutral and positive, if the two belong together; `None` when the model learnt none.
    pub polarity: Option<[f32; 3]>,
    /// That the two belong together, if both are there.
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
