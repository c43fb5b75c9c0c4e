//! What has been said about one document.

use super::{Number, Polarity, QuestionId, SpanId, TextRange};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Where a document stands in the work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    #[default]
    Todo,
    Done,
    Skipped,
}

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// Place of the class in the question.
    Class(u16),
    /// Places of the classes; never empty.
    Classes(BTreeSet<u16>),
    Number(Number),
    Text(String),
}

/// A marked place with its label (place in the schema).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub range: TextRange,
    pub label: u16,
    pub polarity: Option<Polarity>,
}

/// "This opinion is about that aspect": from the opinion to the aspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Link {
    pub from: SpanId,
    pub to: SpanId,
}

/// What has been said about one document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annotation {
    pub state: State,
    pub flagged: bool,
    /// Why it was skipped; empty for no reason, and for documents that are not skipped.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub skip_reason: String,
    pub answers: BTreeMap<QuestionId, Answer>,
    pub spans: BTreeMap<SpanId, Span>,
    pub links: BTreeSet<Link>,
}

impl Annotation {
    /// The class answered to `question`, if it takes one class.
    pub fn class(&self, question: QuestionId) -> Option<u16> {
        match self.answers.get(&question) {
            Some(Answer::Class(class)) => Some(*class),
            _ => None,
        }
    }

    /// Whether the answer to `question` is this class, or this class among others.
    pub fn has_class(&self, question: QuestionId, class: u16) -> bool {
        match self.answers.get(&question) {
            Some(Answer::Class(held)) => *held == class,
            Some(Answer::Classes(held)) => held.contains(&class),
            _ => false,
        }
    }

    /// A span id that no span of this document has.
    pub fn free_span_id(&self) -> SpanId {
        SpanId(self.spans.keys().next_back().map_or(0, |last| last.0 + 1))
    }

    /// Spans in reading order, the longer of two with the same start first.
    pub fn spans_in_order(&self) -> Vec<(SpanId, Span)> {
        let mut spans: Vec<_> = self.spans.iter().map(|(id, span)| (*id, *span)).collect();
        spans.sort_by_key(|(id, span)| (span.range.start(), std::cmp::Reverse(span.range.end()), *id));
        spans
    }
}
