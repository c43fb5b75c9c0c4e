//! What can be said about a span beside its polarity: attributes of its label, each one of several values or a number.
//! Values and rules only.

use super::{LabelId, Number, Scale, Schema};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Something to say about each span of a label, such as a category or an intensity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    pub name: String,
    pub kind: AttributeKind,
    /// For those who label; empty for nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
}

/// What an attribute wants to hear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttributeKind {
    /// One of these names.
    Values(Vec<String>),
    /// A number within a range.
    Number(Scale),
}

/// What an attribute of one span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttributeValue {
    /// Place of the name among the attribute's values.
    Value(u16),
    Number(Number),
}

/// All attributes of one span, by their place in its label's list.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(#[serde(with = "super::annotation::pairs")] BTreeMap<u16, AttributeValue>);

impl Attributes {
    pub fn get(&self, attribute: u16) -> Option<AttributeValue> {
        self.0.get(&attribute).copied()
    }

    /// The same with one attribute set, or taken away.
    #[must_use]
    pub fn with(mut self, attribute: u16, to: Option<AttributeValue>) -> Self {
        match to {
            Some(value) => self.0.insert(attribute, value),
            None => self.0.remove(&attribute),
        };
        self
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Attribute and value, in order of the label's list.
    pub fn iter(&self) -> impl Iterator<Item = (u16, AttributeValue)> {
        self.0.iter().map(|(attribute, value)| (*attribute, *value))
    }
}

impl FromIterator<(u16, AttributeValue)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (u16, AttributeValue)>>(all: I) -> Self {
        Self(all.into_iter().collect())
    }
}

impl Attribute {
    /// The names to choose from; none for a number.
    pub fn values(&self) -> &[String] {
        match &self.kind {
            AttributeKind::Values(values) => values,
            AttributeKind::Number(_) => &[],
        }
    }

    /// Whether a value is of this kind and among its names or within its range.
    pub fn takes(&self, value: AttributeValue) -> bool {
        match (&self.kind, value) {
            (AttributeKind::Values(values), AttributeValue::Value(at)) => usize::from(at) < values.len(),
            (AttributeKind::Number(scale), AttributeValue::Number(number)) => scale.contains(number),
            _ => false,
        }
    }

    /// A value as a person reads it.
    pub fn words(&self, value: AttributeValue) -> String {
        match value {
            AttributeValue::Value(at) => self.values().get(usize::from(at)).map_or("?", String::as_str).to_owned(),
            AttributeValue::Number(number) => number.to_string(),
        }
    }

    /// The value that these words name; `None` where they name none.
    pub fn value_of(&self, words: &str) -> Option<AttributeValue> {
        let value = match &self.kind {
            AttributeKind::Values(values) => AttributeValue::Value(values.iter().position(|name| name == words)? as u16),
            AttributeKind::Number(_) => AttributeValue::Number(Number::parse(words)?),
        };
        self.takes(value).then_some(value)
    }

    /// The same value under another attribute: by its words.
    pub(super) fn carried_to(&self, value: AttributeValue, to: &Self) -> Option<AttributeValue> {
        to.value_of(&self.words(value))
    }
}

impl Schema {
    /// What is asked about spans of a label beside their polarity.
    pub fn attributes(&self, label: u16) -> &[Attribute] {
        self.note(LabelId::Span(label)).map_or(&[], |note| &note.attributes)
    }

    /// Whether all of these can be said about a span of this label.
    pub fn takes_attributes(&self, label: u16, said: &Attributes) -> bool {
        let asked = self.attributes(label);
        said.iter().all(|(attribute, value)| asked.get(usize::from(attribute)).is_some_and(|asked| asked.takes(value)))
    }

    /// The attributes of a span, in words: "category: food, intensity: 0.5".
    pub fn attribute_words(&self, label: u16, said: &Attributes) -> Vec<(&str, String)> {
        let asked = self.attributes(label);
        said.iter().filter_map(|(at, value)| asked.get(usize::from(at)).map(|asked| (asked.name.as_str(), asked.words(value)))).collect()
    }
}

/// What was said of a span under the attributes of one label, as it reads under those of another: by the names of
/// attributes and values. What has no counterpart goes.
pub fn carried(said: &Attributes, from: &[Attribute], to: &[Attribute]) -> Attributes {
    let place = |(at, value): (u16, AttributeValue)| {
        let old = from.get(usize::from(at))?;
        let at = to.iter().position(|held| held.name == old.name)?;
        Some((at as u16, old.carried_to(value, &to[at])?))
    };
    said.iter().filter_map(place).collect()
}
