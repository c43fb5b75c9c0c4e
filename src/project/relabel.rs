//! Changes of the schema as a person asks for them, planned as the edits of one step: what was answered follows its
//! label when labels move or join, and is taken away with a label that goes. Plans; changes nothing.

mod attributes;
mod error;
mod link_types;
mod questions;
mod spans;
mod split;
mod wishes;

use super::schema::{Note, RESERVED, is_opinion};
use super::{Answer, Class, DocId, Document, Edit, Kind, LabelId, Project, QuestionId, Schema, SpanLabel, View, WordRule};
pub use attributes::AttributeChange;
use attributes::AttributeFate;
pub use error::{KeyUse, SchemaError};
use link_types::LinkFate;
pub use link_types::LinkTypeChange;
pub use questions::NewQuestion;
use questions::Reshaped;
use split::SplitFate;
use std::collections::BTreeSet;

/// One wish about the schema.
#[derive(Clone, Debug, PartialEq)]
pub enum SchemaChange {
    AddClass {
        question: QuestionId,
        name: String,
    },
    AddSpanLabel {
        name: String,
    },
    /// Classes of the main question, whole questions, and span labels; names that are there already are passed over.
    AddAll {
        classes: Vec<String>,
        questions: Vec<NewQuestion>,
        spans: Vec<String>,
    },
    AddQuestion {
        name: String,
        kind: Kind,
    },
    RenameQuestion {
        question: QuestionId,
        to: String,
    },
    /// Another kind or range. Answers that make no sense under it are taken away.
    SetKind {
        question: QuestionId,
        to: Kind,
    },
    /// To another place among the questions.
    MoveQuestion {
        question: QuestionId,
        to: u16,
    },
    DeleteQuestion {
        question: QuestionId,
    },
    /// Words to suggest from now on; those that are there already are passed over.
    AddWords {
        words: Vec<WordRule>,
    },
    /// Stops suggesting these, by their places.
    RemoveWords {
        places: BTreeSet<usize>,
    },
    /// Keeps a view, in the place of one of the same name.
    SaveView {
        view: Box<View>,
    },
    DeleteView {
        name: String,
    },
    /// Terms that mean the same, under a name; without a name they go back to where their spelling puts them.
    GroupTerms {
        terms: Vec<String>,
        name: String,
    },
    Rename {
        label: LabelId,
        to: String,
    },
    SetHue {
        label: LabelId,
        to: u8,
    },
    /// `None` gives a class the digit of its place, a span label no key.
    SetKey {
        label: LabelId,
        to: Option<char>,
    },
    SetHelp {
        label: LabelId,
        to: String,
    },
    SetQuestionHelp {
        question: QuestionId,
        to: String,
    },
    /// About what is said of a label's spans beside their polarity.
    Attribute {
        label: u16,
        change: AttributeChange,
    },
    /// About the types of links.
    LinkType(LinkTypeChange),
    /// Whether spans of a label carry a polarity. Turned off, those they have are taken away.
    SetPolarity {
        label: u16,
        to: bool,
    },
    /// To another place in its list.
    Move {
        label: LabelId,
        to: u16,
    },
    /// Everything answered with the one becomes an answer with the other, which keeps name, key and hue.
    Merge {
        label: LabelId,
        into: u16,
    },
    /// A new label with this name takes over what these documents have of the label.
    Split {
        label: LabelId,
        to: String,
        docs: BTreeSet<DocId>,
    },
    Delete {
        label: LabelId,
    },
}

/// The kinds of things people say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched {
    Answers,
    Spans,
    Links,
    Polarities,
    Attributes,
}

impl SchemaChange {
    /// What a change touches above all.
    pub fn is_about(&self) -> Touched {
        match self {
            Self::Delete { label } | Self::Merge { label, .. } | Self::Move { label, .. } | Self::Split { label, .. } => match label {
                LabelId::Class(..) => Touched::Answers,
                LabelId::Span(_) => Touched::Spans,
            },
            Self::SetPolarity { .. } => Touched::Polarities,
            Self::Attribute { .. } => Touched::Attributes,
            Self::LinkType(_) => Touched::Links,
            _ => Touched::Answers,
        }
    }
}

