//! The list of documents a person works through: which ones, in which order.

use super::{Annotation, DocId, Document, Layer, Project, QuestionId, State};
use regex::{Regex, RegexBuilder};
use std::collections::BTreeMap;

/// Which documents are shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Substring, without regard to case; what stands after a `/` at the beginning is a pattern.
    pub search: String,
    pub state: Option<State>,
    /// Only flagged ones.
    pub flagged: bool,
    /// Only those answered with this class; `Some((question, None))` means not answered.
    pub class: Option<(QuestionId, Option<u16>)>,
    /// Only those with a span of this label.
    pub span_label: Option<u16>,
    /// Only those with these values in imported columns.
    pub columns: BTreeMap<String, String>,
    /// Only those that two annotators labelled differently.
    pub disputed: bool,
    /// Only those with a comment that is not resolved.
    pub commented: bool,
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

    /// Why the search is no pattern; `None` when it is one, or no pattern is meant.
    pub fn pattern_problem(search: &str) -> Option<String> {
        match Needle::of(search) {
            Needle::Broken(reason) => Some(reason),
            _ => None,
        }
    }

    /// What is the same in every layer.
    fn keeps_for_all(&self, doc: &Document) -> bool {
        (!self.disputed || doc.is_disputed()) && (!self.commented || doc.comments.values().any(|comment| !comment.resolved))
    }

    fn keeps(&self, doc: &Document, needle: &Needle) -> bool {
        let Annotation { state, flagged, spans, .. } = &doc.annotation;
        self.state.as_ref().is_none_or(|wanted| wanted == state)
            && (!self.flagged || *flagged)
            && self.class.is_none_or(|(question, class)| doc.annotation.class(question) == class)
            && self.span_label.is_none_or(|label| spans.values().any(|span| span.label == label))
            && self.columns.iter().all(|(column, value)| doc.meta.get(column) == Some(value))
            && needle.is_in(&doc.text)
    }
}

/// What is searched for.
enum Needle {
    Everything,
    /// In lower case.
    Words(String),
    Pattern(Regex),
    /// A pattern that can't be read, and why. Nothing matches it.
    Broken(String),
}

impl Needle {
    fn of(search: &str) -> Self {
        let Some(pattern) = search.strip_prefix('/') else {
            return if search.is_empty() { Self::Everything } else { Self::Words(search.to_lowercase()) };
        };
        if pattern.is_empty() {
            return Self::Everything;
        }
        // The limit keeps a pattern like a{9999}{9999} from eating the memory.
        match RegexBuilder::new(pattern).case_insensitive(true).size_limit(1 << 22).build() {
            Ok(pattern) => Self::Pattern(pattern),
            Err(regex::Error::CompiledTooBig(_)) => Self::Broken("the pattern is too large".to_owned()),
            Err(error) => {
                // The report draws the pattern first; its last line is the reason.
                let report = error.to_string();
                let reason = report.lines().last().unwrap_or_default();
                Self::Broken(reason.strip_prefix("error: ").unwrap_or(reason).to_owned())
            }
        }
    }

    fn is_in(&self, text: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Words(words) => contains_ignoring_case(text, words),
            Self::Pattern(pattern) => pattern.is_match(text),
            Self::Broken(_) => false,
        }
    }
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

fn contains_ignoring_case(text: &str, lower_needle: &str) -> bool {
    text.contains(lower_needle) || text.to_lowercase().contains(lower_needle)
}

impl Queue {
    pub fn of(project: &Project, filter: &Filter, order: Order) -> Self {
        Self::seen_in(project, filter, order, Layer::Outcome)
    }

    /// The queue of whoever works in `layer`: answers, spans and states are those of the layer.
    pub fn seen_in(project: &Project, filter: &Filter, order: Order, layer: Layer) -> Self {
        let needle = Needle::of(&filter.search);
        let keeps = |doc: &Document| filter.keeps_for_all(doc) && filter.keeps(&doc.seen_in(layer), &needle);
        let mut ids: Vec<DocId> = match &filter.only {
            Some(only) => only.iter().copied().filter(|id| project.document(*id).is_some_and(keeps)).collect(),
            None => project.documents().filter(|doc| keeps(doc)).map(|doc| doc.id).collect(),
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
        self.next_todo_in(project, from, Layer::Outcome)
    }

    /// [`Queue::next_todo`] for whoever works in `layer`.
    pub fn next_todo_in(&self, project: &Project, from: Option<DocId>, layer: Layer) -> Option<DocId> {
        let start = from.and_then(|id| self.position(id)).map_or(0, |at| at + 1);
        let is_todo = |doc: &Document| doc.said_in(layer).is_none_or(|said| said.state == State::Todo);
        let todo = |id: &&DocId| project.document(**id).is_some_and(is_todo);
        self.ids[start.min(self.ids.len())..].iter().chain(&self.ids[..start.min(self.ids.len())]).find(todo).copied()
    }
}
