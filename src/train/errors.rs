//! What kinds of mistakes were made in held-out documents, and where: so that a person reads the right ones first.

use super::metrics::SpanKey;
use super::{HeldOut, LinkAnswer, SpanValue};
use crate::project::Polarity;
use std::collections::{BTreeMap, BTreeSet};

/// A kind of mistake about spans and links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorKind {
    /// A marked span that nothing found touches.
    Missed,
    /// A found span that touches nothing marked.
    Invented,
    /// A found span that touches a marked one of its label, with other ends.
    Boundary,
    /// A found span that touches marked ones of other labels only.
    Label,
    /// The right span with the wrong polarity.
    Polarity,
    /// The right span with another value of one of its attributes.
    Attribute,
    /// Two spans, both found rightly, that were linked wrongly or not at all; an opinion said wrongly to be, or not to be,
    /// about no aspect that has words.
    Link,
}

impl ErrorKind {
    pub const ALL: [Self; 7] = [Self::Missed, Self::Invented, Self::Boundary, Self::Label, Self::Polarity, Self::Attribute, Self::Link];
}

/// The mistakes of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorGroup {
    pub kind: ErrorKind,
    pub count: usize,
    /// Ids of the documents they stand in, ascending.
    pub docs: Vec<u32>,
}

/// Groups all mistakes, one group a kind, in the order of [`ErrorKind::ALL`]. Documents whose spans nobody marked have none.
pub fn error_groups(held_out: &[HeldOut]) -> Vec<ErrorGroup> {
    let mut counts: BTreeMap<ErrorKind, (usize, BTreeSet<u32>)> = BTreeMap::new();
    for doc in held_out {
        let Some(gold) = &doc.gold_spans else { continue };
        let span_errors = span_errors(gold, &doc.spans).into_iter();
        for kind in span_errors.chain(polarity_errors(gold, doc)).chain(attribute_errors(gold, doc)).chain(link_errors(gold, doc)) {
            let (count, docs) = counts.entry(kind).or_default();
            *count += 1;
            docs.insert(doc.doc);
        }
    }
    let group = |kind: ErrorKind| {
        let (count, docs) = counts.remove(&kind).unwrap_or_default();
        ErrorGroup { kind, count, docs: docs.into_iter().collect() }
    };
    ErrorKind::ALL.map(group).into()
}

fn touch(a: &SpanKey, b: &SpanKey) -> bool {
    a.0 < b.1 && b.0 < a.1
}

fn span_errors(gold: &[SpanKey], found: &[SpanKey]) -> Vec<ErrorKind> {
    let missed = gold.iter().filter(|span| !found.iter().any(|other| touch(span, other))).map(|_| ErrorKind::Missed);
    let wrong = found.iter().filter(|span| !gold.contains(span)).map(|span| {
        let touched: Vec<&SpanKey> = gold.iter().filter(|other| touch(span, other)).collect();
        if touched.is_empty() {
            ErrorKind::Invented
        } else if touched.iter().any(|other| other.2 == span.2) {
            ErrorKind::Boundary
        } else {
            ErrorKind::Label
        }
    });
    missed.chain(wrong).collect()
}

/// One for each span found rightly whose polarity is known and was said wrongly.
fn polarity_errors(gold: &[SpanKey], doc: &HeldOut) -> Vec<ErrorKind> {
    let said: BTreeMap<SpanKey, Option<Polarity>> = doc.spans.iter().copied().zip(doc.opinions.polarities.iter().copied()).collect();
    let wrong = gold.iter().zip(&doc.opinions.gold_polarities).filter(|(span, known)| match (known, said.get(*span)) {
        (Some(known), Some(Some(said))) => known != said,
        _ => false,
    });
    wrong.map(|_| ErrorKind::Polarity).collect()
}

/// One for each value that is known of a span found rightly and was said otherwise.
fn attribute_errors(gold: &[SpanKey], doc: &HeldOut) -> Vec<ErrorKind> {
    let said: BTreeMap<SpanKey, &Vec<SpanValue>> = doc.spans.iter().copied().zip(&doc.opinions.attributes).collect();
    let found = gold.iter().zip(&doc.opinions.gold_attributes).filter_map(|(span, known)| Some((known, *said.get(span)?)));
    let wrong = found.flat_map(|(known, said)| known.iter().filter(|value| !said.contains(value)));
    wrong.map(|_| ErrorKind::Attribute).collect()
}

fn link_errors(gold: &[SpanKey], doc: &HeldOut) -> Vec<ErrorKind> {
    let Some(gold_links) = &doc.opinions.gold_links else { return Vec::new() };
    let pairs = |links: &[LinkAnswer], spans: &[SpanKey], other: &[SpanKey]| -> BTreeSet<(SpanKey, Option<SpanKey>)> {
        let ends = links.iter().filter_map(|link| link.ends(spans));
        ends.filter(|(from, to)| other.contains(from) && to.is_none_or(|to| other.contains(&to))).collect()
    };
    let known = pairs(gold_links, gold, &doc.spans);
    let said = pairs(&doc.opinions.links, &doc.spans, gold);
    known.symmetric_difference(&said).map(|_| ErrorKind::Link).collect()
}