/// The edits of a change, and how much of what people said it touches.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// In order; empty when the schema is as wished already.
    pub edits: Vec<Edit>,
    /// Answers that change or go. Those that only follow their class to another place are not counted.
    pub answers: usize,
    pub spans: usize,
    /// Links that go, or become links of another type.
    pub links: usize,
    /// Attributes of spans that change or go.
    pub attributes: usize,
    /// Polarities that go.
    pub polarities: usize,
}

impl Plan {
    /// Whether something that a person said would be another thing afterwards, or gone.
    pub fn changes_answers(&self) -> bool {
        self.answers + self.spans + self.links + self.polarities + self.attributes > 0
    }
}

/// The most labels a list holds: places are 16 bits wide.
const MOST: usize = 1000;

impl Schema {
    /// Who else has a key, upper or lower case.
    pub fn key_use(&self, key: char, except: LabelId) -> Option<KeyUse> {
        let key = key.to_ascii_lowercase();
        if RESERVED.contains(key) {
            return Some(KeyUse::Program);
        }
        let classes = (0..).zip(&self.questions).flat_map(|(question, asked)| {
            let question = QuestionId(question);
            (0..asked.classes.len()).map(move |at| LabelId::Class(question, at as u16))
        });
        let spans = (0..self.span_labels.len()).map(|at| LabelId::Span(at as u16));
        // A digit answers the question one is at: other questions may have it too.
        let elsewhere = |other: &LabelId| match (other, except) {
            (LabelId::Class(other, _), LabelId::Class(own, _)) => *other != own && key.is_ascii_digit(),
            _ => false,
        };
        let mut others = classes.chain(spans).filter(|label| *label != except && !elsewhere(label));
        let holder = others.find(|label| self.key(*label).is_some_and(|held| held.eq_ignore_ascii_case(&key)))?;
        Some(KeyUse::Label(self.name(holder).unwrap_or_default().to_owned()))
    }

    /// The places of a label's list, and the label's own.
    fn list_of(&self, label: LabelId) -> Result<(usize, usize), SchemaError> {
        let (len, at) = match label {
            LabelId::Class(question, at) => (self.question(question).map_or(0, |asked| asked.classes.len()), at),
            LabelId::Span(at) => (self.span_labels.len(), at),
        };
        if usize::from(at) < len { Ok((len, usize::from(at))) } else { Err(SchemaError::NoSuchLabel) }
    }

    fn name_and_hue(&mut self, label: LabelId) -> Result<(&mut String, &mut u8), SchemaError> {
        let found = match label {
            LabelId::Class(question, at) => {
                let classes = self.questions.get_mut(usize::from(question.0)).map(|asked| &mut asked.classes);
                classes.and_then(|classes| classes.get_mut(usize::from(at))).map(|class| (&mut class.name, &mut class.hue))
            }
            LabelId::Span(at) => self.span_labels.get_mut(usize::from(at)).map(|label| (&mut label.name, &mut label.hue)),
        };
        found.ok_or(SchemaError::NoSuchLabel)
    }

    /// The note of a label, made if there is none.
    fn note_mut(&mut self, label: LabelId) -> &mut Note {
        let (notes, at) = match label {
            LabelId::Class(question, at) => {
                let question = usize::from(question.0);
                if self.class_notes.len() <= question {
                    self.class_notes.resize(question + 1, Vec::new());
                }
                (&mut self.class_notes[question], usize::from(at))
            }
            LabelId::Span(at) => (&mut self.label_notes, usize::from(at)),
        };
        if notes.len() <= at {
            notes.resize(at + 1, Note::default());
        }
        &mut notes[at]
    }

    /// A name without spaces around it that no other label of the list has.
    fn free_name(&self, name: &str, label: LabelId) -> Result<String, SchemaError> {
        let name = name.trim();
        if name.is_empty() {
            return Err(SchemaError::NoName);
        }
        let names: Vec<&str> = match label {
            LabelId::Class(question, _) => {
                self.question(question).into_iter().flat_map(|q| &q.classes).map(|class| class.name.as_str()).collect()
            }
            LabelId::Span(_) => self.span_labels.iter().map(|label| label.name.as_str()).collect(),
        };
        let own = match label {
            LabelId::Class(_, at) | LabelId::Span(at) => usize::from(at),
        };
        match names.iter().enumerate().any(|(at, held)| at != own && *held == name) {
            true => Err(SchemaError::NameTaken(name.to_owned())),
            false if names.len() >= MOST => Err(SchemaError::TooMany),
            false => Ok(name.to_owned()),
        }
    }

