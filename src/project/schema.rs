//! What is asked about each document: questions with their classes, and labels for spans.

use serde::{Deserialize, Serialize};

/// A question of the schema, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct QuestionId(pub u16);

/// One possible answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    pub name: String,
    /// Index of a theme hue, 0 to 7.
    pub hue: u8,
}

/// A question with exactly one answer among its classes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    pub name: String,
    pub classes: Vec<Class>,
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

/// What is asked about each document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    pub questions: Vec<Question>,
    pub span_labels: Vec<SpanLabel>,
}

impl Schema {
    /// One class question and span labels with these names; keys are the first free letters of the names.
    /// A label called "opinion" carries a polarity.
    pub fn with_names(classes: &[impl AsRef<str>], spans: &[impl AsRef<str>]) -> Self {
        let mut taken = Vec::new();
        let mut key_of = |name: &str| {
            // s, f, c, l, j, k, n, h are keys of the labeling pane.
            let free = |c: &char| c.is_ascii_lowercase() && !"sfcljknh".contains(*c) && !taken.contains(c);
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
                polarity: name.as_ref().eq_ignore_ascii_case("opinion"),
            })
            .collect();
        let classes = classes.iter().enumerate().map(|(at, name)| Class { name: name.as_ref().to_owned(), hue: (at % 8) as u8 }).collect();
        Self { questions: vec![Question { name: "sentiment".to_owned(), classes }], span_labels }
    }

    /// The class question that the first digit keys answer.
    pub fn main_question(&self) -> Option<(QuestionId, &Question)> {
        self.questions.first().map(|question| (QuestionId(0), question))
    }

    pub fn question(&self, id: QuestionId) -> Option<&Question> {
        self.questions.get(usize::from(id.0))
    }

    /// Place of the span label called `name`.
    pub fn span_label(&self, name: &str) -> Option<u16> {
        self.span_labels.iter().position(|label| label.name == name).map(|at| at as u16)
    }
}

impl Default for Schema {
    fn default() -> Self {
        Self::with_names(&["negative", "neutral", "positive"], &["aspect", "opinion"])
    }
}

impl Question {
    /// Place of the class called `name`.
    pub fn class(&self, name: &str) -> Option<u16> {
        self.classes.iter().position(|class| class.name == name).map(|at| at as u16)
    }
}
