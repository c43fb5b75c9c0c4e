//! How well held-out documents were answered, from plain pairs of gold and prediction.

use super::LabelScore;
use std::collections::BTreeSet;

/// A marked place as scores compare it: start and end byte, label.
pub type SpanKey = (u32, u32, u16);

/// Scores of a class question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClassScores {
    pub accuracy: f64,
    /// Mean F1 of the classes that occur in gold or prediction: one that nobody gave and nobody guessed has none.
    pub macro_f1: f64,
    pub per_class: Vec<LabelScore>,
    /// `confusion[gold][predicted]`.
    pub confusion: Vec<Vec<u32>>,
}

/// Scores `(gold, predicted)` pairs; `None` without any. Classes beyond the names are ignored.
pub fn class_scores(names: &[String], pairs: &[(u16, u16)]) -> Option<ClassScores> {
    let mut confusion = vec![vec![0u32; names.len()]; names.len()];
    for (gold, predicted) in pairs {
        if let Some(cell) = confusion.get_mut(usize::from(*gold)).and_then(|row| row.get_mut(usize::from(*predicted))) {
            *cell += 1;
        }
    }
    let total: u32 = confusion.iter().flatten().sum();
    if total == 0 {
        return None;
    }
    let per_class: Vec<LabelScore> = (0..names.len())
        .map(|class| {
            let given = confusion[class].iter().sum::<u32>() as usize;
            let guessed = confusion.iter().map(|row| row[class]).sum::<u32>() as usize;
            label_score(&names[class], Counts { right: confusion[class][class] as usize, guessed, given })
        })
        .collect();
    let occurs = |class: &usize| confusion[*class].iter().any(|n| *n > 0) || confusion.iter().any(|row| row[*class] > 0);
    let occurring: Vec<usize> = (0..names.len()).filter(occurs).collect();
    let macro_f1 = occurring.iter().map(|class| per_class[*class].f1).sum::<f64>() / occurring.len() as f64;
    let right: u32 = (0..names.len()).map(|class| confusion[class][class]).sum();
    Some(ClassScores { accuracy: f64::from(right) / f64::from(total), macro_f1, per_class, confusion })
}

/// Exact span F1 (same start, same end, same label), micro-averaged, and the scores of each label.
/// The first is `None` when no gold span is there to find.
pub fn span_scores<'a>(
    names: &[String],
    documents: impl IntoIterator<Item = (&'a [SpanKey], &'a [SpanKey])>,
) -> (Option<f64>, Vec<LabelScore>) {
    let mut counts = vec![Counts::default(); names.len()];
    for (gold, predicted) in documents {
        // Sets: a span marked twice is one span.
        let gold: BTreeSet<&SpanKey> = gold.iter().collect();
        let predicted: BTreeSet<&SpanKey> = predicted.iter().collect();
        for (_, _, label) in &gold {
            if let Some(counts) = counts.get_mut(usize::from(*label)) {
                counts.given += 1;
            }
        }
        for span in predicted {
            if let Some(counts) = counts.get_mut(usize::from(span.2)) {
                counts.guessed += 1;
                counts.right += usize::from(gold.contains(span));
            }
        }
    }
    let all = counts.iter().fold(Counts::default(), |sum, each| Counts {
        right: sum.right + each.right,
        guessed: sum.guessed + each.guessed,
        given: sum.given + each.given,
    });
    (all.micro_f1(), names.iter().zip(counts).map(|(name, counts)| label_score(name, counts)).collect())
}

/// What was found among what is there.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    pub right: usize,
    pub guessed: usize,
    pub given: usize,
}

impl Counts {
    /// 0 where nothing was given nor guessed.
    fn f1(self) -> f64 {
        share(2 * self.right, self.guessed + self.given)
    }

    /// `None` where nothing is there to be found.
    pub fn micro_f1(self) -> Option<f64> {
        (self.given > 0).then(|| self.f1())
    }

    pub fn compare<T: Ord>(&mut self, gold: &BTreeSet<T>, found: &BTreeSet<T>) {
        self.given += gold.len();
        self.guessed += found.len();
        self.right += found.intersection(gold).count();
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn label_score(name: &str, counts: Counts) -> LabelScore {
    LabelScore {
        name: name.to_owned(),
        precision: share(counts.right, counts.guessed),
        recall: share(counts.right, counts.given),
        f1: counts.f1(),
        support: counts.given,
    }
}