    fn add_class(&mut self, question: QuestionId, name: &str) -> Result<(), SchemaError> {
        if self.questions.is_empty() && question == QuestionId(0) {
            self.add_question("sentiment", Kind::One)?;
        }
        let name = self.free_name(name, LabelId::Class(question, u16::MAX))?;
        let asked =
            self.questions.get_mut(usize::from(question.0)).filter(|asked| asked.kind.has_classes()).ok_or(SchemaError::NoSuchLabel)?;
        let used: BTreeSet<u8> = asked.classes.iter().map(|class| class.hue).collect();
        let hue = (0..8).find(|hue| !used.contains(hue)).unwrap_or((asked.classes.len() % 8) as u8);
        asked.classes.push(Class { name, hue });
        Ok(())
    }

    fn add_span_label(&mut self, name: &str) -> Result<(), SchemaError> {
        let place = LabelId::Span(u16::MAX);
        let name = self.free_name(name, place)?;
        // A letter of the name, else any letter; none when all are taken.
        let letters = name.to_lowercase().chars().chain('a'..='z').filter(char::is_ascii_lowercase).collect::<Vec<_>>();
        let key = letters.into_iter().find(|key| self.key_use(*key, place).is_none()).unwrap_or(' ');
        let used: BTreeSet<u8> = self.span_labels.iter().map(|label| label.hue).collect();
        let hue = (3..11).map(|hue| hue % 8).find(|hue| !used.contains(hue)).unwrap_or((self.span_labels.len() % 8) as u8);
        let polarity = is_opinion(&name);
        self.span_labels.push(SpanLabel { name, key, hue, polarity });
        Ok(())
    }

    fn set_key(&mut self, label: LabelId, to: Option<char>) -> Result<(), SchemaError> {
        let to = to.map(|key| key.to_ascii_lowercase());
        if let Some(key) = to {
            if !key.is_ascii_alphanumeric() {
                return Err(SchemaError::NotAKey(key));
            }
            if let Some(by) = self.key_use(key, label) {
                return Err(SchemaError::KeyTaken { key: key.to_ascii_uppercase(), by });
            }
        }
        match label {
            LabelId::Span(at) => self.span_labels[usize::from(at)].key = to.unwrap_or(' '),
            LabelId::Class(_, at) => {
                let digit = char::from_digit(u32::from(at) + 1, 10);
                self.note_mut(label).key = to.filter(|key| Some(*key) != digit);
            }
        }
        Ok(())
    }

    /// Takes the label at `from` out of its list and puts it in at `to`, or nowhere.
    fn place(&mut self, label: LabelId, to: Option<usize>) {
        fn moved<T>(list: &mut Vec<T>, from: usize, to: Option<usize>) {
            let taken = list.remove(from);
            if let Some(to) = to {
                list.insert(to, taken);
            }
        }
        // Notes are moved with their labels, so the list must be long enough.
        let (from, last) = match self.list_of(label) {
            Ok((len, at)) => (at, len - 1),
            Err(_) => return,
        };
        match label {
            LabelId::Class(question, _) => {
                self.note_mut(LabelId::Class(question, last as u16));
                moved(&mut self.questions[usize::from(question.0)].classes, from, to);
                moved(&mut self.class_notes[usize::from(question.0)], from, to);
            }
            LabelId::Span(_) => {
                self.note_mut(LabelId::Span(last as u16));
                moved(&mut self.span_labels, from, to);
                moved(&mut self.label_notes, from, to);
            }
        }
        self.forget_empty_notes();
    }

    /// Notes that say nothing are not kept, so that the same schema is always written the same way.
    fn forget_empty_notes(&mut self) {
        let trim = |notes: &mut Vec<Note>| {
            let kept = notes.iter().rposition(|note| *note != Note::default()).map_or(0, |at| at + 1);
            notes.truncate(kept);
        };
        self.class_notes.iter_mut().for_each(trim);
        trim(&mut self.label_notes);
        let kept = self.class_notes.iter().rposition(|notes| !notes.is_empty()).map_or(0, |at| at + 1);
        self.class_notes.truncate(kept);
        let kept = self.question_help.iter().rposition(|help| !help.is_empty()).map_or(0, |at| at + 1);
        self.question_help.truncate(kept);
    }
}

