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
    let mut ranked: Vec<(bool, bool, f32, &Judged)> = judged
        .iter()
        .filter(|one| usize::from(one.answer) < one.probabilities.len())
        .map(|one| (!is_suspected(one, &thresholds[usize::from(one.learnt)]), one.learnt, margin(one), one))
        .collect();
    ranked.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)).then(a.3.doc.cmp(&b.3.doc)));
    let suspicion = |(place, (sound, _, _, one)): (u32, (bool, bool, f32, &Judged))| {
        (one.doc, Suspicion { place, answer: one.answer, suspected: !sound })
    };
    (0u32..).zip(ranked).map(suspicion).collect()
}

/// The mean probability of each class among the documents labelled so; infinite where there are none.
fn thresholds(judged: &[Judged], learnt: bool) -> Vec<f32> {
    let classes = judged.iter().map(|one| one.probabilities.len()).max().unwrap_or(0);
    let (mut sums, mut counts) = (vec![0f32; classes], vec![0f32; classes]);
    for one in judged.iter().filter(|one| one.learnt == learnt) {
        let at = usize::from(one.answer);
        if let Some(probability) = one.probabilities.get(at) {
            sums[at] += probability;
            counts[at] += 1.0;
        }
    }
    sums.into_iter().zip(counts).map(|(sum, count)| if count > 0.0 { sum / count } else { f32::INFINITY }).collect()
}

fn is_suspected(one: &Judged, thresholds: &[f32]) -> bool {
    let sure = one.probabilities.iter().zip(thresholds).enumerate().filter(|(_, (probability, threshold))| probability >= threshold);
    let likeliest = sure.max_by(|a, b| a.1.0.total_cmp(b.1.0)).map(|(class, _)| class);
    likeliest.is_some_and(|class| class != usize::from(one.answer))
}

fn margin(one: &Judged) -> f32 {
    let at = usize::from(one.answer);
    let other = one.probabilities.iter().enumerate().filter(|(class, _)| *class != at).map(|(_, probability)| *probability);
    one.probabilities[at] - other.fold(0.0, f32::max)
}
