//! What is asked about each document: questions with their classes, and labels for spans.

use super::{Attribute, Kind, LinkType, TermGroups, View, WordRule};
use serde::{Deserialize, Serialize};

/// A question of the schema, by its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct QuestionId(pub u16);

/// A class of a question or a kind of span, by its place in the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LabelId {
    Class(QuestionId, u16),
    Span(u16),
}

/// One possible answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    pub name: String,
    /// Index of a theme hue, 0 to 7.
    pub hue: u8,
}

/// A question about the whole document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    pub name: String,
    /// Empty for numbers and free text.
    pub classes: Vec<Class>,
    /// Files of older programs say none: each of their questions has one class for an answer.
    #[serde(default, skip_serializing_if = "Kind::is_one")]
    pub kind: Kind,
}

/// A kind of span, such as aspect or opinion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpanLabel {
    pub name: String,
    /// The letter that makes such a span of the selection.
    pub key: char,
    pub hue: u8,
    /// Whether spans of this label carry a polarity.
    pub polarity: bool,
}

/// Whether an opinion is good, bad or neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Polarity {
    Negative,
    Neutral,
    Positive,
}

impl Polarity {
    /// The mark shown beside its colour.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Negative => "-",
            Self::Neutral => "0",
            Self::Positive => "+",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Negative => "negative",
            Self::Neutral => "neutral",
            Self::Positive => "positive",
        }
    }
}

/// What may be said about a label beside its name and hue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    /// A key of its own; classes have the digit of their place otherwise, span labels keep theirs in [`SpanLabel`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<char>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
    /// Of a span label: what is asked about its spans beside their polarity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute>,
}

/// What is asked about each document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    pub questions: Vec<Question>,
    pub span_labels: Vec<SpanLabel>,
    /// By question, then by class. A list that is too short says nothing: files of older programs have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) class_notes: Vec<Vec<Note>>,
    /// By span label; as short as it likes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) label_notes: Vec<Note>,
    /// By question; as short as it likes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) question_help: Vec<String>,
    /// Empty while there is only the usual one: see [`Schema::link_types`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) link_types: Vec<LinkType>,
    /// Words that are suggested as spans.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<WordRule>,
    /// Saved filters and orders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub views: Vec<View>,
    /// Terms that mean the same.
    #[serde(default, skip_serializing_if = "TermGroups::is_empty")]
    pub term_groups: TermGroups,
}

/// Letters and a digit that mean something else where one labels; no label can have them.
pub(super) const RESERVED: &str = "sfcljknh0";

impl Schema {
    /// One class question and span labels with these names; keys are the first free letters of the names.
    /// A label called "opinion" (or 观点) carries a polarity.
    pub fn with_names(classes: &[impl AsRef<str>], spans: &[impl AsRef<str>]) -> Self {
        let mut taken = Vec::new();
        let mut key_of = |name: &str| {
            let free = |c: &char| c.is_ascii_lowercase() && !RESERVED.contains(*c) && !taken.contains(c);
            let key = name.to_lowercase().chars().chain('a'..='z').find(free).unwrap_or('a');
            taken.push(key);
            key
        };
        let span_labels = spans
            .iter()
            .enumerate()
            .map(|(at, name)| SpanLabel {
                name: name.as_ref().to_owned(),
                key: key_of(name.as_ref()),
                hue: ((at + 3) % 8) as u8,
                polarity: is_opinion(name.as_ref()),
            })
            .collect();
        let classes = classes.iter().enumerate().map(|(at, name)| Class { name: name.as_ref().to_owned(), hue: (at % 8) as u8 }).collect();
        let questions = vec![Question { name: "sentiment".to_owned(), classes, kind: Kind::One }];
        Self {
            questions,
            span_labels,
            class_notes: Vec::new(),
            label_notes: Vec::new(),
            question_help: Vec::new(),
            link_types: Vec::new(),
            words: Vec::new(),
            views: Vec::new(),
            term_groups: TermGroups::new(),
        }
    }

    /// The first question with one class for an answer: what a model learns, and what an imported label answers.
    pub fn main_question(&self) -> Option<(QuestionId, &Question)> {
        self.questions().find(|(_, question)| question.kind == Kind::One)
    }

    /// All questions with their ids, in order.
    pub fn questions(&self) -> impl Iterator<Item = (QuestionId, &Question)> {
        (0..).map(QuestionId).zip(&self.questions)
    }

    pub fn question(&self, id: QuestionId) -> Option<&Question> {
        self.questions.get(usize::from(id.0))
    }

    /// Place of the span label called `name`.
    pub fn span_label(&self, name: &str) -> Option<u16> {
        self.span_labels.iter().position(|label| label.name == name).map(|at| at as u16)
    }

    /// What the guideline says about a label; empty for nothing.
    pub fn help(&self, label: LabelId) -> &str {
        self.note(label).map_or("", |note| &note.help)
    }

    /// What the guideline says about a question; empty for nothing.
    pub fn question_help(&self, question: QuestionId) -> &str {
        self.question_help.get(usize::from(question.0)).map_or("", String::as_str)
    }

    /// The letter or digit that gives this label. A class has the digit of its place unless it was given another key
    /// or that digit was given away. Digits answer the question one is at, so each question has its own.
    pub fn key(&self, label: LabelId) -> Option<char> {
        match label {
            LabelId::Span(at) => Some(self.span_labels.get(usize::from(at))?.key).filter(char::is_ascii_alphanumeric),
            LabelId::Class(question, at) => {
                self.question(question)?.classes.get(usize::from(at))?;
                if let Some(key) = self.note(label).and_then(|note| note.key) {
                    return Some(key);
                }
                let digit = char::from_digit(u32::from(at) + 1, 10)?;
                let given = |notes: &Vec<Note>| notes.iter().any(|note| note.key == Some(digit));
                let taken = self.class_notes.get(usize::from(question.0)).is_some_and(given)
                    || self.span_labels.iter().any(|label| label.key == digit);
                (!taken).then_some(digit)
            }
        }
    }

    /// The name of a label; `None` when the schema has no such label.
    pub fn name(&self, label: LabelId) -> Option<&str> {
        match label {
            LabelId::Class(question, at) => Some(&self.question(question)?.classes.get(usize::from(at))?.name),
            LabelId::Span(at) => Some(&self.span_labels.get(usize::from(at))?.name),
        }
    }

    pub(super) fn note(&self, label: LabelId) -> Option<&Note> {
        match label {
            LabelId::Class(question, at) => self.class_notes.get(usize::from(question.0))?.get(usize::from(at)),
            LabelId::Span(at) => self.label_notes.get(usize::from(at)),
        }
    }
}

impl Default for Schema {
    fn default() -> Self {
        Self::with_names(&["negative", "neutral", "positive"], &["aspect", "opinion"])
    }
}

/// Whether a span label with this name carries a polarity from the start.
pub(super) fn is_opinion(name: &str) -> bool {
    name.eq_ignore_ascii_case("opinion") || name == "观点"
}
