//! How far scores might lie from the truth, for the few documents they were measured on. Pure: the generator is seeded.

use super::HeldOut;
use super::tally::{Score, Tallies};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;

/// Where a score lies in 95 of 100 drawings of the held-out documents.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The score of the documents as they are.
    pub score: f64,
    pub low: f64,
    pub high: f64,
}

impl Interval {
    /// What stands behind the "±".
    pub fn half_width(self) -> f64 {
        (self.high - self.low) / 2.0
    }
}

/// Intervals of the scores of a report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Uncertainty(BTreeMap<Score, Interval>);

impl Uncertainty {
    /// `None` where there is no such score.
    pub fn of(&self, score: Score) -> Option<Interval> {
        self.0.get(&score).copied()
    }
}

/// Largest number of documents drawn in all: keeps the time of a call to tens of milliseconds.
const DRAWS: usize = 2_000_000;
const MAX_SAMPLES: usize = 1000;
const MIN_SAMPLES: usize = 100;

/// Percentile bootstrap over documents (Efron and Tibshirani 1993, section 13.3) of the scores as
/// [`super::Scores`] defines them. The same documents and seed give the same answer. `aspects` are the span labels that
/// are aspects.
pub fn uncertainty(held_out: &[HeldOut], aspects: &[u16], seed: u64) -> Uncertainty {
    let tallies = Tallies::of(held_out, aspects);
    let mut drawn: BTreeMap<Score, Vec<f64>> = BTreeMap::new();
    draw(tallies.len(), seed, |documents| {
        for (score, value) in tallies.scores(documents.iter().copied()) {
            drawn.entry(score).or_default().push(value);
        }
    });
    let interval = |(score, value): (Score, f64)| Some((score, middle(value, drawn.remove(&score)?)?));
    Uncertainty(tallies.whole().into_iter().filter_map(interval).collect())
}

/// Drawings of as many documents as there are, each with replacement.
pub(super) fn draw(documents: usize, seed: u64, mut each: impl FnMut(&[usize])) {
    if documents == 0 {
        return;
    }
    let mut rng = StdRng::seed_from_u64(seed);
    let mut drawing = vec![0; documents];
    for _ in 0..(DRAWS / documents).clamp(MIN_SAMPLES, MAX_SAMPLES) {
        drawing.iter_mut().for_each(|place| *place = rng.random_range(0..documents));
        each(&drawing);
    }
}

/// The middle 95 %.
pub(super) fn middle(score: f64, mut scores: Vec<f64>) -> Option<Interval> {
    scores.sort_by(f64::total_cmp);
    let last = scores.len().checked_sub(1)? as f64;
    let at = |share: f64| scores[(share * last).round() as usize];
    Some(Interval { score, low: at(0.025), high: at(0.975) })
}
