//! What has been said about one document.

use super::{AttributeValue, Attributes, Number, Polarity, QuestionId, SpanId, TextRange};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

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

/// What makes two spans the same: place, label, polarity and attributes.
pub type SpanKey = (usize, usize, u16, Option<Polarity>, Vec<(u16, AttributeValue)>);

/// "This opinion is about that aspect": from the opinion to the aspect. Other types of links say what they join
/// ([`super::LinkType`]); between two spans there is one link in a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Link {
    pub from: SpanId,
    pub to: SpanId,
}

/// A suggestion that a person turned down. By the label's name: that is what models and word lists go by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rejected {
    pub range: TextRange,
    pub label: String,
}

/// What has been said about one document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Annotation {
    pub state: State,
    pub flagged: bool,
    /// Why it was skipped; empty for no reason, and for documents that are not skipped.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub skip_reason: String,
    #[serde(with = "pairs", skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<QuestionId, Answer>,
    #[serde(with = "pairs", skip_serializing_if = "BTreeMap::is_empty")]
    pub spans: BTreeMap<SpanId, Span>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub links: BTreeSet<Link>,
    /// Not suggested again.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub rejected: BTreeSet<Rejected>,
    /// What is said of spans beside their polarity. A span that is not here has no attributes.
    #[serde(with = "pairs", skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<SpanId, Attributes>,
    /// Types of links, by place in the schema. A link that is not here is of the first.
    #[serde(with = "pairs", skip_serializing_if = "BTreeMap::is_empty")]
    pub link_types: BTreeMap<Link, u16>,
}

/// A map as a list of pairs: JSON has no numbers for keys, and inside an [`super::Edit`] serde can't read them back.
pub(super) mod pairs {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    pub fn serialize<K: Serialize, V: Serialize, S: Serializer>(map: &BTreeMap<K, V>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(map)
    }

    pub fn deserialize<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<K, V>, D::Error> {
        Ok(Vec::<(K, V)>::deserialize(from)?.into_iter().collect())
    }
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

    /// Whether nothing is answered or marked.
    pub fn is_blank(&self) -> bool {
        self.answers.is_empty() && self.spans.is_empty()
    }

    /// Whether answers, spans and links are the same, whatever the spans are numbered and wherever the work stands.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        let spans = |said: &Self| {
            let mut spans: Vec<_> = said.spans.keys().map(|id| said.span_key(*id)).collect();
            spans.sort_unstable();
            spans
        };
        let links = |said: &Self| {
            let mut links: Vec<_> = said.links.iter().map(|link| said.link_key(link)).collect();
            links.sort_unstable();
            links
        };
        self.answers == other.answers && spans(self) == spans(other) && links(self) == links(other)
    }

    /// What is said of a span beside its polarity.
    pub fn attributes_of(&self, span: SpanId) -> &Attributes {
        static NONE: LazyLock<Attributes> = LazyLock::new(Attributes::default);
        self.attributes.get(&span).unwrap_or(&NONE)
    }

    /// The type of a link, by place in the schema.
    pub fn link_type(&self, link: &Link) -> u16 {
        self.link_types.get(link).copied().unwrap_or_default()
    }

    /// The links of the first type: "this opinion is about that aspect".
    pub fn main_links(&self) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(|link| self.link_type(link) == 0)
    }

    /// What makes a span the same as one of another annotation.
    pub fn span_key(&self, id: SpanId) -> Option<SpanKey> {
        let span = self.spans.get(&id)?;
        let attributes = self.attributes_of(id).iter().collect();
        Some((span.range.start(), span.range.end(), span.label, span.polarity, attributes))
    }

    /// What makes a link the same as one of another annotation.
    fn link_key(&self, link: &Link) -> (Option<SpanKey>, Option<SpanKey>, u16) {
        (self.span_key(link.from), self.span_key(link.to), self.link_type(link))
    }

    /// Spans in reading order, the longer of two with the same start first.
    pub fn spans_in_order(&self) -> Vec<(SpanId, Span)> {
        let mut spans: Vec<_> = self.spans.iter().map(|(id, span)| (*id, *span)).collect();
        spans.sort_by_key(|(id, span)| (span.range.start(), std::cmp::Reverse(span.range.end()), *id));
        spans
    }
}
