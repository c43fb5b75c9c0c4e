//! How often what was said, kept up to date by every edit: nobody counts a million documents to draw a frame.

use super::{Annotation, AnnotatorId, Answer, Document, Layer, QuestionId, State};
use std::collections::BTreeMap;

/// Counts over the documents that are present and have something said about them in a layer; in the outcome all have.
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
    /// Documents with this class.
    pub fn class(&self, question: QuestionId, class: u16) -> usize {
        self.classes.get(&(question, class)).copied().unwrap_or(0)
    }

    /// Spans with this label.
    pub fn spans(&self, label: u16) -> usize {
        self.spans.get(&label).copied().unwrap_or(0)
    }

    fn count(&mut self, said: &Annotation, step: impl Fn(&mut usize)) {
        step(&mut self.documents);
        match said.state {
            State::Todo => {}
            State::Done => step(&mut self.done),
            State::Skipped => step(&mut self.skipped),
        }
        if said.flagged {
            step(&mut self.flagged);
        }
        for (question, answer) in &said.answers {
            let mut given = |class: u16| step(self.classes.entry((*question, class)).or_default());
            match answer {
                Answer::Class(class) => given(*class),
                Answer::Classes(classes) => classes.iter().copied().for_each(given),
                Answer::Number(_) | Answer::Text(_) => {}
            }
        }
        for span in said.spans.values() {
            step(self.spans.entry(span.label).or_default());
        }
    }

    fn forget_zeros(&mut self) {
        self.classes.retain(|_, count| *count > 0);
        self.spans.retain(|_, count| *count > 0);
    }
}

/// The tally of every layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tallies {
    outcome: Tally,
    own: BTreeMap<AnnotatorId, Tally>,
}

impl Tallies {
    pub fn of_layer(&self, layer: Layer) -> &Tally {
        static NOTHING: Tally = Tally { documents: 0, done: 0, skipped: 0, flagged: 0, classes: BTreeMap::new(), spans: BTreeMap::new() };
        match layer {
            Layer::Outcome => &self.outcome,
            Layer::Own(annotator) => self.own.get(&annotator).unwrap_or(&NOTHING),
        }
    }

    /// Whoever said something about a document that is present.
    pub fn annotators(&self) -> impl Iterator<Item = &AnnotatorId> {
        self.own.keys()
    }

    pub fn add(&mut self, doc: &Document) {
        self.count(doc, |count| *count += 1);
    }

    pub fn remove(&mut self, doc: &Document) {
        self.count(doc, |count| *count -= 1);
        self.outcome.forget_zeros();
        if !doc.layers.is_empty() {
            self.own.retain(|_, tally| tally.documents > 0);
            self.own.values_mut().for_each(Tally::forget_zeros);
        }
    }

    fn count(&mut self, doc: &Document, step: impl Fn(&mut usize) + Copy) {
        if !doc.present {
            return;
        }
        self.outcome.count(&doc.annotation, step);
        for (annotator, said) in &doc.layers {
            self.own.entry(*annotator).or_default().count(said, step);
        }
    }
}
