//! Changes of the attributes of a span label: new ones, names, values, kinds. What was said of spans follows its value,
//! or goes with it.

use super::{MOST, Plan, SchemaError};
use crate::project::{Attribute, AttributeKind, AttributeValue, Attributes, Document, Edit, LabelId, Schema, SpanId};
use std::collections::BTreeMap;

/// A wish about the attributes of one span label. Attributes and values are named by their places.
#[derive(Clone, Debug, PartialEq)]
pub enum AttributeChange {
    Add {
        name: String,
        kind: AttributeKind,
    },
    Rename {
        attribute: u16,
        to: String,
    },
    SetHelp {
        attribute: u16,
        to: String,
    },
    /// Another kind or range. What makes no sense under it is taken away.
    SetKind {
        attribute: u16,
        to: AttributeKind,
    },
    /// To another place among the attributes of the label.
    Move {
        attribute: u16,
        to: u16,
    },
    Delete {
        attribute: u16,
    },
    AddValue {
        attribute: u16,
        name: String,
    },
    RenameValue {
        attribute: u16,
        value: u16,
        to: String,
    },
    /// Everything said with the one becomes the other, which keeps its name.
    MergeValue {
        attribute: u16,
        value: u16,
        into: u16,
    },
    /// To another place among the values.
    MoveValue {
        attribute: u16,
        value: u16,
        to: u16,
    },
    DeleteValue {
        attribute: u16,
        value: u16,
    },
}

/// What becomes of the attributes of a label's spans.
pub(super) struct AttributeFate {
    label: u16,
    what: Fate,
}

enum Fate {
    Stay,
    /// New place of each attribute.
    Places(Vec<u16>),
    /// The attribute goes; those behind it move up.
    Delete(u16),
    /// New place of each value; the subject's are counted, where one goes.
    Values {
        attribute: u16,
        subject: Option<u16>,
        places: Vec<Option<u16>>,
    },
    Kind {
        from: Attribute,
        to: Attribute,
        attribute: u16,
    },
}

impl AttributeFate {
    /// Whether nothing that was said can change.
    pub fn is_nothing(&self) -> bool {
        matches!(self.what, Fate::Stay)
    }

    /// What was said, as it reads afterwards, and how much of it changes or goes.
    fn apply(&self, said: &Attributes) -> (Attributes, usize) {
        let mut touched = 0;
        let place = |(at, value): (u16, AttributeValue)| match &self.what {
            Fate::Stay => Some((at, value)),
            Fate::Places(places) => Some((*places.get(usize::from(at))?, value)),
            Fate::Delete(gone) => {
                touched += usize::from(at == *gone);
                (at != *gone).then_some((at - u16::from(at > *gone), value))
            }
            Fate::Values { attribute, subject, places } => match value {
                AttributeValue::Value(held) if at == *attribute => {
                    touched += usize::from(Some(held) == *subject);
                    Some((at, AttributeValue::Value(places.get(usize::from(held)).copied().flatten()?)))
                }
                other => Some((at, other)),
            },
            Fate::Kind { from, to, attribute } => {
                if at != *attribute {
                    return Some((at, value));
                }
                let kept = from.carried_to(value, to);
                touched += usize::from(kept.is_none());
                Some((at, kept?))
            }
        };
        (said.iter().filter_map(place).collect(), touched)
    }
}

impl Plan {
    /// The attributes of a document's spans afterwards: `self.edits` take away what changes, `later` puts it back.
    pub(super) fn take_attributes(&mut self, doc: &Document, fate: &AttributeFate, later: &mut Vec<Edit>) {
        if fate.is_nothing() {
            return;
        }
        let mut after: BTreeMap<SpanId, Attributes> = BTreeMap::new();
        for (id, held) in &doc.annotation.attributes {
            let of_label = doc.annotation.spans.get(id).is_some_and(|span| span.label == fate.label);
            let (to, touched) = if of_label { fate.apply(held) } else { (held.clone(), 0) };
            self.attributes += touched;
            after.insert(*id, to);
        }
        let spans = &doc.annotation.spans;
        for (id, attributes) in after {
            let Some(span) = spans.get(&id).copied().filter(|_| doc.annotation.attributes_of(id) != &attributes) else { continue };
            self.edits.push(Edit::PutSpanWith { doc: doc.id, id, span, attributes: Attributes::default() });
            if !attributes.is_empty() {
                later.push(Edit::PutSpanWith { doc: doc.id, id, span, attributes });
            }
        }
    }
}

impl Schema {
    fn attributes_mut(&mut self, label: u16) -> Result<&mut Vec<Attribute>, SchemaError> {
        self.list_of(LabelId::Span(label))?;
        Ok(&mut self.note_mut(LabelId::Span(label)).attributes)
    }

    fn attribute_mut(&mut self, label: u16, at: u16) -> Result<&mut Attribute, SchemaError> {
        self.attributes_mut(label)?.get_mut(usize::from(at)).ok_or(SchemaError::NoSuchAttribute)
    }

