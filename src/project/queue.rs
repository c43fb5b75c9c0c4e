//! The list of documents a person works through: which ones, in which order.

use super::found::Needle;
use super::{Annotation, DocId, Document, Filter, Found, Layer, Project, QuestionId, State, TextRange};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

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
    /// Those first whose labels would teach a model most: see [`Advice`].
    MostInformative,
    /// Those first whose labels look wrong.
    SuspectedErrors,
    /// Those first whose spans look wrong.
    SuspectedSpans,
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

/// Which documents a model's answers say to look at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Advice {
    /// Places of the documents to do, those first whose labels would teach most.
    pub informative: BTreeMap<DocId, u32>,
    pub suspects: BTreeMap<DocId, Suspicion>,
    pub span_suspects: BTreeMap<DocId, SpanSuspicion>,
    /// How many answers were judged by a model that had not learnt from them, and how many by one that had.
    pub judged: usize,
    pub judged_learnt: usize,
    /// The same of documents with marked spans.
    pub judged_spans: usize,
    pub judged_spans_learnt: usize,
}

impl Advice {
    /// So many are called the most informative ones.
    pub const MOST: u32 = 100;
}

/// What a model makes of an answer to the main question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspicion {
    /// From 0: the more it looks wrong, the smaller.
    pub place: u32,
    /// The answer that was judged: another one is not suspected.
    pub answer: u16,
    pub suspected: bool,
    /// The class that a model would have answered instead, and how sure it is.
    pub says: u16,
    pub percent: u8,
    /// Whether that model has learnt from this very answer.
    pub learnt: bool,
}

/// A span that a model is sure of and nobody marked so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanSuspicion {
    /// From 0: the surer the model, the smaller.
    pub place: u32,
    pub range: TextRange,
    pub label: u16,
    /// The label's name, by which suggestions are turned down.
    pub name: Arc<str>,
    /// How sure the model is.
    pub percent: u8,
    /// Whether that model has learnt from this very document.
    pub learnt: bool,
}

impl SpanSuspicion {
    /// Whether it is still to be looked at: nobody has marked it since, nor said that it is none.
    pub fn is_open(&self, said: &Annotation) -> bool {
        let marked = said.spans.values().any(|span| span.range == self.range && span.label == self.label);
        let rejected = said.rejected.iter().any(|one| one.range == self.range && *one.label == *self.name);
        !marked && !rejected
    }
}

/// A filter and an order with a name, kept with the project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    pub name: String,
    pub filter: Filter,
    pub order: Order,
}

/// Who looks at the documents, and what a model says about them.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    /// Whose answers, spans and states count.
    pub layer: Layer,
    pub guesses: &'a Guesses,
    pub advice: &'a Advice,
    /// The question that the guesses answer.
    pub main: Option<QuestionId>,
}

impl<'a> Sight<'a> {
    pub fn new(project: &Project, layer: Layer, guesses: Option<&'a Guesses>) -> Self {
        static NONE: Guesses = BTreeMap::new();
        static NO_ADVICE: Advice = Advice {
            informative: BTreeMap::new(),
            suspects: BTreeMap::new(),
            span_suspects: BTreeMap::new(),
            judged: 0,
            judged_learnt: 0,
            judged_spans: 0,
            judged_spans_learnt: 0,
        };
        let main = project.schema().main_question().map(|(id, _)| id);
        Self { layer, guesses: guesses.unwrap_or(&NONE), advice: &NO_ADVICE, main }
    }

    /// The same with advice.
    pub fn advised(self, advice: Option<&'a Advice>) -> Self {
        Self { advice: advice.unwrap_or(self.advice), ..self }
    }
}

/// Ids of the documents shown, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queue {
    ids: Vec<DocId>,
    /// The order they stand in, ties by id; `None` for a list in an order of its own.
    order: Option<Order>,
}

/// Which texts hold what is searched for.
enum Hits<'a> {
    Found(&'a Found),
    Needle(Needle),
}

impl<'a> Hits<'a> {
    fn of(filter: &Filter, found: Option<&'a Found>) -> Self {
        found.map_or_else(|| Self::Needle(Needle::of(&filter.search)), Self::Found)
    }

    fn have(&self, project: &Project, id: DocId) -> bool {
        match self {
            Self::Found(found) => found.has(project, id),
            Self::Needle(needle) => project.document(id).is_some_and(|doc| needle.is_in(&doc.text)),
        }
    }
}

impl Order {
    /// Whether the places come from what a model says.
    pub fn needs_model(self) -> bool {
        matches!(self, Self::LeastCertain | Self::MostInformative | Self::SuspectedErrors | Self::SuspectedSpans)
    }

