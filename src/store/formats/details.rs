//! What a tool has no place for at a span itself, in a field beside the text that it carries along as metadata: polarity,
//! attributes and, where it has none, links. Spans are named by their offsets and label, which the tool leaves as they are.

use super::loss::Losses;
use super::raw::{Place, RawDoc, RawLink};
use crate::project::Polarity;
use crate::store::import::DraftValue;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The field's name.
pub(in crate::store) const DETAILS: &str = "span_details";

/// All spans of a text, in the order of the file, with what is said of them.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::store) struct Details {
    pub spans: Vec<Detail>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Joined>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::store) struct Detail {
    pub start: usize,
    pub end: usize,
    pub label: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polarity: Option<Polarity>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, DraftValue>,
}

/// A link by the places of its spans in the list.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::store) struct Joined {
    pub from: usize,
    pub to: usize,
    #[serde(rename = "type")]
    pub name: String,
}

impl Details {
    /// From the field's value, an object or its words; `None` where somebody else called a field so.
    pub(super) fn parse(value: &Value) -> Option<Self> {
        match value {
            Value::String(words) => serde_json::from_str(words).ok(),
            Value::Object(_) => serde_json::from_value(value.clone()).ok(),
            _ => None,
        }
    }

    /// Says it of the spans of a document. The tool may have moved or removed some meanwhile.
    pub(super) fn say_of(self, doc: &mut RawDoc, losses: &mut Losses) {
        let mut taken = vec![false; doc.spans.len()];
        let mut keys = Vec::new();
        for Detail { start, end, label, polarity, attributes } in self.spans {
            let mut all = doc.spans.iter_mut().enumerate();
            let found = all.find(|(at, span)| !taken[*at] && span.place == Place::Offsets(start, end) && span.label == label);
            keys.push(found.map(|(at, span)| {
                taken[at] = true;
                span.polarity = span.polarity.or(polarity);
                span.attributes.extend(attributes.clone());
                span.key.clone()
            }));
            if keys.last().is_some_and(Option::is_none) && (polarity.is_some() || !attributes.is_empty()) {
                losses.note("what is said of a span that is no longer in its text was left out", doc.row, label);
            }
        }
        for Joined { from, to, name } in self.links {
            match (keys.get(from).cloned().flatten(), keys.get(to).cloned().flatten()) {
                (Some(from), Some(to)) => doc.links.push(RawLink::new(from, to).named(Some(&name))),
                _ => losses.note("a link of a span that is no longer in its text was left out", doc.row, name),
            }
        }
    }
}