    fn values_mut(&mut self, label: u16, at: u16) -> Result<&mut Vec<String>, SchemaError> {
        match &mut self.attribute_mut(label, at)?.kind {
            AttributeKind::Values(values) => Ok(values),
            AttributeKind::Number(_) => Err(SchemaError::NoSuchAttribute),
        }
    }

    /// Makes the change and says what becomes of what was said.
    pub(super) fn change_attributes(&mut self, label: u16, change: &AttributeChange) -> Result<AttributeFate, SchemaError> {
        use AttributeChange as C;
        let mut what = Fate::Stay;
        match change {
            C::Add { name, kind } => {
                let attributes = self.attributes_mut(label)?;
                let name = free(name, attributes.iter().map(|held| held.name.as_str()), None)?;
                attributes.push(Attribute { name, kind: kind.clone(), help: String::new() });
            }
            C::Rename { attribute, to } => {
                let attributes = self.attributes_mut(label)?;
                let name = free(to, attributes.iter().map(|held| held.name.as_str()), Some(*attribute))?;
                self.attribute_mut(label, *attribute)?.name = name;
            }
            C::SetHelp { attribute, to } => self.attribute_mut(label, *attribute)?.help = to.trim().to_owned(),
            C::SetKind { attribute, to } => {
                let held = self.attribute_mut(label, *attribute)?;
                let from = held.clone();
                held.kind = to.clone();
                what = Fate::Kind { from, to: held.clone(), attribute: *attribute };
            }
            C::Move { attribute, to } => {
                self.attribute_mut(label, *attribute)?;
                what = Fate::Places(move_to(self.attributes_mut(label)?, *attribute, *to));
            }
            C::Delete { attribute } => {
                self.attribute_mut(label, *attribute)?;
                self.attributes_mut(label)?.remove(usize::from(*attribute));
                what = Fate::Delete(*attribute);
            }
            C::AddValue { attribute, name } => {
                let values = self.values_mut(label, *attribute)?;
                let name = free(name, values.iter().map(String::as_str), None)?;
                values.push(name);
            }
            C::RenameValue { attribute, value, to } => {
                let values = self.values_mut(label, *attribute)?;
                let name = free(to, values.iter().map(String::as_str), Some(*value))?;
                *values.get_mut(usize::from(*value)).ok_or(SchemaError::NoSuchAttribute)? = name;
            }
            C::MergeValue { attribute, value, into } => {
                if value == into {
                    return Err(SchemaError::IntoItself);
                }
                what = self.without_value(label, *attribute, *value, Some(*into))?;
            }
            C::MoveValue { attribute, value, to } => {
                let values = self.values_mut(label, *attribute)?;
                if usize::from(*value) >= values.len() {
                    return Err(SchemaError::NoSuchAttribute);
                }
                let places = move_to(values, *value, *to).into_iter().map(Some).collect();
                what = Fate::Values { attribute: *attribute, subject: None, places };
            }
            C::DeleteValue { attribute, value } => what = self.without_value(label, *attribute, *value, None)?,
        }
        self.forget_empty_notes();
        Ok(AttributeFate { label, what })
    }

    fn without_value(&mut self, label: u16, attribute: u16, subject: u16, into: Option<u16>) -> Result<Fate, SchemaError> {
        let values = self.values_mut(label, attribute)?;
        let count = values.len() as u16;
        if subject >= count || into.is_some_and(|into| into >= count) {
            return Err(SchemaError::NoSuchAttribute);
        }
        values.remove(usize::from(subject));
        let after = |at: u16| at - u16::from(at > subject);
        let places = (0..count).map(|at| if at == subject { into.map(after) } else { Some(after(at)) }).collect();
        Ok(Fate::Values { attribute, subject: Some(subject), places })
    }
}

/// Moves what is at one place of a list to another, the last at most; answers with the new place of each.
pub(super) fn move_to<T>(list: &mut Vec<T>, from: u16, to: u16) -> Vec<u16> {
    let mut order: Vec<usize> = (0..list.len()).collect();
    let to = usize::from(to).min(list.len().saturating_sub(1));
    let moved = order.remove(usize::from(from));
    order.insert(to, moved);
    let held = list.remove(usize::from(from));
    list.insert(to, held);
    let mut places = vec![0; order.len()];
    for (now, before) in (0..).zip(order) {
        places[before] = now;
    }
    places
}

/// A name without spaces around it that no other of the list has.
pub(super) fn free<'a>(name: &str, held: impl Iterator<Item = &'a str>, own: Option<u16>) -> Result<String, SchemaError> {
    let name = name.trim();
    if name.is_empty() {
        return Err(SchemaError::Nameless);
    }
    let mut count = 0;
    for (at, other) in held.enumerate() {
        count += 1;
        if Some(at) != own.map(usize::from) && other == name {
            return Err(SchemaError::Taken(name.to_owned()));
        }
    }
    if own.is_none() && count >= MOST { Err(SchemaError::TooMany) } else { Ok(name.to_owned()) }
}