/// What a change does to what was said.
enum Effect {
    None,
    Labels(Fate),
    Questions(Reshaped),
    Attributes(AttributeFate),
    Links(LinkFate),
    Split(SplitFate),
}

/// What becomes of the labels of one list.
struct Fate {
    list: LabelId,
    /// New place by old place; `None` for a label that goes.
    places: Vec<Option<u16>>,
    /// The label whose answers are counted: deleted, or merged into another.
    subject: Option<u16>,
    /// Where the subject's spans go, if they join those of another label (old place).
    into: Option<u16>,
}

impl Fate {
    fn of(label: LabelId, len: usize, subject: bool, place: impl Fn(usize) -> Option<usize>) -> Self {
        let at = match label {
            LabelId::Class(_, at) | LabelId::Span(at) => at,
        };
        let places = (0..len).map(|from| place(from).map(|to| to as u16)).collect();
        Self { list: label, places, subject: subject.then_some(at), into: None }
    }

    fn place(&self, at: u16) -> Option<u16> {
        self.places.get(usize::from(at)).copied().flatten()
    }
}

impl Project {
    /// What a change of the schema comes to.
    ///
    /// # Errors
    /// A sentence that says why it can't be.
    pub fn plan(&self, change: &SchemaChange) -> Result<Plan, SchemaError> {
        let mut schema = Schema::clone(self.schema());
        let effect = wished(&mut schema, change)?;
        let mut views = std::mem::take(&mut schema.views);
        views.iter_mut().for_each(|view| view.filter.follow_attributes(self.schema(), &schema));
        schema.views = views;
        match &effect {
            Effect::None | Effect::Attributes(_) | Effect::Links(_) | Effect::Split(_) => {}
            Effect::Labels(fate) => schema.follow_labels(fate),
            Effect::Questions(reshaped) => schema.follow_questions(reshaped),
        }
        let mut plan = Plan::default();
        let mut later = Vec::new();
        for doc in self.documents() {
            for layer in doc.all_layers() {
                let seen = doc.seen_in(layer);
                let (before, before_later) = (plan.edits.len(), later.len());
                match &effect {
                    Effect::None => {}
                    Effect::Labels(fate) => match fate.list {
                        LabelId::Class(question, _) => plan.take_answer(&seen, question, fate),
                        LabelId::Span(_) => plan.take_spans(&seen, fate, [self.schema(), &schema], &mut later),
                    },
                    Effect::Questions(reshaped) => plan.take_questions(&seen, reshaped, [self.schema(), &schema], &mut later),
                    Effect::Attributes(fate) => plan.take_attributes(&seen, fate, &mut later),
                    Effect::Links(fate) => plan.take_links(&seen, fate),
                    Effect::Split(fate) => plan.take_split(&seen, fate, &mut later),
                }
                let own = plan.edits.split_off(before);
                plan.edits.extend(layer.edits(own));
                let own = later.split_off(before_later);
                later.extend(layer.edits(own));
            }
        }
        if schema != **self.schema() {
            // After the answers: they fit both schemas then, and on the way back too.
            plan.edits.push(Edit::SetSchema { to: Box::new(schema) });
        }
        plan.edits.append(&mut later);
        Ok(plan)
    }
}

