//! Which documents are shown: words that must stand in the text, and conditions of which all or any must hold.

use super::found::Needle;
use super::{Annotation, AnnotatorId, Answer, AttributeValue, DocId, Document, Number, QuestionId, Schema, Sight, State};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Which documents are shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Filter {
    /// Substring, without regard to case; what stands after a `/` at the beginning is a pattern.
    pub search: String,
    pub conditions: Vec<Condition>,
    /// One condition is enough; otherwise all must hold.
    pub any: bool,
    /// Exactly these, when the queue was opened from a chart or a table. Belongs to the moment: never kept.
    #[serde(skip)]
    pub only: Option<Arc<[DocId]>>,
}

/// One thing that must hold, or must not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not: bool,
    pub what: What,
}

/// What can be asked about a document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    State(State),
    Flagged,
    /// Answered with this class, alone or among others; without one, not answered at all.
    Class(QuestionId, Option<u16>),
    /// Has a span of this label.
    Span(u16),
    /// Has a span of this label whose attribute has this value, by their places.
    Attribute(u16, u16, u16),
    /// Answered with a number within these bounds.
    Number(QuestionId, Within),
    /// Has a span of this label whose attribute is a number within these bounds.
    AttributeNumber(u16, u16, Within),
    /// This value in an imported column.
    Column(String, String),
    /// A number within these bounds in an imported column.
    ColumnNumber(String, Within),
    /// Characters, from and to; without an end, any number.
    Length(usize, Option<usize>),
    Script(Script),
    /// The class a model finds likeliest.
    Guess(u16),
    /// The model's likeliest class is not the class answered.
    Disagrees,
    /// One of the [`super::Advice::MOST`] documents whose labels would teach a model most.
    Informative,
    /// The class answered looks wrong to a model.
    Suspected,
    /// A model is sure of a span that is not marked.
    SuspectedSpan,
    /// This annotator has said something about it.
    By(AnnotatorId),
    /// Two annotators labelled it differently.
    Disputed,
    /// Has a comment that is not resolved.
    Commented,
}

/// Bounds of a number, both included; `None` for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Within {
    pub from: Option<Number>,
    pub to: Option<Number>,
}

impl Within {
    /// Bounds as they are typed; `None` where one is no number, where both are empty, or where nothing lies between.
    pub fn parse(from: &str, to: &str) -> Option<Self> {
        let bound = |text: &str| if text.trim().is_empty() { Some(None) } else { Number::parse(text).map(Some) };
        let within = Self { from: bound(from)?, to: bound(to)? };
        match within {
            Self { from: None, to: None } => None,
            Self { from: Some(from), to: Some(to) } if from > to => None,
            within => Some(within),
        }
    }

    pub fn contains(self, number: Number) -> bool {
        self.from.is_none_or(|from| from <= number) && self.to.is_none_or(|to| number <= to)
    }
}

/// What a text is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Script {
    /// Chinese characters, with at most a few words in letters.
    Chinese,
    /// Latin letters, with at most a few Chinese characters.
    Latin,
    Mixed,
    /// Neither, such as numbers and emoji alone.
    Other,
}

impl Script {
    pub const ALL: [Self; 4] = [Self::Chinese, Self::Latin, Self::Mixed, Self::Other];

    /// By the share of Chinese characters among those and Latin words: four fifths make a text Chinese or Latin.
    pub fn of(text: &str) -> Self {
        let (mut chinese, mut words, mut in_word) = (0usize, 0usize, false);
        for c in text.chars() {
            let is_latin = c.is_alphabetic() && c < '\u{250}';
            chinese += usize::from(matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}'));
            words += usize::from(is_latin && !in_word);
            in_word = is_latin;
        }
        match (chinese, words) {
            (0, 0) => Self::Other,
            _ if chinese >= 4 * words => Self::Chinese,
            _ if words >= 4 * chinese => Self::Latin,
            _ => Self::Mixed,
        }
    }
}

impl What {
    /// Whether no document can be both.
    fn rules_out(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::State(_), Self::State(_)) | (Self::Script(_), Self::Script(_)) | (Self::Guess(_), Self::Guess(_)) => true,
            (Self::Length(..), Self::Length(..)) => true,
            (Self::Class(a, _), Self::Class(b, _)) => a == b,
            (Self::Column(a, _), Self::Column(b, _)) => a == b,
            _ => false,
        }
    }
}

