//! The list of documents a person works through: which ones, in which order.

use super::filter::Needle;
use super::{DocId, Filter, Project, State};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    #[default]
    Arrival,
    /// Shuffled by the seed.
    Random(u64),
    Shortest,
    Longest,
    /// Those first of whose class a model is least certain (Lewis and Gale 1994); those it has not looked at come last.
    LeastCertain,
}

/// What a model finds likeliest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guess {
    /// Place in the main question.
    pub class: u16,
    pub probability: f32,
}

/// Guesses by document; those of documents that no model has looked at are missing.
pub type Guesses = BTreeMap<DocId, Guess>;

/// A filter and an order with a name, kept with the project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    pub name: String,
    pub filter: Filter,
    pub order: Order,
}

/// Ids of the documents shown, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queue {
    ids: Vec<DocId>,
}

/// Values of a column, the most frequent first, with their counts.
pub type ColumnValues = Vec<(String, usize)>;

/// The imported columns of a project with their most frequent values.
pub fn columns_of(project: &Project, most: usize) -> BTreeMap<String, ColumnValues> {
    let mut counts: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for (column, value) in project.documents().flat_map(|doc| &doc.meta) {
        *counts.entry(column).or_default().entry(value).or_default() += 1;
    }
    let ranked = |values: BTreeMap<&str, usize>| {
        let mut values: ColumnValues = values.into_iter().map(|(value, count)| (value.to_owned(), count)).collect();
        values.sort_by_key(|(_, count)| std::cmp::Reverse(*count)); // stable: equally frequent ones stay in order
        values.truncate(most);
        values
    };
    counts.into_iter().map(|(column, values)| (column.to_owned(), ranked(values))).collect()
}

impl Queue {
    /// A queue that asks no model.
    pub fn of(project: &Project, filter: &Filter, order: Order) -> Self {
        Self::with_guesses(project, filter, order, &Guesses::new())
    }

    /// [`Queue::of`] with what a model said so far.
    pub fn with_guesses(project: &Project, filter: &Filter, order: Order, guesses: &Guesses) -> Self {
        let needle = Needle::of(&filter.search);
        let main = project.schema().main_question().map(|(id, _)| id);
        let keeps = |id: DocId| project.document(id).is_some_and(|doc| filter.keeps(doc, &needle, guesses, main));
        let mut ids: Vec<DocId> = match &filter.only {
            Some(only) => only.iter().copied().filter(|id| keeps(*id)).collect(),
            None => project.documents().filter(|doc| filter.keeps(doc, &needle, guesses, main)).map(|doc| doc.id).collect(),
        };
        let length = |id: &DocId| project.document(*id).map_or(0, |doc| doc.text.len());
        match order {
            Order::Arrival => {}
            Order::Random(seed) => ids.sort_by_cached_key(|id| super::split::mix(seed ^ super::split::mix(u64::from(id.0)))),
            Order::Shortest => ids.sort_by_key(length),
            Order::Longest => ids.sort_by_key(|id| std::cmp::Reverse(length(id))),
            Order::LeastCertain => {
                let certainty = |id: &DocId| guesses.get(id).map_or(f32::INFINITY, |guess| guess.probability);
                ids.sort_by(|a, b| certainty(a).total_cmp(&certainty(b)));
            }
        }
        Self { ids }
    }

    pub fn ids(&self) -> &[DocId] {
        &self.ids
    }

    pub fn len(&self) -> usize {
        self.ids.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    pub fn position(&self, id: DocId) -> Option<usize> {
        self.ids.iter().position(|other| *other == id)
    }

    /// The document `by` places after `from`, held at the ends; the first one if `from` is not in the queue.
    pub fn step(&self, from: Option<DocId>, by: isize) -> Option<DocId> {
        let last = self.ids.len().checked_sub(1)?;
        let at = from.and_then(|id| self.position(id)).map_or(0, |at| at.saturating_add_signed(by).min(last));
        self.ids.get(at).copied()
    }

    /// The next document after `from`, round the end, that is still to do.
    pub fn next_todo(&self, project: &Project, from: Option<DocId>) -> Option<DocId> {
        let start = from.and_then(|id| self.position(id)).map_or(0, |at| at + 1);
        let todo = |id: &&DocId| project.document(**id).is_some_and(|doc| doc.annotation.state == State::Todo);
        self.ids[start.min(self.ids.len())..].iter().chain(&self.ids[..start.min(self.ids.len())]).find(todo).copied()
    }
}