/// Makes the change in `schema` and says what becomes of what was answered.
fn wished(schema: &mut Schema, change: &SchemaChange) -> Result<Effect, SchemaError> {
    use SchemaChange as C;
    match change {
        C::AddClass { question, name } => schema.add_class(*question, name)?,
        C::AddSpanLabel { name } => schema.add_span_label(name)?,
        C::AddAll { classes, questions, spans } => {
            let passed = |outcome| match outcome {
                Err(SchemaError::NameTaken(_)) => Ok(()),
                other => other,
            };
            if !classes.is_empty() {
                let main = schema.main_question().map(|(id, _)| id);
                let main = main.map_or_else(|| schema.add_question("sentiment", Kind::One), Ok)?;
                classes.iter().try_for_each(|name| passed(schema.add_class(main, name)))?;
            }
            questions.iter().try_for_each(|question| schema.add_whole_question(question))?;
            spans.iter().try_for_each(|name| passed(schema.add_span_label(name)))?;
        }
        C::Rename { label, to } => {
            schema.list_of(*label)?;
            let name = schema.free_name(to, *label)?;
            *schema.name_and_hue(*label)?.0 = name;
        }
        C::SetHue { label, to } => *schema.name_and_hue(*label)?.1 = to % 8,
        C::SetKey { label, to } => {
            schema.list_of(*label)?;
            schema.set_key(*label, *to)?;
            schema.forget_empty_notes();
        }
        C::SetHelp { label, to } => {
            schema.list_of(*label)?;
            schema.note_mut(*label).help = to.trim().to_owned();
            schema.forget_empty_notes();
        }
        C::SetQuestionHelp { question, to } => schema.set_question_help(*question, to)?,
        C::Attribute { label, change } => return schema.change_attributes(*label, change).map(Effect::Attributes),
        C::LinkType(change) => return schema.change_link_types(change).map(Effect::Links),
        C::SetPolarity { label, to } => {
            let (len, at) = schema.list_of(LabelId::Span(*label))?;
            schema.span_labels[at].polarity = *to;
            return Ok(if *to { Effect::None } else { Effect::Labels(Fate::of(LabelId::Span(*label), len, false, Some)) });
        }
        C::Move { label, to } => {
            let (len, at) = schema.list_of(*label)?;
            let to = usize::from(*to).min(len - 1);
            schema.place(*label, Some(to));
            let mut order: Vec<usize> = (0..len).collect();
            let taken = order.remove(at);
            order.insert(to, taken);
            return Ok(Effect::Labels(Fate::of(*label, len, false, |from| order.iter().position(|old| *old == from))));
        }
        C::Merge { label, into } => return merged(schema, *label, *into).map(Effect::Labels),
        C::Split { label, to, docs } => return schema.split_label(*label, to, docs).map(Effect::Split),
        C::Delete { label } => {
            let (len, at) = schema.list_of(*label)?;
            schema.place(*label, None);
            return Ok(Effect::Labels(Fate::of(*label, len, true, |from| (from != at).then(|| from - usize::from(from > at)))));
        }
        C::AddQuestion { name, kind } => {
            schema.add_question(name, *kind)?;
        }
        C::RenameQuestion { question, to } => schema.rename_question(*question, to)?,
        C::SetKind { question, to } => return schema.set_kind(*question, *to).map(Effect::Questions),
        C::MoveQuestion { question, to } => return schema.place_question(*question, Some(*to)).map(Effect::Questions),
        C::DeleteQuestion { question } => return schema.place_question(*question, None).map(Effect::Questions),
        C::AddWords { words } => schema.add_words(words)?,
        C::RemoveWords { places } => schema.remove_words(places),
        C::SaveView { view } => schema.save_view(view)?,
        C::DeleteView { name } => schema.views.retain(|view| view.name != *name),
        C::GroupTerms { terms, name } => schema.group_terms(terms, name),
    }
    Ok(Effect::None)
}

fn merged(schema: &mut Schema, label: LabelId, into: u16) -> Result<Fate, SchemaError> {
    let (len, at) = schema.list_of(label)?;
    let goal = usize::from(into);
    if goal >= len {
        return Err(SchemaError::NoSuchLabel);
    }
    if goal == at {
        return Err(SchemaError::IntoItself);
    }
    schema.place(label, None);
    let after = |from: usize| from - usize::from(from > at);
    let fate = Fate::of(label, len, true, |from| Some(after(if from == at { goal } else { from })));
    Ok(Fate { into: Some(into), ..fate })
}

impl Plan {
    fn take_answer(&mut self, doc: &Document, question: QuestionId, fate: &Fate) {
        let Some(held) = doc.annotation.answers.get(&question) else { return };
        let (touched, to) = match held {
            Answer::Class(class) => (fate.subject == Some(*class), fate.place(*class).map(Answer::Class)),
            Answer::Classes(classes) => {
                let moved: BTreeSet<u16> = classes.iter().filter_map(|class| fate.place(*class)).collect();
                let touched = fate.subject.is_some_and(|subject| classes.contains(&subject));
                (touched, (!moved.is_empty()).then_some(Answer::Classes(moved)))
            }
            Answer::Number(_) | Answer::Text(_) => return,
        };
        self.answers += usize::from(touched);
        if to.as_ref() != Some(held) {
            self.edits.push(Edit::SetAnswer { doc: doc.id, question, to });
        }
    }
}