    /// Documents stand by this number, those with the same one by id.
    fn key(self, project: &Project, sight: &Sight<'_>, id: DocId) -> u64 {
        let length = || project.all_documents().get(id.index()).map_or(0, |doc| doc.text.len() as u64);
        match self {
            Self::Arrival => 0,
            Self::Random(seed) => super::split::mix(seed ^ super::split::mix(u64::from(id.0))),
            Self::Shortest => length(),
            Self::Longest => u64::MAX - length(),
            // The bits of numbers that are not negative stand in the order of the numbers.
            Self::LeastCertain => sight.guesses.get(&id).map_or(u64::MAX, |guess| u64::from(guess.probability.to_bits())),
            // By advice as it was given: what is answered since keeps its place, so that the list does not jump.
            Self::MostInformative => sight.advice.informative.get(&id).map_or(u64::MAX, |place| u64::from(*place)),
            Self::SuspectedErrors => sight.advice.suspects.get(&id).map_or(u64::MAX, |found| u64::from(found.place)),
            Self::SuspectedSpans => sight.advice.span_suspects.get(&id).map_or(u64::MAX, |found| u64::from(found.place)),
        }
    }
}

/// Values of a column, the most frequent first, with their counts.
pub type ColumnValues = Vec<(String, usize)>;

/// The imported columns with how often each value occurs, counted document by document.
#[derive(Clone, Debug, Default)]
pub struct ColumnCounts(BTreeMap<String, BTreeMap<String, usize>>);

impl ColumnCounts {
    /// Values of a column that are told apart: one with more, such as an id, has no frequent ones to choose from.
    const MOST: usize = 10_000;

    pub fn take(&mut self, doc: &Document) {
        for (column, value) in doc.meta.iter() {
            if !self.0.contains_key(column) {
                self.0.insert(column.to_owned(), BTreeMap::new());
            }
            let Some(values) = self.0.get_mut(column) else { continue };
            if let Some(count) = values.get_mut(value) {
                *count += 1;
            } else if values.len() < Self::MOST {
                values.insert(value.to_owned(), 1);
            }
        }
    }

    /// So many of the most frequent values of each column.
    pub fn ranked(self, most: usize) -> BTreeMap<String, ColumnValues> {
        let ranked = |values: BTreeMap<String, usize>| {
            let mut values: ColumnValues = values.into_iter().collect();
            values.sort_by_key(|(_, count)| std::cmp::Reverse(*count)); // stable: equally frequent ones stay in order
            values.truncate(most);
            values
        };
        self.0.into_iter().map(|(column, values)| (column, ranked(values))).collect()
    }
}

impl Queue {
    /// As the outcome has it.
    pub fn of(project: &Project, filter: &Filter, order: Order) -> Self {
        Self::seen(project, filter, order, &Sight::new(project, Layer::Outcome, None), None)
    }

    /// As someone sees it; `found` where the texts of a large project have been searched, or are being searched.
    pub fn seen(project: &Project, filter: &Filter, order: Order, sight: &Sight<'_>, found: Option<&Found>) -> Self {
        let hits = Hits::of(filter, found);
        let ids: Vec<DocId> = match (&filter.only, found) {
            (Some(only), _) => only.iter().copied().filter(|id| hits.have(project, *id)).collect(),
            (None, Some(found)) => found.ids(project).collect(),
            (None, None) => project.documents().map(|doc| doc.id).filter(|id| hits.have(project, *id)).collect(),
        };
        let kept = |id: &DocId| project.document(*id).is_some_and(|doc| filter.keeps_but_text(doc, sight));
        Self { ids: ids.into_iter().filter(kept).collect(), order: None }.sorted(project, sight, order)
    }

    fn sorted(mut self, project: &Project, sight: &Sight<'_>, order: Order) -> Self {
        let ascending = self.ids.is_sorted();
        self.order = ascending.then_some(order); // a list from elsewhere keeps its own order of ties
        if order == Order::Arrival {
            return self;
        }
        let mut keyed: Vec<(u64, DocId)> = self.ids.iter().map(|id| (order.key(project, sight, *id), *id)).collect();
        if ascending {
            keyed.sort_unstable();
        } else {
            keyed.sort_by_key(|(key, _)| *key);
        }
        self.ids = keyed.into_iter().map(|(_, id)| id).collect();
        self
    }

    /// Brings the queue up to date with the documents of `changed`; `false` when it has to be made anew.
    pub fn update(
        &mut self,
        project: &Project,
        filter: &Filter,
        sight: &Sight<'_>,
        found: Option<&Found>,
        changed: &[Range<usize>],
    ) -> bool {
        const MOST: usize = 256;
        let Some(order) = self.order.filter(|_| filter.only.is_none()) else { return false };
        if changed.iter().map(ExactSizeIterator::len).sum::<usize>() > MOST {
            return false;
        }
        let hits = Hits::of(filter, found);
        for id in changed.iter().cloned().flatten().map(DocId::from_index) {
            let kept = project.document(id).is_some_and(|doc| filter.keeps_but_text(doc, sight));
            let wanted = kept && hits.have(project, id);
            let key = (order.key(project, sight, id), id);
            match (self.ids.binary_search_by_key(&key, |held| (order.key(project, sight, *held), *held)), wanted) {
                (Ok(at), false) => {
                    self.ids.remove(at);
                }
                (Err(at), true) => self.ids.insert(at, id),
                _ => {}
            }
        }
        true
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
        if self.order == Some(Order::Arrival) {
            return self.ids.binary_search(&id).ok();
        }
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
