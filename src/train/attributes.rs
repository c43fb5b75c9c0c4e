//! Attributes of spans whose values have names, such as categories: what a project teaches of them, their loss, and how well
//! they were answered. Numbers are not learnt.

use super::losses::{loss_of, share_of, sum};
use super::metrics::{Counts, class_scores};
use super::task::Targets;
use super::{Example, HeldOut, LabelScore, TrainError};
use crate::nn::{SpanAttribute, Tensor, value_places};
use crate::project::{AttributeKind, AttributeValue, Attributes, Schema, Split};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Attribute and value of a span, by their places.
pub type SpanValue = (u16, u16);

/// How well an attribute of a label was answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AttributeScores {
    /// Name of the span label.
    pub label: String,
    pub name: String,
    /// Marked spans that have a value.
    pub examples: usize,
    /// Of those, the share whose value is right, wherever the model would have found the span.
    pub accuracy: f64,
    /// The same, as the mean F1 of the values that occur.
    pub macro_f1: f64,
    /// F1 of spans with their value, end to end.
    pub f1: Option<f64>,
    pub per_value: Vec<LabelScore>,
}

/// The attributes of all labels that are one of several names.
pub(super) fn asked(schema: &Schema) -> Vec<SpanAttribute> {
    let labels = 0..schema.span_labels.len() as u16;
    let of = |label: u16| {
        let named = schema.attributes(label).iter().filter(|asked| asked.values().len() > 1);
        named.map(move |asked| SpanAttribute { label, name: asked.name.clone(), values: asked.values().to_vec() })
    };
    labels.flat_map(of).collect()
}

/// What is said of a span, by places in `asked`.
pub(super) fn said(schema: &Schema, asked: &[SpanAttribute], label: u16, said: &Attributes) -> Vec<SpanValue> {
    let value = |(at, value): (u16, AttributeValue)| {
        let attribute = schema.attributes(label).get(usize::from(at))?;
        let (AttributeKind::Values(_), AttributeValue::Value(value)) = (&attribute.kind, value) else { return None };
        let place = asked.iter().position(|other| other.label == label && other.name == attribute.name)?;
        Some((place as u16, value))
    };
    said.iter().filter_map(value).collect()
}

/// Leaves out attributes that no training document says anything of.
pub(super) fn keep_taught(asked: Vec<SpanAttribute>, examples: &mut [Example]) -> Vec<SpanAttribute> {
    let training = examples.iter().filter(|example| example.split == Split::Train);
    let taught: BTreeSet<u16> = training.flat_map(|example| example.attributes.iter().flatten()).map(|(at, _)| *at).collect();
    let place = |at: u16| taught.iter().position(|other| *other == at).map(|at| at as u16);
    for example in examples {
        for said in &mut example.attributes {
            *said = said.iter().filter_map(|(at, value)| Some((place(*at)?, *value))).collect();
        }
    }
    asked.into_iter().zip(0u16..).filter(|(_, at)| taught.contains(at)).map(|(attribute, _)| attribute).collect()
}

/// The loss of all values that are known, as a share of the batch's; `targets` are those of each attribute, one row a span.
pub(super) fn attribute_loss(
    logits: Option<&Tensor>,
    targets: &[Targets],
    attributes: &[SpanAttribute],
    whole: f64,
) -> Result<Option<Tensor>, TrainError> {
    let Some(logits) = logits else { return Ok(None) };
    let mut parts = Vec::new();
    for (which, targets) in value_places(attributes).zip(targets).filter(|(_, targets)| targets.teach()) {
        let own = logits.narrow(1, which.start, which.len()).and_then(|own| own.contiguous()).map_err(TrainError::compute)?;
        parts.push(share_of(loss_of(Some(&own), targets)?, targets.weight() / whole.max(1.0))?);
    }
    sum(parts.into_iter().flatten())
}

/// Scores of each attribute; of one that no held-out span has a value of, none. `labels` are the names of the span labels.
pub fn attribute_scores(attributes: &[SpanAttribute], labels: &[String], held_out: &[HeldOut]) -> Vec<AttributeScores> {
    let score = |(attribute, at): (&SpanAttribute, u16)| {
        let pairs: Vec<(u16, u16)> = held_out.iter().flat_map(|doc| of_gold(doc, at)).collect();
        let values = class_scores(&attribute.values, &pairs)?;
        Some(AttributeScores {
            label: labels.get(usize::from(attribute.label)).cloned().unwrap_or_default(),
            name: attribute.name.clone(),
            examples: pairs.len(),
            accuracy: values.accuracy,
            macro_f1: values.macro_f1,
            f1: end_to_end(held_out, attribute.label, at).micro_f1(),
            per_value: values.per_class,
        })
    };
    attributes.iter().zip(0u16..).filter_map(score).collect()
}

fn value_of(said: &[SpanValue], attribute: u16) -> Option<u16> {
    said.iter().find(|(at, _)| *at == attribute).map(|(_, value)| *value)
}

/// `(gold, said)` of the marked spans that have a value and that the model read.
fn of_gold(doc: &HeldOut, attribute: u16) -> Vec<(u16, u16)> {
    let both = doc.opinions.gold_attributes.iter().zip(&doc.opinions.attributes_of_gold);
    both.filter_map(|(gold, said)| Some((value_of(gold, attribute)?, value_of(said, attribute)?))).collect()
}

/// A gold span whose value nobody said is neither to be found nor wrong to find.
fn end_to_end(held_out: &[HeldOut], label: u16, attribute: u16) -> Counts {
    let mut counts = Counts::default();
    for doc in held_out {
        let Some(gold_spans) = &doc.gold_spans else { continue };
        let gold = gold_spans.iter().zip(&doc.opinions.gold_attributes).filter(|(span, _)| span.2 == label);
        let gold: Vec<_> = gold.map(|(span, said)| (*span, value_of(said, attribute))).collect();
        let open = |span: &super::SpanKey| gold.iter().any(|(other, value)| other == span && value.is_none());
        let found = doc.spans.iter().zip(&doc.opinions.attributes).filter(|(span, _)| span.2 == label && !open(span));
        let found = found.filter_map(|(span, said)| Some((*span, value_of(said, attribute)?))).collect();
        counts.compare(&gold.iter().filter_map(|(span, value)| Some((*span, (*value)?))).collect(), &found);
    }
    counts
}
