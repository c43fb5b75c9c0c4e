//! How far scores might lie from the truth, for the few documents they were measured on. Pure: the generator is seeded.

use super::HeldOut;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::HashSet;

/// Where a score lies in 95 of 100 drawings of the held-out documents.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
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
    let [accuracy, macro_f1, span_f1] = drawn.map(middle);
    Uncertainty { accuracy, macro_f1, span_f1 }
}

/// The middle 95 %.
fn middle(mut scores: Vec<f64>) -> Option<Interval> {
    scores.sort_by(f64::total_cmp);
    let last = scores.len().checked_sub(1)? as f64;
    let at = |share: f64| scores[(share * last).round() as usize];
    Some(Interval { low: at(0.025), high: at(0.975) })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn doc(gold: u16, class: u16) -> HeldOut {
        HeldOut { doc: 0, gold_class: Some(gold), class: Some(class), probabilities: Vec::new(), gold_spans: None, spans: Vec::new() }
    }

    /// `right` of `all` documents answered rightly, over two classes.
    fn documents(right: usize, all: usize) -> Vec<HeldOut> {
        (0..all)
            .map(|at| if at < right { doc((at % 2) as u16, (at % 2) as u16) } else { doc((at % 2) as u16, 1 - (at % 2) as u16) })
            .collect()
    }

    #[test]
    fn accuracy_is_as_wide_as_the_binomial_says() {
        let found = uncertainty(&documents(320, 400), 2, 7).accuracy.expect("there are classes");
        let expected = 1.96 * (0.8f64 * 0.2 / 400.0).sqrt();
        assert!((found.half_width() - expected).abs() < 0.1 * expected, "{found:?}, expected ±{expected}");
        assert!(found.low < 0.8 && 0.8 < found.high);
    }

    #[test]
    fn few_documents_say_less() {
        let few = uncertainty(&documents(16, 20), 2, 7).macro_f1.expect("there are classes");
        let many = uncertainty(&documents(1600, 2000), 2, 7).macro_f1.expect("there are classes");
        assert!(few.half_width() > 5.0 * many.half_width(), "{few:?} {many:?}");
    }

    #[test]
    fn same_seed_same_answer() {
        let documents = documents(30, 50);
        assert_eq!(uncertainty(&documents, 2, 3), uncertainty(&documents, 2, 3));
        assert_ne!(uncertainty(&documents, 2, 3), uncertainty(&documents, 2, 4));
    }

    #[test]
    fn scores_are_those_of_the_report() {
        use crate::train::class_scores;
        let documents: Vec<HeldOut> = [(0, 0), (0, 1), (1, 1), (2, 0), (2, 2), (1, 1)].map(|(gold, class)| doc(gold, class)).into();
        let mut sums = Sums::new(4);
        documents.iter().for_each(|doc| sums.add(&Counts::of(doc, 4)));
        let names = ["a", "b", "c", "d"].map(str::to_owned);
        let pairs: Vec<(u16, u16)> = documents.iter().filter_map(|doc| doc.gold_class.zip(doc.class)).collect();
        let expected = class_scores(&names, &pairs).expect("there are pairs");
        let [accuracy, macro_f1, span_f1] = sums.scores();
        assert!((accuracy.expect("classes") - expected.accuracy).abs() < 1e-12);
        assert!((macro_f1.expect("classes") - expected.macro_f1).abs() < 1e-12);
        assert_eq!(span_f1, None);
    }

    #[test]
    fn spans_count_only_where_they_were_marked() {
        let mut marked = doc(0, 0);
        marked.gold_spans = Some(vec![(0, 3, 0), (4, 6, 1)]);
        marked.spans = vec![(0, 3, 0), (4, 6, 0)];
        let mut unmarked = doc(0, 0);
        unmarked.spans = vec![(0, 3, 0)];
        let mut sums = Sums::new(1);
        [marked, unmarked].iter().for_each(|doc| sums.add(&Counts::of(doc, 1)));
        assert_eq!(sums.scores()[2], Some(0.5));
    }

    #[test]
    fn nothing_held_out() {
        assert_eq!(uncertainty(&[], 3, 0), Uncertainty::default());
    }
}