impl Condition {
    pub fn new(what: What) -> Self {
        Self { not: false, what }
    }

    fn holds(&self, doc: &Document, sight: &Sight<'_>) -> bool {
        let blank = Annotation::default();
        let said = doc.said_in(sight.layer).unwrap_or(&blank);
        let Annotation { state, flagged, answers, spans, .. } = said;
        let guess = sight.guesses.get(&doc.id).map(|guess| guess.class);
        let holds = match &self.what {
            What::State(wanted) => wanted == state,
            What::Flagged => *flagged,
            What::Class(question, Some(class)) => said.has_class(*question, *class),
            What::Class(question, None) => !answers.contains_key(question),
            What::Span(label) => spans.values().any(|span| span.label == *label),
            What::Attribute(label, attribute, value) => {
                let value = Some(AttributeValue::Value(*value));
                spans.iter().any(|(id, span)| span.label == *label && said.attributes_of(*id).get(*attribute) == value)
            }
            What::Number(question, within) => match answers.get(question) {
                Some(Answer::Number(number)) => within.contains(*number),
                _ => false,
            },
            What::AttributeNumber(label, attribute, within) => spans.iter().any(|(id, span)| {
                let value = said.attributes_of(*id).get(*attribute);
                span.label == *label && matches!(value, Some(AttributeValue::Number(number)) if within.contains(number))
            }),
            What::ColumnNumber(column, within) => {
                doc.meta.get(column).and_then(Number::parse).is_some_and(|number| within.contains(number))
            }
            What::Column(column, value) => doc.meta.get(column) == Some(value.as_str()),
            What::Length(from, to) => (*from..=to.unwrap_or(usize::MAX)).contains(&doc.text.chars().count()),
            What::Script(script) => Script::of(&doc.text) == *script,
            What::Guess(class) => guess == Some(*class),
            What::Disagrees => match (sight.main.and_then(|main| said.class(main)), guess) {
                (Some(class), Some(guess)) => class != guess,
                _ => false,
            },
            What::Informative => sight.advice.informative.get(&doc.id).is_some_and(|place| *place < super::Advice::MOST),
            What::Suspected => {
                let found = sight.advice.suspects.get(&doc.id).filter(|found| found.suspected);
                found.is_some_and(|found| sight.main.and_then(|main| said.class(main)) == Some(found.answer))
            }
            What::SuspectedSpan => sight.advice.span_suspects.get(&doc.id).is_some_and(|found| found.is_open(said)),
            What::By(annotator) => doc.layers.contains_key(annotator),
            What::Disputed => doc.is_disputed(),
            What::Commented => doc.comments.values().any(|comment| !comment.resolved),
        };
        holds != self.not
    }
}

impl Filter {
    /// The documents of which one thing holds.
    pub fn of(what: What) -> Self {
        Self { conditions: vec![Condition::new(what)], ..Self::default() }
    }

    /// These documents alone.
    pub fn only(docs: impl Into<Arc<[DocId]>>) -> Self {
        Self { only: Some(docs.into()), ..Self::default() }
    }

    pub fn is_empty(&self) -> bool {
        self.search.is_empty() && self.conditions.is_empty() && self.only.is_none()
    }

    /// Adds a condition unless it stands there. Where all must hold, it takes the place of one that it rules out, such as
    /// another state.
    pub fn add(&mut self, what: What) {
        if self.has(&what) {
            return;
        }
        if !self.any {
            self.conditions.retain(|held| held.not || !what.rules_out(&held.what));
        }
        self.conditions.push(Condition::new(what));
    }

    /// Whether a condition stands there, in either sense.
    pub fn has(&self, what: &What) -> bool {
        self.conditions.iter().any(|condition| condition.what == *what)
    }

    /// Whether a model must have looked at all documents.
    pub fn needs_guesses(&self) -> bool {
        self.conditions.iter().any(|condition| matches!(condition.what, What::Guess(_) | What::Disagrees))
    }

    /// Whether documents must be ranked: by what they would teach, by how wrong their labels look.
    pub fn needs_advice(&self) -> [bool; 2] {
        [self.has(&What::Informative), self.has(&What::Suspected) || self.has(&What::SuspectedSpan)]
    }

