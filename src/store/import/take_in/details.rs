//! Attributes of spans and types of links by name, which the schema gets where it lacks them.

use super::{Names, place};
use crate::project::{
    Annotation, Attribute, AttributeChange, AttributeKind, AttributeValue, Attributes, Edit, Link, LinkTypeChange, Number, Project, Scale,
    Schema, SchemaChange, SpanId,
};
use crate::store::formats::{PART_LINK, PLAIN_LINK};
use crate::store::import::{Draft, DraftValue, RowIssue};
use std::collections::BTreeMap;

impl Names {
    /// Where the type of links was never named and nothing is linked yet, links of another tool that all have a name give
    /// it theirs (of several, the most frequent): it is the type that trains.
    pub(super) fn first_link_type(&mut self, is_linked: bool, drafts: &[Draft]) {
        let is_plain = self.schema.link_types().len() == 1 && self.schema.link_types()[0].name == PLAIN_LINK;
        if !is_plain || is_linked {
            return;
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut first_row = BTreeMap::new();
        for draft in drafts {
            let Some(said) = draft.annotation.as_ref().filter(|said| said.foreign) else { continue };
            if said.link_types.len() < said.links.len() {
                return;
            }
            for name in said.link_types.values().filter(|name| *name != PART_LINK) {
                *counts.entry(name).or_default() += 1;
                first_row.entry(name.as_str()).or_insert(draft.row);
            }
        }
        let Some((name, row)) = counts.iter().rev().max_by_key(|(_, count)| **count).map(|(name, _)| (*name, first_row[name])) else {
            return;
        };
        self.change(&SchemaChange::LinkType(LinkTypeChange::Rename { at: 0, to: name.to_owned() }));
        let reason = format!("calls its links {name:?}; the first type of links is called so from now on");
        self.new.push(RowIssue { row, reason, skipped: false });
    }

    /// Adds what a row says of its spans beside their polarity, and of what type its links are.
    pub(super) fn details(
        &mut self,
        said: &mut Annotation,
        attributes: BTreeMap<u32, BTreeMap<String, DraftValue>>,
        link_types: BTreeMap<(u32, u32), String>,
        row: usize,
    ) {
        for (id, given) in attributes {
            let id = SpanId(id);
            let Some(span) = said.spans.get(&id) else { continue };
            let mut own = Attributes::default();
            for (name, value) in given {
                match self.attribute(span.label, &name, &value, row) {
                    Some((at, value)) => own = own.with(at, Some(value)),
                    None => {
                        let reason = format!("says {name:?} of a span in a way that it does not take; that was left out");
                        self.new.push(RowIssue { row, reason, skipped: false });
                    }
                }
            }
            if !own.is_empty() {
                said.attributes.insert(id, own);
            }
        }
        for ((from, to), name) in link_types {
            let link = Link { from: SpanId(from), to: SpanId(to) };
            let at = said.links.contains(&link).then(|| self.link_type(&name, row)).flatten();
            if let Some(at) = at.filter(|at| *at > 0) {
                said.link_types.insert(link, at);
            }
        }
    }

    /// Place and value of an attribute; `None` when the schema takes no such value.
    fn attribute(&mut self, label: u16, name: &str, value: &DraftValue, row: usize) -> Option<(u16, AttributeValue)> {
        let held = |schema: &Schema| place(schema.attributes(label).iter().map(|held| held.name.as_str()), name);
        if held(&self.schema).is_none() {
            let kind = match value {
                DraftValue::Name(_) => AttributeKind::Values(Vec::new()),
                DraftValue::Number(_) => AttributeKind::Number(Scale::default()),
            };
            if matches!(kind, AttributeKind::Number(_)) {
                self.growing.push((label, name.to_owned()));
            }
            self.change(&SchemaChange::Attribute { label, change: AttributeChange::Add { name: name.to_owned(), kind } });
            self.remark(row, "attribute", name);
        }
        let at = held(&self.schema)?;
        let asked = self.schema.attributes(label).get(usize::from(at))?.clone();
        let value = match (&asked.kind, value) {
            (AttributeKind::Values(values), value) => {
                let words = match value {
                    DraftValue::Name(words) => words.clone(),
                    DraftValue::Number(number) => number.to_string(),
                };
                let known = place(values.iter().map(String::as_str), &words);
                if known.is_none() {
                    let change = AttributeChange::AddValue { attribute: at, name: words.clone() };
                    self.change(&SchemaChange::Attribute { label, change });
                    self.remark(row, "value", &words);
                }
                AttributeValue::Value(known.unwrap_or(values.len() as u16))
            }
            (AttributeKind::Number(scale), DraftValue::Number(number)) => {
                self.widen_attribute(label, at, &asked, *scale, *number);
                AttributeValue::Number(*number)
            }
            (AttributeKind::Number(_), DraftValue::Name(words)) => AttributeValue::Number(Number::parse(words)?),
        };
        self.schema.attributes(label).get(usize::from(at)).is_some_and(|asked| asked.takes(value)).then_some((at, value))
    }

    /// Makes the range of an attribute that this import brought hold a number.
    fn widen_attribute(&mut self, label: u16, at: u16, asked: &Attribute, scale: Scale, number: Number) {
        if scale.contains(number) || !self.growing.contains(&(label, asked.name.clone())) {
            return;
        }
        let whole = |value: f64| Number::new(value).unwrap_or(number);
        let min = scale.min.min(whole(number.value().floor()));
        let max = scale.max.max(whole(number.value().ceil()));
        let to = AttributeKind::Number(Scale { min, max, ..scale });
        self.change(&SchemaChange::Attribute { label, change: AttributeChange::SetKind { attribute: at, to } });
    }

    fn link_type(&mut self, name: &str, row: usize) -> Option<u16> {
        let held = |schema: &Schema| place(schema.link_types().iter().map(|held| held.name.as_str()), name);
        if held(&self.schema).is_none() {
            self.change(&SchemaChange::LinkType(LinkTypeChange::Add { name: name.to_owned() }));
            if let Some(at) = held(&self.schema).filter(|_| name == PART_LINK) {
                self.change(&SchemaChange::LinkType(LinkTypeChange::SetParts { at, to: true }));
            }
            self.remark(row, "type of link", name);
        }
        held(&self.schema)
    }

    /// As if the change were made by hand, on a project without documents. One that can't be made changes nothing, and
    /// what needed it is left out.
    fn change(&mut self, change: &SchemaChange) {
        let planned = Project::new(self.schema.clone()).plan(change);
        if let Some(Edit::SetSchema { to }) = planned.ok().and_then(|mut plan| plan.edits.pop()) {
            self.schema = *to;
        }
    }
}
