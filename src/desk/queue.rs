//! Moving through the documents.

use super::{Command, Desk, Notice};
use crate::project::{DocId, Filter, Guesses, Order, Queue};
use std::sync::Arc;

/// What a queue was made of.
pub(super) struct Key {
    revision: u64,
    filter: Filter,
    order: Order,
    guesses: Option<Arc<Guesses>>,
}

impl Desk {
    pub(super) fn navigate(&mut self, command: Command) {
        match command {
            Command::Open(doc) => {
                self.current = self.project().and_then(|project| project.document(doc)).map(|doc| doc.id).or(self.current)
            }
            Command::Step(by) => self.step(by),
            Command::NextTodo => self.next_todo(),
            Command::SetFilter(filter) => {
                self.filter = filter;
                self.refresh_queue();
                if self.current.is_none_or(|doc| self.queue.position(doc).is_none()) {
                    self.current = self.queue.ids().first().copied();
                }
            }
            Command::SetOrder(order) => self.order = order,
            _ => {}
        }
    }

    pub(super) fn step(&mut self, by: isize) {
        let Some(last) = self.queue.len().checked_sub(1) else { return };
        let held = self.current.and_then(|doc| self.queue.position(doc));
        // A document that its new answer took out of the filter leaves its place to the next one.
        let target = match held {
            Some(at) => at.saturating_add_signed(by),
            None => self.position.saturating_add_signed(if by > 0 { by - 1 } else { by }),
        };
        if target > last {
            self.notify(Notice::QueueEnd);
        }
        self.go_to(self.queue.ids()[target.min(last)]);
    }

    fn next_todo(&mut self) {
        let next = self.project().and_then(|project| self.queue.next_todo(project, self.current));
        match next {
            Some(doc) => self.go_to(doc),
            None => self.notify(Notice::AllDone),
        }
    }

    fn go_to(&mut self, doc: DocId) {
        self.current = Some(doc);
        self.position = self.queue.position(doc).unwrap_or(self.position);
    }

    /// Whether the list asks what a model says about every document.
    pub(super) fn needs_guesses(&self) -> bool {
        self.suggests() && (self.order == Order::LeastCertain || self.filter.needs_guesses())
    }

    /// Brings the queue up to date with project, filter and order.
    pub(super) fn refresh_queue(&mut self) {
        let Some(open) = &self.open else {
            self.queue = Queue::default();
            self.queue_key = None;
            return;
        };
        let guesses = self.needs_guesses().then(|| self.suggester.guesses().clone());
        let is_fresh = |key: &Key| {
            let same_guesses = match (&key.guesses, &guesses) {
                (Some(held), Some(new)) => Arc::ptr_eq(held, new),
                (held, new) => held.is_none() && new.is_none(),
            };
            same_guesses && (key.revision, key.order) == (open.project.revision(), self.order) && key.filter == self.filter
        };
        if !self.queue_key.as_ref().is_some_and(is_fresh) {
            let none = Guesses::new();
            let known = guesses.as_deref().unwrap_or(&none);
            self.queue = Queue::with_guesses(&open.project, &self.filter, self.order, known);
            self.queue_key = Some(Key { revision: open.project.revision(), filter: self.filter.clone(), order: self.order, guesses });
        }
        let gone = |doc: DocId| open.project.document(doc).is_none();
        if self.current.is_none_or(gone) {
            self.current = self.queue.ids().get(self.position.min(self.queue.len().saturating_sub(1))).copied();
        }
        if let Some(at) = self.current.and_then(|doc| self.queue.position(doc)) {
            self.position = at;
        }
    }
}
