//! How well questions with several labels, or with a number, were answered on held-out documents. Pure numbers.

use super::questions::TaughtAnswer;
use super::{HeldOut, LabelScore};
use crate::nn::{QuestionAnswer, QuestionForm, QuestionKind, labels_from};
use serde::{Deserialize, Serialize};

/// A held-out document's answer to a question beside the main one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuestionOutcome {
    /// `None` where nobody answered.
    pub gold: Option<TaughtAnswer>,
    /// Places of the labels that were said.
    pub labels: Vec<u16>,
    /// Of each label; of a number on steps, that it lies beyond each of them.
    pub probabilities: Vec<f32>,
    /// The number that was said.
    pub number: Option<f64>,
}

/// Scores of a question beside the main one. What does not fit its kind is `None` or empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuestionScores {
    pub name: String,
    /// Held-out documents with an answer.
    pub examples: usize,
    /// Mean F1 of the labels that occur in gold or answer.
    pub macro_f1: Option<f64>,
    pub micro_f1: Option<f64>,
    /// Share of the documents with exactly the right labels.
    pub exact: Option<f64>,
    pub per_label: Vec<LabelScore>,
    /// From which probability on each label is said.
    pub thresholds: Vec<f32>,
    /// Mean absolute difference.
    pub mae: Option<f64>,
    /// Correlations; `None` where one side does not vary.
    pub pearson: Option<f64>,
    pub spearman: Option<f64>,
}

impl QuestionScores {
    /// What the best weights are chosen by; nothing is as bad as a number that follows nothing.
    pub fn selection(&self) -> Option<f64> {
        let number = self.mae.map(|_| self.pearson.unwrap_or(0.0).max(0.0));
        self.macro_f1.or(number)
    }

    /// The score that people are told first; `None` for numbers that are all alike, which have no correlation.
    pub fn main(&self) -> Option<f64> {
        self.macro_f1.or(self.pearson)
    }

    /// Names and values, in the order in which they are shown.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let all = [
            ("macro_f1", self.macro_f1),
            ("micro_f1", self.micro_f1),
            ("exact", self.exact),
            ("mae", self.mae),
            ("pearson", self.pearson),
            ("spearman", self.spearman),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }
}

impl QuestionOutcome {
    pub(super) fn of(gold: Option<TaughtAnswer>, answer: QuestionAnswer) -> Self {
        Self { gold, labels: answer.labels, probabilities: answer.probabilities, number: answer.number }
    }

    /// Gold labels and those that were said.
    pub(super) fn labels(&self) -> Option<(&[u16], &[u16])> {
        match &self.gold {
            Some(TaughtAnswer::Labels(gold)) => Some((gold, &self.labels)),
            _ => None,
        }
    }

    fn numbers(&self) -> Option<(f64, f64)> {
        match self.gold {
            Some(TaughtAnswer::Number(gold)) => Some((gold, self.number?)),
            _ => None,
        }
    }

    /// Whether the labels are right; `None` where there are none to judge by.
    pub fn is_right(&self) -> Option<bool> {
        self.labels().map(|(gold, said)| gold == said)
    }
}

/// Scores of each question.
pub fn question_scores(forms: &[QuestionForm], held_out: &[HeldOut]) -> Vec<QuestionScores> {
    let of = |at: usize| held_out.iter().filter_map(move |doc| doc.questions.get(at)).filter(|outcome| outcome.gold.is_some());
    let scores = |(at, form): (usize, &QuestionForm)| match &form.kind {
        QuestionKind::Labels { labels, thresholds } => {
            let pairs: Vec<(&[u16], &[u16])> = of(at).filter_map(QuestionOutcome::labels).collect();
            QuestionScores { name: form.name.clone(), thresholds: thresholds.clone(), ..label_scores(labels, &pairs) }
        }
        QuestionKind::Number { .. } | QuestionKind::Ordinal { .. } => {
            let pairs: Vec<(f64, f64)> = of(at).filter_map(QuestionOutcome::numbers).collect();
            QuestionScores { name: form.name.clone(), ..number_scores(&pairs) }
        }
    };
    forms.iter().enumerate().map(scores).collect()
}

