//! Agreement on what is said of spans that several marked at the same place with the same label: polarity and attributes.

use super::graded::{self, interval};
use super::nominal::{self, Ratings};
use super::{Compared, Detail, DetailAgreement};
use crate::project::{Annotation, AnnotatorId, AttributeKind, AttributeValue, DocId, Polarity, Schema, Span, SpanId, TextRange};
use std::collections::BTreeMap;

/// Polarity of each label that bears one, and each attribute; those that no two said of one span are left out.
pub(super) fn details(schema: &Schema, compared: &[Compared<'_>], annotators: &[AnnotatorId]) -> Vec<DetailAgreement> {
    let mut found = Vec::new();
    for (label, at) in schema.span_labels.iter().zip(0u16..) {
        if label.polarity {
            let polarity = |_: &Annotation, _: SpanId, span: &Span| span.polarity.map(place_of);
            let units = units(schema, compared, annotators, at, polarity);
            found.extend(nominal_agreement(at, Detail::Polarity, &units));
        }
        for (attribute, place) in schema.attributes(at).iter().zip(0u16..) {
            let value = |said: &Annotation, id: SpanId| said.attributes_of(id).get(place);
            let what = Detail::Attribute(place);
            match attribute.kind {
                AttributeKind::Values(_) => {
                    let of = |said: &Annotation, id: SpanId, _: &Span| match value(said, id)? {
                        AttributeValue::Value(value) => Some(value),
                        AttributeValue::Number(_) => None,
                    };
                    found.extend(nominal_agreement(at, what, &units(schema, compared, annotators, at, of)));
                }
                AttributeKind::Number(_) => {
                    let of = |said: &Annotation, id: SpanId, _: &Span| match value(said, id)? {
                        AttributeValue::Number(number) => Some(number),
                        AttributeValue::Value(_) => None,
                    };
                    let units = units(schema, compared, annotators, at, of);
                    let numbers: Vec<_> = units.iter().map(|(_, said)| said.clone()).collect();
                    let values: Vec<Vec<Option<f64>>> =
                        numbers.iter().map(|said| said.iter().map(|number| number.map(|number| number.value())).collect()).collect();
                    let Some(plain) = common(at, what, &units) else { continue };
                    let alpha = graded::alpha(&numbers, |a, b| interval(a.value(), b.value()));
                    found.push(DetailAgreement { alpha, difference: graded::mean_difference(&values), ..plain });
                }
            }
        }
    }
    found
}

fn place_of(polarity: Polarity) -> u16 {
    match polarity {
        Polarity::Negative => 0,
        Polarity::Neutral => 1,
        Polarity::Positive => 2,
    }
}

/// What was said of one place, in order of the annotators.
type Unit<T> = (DocId, Vec<Option<T>>);

/// The marks of a label that two or more said something of. Of parts that are one mark the first counts that says it.
fn units<T>(
    schema: &Schema,
    compared: &[Compared<'_>],
    annotators: &[AnnotatorId],
    label: u16,
    of: impl Fn(&Annotation, SpanId, &Span) -> Option<T>,
) -> Vec<Unit<T>> {
    let mut units = Vec::new();
    for Compared { doc, said } in compared {
        let mut places: BTreeMap<Vec<TextRange>, Vec<Option<T>>> = BTreeMap::new();
        for (who, said) in said {
            let Some(at) = annotators.iter().position(|held| held == who) else { continue };
            for parts in said.wholes(schema) {
                let spans: Vec<(SpanId, &Span)> = parts.iter().filter_map(|id| Some((*id, said.spans.get(id)?))).collect();
                if spans.first().is_none_or(|(_, span)| span.label != label) {
                    continue;
                }
                let ranges = spans.iter().map(|(_, span)| span.range).collect();
                let place = places.entry(ranges).or_insert_with(|| annotators.iter().map(|_| None).collect());
                place[at] = spans.iter().filter(|(_, span)| span.label == label).find_map(|(id, span)| of(said, *id, span));
            }
        }
        units.extend(places.into_values().filter(|said| said.iter().flatten().count() > 1).map(|said| (doc.id, said)));
    }
    units
}

fn nominal_agreement(label: u16, what: Detail, units: &[Unit<u16>]) -> Option<DetailAgreement> {
    let ratings: Vec<Ratings> = units.iter().map(|(_, said)| said.clone()).collect();
    Some(DetailAgreement { alpha: nominal::krippendorff_alpha(&ratings), ..common(label, what, units)? })
}

/// `None` when no two said something of one place.
fn common<T: PartialEq>(label: u16, what: Detail, units: &[Unit<T>]) -> Option<DetailAgreement> {
    let (mut equal, mut pairs) = (0, 0);
    let mut differing: Vec<DocId> = Vec::new();
    for (doc, said) in units {
        let given: Vec<&T> = said.iter().flatten().collect();
        for (at, one) in given.iter().enumerate() {
            equal += given[at + 1..].iter().filter(|other| *other == one).count();
            pairs += given.len() - at - 1;
        }
        if given.iter().any(|other| *other != given[0]) && differing.last() != Some(doc) {
            differing.push(*doc);
        }
    }
    (pairs > 0).then(|| DetailAgreement {
        label,
        what,
        spans: units.len(),
        raw: Some(equal as f64 / pairs as f64),
        alpha: None,
        difference: None,
        differing: differing.into(),
    })
}
