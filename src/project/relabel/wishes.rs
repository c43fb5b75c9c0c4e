//! Suggested words and saved views: they stand in the schema, so one undo takes back what happens to them, and they
//! follow the labels they name.

use super::{Fate, Reshaped, SchemaError};
use crate::project::{LabelId, MOST_WORDS, Schema, View, WordRule};
use std::collections::BTreeSet;

impl Schema {
    pub(super) fn add_words(&mut self, words: &[WordRule]) -> Result<(), SchemaError> {
        let mut known: BTreeSet<(String, u16)> = self.words.iter().map(|rule| (rule.pattern.clone(), rule.label)).collect();
        for rule in words {
            let pattern = rule.pattern.trim().to_owned();
            if usize::from(rule.label) >= self.span_labels.len() {
                return Err(SchemaError::NoSuchLabel);
            }
            if let Some(reason) = rule.problem() {
                return Err(SchemaError::BadPattern { pattern, reason });
            }
            if pattern.is_empty() || !known.insert((pattern.clone(), rule.label)) {
                continue;
            }
            if self.words.len() >= MOST_WORDS {
                return Err(SchemaError::TooMany);
            }
            self.words.push(WordRule { pattern, label: rule.label });
        }
        Ok(())
    }

    pub(super) fn remove_words(&mut self, places: &BTreeSet<usize>) {
        let mut at = 0;
        self.words.retain(|_| {
            at += 1;
            !places.contains(&(at - 1))
        });
    }

    pub(super) fn save_view(&mut self, view: &View) -> Result<(), SchemaError> {
        let mut view = View { name: view.name.trim().to_owned(), ..view.clone() };
        view.filter.only = None;
        if view.name.is_empty() {
            return Err(SchemaError::NoViewName);
        }
        match self.views.iter_mut().find(|held| held.name == view.name) {
            Some(held) => *held = view,
            None => self.views.push(view),
        }
        Ok(())
    }

    /// Words and views go where their labels go; words of a label that was deleted go with it.
    pub(super) fn follow_labels(&mut self, fate: &Fate) {
        let place = |label: LabelId| match (label, fate.list) {
            (LabelId::Span(at), LabelId::Span(_)) => fate.place(at),
            (LabelId::Class(question, at), LabelId::Class(changed, _)) if question == changed => fate.place(at),
            (LabelId::Span(at) | LabelId::Class(_, at), _) => Some(at),
        };
        self.words = std::mem::take(&mut self.words)
            .into_iter()
            .filter_map(|rule| Some(WordRule { label: place(LabelId::Span(rule.label))?, ..rule }))
            .collect();
        self.views.iter_mut().for_each(|view| view.filter.follow(Some, place));
        for held in &mut self.link_types {
            let end = |label: Option<u16>| label.and_then(|label| place(LabelId::Span(label)));
            (held.from, held.to) = (end(held.from), end(held.to));
        }
        self.forget_usual_link_type();
    }

    pub(super) fn follow_questions(&mut self, reshaped: &Reshaped) {
        let has =
            |schema: &Self, question, class: u16| schema.question(question).is_some_and(|asked| usize::from(class) < asked.classes.len());
        let mut views = std::mem::take(&mut self.views);
        for view in &mut views {
            let label = |label: LabelId| match label {
                LabelId::Span(at) => Some(at),
                LabelId::Class(question, at) => Some(at).filter(|at| reshaped.place(question).is_some_and(|to| has(self, to, *at))),
            };
            view.filter.follow(|question| reshaped.place(question), label);
        }
        self.views = views;
    }
}