    /// Why the search is no pattern; `None` when it is one, or no pattern is meant.
    pub fn pattern_problem(search: &str) -> Option<String> {
        match Needle::of(search) {
            Needle::Broken(reason) => Some(reason),
            _ => None,
        }
    }

    /// The filter with its labels where they stand in another schema; conditions about labels that are gone go too.
    pub fn follow(&mut self, question: impl Fn(QuestionId) -> Option<QuestionId>, label: impl Fn(super::LabelId) -> Option<u16>) {
        use super::LabelId;
        let place = |what: &What| {
            Some(match what {
                What::Class(asked, class) => {
                    let class = match class {
                        Some(class) => Some(label(LabelId::Class(*asked, *class))?),
                        None => None,
                    };
                    What::Class(question(*asked)?, class)
                }
                What::Number(asked, within) => What::Number(question(*asked)?, *within),
                What::AttributeNumber(at, attribute, within) => What::AttributeNumber(label(LabelId::Span(*at))?, *attribute, *within),
                What::Span(at) => What::Span(label(LabelId::Span(*at))?),
                What::Attribute(at, attribute, value) => What::Attribute(label(LabelId::Span(*at))?, *attribute, *value),
                other => other.clone(),
            })
        };
        let moved = self.conditions.iter().filter_map(|Condition { not, what }| Some(Condition { not: *not, what: place(what)? }));
        self.conditions = moved.collect();
    }

    /// The filter with its attributes and values where they stand in another schema: by their names, or at their places
    /// where they were only renamed. Labels keep their places until [`Filter::follow`]; conditions about what is gone go.
    pub(super) fn follow_attributes(&mut self, before: &Schema, after: &Schema) {
        let names = |schema: &Schema| schema.span_labels.iter().map(|label| label.name.clone()).collect::<Vec<_>>();
        let kept = |what: &What| {
            let (label, attribute) = match what {
                What::Attribute(label, attribute, _) | What::AttributeNumber(label, attribute, _) => (label, attribute),
                what => return Some(what.clone()),
            };
            let now = place_of(&names(before), &names(after), *label)?;
            let (old, new) = (before.attributes(*label), after.attributes(now));
            let asked = |list: &[super::Attribute]| list.iter().map(|held| held.name.clone()).collect::<Vec<_>>();
            let place = place_of(&asked(old), &asked(new), *attribute)?;
            Some(match what {
                What::AttributeNumber(.., within) => What::AttributeNumber(*label, place, *within),
                What::Attribute(.., value) => {
                    let held = old.get(usize::from(*attribute))?;
                    What::Attribute(*label, place, place_of(held.values(), new.get(usize::from(place))?.values(), *value)?)
                }
                other => other.clone(),
            })
        };
        let moved = self.conditions.iter().filter_map(|Condition { not, what }| Some(Condition { not: *not, what: kept(what)? }));
        self.conditions = moved.collect();
    }

    /// The filter as it reads under another schema. `question` and `label` say where these stand.
    pub fn follow_schema(
        &mut self,
        [before, after]: [&Schema; 2],
        question: impl Fn(QuestionId) -> Option<QuestionId>,
        label: impl Fn(super::LabelId) -> Option<u16>,
    ) {
        self.follow_attributes(before, after);
        self.follow(question, label);
    }

    /// All that is asked but the search.
    pub(super) fn keeps_but_text(&self, doc: &Document, sight: &Sight<'_>) -> bool {
        let mut each = self.conditions.iter().map(|condition| condition.holds(doc, sight));
        if self.any && !self.conditions.is_empty() { each.any(|holds| holds) } else { each.all(|holds| holds) }
    }
}

/// Where a name of one list stands in another: by itself, or at its place if it was only renamed.
fn place_of(old: &[String], new: &[String], at: u16) -> Option<u16> {
    let name = old.get(usize::from(at))?;
    let found = new.iter().position(|held| held == name).map(|at| at as u16);
    found.or_else(|| (old.len() == new.len()).then_some(at))
}

/// The report of the crate draws the pattern first; its last line is the reason.
pub(super) fn reason_of(error: &regex::Error) -> String {
    let report = error.to_string();
    let reason = report.lines().last().unwrap_or_default();
    reason.strip_prefix("error: ").unwrap_or(reason).to_owned()
}
