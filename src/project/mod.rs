//! The model of a project: documents, schema, annotations, and the edits that change them.
//!
//! Values and rules only. Nothing here knows a disk, a clock, a thread, a random number, egui or candle,
//! so nothing here can fail for a reason outside itself. The one way to change a [`Project`] is
//! [`Project::apply`], which answers with the inverse edit.

pub mod agreement;
mod annotation;
mod anonymise;
mod attribute;
mod bulk;
mod changes;
mod conversation;
mod counts;
mod edit;
mod filter;
mod found;
mod history;
mod ids;
mod layer;
mod link_type;
mod merge;
mod meta;
mod near;
mod pace;
mod question;
mod queue;
mod relabel;
mod schema;
mod split;
mod statistics;
mod tally;
mod terms;
mod text;
mod words;

pub use annotation::{Annotation, Answer, Link, Rejected, Span, SpanKey, State};
pub use anonymise::{Anonymiser, Private, PrivateKey, Replaced};
pub use attribute::{Attribute, AttributeKind, AttributeValue, Attributes, carried};
pub use bulk::{WordCount, WordMarks};
pub use conversation::{CONVERSATION, Conversations, SPEAKER, TURN};
pub use counts::{LabelCounts, QuestionCount};
pub use edit::{Edit, EditError};
pub use filter::{Condition, Filter, Script, What, Within};
pub use found::{Found, TextPack};
pub use history::{Entry, EntryKind, History, Step};
pub use ids::{DocId, SpanId};
pub use layer::{AnnotatorId, Comment, CommentId, Layer};
pub use link_type::LinkType;
pub use merge::{Colleague, LayerReport, MergeError, MergePlan, MergeReport};
pub use meta::{Meta, MetaPool};
pub use near::{NearGroup, NearPair, Settle, near_groups, near_pairs, near_texts, settle};
pub use pace::{Growth, Pace, Session, starved};
pub use question::{Kind, Number, Scale};
pub use queue::{Advice, ColumnCounts, ColumnValues, Guess, Guesses, Order, Queue, Sight, SpanSuspicion, Suspicion, View};
pub use relabel::{AttributeChange, KeyUse, LinkTypeChange, NewQuestion, Plan, SchemaChange, SchemaError, Touched};
pub use schema::{Class, LabelId, Polarity, Question, QuestionId, Schema, SpanLabel};
pub use split::{Split, assign_split, draw, mixed};
pub use statistics::{Answered, Lengths, Statistics};
pub use tally::Tally;
pub use terms::{TermGroups, group_names, spelling, term_of};
pub use text::{TextRange, byte_to_char, char_to_byte};
pub use words::{MOST_WORDS, WordMatcher, WordRule};

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// One review with what has been said about it.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Document {
    pub id: DocId,
    pub text: Arc<str>,
    /// Columns that came with the import and are neither text nor label.
    pub meta: Meta,
    /// A split fixed at import; `None` leaves the choice to [`assign_split`].
    pub split: Option<Split>,
    /// `false` after the import that brought it was undone; it then takes part in nothing.
    pub present: bool,
    /// The outcome: what trains and what exports.
    pub annotation: Annotation,
    /// What each annotator said, where several label. A layer that says nothing is not kept.
    #[serde(default)]
    pub layers: BTreeMap<AnnotatorId, Annotation>,
    #[serde(default)]
    pub comments: BTreeMap<CommentId, Comment>,
}

impl Document {
    /// A document nothing has been said about yet.
    pub fn new(id: DocId, text: impl Into<Arc<str>>) -> Self {
        Self {
            id,
            text: text.into(),
            meta: Meta::default(),
            split: None,
            present: true,
            annotation: Annotation::default(),
            layers: BTreeMap::new(),
            comments: BTreeMap::new(),
        }
    }
}

impl Document {
    /// Where the words of a span stand elsewhere in the text, not touching one another or a span of the same label.
    pub fn unmarked_repeats(&self, span: &Span) -> Vec<TextRange> {
        let words = span.range.of(&self.text);
        let places = self.text.match_indices(words).filter_map(|(at, _)| TextRange::new(&self.text, at..at + words.len()));
        let is_free =
            |range: &TextRange| !self.annotation.spans.values().any(|held| held.label == span.label && held.range.overlaps(*range));
        places.filter(is_free).collect()
    }
}

/// Everything an analyst works on. Documents are stored by id: document `n` is the `n`-th ever added.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Project {
    schema: Arc<Schema>,
    documents: Vec<Document>,
    tallies: tally::Tallies,
    annotators: Vec<String>,
    guidelines: String,
    revision: u64,
    changes: changes::Changes,
}

impl Project {
    /// An empty project with these questions and labels.
    pub fn new(schema: Schema) -> Self {
        Self { schema: Arc::new(schema), ..Self::default() }
    }

    /// A project as it was stored. `documents[n].id` must be `n`.
    ///
    /// # Errors
    /// [`EditError::IdGap`] where the ids are not `0, 1, 2, …`.
    pub fn restore(schema: Schema, documents: Vec<Document>) -> Result<Self, EditError> {
        // One pass: a million documents do not fit into any cache.
        let mut tallies = tally::Tallies::default();
        for (at, doc) in documents.iter().enumerate() {
            if doc.id.index() != at {
                return Err(EditError::IdGap { wanted: at, found: doc.id });
            }
            tallies.add(doc);
        }
        Ok(Self { schema: Arc::new(schema), tallies, documents, ..Self::default() })
    }

    /// Grows with every applied edit; caches are keyed by it.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The documents that edits since `revision` touched, as ranges of ids, oldest edit first; `None` when that is not
    /// known any more, or when the whole project may have changed.
    pub fn changed_since(&self, revision: u64) -> Option<Vec<Range<usize>>> {
        self.changes.last(self.revision.checked_sub(revision)?)
    }

    /// How often what was said in a layer.
    pub fn tally(&self, layer: Layer) -> &Tally {
        self.tallies.of_layer(layer)
    }

    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Every document, those of undone imports among them.
    pub fn all_documents(&self) -> &[Document] {
        &self.documents
    }

    /// The documents that count.
    pub fn documents(&self) -> impl DoubleEndedIterator<Item = &Document> {
        self.documents.iter().filter(|doc| doc.present)
    }

    /// `None` for an unknown id or a document of an undone import.
    pub fn document(&self, id: DocId) -> Option<&Document> {
        self.documents.get(id.index()).filter(|doc| doc.present)
    }

    /// The id the next added document must have.
    pub fn next_id(&self) -> DocId {
        DocId::from_index(self.documents.len())
    }
}
