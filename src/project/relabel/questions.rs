//! Changes of whole questions: new ones, names, kinds, order. An answer that still makes sense under another kind is kept.

use super::{MOST, Plan, SchemaError};
use crate::project::{Answer, Class, Document, Edit, Kind, Number, Question, QuestionId, Schema};
use std::collections::BTreeSet;

/// A question to add, as a template has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewQuestion {
    pub name: String,
    pub kind: Kind,
    /// Names of its classes.
    pub classes: Vec<String>,
}

impl Reshaped {
    pub fn place(&self, question: QuestionId) -> Option<QuestionId> {
        self.places.get(usize::from(question.0)).copied().flatten().map(QuestionId)
    }
}

/// What becomes of the questions.
pub(super) struct Reshaped {
    /// New place by old place; `None` for a question that goes.
    places: Vec<Option<u16>>,
}

impl Schema {
    /// A name without spaces around it that no question but the one at `own` has.
    fn free_question_name(&self, name: &str, own: Option<QuestionId>) -> Result<String, SchemaError> {
        let name = name.trim();
        if name.is_empty() {
            return Err(SchemaError::NoQuestionName);
        }
        match self.questions().any(|(id, question)| Some(id) != own && question.name == name) {
            true => Err(SchemaError::QuestionNameTaken(name.to_owned())),
            false => Ok(name.to_owned()),
        }
    }

    /// The same schema with more questions. A name that is taken is passed over; a first question without classes, which
    /// asks nothing, gives way.
    #[must_use]
    pub fn with_questions(mut self, questions: &[NewQuestion]) -> Self {
        if !questions.is_empty() && matches!(self.questions.as_slice(), [only] if only.kind == Kind::One && only.classes.is_empty()) {
            self.questions.clear();
        }
        for question in questions {
            // The only trouble is a name that is there or empty.
            self.add_whole_question(question).ok();
        }
        self
    }

    fn place_of(&self, question: QuestionId) -> Result<usize, SchemaError> {
        let at = usize::from(question.0);
        if at < self.questions.len() { Ok(at) } else { Err(SchemaError::NoSuchQuestion) }
    }

    pub(super) fn add_question(&mut self, name: &str, kind: Kind) -> Result<QuestionId, SchemaError> {
        let name = self.free_question_name(name, None)?;
        if self.questions.len() >= MOST {
            return Err(SchemaError::TooMany);
        }
        self.questions.push(Question { name, classes: Vec::new(), kind });
        Ok(QuestionId((self.questions.len() - 1) as u16))
    }

    /// A question with all its classes; one of the same name and kind only gets the classes it lacks.
    pub(super) fn add_whole_question(&mut self, new: &NewQuestion) -> Result<(), SchemaError> {
        let held = self.questions().find(|(_, held)| held.name == new.name.trim() && held.kind == new.kind).map(|(id, _)| id);
        let id = match held {
            Some(id) => id,
            None => self.add_question(&new.name, new.kind)?,
        };
        let classes = &mut self.questions[usize::from(id.0)].classes;
        for name in &new.classes {
            if !classes.iter().any(|class| class.name == *name) {
                classes.push(Class { name: name.clone(), hue: (classes.len() % 8) as u8 });
            }
        }
        Ok(())
    }

    pub(super) fn rename_question(&mut self, question: QuestionId, to: &str) -> Result<(), SchemaError> {
        let at = self.place_of(question)?;
        self.questions[at].name = self.free_question_name(to, Some(question))?;
        Ok(())
    }

    pub(super) fn set_question_help(&mut self, question: QuestionId, to: &str) -> Result<(), SchemaError> {
        let at = self.place_of(question)?;
        if self.question_help.len() <= at {
            self.question_help.resize(at + 1, String::new());
        }
        self.question_help[at] = to.trim().to_owned();
        self.forget_empty_notes();
        Ok(())
    }

    pub(super) fn set_kind(&mut self, question: QuestionId, to: Kind) -> Result<Reshaped, SchemaError> {
        let at = self.place_of(question)?;
        self.questions[at].kind = to;
        if !to.has_classes() {
            self.questions[at].classes.clear();
            if let Some(notes) = self.class_notes.get_mut(at) {
                notes.clear();
            }
            self.forget_empty_notes();
        }
        Ok(Reshaped { places: (0..self.questions.len() as u16).map(Some).collect() })
    }

    /// Puts a question at another place, or nowhere.
    pub(super) fn place_question(&mut self, question: QuestionId, to: Option<u16>) -> Result<Reshaped, SchemaError> {
        let from = self.place_of(question)?;
        let mut order: Vec<usize> = (0..self.questions.len()).collect();
        order.remove(from);
        if let Some(to) = to {
            order.insert(usize::from(to).min(order.len()), from);
        }
        self.class_notes.resize(self.questions.len(), Vec::new());
        self.question_help.resize(self.questions.len(), String::new());
        let (questions, notes, help) = (self.questions.clone(), self.class_notes.clone(), self.question_help.clone());
        self.questions = order.iter().map(|old| questions[*old].clone()).collect();
        self.class_notes = order.iter().map(|old| notes[*old].clone()).collect();
        self.question_help = order.iter().map(|old| help[*old].clone()).collect();
        self.forget_empty_notes();
        let places = (0..questions.len()).map(|old| order.iter().position(|held| *held == old).map(|at| at as u16)).collect();
        Ok(Reshaped { places })
    }
}

impl Plan {
    /// The answers of a document under the new questions: `self.edits` take away what moves, `later` puts it back. In
    /// between nothing stands that only one of the two schemas understands.
    pub(super) fn take_questions(&mut self, doc: &Document, reshaped: &Reshaped, schemas: [&Schema; 2], later: &mut Vec<Edit>) {
        let [before, after] = schemas;
        for (id, answer) in &doc.annotation.answers {
            let Some(old) = before.question(*id) else { continue };
            let new = reshaped.place(*id).and_then(|place| Some((place, after.question(place)?)));
            let kept = new.and_then(|(place, new)| Some((place, converted(old, answer, new)?)));
            if kept.as_ref().is_some_and(|(place, held)| place == id && held == answer) {
                continue;
            }
            self.answers += usize::from(kept.is_none());
            self.edits.push(Edit::SetAnswer { doc: doc.id, question: *id, to: None });
            later.extend(kept.map(|(question, to)| Edit::SetAnswer { doc: doc.id, question, to: Some(to) }));
        }
    }
}

/// The same answer to a question of another kind; `None` where it would mean something else.
fn converted(old: &Question, answer: &Answer, new: &Question) -> Option<Answer> {
    if new.takes(answer) {
        return Some(answer.clone());
    }
    let words = || old.words(answer);
    let to = match (new.kind, answer) {
        (Kind::Several, Answer::Class(class)) => Answer::Classes(BTreeSet::from([*class])),
        (Kind::One, Answer::Classes(classes)) if classes.len() == 1 => Answer::Class(*classes.first()?),
        (Kind::Text, _) => Answer::Text(words()),
        (Kind::Number(_), Answer::Class(_) | Answer::Text(_)) => Answer::Number(Number::parse(&words())?),
        _ => return None,
    };
    new.takes(&to).then_some(to)
}
