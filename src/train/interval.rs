//! How far scores might lie from the truth, for the few documents they were measured on. Pure: the generator is seeded.

use super::HeldOut;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::HashSet;

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

/// Intervals of the scores of a report; `None` where there is no such score.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Uncertainty {
    pub accuracy: Option<Interval>,
    pub macro_f1: Option<Interval>,
    pub span_f1: Option<Interval>,
}

/// Largest number of documents drawn in all: keeps the time of a call to tens of milliseconds.
const DRAWS: usize = 2_000_000;
const MAX_SAMPLES: usize = 1000;
const MIN_SAMPLES: usize = 100;

/// Percentile bootstrap over documents (Efron and Tibshirani 1993, section 13.3) of the scores as
/// [`super::Scores`] defines them. The same documents and seed give the same answer.
pub fn uncertainty(held_out: &[HeldOut], classes: usize, seed: u64) -> Uncertainty {
    if held_out.is_empty() {
        return Uncertainty::default();
    }
    let documents: Vec<Counts> = held_out.iter().map(|doc| Counts::of(doc, classes)).collect();
    let mut rng = StdRng::seed_from_u64(seed);
    let mut drawn = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..(DRAWS / documents.len()).clamp(MIN_SAMPLES, MAX_SAMPLES) {
        let mut sums = Sums::new(classes);
        for _ in 0..documents.len() {
            sums.add(&documents[rng.random_range(0..documents.len())]);
        }
        for (drawn, score) in drawn.iter_mut().zip(sums.scores()) {
            drawn.extend(score);
        }
    }
    let mut whole = Sums::new(classes);
    documents.iter().for_each(|document| whole.add(document));
    let mut scores = whole.scores().into_iter();
    let [accuracy, macro_f1, span_f1] = drawn.map(|drawn| middle(scores.next().flatten()?, drawn));
    Uncertainty { accuracy, macro_f1, span_f1 }
}

/// The middle 95 %.
fn middle(score: f64, mut scores: Vec<f64>) -> Option<Interval> {
    scores.sort_by(f64::total_cmp);
    let last = scores.len().checked_sub(1)? as f64;
    let at = |share: f64| scores[(share * last).round() as usize];
    Some(Interval { score, low: at(0.025), high: at(0.975) })
}

/// What one document adds to the scores.
struct Counts {
    pair: Option<(usize, usize)>,
    spans_right: usize,
    spans_guessed: usize,
    spans_given: usize,
}

impl Counts {
    fn of(doc: &HeldOut, classes: usize) -> Self {
        let pair = doc.gold_class.zip(doc.class).map(|(gold, class)| (usize::from(gold), usize::from(class)));
        let pair = pair.filter(|(gold, class)| *gold < classes && *class < classes);
        let Some(gold) = &doc.gold_spans else {
            return Self { pair, spans_right: 0, spans_guessed: 0, spans_given: 0 };
        };
        let (gold, guessed): (HashSet<_>, HashSet<_>) = (gold.iter().collect(), doc.spans.iter().collect());
        Self { pair, spans_right: gold.intersection(&guessed).count(), spans_guessed: guessed.len(), spans_given: gold.len() }
    }
}

struct Sums {
    /// `confusion[gold * classes + predicted]`
    confusion: Vec<usize>,
    classes: usize,
    spans_right: usize,
    /// Guessed and given.
    spans_both: usize,
    spans_given: usize,
}

impl Sums {
    fn new(classes: usize) -> Self {
        Self { confusion: vec![0; classes * classes], classes, spans_right: 0, spans_both: 0, spans_given: 0 }
    }

    fn add(&mut self, doc: &Counts) {
        if let Some((gold, class)) = doc.pair {
            self.confusion[gold * self.classes + class] += 1;
        }
        self.spans_right += doc.spans_right;
        self.spans_both += doc.spans_guessed + doc.spans_given;
        self.spans_given += doc.spans_given;
    }

    /// Accuracy, macro-F1 over the classes that occur, span F1.
    fn scores(&self) -> [Option<f64>; 3] {
        let cell = |gold: usize, class: usize| self.confusion[gold * self.classes + class];
        let total: usize = self.confusion.iter().sum();
        let right: usize = (0..self.classes).map(|class| cell(class, class)).sum();
        let f1s = (0..self.classes).filter_map(|class| {
            let both: usize = (0..self.classes).map(|other| cell(class, other) + cell(other, class)).sum();
            (both > 0).then(|| 2.0 * cell(class, class) as f64 / both as f64)
        });
        let (count, sum) = f1s.fold((0, 0.0), |(count, sum), f1| (count + 1, sum + f1));
        [
            (total > 0).then(|| right as f64 / total as f64),
            (count > 0).then(|| sum / f64::from(count)),
            (self.spans_given > 0).then(|| 2.0 * self.spans_right as f64 / self.spans_both as f64),
        ]
    }
}
