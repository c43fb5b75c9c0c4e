//! Attributes and types of links of a colleague's schema in ours: found by name, or added.

use super::{MergeError, MergeReport, place, room};
use crate::project::schema::Note;
use crate::project::{Attribute, AttributeKind, AttributeValue, Attributes, LinkType, Schema};

/// Where their attributes of one label stand in ours: the place of each, and those of its values.
pub(super) struct Joined(Vec<(u16, Vec<u16>)>);

impl Joined {
    /// What they said, in the places of our schema.
    pub fn translated(&self, said: &Attributes) -> Attributes {
        let place = |(at, value): (u16, AttributeValue)| {
            let (to, values) = self.0.get(usize::from(at))?;
            let value = match value {
                AttributeValue::Value(value) => AttributeValue::Value(*values.get(usize::from(value))?),
                number => number,
            };
            Some((*to, value))
        };
        said.iter().filter_map(place).collect()
    }
}

/// Their attributes of a label in ours, which gets those it lacks.
pub(super) fn attributes(schema: &mut Schema, label: u16, theirs: &[Attribute], report: &mut MergeReport) -> Result<Joined, MergeError> {
    if theirs.is_empty() {
        return Ok(Joined(Vec::new()));
    }
    if schema.label_notes.len() <= usize::from(label) {
        schema.label_notes.resize(usize::from(label) + 1, Note::default());
    }
    let ours = &mut schema.label_notes[usize::from(label)].attributes;
    let one = |asked: &Attribute| attribute(ours, asked, report);
    Ok(Joined(theirs.iter().map(one).collect::<Result<_, _>>()?))
}

fn attribute(ours: &mut Vec<Attribute>, asked: &Attribute, report: &mut MergeReport) -> Result<(u16, Vec<u16>), MergeError> {
    let mut name = asked.name.clone();
    loop {
        let Some(at) = place(ours.iter().map(|held| held.name.as_str()), &name) else {
            report.new_labels.push(name.clone());
            ours.push(Attribute { name, ..asked.clone() });
            return Ok((room(ours.len() - 1)?, (0..asked.values().len() as u16).collect()));
        };
        match (&mut ours[usize::from(at)].kind, &asked.kind) {
            (AttributeKind::Values(held), AttributeKind::Values(values)) => {
                let mut places = Vec::new();
                for value in values {
                    let known = place(held.iter().map(String::as_str), value);
                    if known.is_none() {
                        held.push(value.clone());
                        report.new_labels.push(value.clone());
                    }
                    places.push(known.map_or_else(|| room(held.len() - 1), Ok)?);
                }
                return Ok((at, places));
            }
            (AttributeKind::Number(held), AttributeKind::Number(theirs)) => {
                // What was in range there must be in range here.
                (held.min, held.max) = (held.min.min(theirs.min), held.max.max(theirs.max));
                return Ok((at, Vec::new()));
            }
            _ => name.push_str(" (2)"),
        }
    }
}

/// Their types of links in ours, which gets those it lacks. `spans` are the places of their span labels. A type that both
/// had before types had names is the same.
pub(super) fn link_types(schema: &mut Schema, theirs: &Schema, spans: &[u16], report: &mut MergeReport) -> Result<Vec<u16>, MergeError> {
    let mut places = Vec::new();
    let is_usual = theirs.link_types.is_empty();
    for held in theirs.link_types() {
        let known = place(schema.link_types().iter().map(|ours| ours.name.as_str()), &held.name);
        let known = known.or(is_usual.then_some(0));
        if let Some(at) = known {
            places.push(at);
            continue;
        }
        let end = |label: Option<u16>| label.and_then(|label| spans.get(usize::from(label)).copied());
        let fresh = LinkType { from: end(held.from), to: end(held.to), ..held.clone() };
        report.new_labels.push(fresh.name.clone());
        let types = schema.link_types_mut();
        types.push(fresh);
        places.push(room(types.len() - 1)?);
    }
    Ok(places)
}
