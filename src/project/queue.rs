//! The list of documents a person works through: which ones, in which order.

use super::{Annotation, DocId, Document, Project, QuestionId, State};

/// Which documents are shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Substring, without regard to case.
    pub search: String,
    pub state: Option<State>,
    /// Only flagged ones.
    pub flagged: bool,
    /// Only those answered with this class; `Some((question, None))` means not answered.
    pub class: Option<(QuestionId, Option<u16>)>,
    /// Only those with a span of this label.
    pub span_label: Option<u16>,
    /// Exactly these, when the queue was opened from a chart or a table.
    pub only: Option<std::sync::Arc<[DocId]>>,
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    Arrival,
    /// Shuffled by the seed.
    Random(u64),
    Shortest,
    Longest,
}

/// Ids of the documents shown, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queue {
    ids: Vec<DocId>,
}

impl Filter {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn keeps(&self, doc: &Document, needle: &str) -> bool {
        let Annotation { state, flagged, spans, .. } = &doc.annotation;
        self.state.as_ref().is_none_or(|wanted| wanted == state)
            && (!self.flagged || *flagged)
            && self.class.is_none_or(|(question, class)| doc.annotation.class(question) == class)
            && self.span_label.is_none_or(|label| spans.values().any(|span| span.label == label))
            && (needle.is_empty() || contains_ignoring_case(&doc.text, needle))
    }
}

fn contains_ignoring_case(text: &str, lower_needle: &str) -> bool {
    text.contains(lower_needle) || text.to_lowercase().contains(lower_needle)
}

impl Queue {
    pub fn of(project: &Project, filter: &Filter, order: Order) -> Self {
        let needle = filter.search.to_lowercase();
        let mut ids: Vec<DocId> = match &filter.only {
            Some(only) => only.iter().copied().filter(|id| project.document(*id).is_some_and(|doc| filter.keeps(doc, &needle))).collect(),
            None => project.documents().filter(|doc| filter.keeps(doc, &needle)).map(|doc| doc.id).collect(),
        };
        let length = |id: &DocId| project.document(*id).map_or(0, |doc| doc.text.len());
        match order {
            Order::Arrival => {}
            Order::Random(seed) => ids.sort_by_cached_key(|id| super::split::mix(seed ^ super::split::mix(u64::from(id.0)))),
            Order::Shortest => ids.sort_by_key(length),
            Order::Longest => ids.sort_by_key(|id| std::cmp::Reverse(length(id))),
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
