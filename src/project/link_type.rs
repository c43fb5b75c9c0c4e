//! The types of links: what it means that one span points at another. The first is the one that trains and that formats
//! without types hold; a schema that names none has only that one.

use super::{Annotation, Link, Schema, SpanId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// What a link can mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkType {
    pub name: String,
    /// Index of a theme hue, 0 to 7.
    pub hue: u8,
    /// The label of the spans it goes out from, and of those it points at; `None` for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u16>,
    /// Whether the spans it joins are parts of one thing, such as an opinion with other words between them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub parts: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
}

impl LinkType {
    pub fn new(name: impl Into<String>, hue: u8) -> Self {
        Self { name: name.into(), hue: hue % 8, from: None, to: None, parts: false, help: String::new() }
    }

    /// Whether it may join spans of these labels, in this direction.
    pub fn joins(&self, from: u16, to: u16) -> bool {
        self.from.is_none_or(|label| label == from) && self.to.is_none_or(|label| label == to)
    }
}

/// "This opinion is about that aspect": what every link meant before links had types.
static ABOUT: LazyLock<[LinkType; 1]> = LazyLock::new(|| [LinkType::new("about", 0)]);

impl Schema {
    /// The types of links; never empty.
    pub fn link_types(&self) -> &[LinkType] {
        if self.link_types.is_empty() { &*ABOUT } else { &self.link_types }
    }

    /// The first type that may join spans of these labels in this direction.
    pub fn link_type_for(&self, from: u16, to: u16) -> Option<u16> {
        self.link_types().iter().position(|held| held.joins(from, to)).map(|at| at as u16)
    }

    /// The types under way to being changed: written down from now on.
    pub(super) fn link_types_mut(&mut self) -> &mut Vec<LinkType> {
        if self.link_types.is_empty() {
            self.link_types = ABOUT.to_vec();
        }
        &mut self.link_types
    }

    /// What is not told from no types at all is not written down.
    pub(super) fn forget_usual_link_type(&mut self) {
        if self.link_types == *ABOUT {
            self.link_types.clear();
        }
    }
}

impl Annotation {
    /// The spans that are one thing with this one, itself among them, in reading order: those that links of parts lead to,
    /// in whichever direction. Links of the first type join no parts.
    pub fn whole(&self, schema: &Schema, span: SpanId) -> Vec<SpanId> {
        let joins = |link: &&super::Link| self.joins_parts(schema, link);
        let mut found = BTreeSet::from([span]);
        let mut next = vec![span];
        while let Some(at) = next.pop() {
            for link in self.links.iter().filter(joins).filter(|link| link.from == at || link.to == at) {
                let other = if link.from == at { link.to } else { link.from };
                if found.insert(other) {
                    next.push(other);
                }
            }
        }
        self.spans_in_order().into_iter().map(|(id, _)| id).filter(|id| found.contains(id)).collect()
    }

    /// All marks: each span by itself, but parts that are one thing together; each in reading order of its parts.
    pub fn wholes(&self, schema: &Schema) -> Vec<Vec<SpanId>> {
        let mut seen = BTreeSet::new();
        let mut wholes = Vec::new();
        // Only few documents have parts, and looking for them costs.
        let has_parts = schema.link_types().iter().any(|held| held.parts) && self.links.iter().any(|link| self.joins_parts(schema, link));
        for (id, _) in self.spans_in_order() {
            if !seen.insert(id) {
                continue;
            }
            let whole = if has_parts { self.whole(schema, id) } else { vec![id] };
            seen.extend(whole.iter().copied());
            wholes.push(whole);
        }
        wholes
    }

    /// Whether what a link joins is one thing.
    pub fn joins_parts(&self, schema: &Schema, link: &Link) -> bool {
        let link_type = self.link_type(link);
        link_type > 0 && schema.link_types().get(usize::from(link_type)).is_some_and(|held| held.parts)
    }
}
