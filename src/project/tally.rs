//! How often what was said, kept up to date by every edit: nobody counts a million documents to draw a frame.

use super::{Answer, Document, QuestionId, State};
use std::collections::BTreeMap;

/// Counts over the documents that are present.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub documents: usize,
    pub done: usize,
    pub skipped: usize,
    pub flagged: usize,
    /// Documents by class; classes nobody gave are missing.
    classes: BTreeMap<(QuestionId, u16), usize>,
    /// Spans by label.
    spans: BTreeMap<u16, usize>,
}

impl Tally {
    /// Counts from the beginning.
    pub fn of<'a>(documents: impl IntoIterator<Item = &'a Document>) -> Self {
        let mut tally = Self::default();
        documents.into_iter().for_each(|doc| tally.add(doc));
        tally
    }

    /// Documents with this class.
    pub fn class(&self, question: QuestionId, class: u16) -> usize {
        self.classes.get(&(question, class)).copied().unwrap_or(0)
    }

    /// Spans with this label.
    pub fn spans(&self, label: u16) -> usize {
        self.spans.get(&label).copied().unwrap_or(0)
    }

    pub(super) fn add(&mut self, doc: &Document) {
        self.count(doc, |count| *count += 1);
    }

    pub(super) fn remove(&mut self, doc: &Document) {
        self.count(doc, |count| *count -= 1);
        self.classes.retain(|_, count| *count > 0);
        self.spans.retain(|_, count| *count > 0);
    }

    fn count(&mut self, doc: &Document, step: impl Fn(&mut usize)) {
        if !doc.present {
            return;
        }
        step(&mut self.documents);
        match doc.annotation.state {
            State::Todo => {}
            State::Done => step(&mut self.done),
            State::Skipped => step(&mut self.skipped),
        }
        if doc.annotation.flagged {
            step(&mut self.flagged);
        }
        for (question, Answer::Class(class)) in &doc.annotation.answers {
            step(self.classes.entry((*question, *class)).or_default());
        }
        for span in doc.annotation.spans.values() {
            step(self.spans.entry(span.label).or_default());
        }
    }
}
