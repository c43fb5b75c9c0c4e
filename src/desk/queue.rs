//! Moving through the documents.

use super::{Command, Desk, Notice};
use crate::project::{Advice, DocId, Filter, Guesses, Layer, Order, Queue, Sight};
use std::sync::Arc;

/// What a queue was made of.
pub(super) struct Key {
    revision: u64,
    filter: Filter,
    order: Order,
    layer: Layer,
    guesses: Option<Arc<Guesses>>,
    advice: Option<Arc<Advice>>,
}

impl Key {
    /// Whether the other one asks for the same list, maybe of an earlier project.
    fn asks_the_same_as(&self, other: &Self) -> bool {
        same(&self.guesses, &other.guesses)
            && same(&self.advice, &other.advice)
            && (self.order, self.layer) == (other.order, other.layer)
            && self.filter == other.filter
    }
}

/// Whether it is the very same one.
fn same<T>(held: &Option<Arc<T>>, new: &Option<Arc<T>>) -> bool {
    match (held, new) {
        (Some(held), Some(new)) => Arc::ptr_eq(held, new),
        (held, new) => held.is_none() && new.is_none(),
    }
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
                if self.filter.needs_advice() != filter.needs_advice() {
                    self.renew_advice();
                }
                self.filter = filter;
                self.search_texts();
                self.refresh_queue();
                if self.current.is_none_or(|doc| self.queue.position(doc).is_none()) {
                    self.current = self.queue.ids().first().copied();
                }
            }
            Command::SetOrder(order) => {
                self.order = order;
                self.renew_advice();
            }
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
        let next = self.project().and_then(|project| self.queue.next_todo_in(project, self.current, self.layer));
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
        self.follow_team();
        let Some(open) = &self.open else {
            self.queue = Queue::default();
            self.queue_key = None;
            return;
        };
        let guesses = self.needs_guesses().then(|| self.suggester.guesses().clone());
        let advice = self.needs_advice().contains(&true).then(|| self.adviser.advice().clone());
        let revision = open.project.revision();
        let key = Key { revision, filter: self.filter.clone(), order: self.order, layer: self.layer, guesses, advice };
        let same_list = self.queue_key.as_ref().filter(|held| held.asks_the_same_as(&key));
        if same_list.is_none_or(|held| held.revision != key.revision) {
            let sight = Sight::new(&open.project, self.layer, key.guesses.as_deref()).advised(key.advice.as_deref());
            let found = self.searcher.found(&self.filter.search);
            let changed = same_list.and_then(|held| open.project.changed_since(held.revision));
            if !changed.is_some_and(|changed| self.queue.update(&open.project, &self.filter, &sight, found, &changed)) {
                self.queue = Queue::seen(&open.project, &self.filter, self.order, &sight, found);
            }
            self.queue_key = Some(key);
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
