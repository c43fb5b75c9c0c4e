//! Places that may be spans: runs of whole words, of characters in Chinese, up to a width; and the spans among them by
//! their scores. They may overlap, unlike what tags say.

use super::{DecodedSpan, Unit};
use crate::project::TextRange;
use std::ops::Range;

/// A run of units, and how many words are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub units: Range<usize>,
    pub width: usize,
}

/// All runs of up to `widest` words, in the order of their first units, the narrow ones first. `joined` says of each unit
/// whether it goes on with a word ([`super::word_joins`]).
pub fn candidates(joined: &[bool], widest: usize) -> Vec<Candidate> {
    let edges = word_edges(joined);
    let mut found = Vec::new();
    for start in 0..edges.len().saturating_sub(1) {
        for end in start + 1..edges.len().min(start + widest + 1) {
            found.push(Candidate { units: edges[start]..edges[end], width: end - start });
        }
    }
    found
}

/// How many words a run of units is, rounded up where it begins or ends inside one.
pub fn words_in(joined: &[bool], units: &Range<usize>) -> usize {
    let begins = joined.get(units.clone()).unwrap_or_default().iter().skip(1).filter(|joined| !**joined).count();
    if units.is_empty() { 0 } else { begins + 1 }
}

/// First units of words, and the number of units.
fn word_edges(joined: &[bool]) -> Vec<usize> {
    let starts = joined.iter().enumerate().filter(|(at, joined)| *at == 0 || !**joined).map(|(at, _)| at);
    starts.chain((!joined.is_empty()).then_some(joined.len())).collect()
}

/// The candidates with a probability of at least `threshold`, as spans in reading order. `shares[candidate * labels + label]`.
pub fn likely_spans(
    text: &str,
    units: &[Unit],
    candidates: &[Candidate],
    shares: &[f32],
    labels: usize,
    threshold: f32,
) -> Vec<DecodedSpan> {
    let mut spans = Vec::new();
    for (candidate, row) in candidates.iter().zip(shares.chunks_exact(labels.max(1))) {
        for (label, probability) in (0u16..).zip(row).filter(|(_, probability)| **probability >= threshold) {
            let (Some(first), Some(last)) = (units.get(candidate.units.start), units.get(candidate.units.end - 1)) else { continue };
            if let Some(range) = TextRange::new(text, first.range.start()..last.range.end()) {
                spans.push(DecodedSpan { range, label, probability: *probability });
            }
        }
    }
    spans.sort_by_key(|span| (span.range.start(), span.range.end(), span.label));
    spans
}

/// The spans judged one by one, with those that tags say where no judged span of their label lies: tags are learnt from few
/// marks, while what judges every place is then sure of none.
pub fn judged_or_tagged(mut judged: Vec<DecodedSpan>, tagged: Vec<DecodedSpan>) -> Vec<DecodedSpan> {
    let known = judged.len();
    for span in tagged {
        if !judged[..known].iter().any(|other| other.label == span.label && other.range.overlaps(span.range)) {
            judged.push(span);
        }
    }
    judged.sort_by_key(|span| (span.range.start(), span.range.end(), span.label));
    judged
}
