//! Which marks look wrong: what a model is sure of and nobody marked so, in the manner of confident learning.
//!
//! A model is sure of a span where its probability reaches the mean of the spans of that label that people marked just so
//! (the threshold of Northcutt, Jiang and Chuang 2021, section 3.1, on spans). Of a document the surest such span counts: as
//! with the self-confidence of tokens (Wang and Mueller 2022, section 3), the worst place says how wrong the whole is.

use super::suspects::means;
use crate::project::{DocId, SpanSuspicion, TextRange};

/// A marked document and the spans a model finds in it.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedSpans {
    pub doc: DocId,
    /// Place and label, as marked.
    pub marked: Vec<(TextRange, u16)>,
    /// Place, label and probability, as a model says.
    pub found: Vec<(TextRange, u16, f32)>,
    /// Whether the model has learnt from these very marks, which makes it agree too easily.
    pub learnt: bool,
}

impl JudgedSpans {
    fn is_marked(&self, range: TextRange, label: u16) -> bool {
        self.marked.contains(&(range, label))
    }
}

/// The suspected documents with their places: those judged by a model that had not learnt from them first, then by how sure
/// the model is. `names`: of the labels.
pub fn span_suspects(judged: &[JudgedSpans], names: &[String]) -> Vec<(DocId, SpanSuspicion)> {
    let thresholds = [false, true].map(|learnt| thresholds(judged, learnt));
    let mut ranked: Vec<(f32, DocId, SpanSuspicion)> = Vec::new();
    for one in judged {
        let least = |label: u16| thresholds[usize::from(one.learnt)].get(usize::from(label)).copied().unwrap_or(f32::INFINITY);
        let sure = one.found.iter().filter(|(range, label, sure)| *sure >= least(*label) && !one.is_marked(*range, *label));
        let surest = sure.max_by(|a, b| a.2.total_cmp(&b.2));
        if let Some(((range, label, sure), name)) = surest.and_then(|found| Some((*found, names.get(usize::from(found.1))?))) {
            let (percent, name) = ((sure * 100.0).round() as u8, name.as_str().into());
            ranked.push((sure, one.doc, SpanSuspicion { place: 0, range, label, name, percent, learnt: one.learnt }));
        }
    }
    ranked.sort_by(|a, b| a.2.learnt.cmp(&b.2.learnt).then(b.0.total_cmp(&a.0)).then(a.1.cmp(&b.1)));
    (0u32..).zip(ranked).map(|(place, (_, doc, found))| (doc, SpanSuspicion { place, ..found })).collect()
}

/// The mean probability of the spans of each label that were marked just so; infinite where there are none.
fn thresholds(judged: &[JudgedSpans], learnt: bool) -> Vec<f32> {
    let labels = judged.iter().flat_map(|one| &one.found).map(|(_, label, _)| usize::from(*label) + 1).max().unwrap_or(0);
    let right = judged.iter().filter(|one| one.learnt == learnt).flat_map(|one| {
        let right = one.found.iter().filter(|(range, label, _)| one.is_marked(*range, *label));
        right.map(|(_, label, sure)| (usize::from(*label), *sure))
    });
    means(labels, right)
}
