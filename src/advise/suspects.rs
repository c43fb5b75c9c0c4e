//! Which labels look wrong: confident learning (Northcutt, Jiang and Chuang 2021, section 3.1).
//!
//! A model is confident of a class where its probability reaches the mean that documents labelled so have. A label is
//! suspected where the likeliest class that the model is confident of is another one. They are ranked by the normalised
//! margin: the probability of the label less that of the likeliest other class.

use crate::project::{DocId, Suspicion};

/// A labelled document and what a model says of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    pub doc: DocId,
    pub answer: u16,
    /// Of each class of the project.
    pub probabilities: Vec<f32>,
    /// Whether the model has learnt from this very label, which makes it agree too easily.
    pub learnt: bool,
}

/// Every judged document with its place: suspected ones first, among them those judged by a model that had not learnt from
/// them, then by margin.
pub fn suspects(judged: &[Judged]) -> Vec<(DocId, Suspicion)> {
    let thresholds = [false, true].map(|learnt| thresholds(judged, learnt));
    let mut ranked: Vec<(f32, DocId, Suspicion)> = judged
        .iter()
        .filter(|one| one.probabilities.len() > 1 && usize::from(one.answer) < one.probabilities.len())
        .map(|one| {
            let sure = confident(one, &thresholds[usize::from(one.learnt)]).filter(|class| *class != usize::from(one.answer));
            let says = sure.unwrap_or_else(|| other(one));
            let percent = (one.probabilities[says] * 100.0).round() as u8;
            let margin = one.probabilities[usize::from(one.answer)] - one.probabilities[other(one)];
            let suspected = sure.is_some();
            let found = Suspicion { place: 0, answer: one.answer, suspected, says: says as u16, percent, learnt: one.learnt };
            (margin, one.doc, found)
        })
        .collect();
    let group = |found: &Suspicion| (!found.suspected, found.learnt);
    ranked.sort_by(|a, b| group(&a.2).cmp(&group(&b.2)).then(a.0.total_cmp(&b.0)).then(a.1.cmp(&b.1)));
    (0u32..).zip(ranked).map(|(place, (_, doc, found))| (doc, Suspicion { place, ..found })).collect()
}

/// The mean probability of each class among the documents labelled so; infinite where there are none.
fn thresholds(judged: &[Judged], learnt: bool) -> Vec<f32> {
    let classes = judged.iter().map(|one| one.probabilities.len()).max().unwrap_or(0);
    let own = |one: &Judged| Some((usize::from(one.answer), *one.probabilities.get(usize::from(one.answer))?));
    means(classes, judged.iter().filter(|one| one.learnt == learnt).filter_map(own))
}

/// The mean of each of `kinds`; infinite where there is nothing.
pub(super) fn means(kinds: usize, values: impl Iterator<Item = (usize, f32)>) -> Vec<f32> {
    let (mut sums, mut counts) = (vec![0f32; kinds], vec![0f32; kinds]);
    for (kind, value) in values {
        sums[kind] += value;
        counts[kind] += 1.0;
    }
    sums.into_iter().zip(counts).map(|(sum, count)| if count > 0.0 { sum / count } else { f32::INFINITY }).collect()
}

/// The likeliest class among those that the model is confident of.
fn confident(one: &Judged, thresholds: &[f32]) -> Option<usize> {
    let sure = one.probabilities.iter().zip(thresholds).enumerate().filter(|(_, (probability, threshold))| probability >= threshold);
    sure.max_by(|a, b| a.1.0.total_cmp(b.1.0)).map(|(class, _)| class)
}

/// The likeliest class but the one answered.
fn other(one: &Judged) -> usize {
    let others = one.probabilities.iter().enumerate().filter(|(class, _)| *class != usize::from(one.answer));
    others.max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(class, _)| class)
}