/// Scores of `(gold, said)` labels.
pub fn label_scores(names: &[String], pairs: &[(&[u16], &[u16])]) -> QuestionScores {
    if pairs.is_empty() {
        return QuestionScores::default();
    }
    let count = |holds: &dyn Fn(&[u16], &[u16]) -> bool| pairs.iter().filter(|(gold, said)| holds(gold, said)).count() as f64;
    let (mut per_label, mut all) = (Vec::new(), (0.0, 0.0, 0.0));
    let (mut sum, mut occurring) = (0.0, 0.0);
    for (label, name) in (0u16..).zip(names) {
        let both = count(&|gold, said| gold.contains(&label) && said.contains(&label));
        let (given, guessed) = (count(&|gold, _| gold.contains(&label)), count(&|_, said| said.contains(&label)));
        all = (all.0 + both, all.1 + given, all.2 + guessed);
        let share = |part: f64, of: f64| if of > 0.0 { part / of } else { 0.0 };
        let f1 = share(2.0 * both, given + guessed);
        if given + guessed > 0.0 {
            (sum, occurring) = (sum + f1, occurring + 1.0);
        }
        let (precision, recall) = (share(both, guessed), share(both, given));
        per_label.push(LabelScore { name: name.clone(), precision, recall, f1, support: given as usize });
    }
    QuestionScores {
        examples: pairs.len(),
        macro_f1: (occurring > 0.0).then(|| sum / occurring),
        micro_f1: (all.1 + all.2 > 0.0).then(|| 2.0 * all.0 / (all.1 + all.2)),
        exact: Some(count(&|gold, said| gold == said) / pairs.len() as f64),
        per_label,
        ..QuestionScores::default()
    }
}

/// Scores of `(gold, said)` numbers.
pub fn number_scores(pairs: &[(f64, f64)]) -> QuestionScores {
    if pairs.is_empty() {
        return QuestionScores::default();
    }
    let (gold, said): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    QuestionScores {
        examples: pairs.len(),
        mae: Some(pairs.iter().map(|(gold, said)| (gold - said).abs()).sum::<f64>() / pairs.len() as f64),
        pearson: correlation(&gold, &said),
        spearman: correlation(&ranks(&gold), &ranks(&said)),
        ..QuestionScores::default()
    }
}

/// Pearson's; `None` where a side does not vary.
fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let mean = |list: &[f64]| list.iter().sum::<f64>() / list.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x - mean_a, y - mean_b);
        (ab, aa, bb) = (ab + x * y, aa + x * x, bb + y * y);
    }
    (aa > 1e-18 && bb > 1e-18).then(|| ab / (aa * bb).sqrt())
}

/// From 1; equal numbers share the mean of their ranks.
fn ranks(list: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..list.len()).collect();
    order.sort_by(|a, b| list[*a].total_cmp(&list[*b]));
    let mut ranks = vec![0.0; list.len()];
    let mut start = 0;
    while start < order.len() {
        let end = (start..order.len()).find(|at| list[order[*at]] != list[order[start]]).unwrap_or(order.len());
        let rank = (start + 1 + end) as f64 / 2.0;
        order[start..end].iter().for_each(|at| ranks[*at] = rank);
        start = end;
    }
    ranks
}

/// For each label the threshold at which its F1 is highest on these answers (the lowest probability of those it says yes to
/// then); one half where the label occurs too rarely to tell.
pub fn fit_label_thresholds(held_out: &[HeldOut], at: usize, labels: usize) -> Vec<f32> {
    /// With fewer documents that have a label, or lack it, the best threshold is chance.
    const FEWEST: usize = 10;
    let answered: Vec<&QuestionOutcome> =
        held_out.iter().filter_map(|doc| doc.questions.get(at)).filter(|outcome| outcome.labels().is_some()).collect();
    let threshold = |label: usize| -> f32 {
        let holds = |outcome: &QuestionOutcome| outcome.labels().is_some_and(|(gold, _)| gold.contains(&(label as u16)));
        let cases = answered.iter().filter_map(|outcome| Some((*outcome.probabilities.get(label)?, holds(outcome))));
        let mut cases: Vec<(f32, bool)> = cases.collect();
        let given = cases.iter().filter(|(_, holds)| *holds).count();
        if given < FEWEST || cases.len() - given < FEWEST {
            return 0.5;
        }
        // From the likeliest down: each that is taken in may be the last.
        cases.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (mut best, mut right) = ((0.0, 0.5f32), 0);
        for (place, (probability, holds)) in cases.iter().enumerate() {
            right += usize::from(*holds);
            let is_last_of_its_kind = cases.get(place + 1).is_none_or(|next| next.0 < *probability);
            let f1 = 2.0 * right as f64 / (place + 1 + given) as f64;
            if is_last_of_its_kind && f1 > best.0 {
                // Halfway to the next: new texts fall on both sides.
                let next = cases.get(place + 1).map_or(0.0, |next| next.0);
                best = (f1, f32::midpoint(*probability, next));
            }
        }
        best.1.clamp(0.05, 0.95)
    };
    (0..labels).map(threshold).collect()
}

/// The labels by other thresholds.
pub(super) fn say_labels_anew(held_out: &mut [HeldOut], at: usize, thresholds: &[f32]) {
    for outcome in held_out.iter_mut().filter_map(|doc| doc.questions.get_mut(at)) {
        outcome.labels = labels_from(&outcome.probabilities, thresholds);
    }
}
