//! A label becomes two: what some documents have of it goes to a new label beside it.

use super::{Plan, SchemaError};
use crate::project::{Answer, DocId, Document, Edit, LabelId, Schema, Span};
use std::collections::BTreeSet;

/// What a split does to what was said. All of it comes after the schema, which must have the new label first.
pub(super) struct SplitFate {
    label: LabelId,
    /// Place of the new label.
    to: u16,
    docs: BTreeSet<DocId>,
}

impl Schema {
    /// Adds the new label, last in its list, with polarity, attributes and help of the old one.
    pub(super) fn split_label(&mut self, label: LabelId, name: &str, docs: &BTreeSet<DocId>) -> Result<SplitFate, SchemaError> {
        let (to, at) = self.list_of(label)?;
        let new = match label {
            LabelId::Class(question, _) => {
                self.add_class(question, name)?;
                LabelId::Class(question, to as u16)
            }
            LabelId::Span(_) => {
                self.add_span_label(name)?;
                self.span_labels[to].polarity = self.span_labels[at].polarity;
                LabelId::Span(to as u16)
            }
        };
        let held = self.note_mut(label);
        let (help, attributes) = (held.help.clone(), held.attributes.clone());
        let note = self.note_mut(new);
        (note.help, note.attributes) = (help, attributes);
        self.forget_empty_notes();
        Ok(SplitFate { label, to: to as u16, docs: docs.clone() })
    }
}

impl Plan {
    pub(super) fn take_split(&mut self, doc: &Document, fate: &SplitFate, later: &mut Vec<Edit>) {
        if !fate.docs.contains(&doc.id) {
            return;
        }
        match fate.label {
            LabelId::Class(question, class) => {
                let to = match doc.annotation.answers.get(&question) {
                    Some(Answer::Class(held)) if *held == class => Answer::Class(fate.to),
                    Some(Answer::Classes(held)) if held.contains(&class) => {
                        let others = held.iter().copied().filter(|held| *held != class);
                        Answer::Classes(others.chain([fate.to]).collect())
                    }
                    _ => return,
                };
                self.answers += 1;
                later.push(Edit::SetAnswer { doc: doc.id, question, to: Some(to) });
            }
            LabelId::Span(label) => {
                for (id, span) in doc.annotation.spans.iter().filter(|(_, span)| span.label == label) {
                    self.spans += 1;
                    // The new label asks for what the old one does, so all that was said stays.
                    let attributes = doc.annotation.attributes_of(*id).clone();
                    let (doc, id, span) = (doc.id, *id, Span { label: fate.to, ..*span });
                    later.push(match attributes.is_empty() {
                        true => Edit::PutSpan { doc, id, span },
                        false => Edit::PutSpanWith { doc, id, span, attributes },
                    });
                }
            }
        }
    }
}
