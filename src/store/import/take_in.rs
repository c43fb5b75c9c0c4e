//! Rows by name to documents by place in the schema: the edits with which a project takes an import in.

mod details;

use super::{Draft, DraftAnnotation, DraftAnswer, DraftSpan, Imported, OwnProject, RowIssue};
use crate::project::{
    Annotation, AnnotatorId, Answer, Class, CommentId, DocId, Document, Edit, Entry, History, Kind, Link, MetaPool, Number, Project,
    Question, QuestionId, Scale, Schema, Span, SpanId, SpanLabel,
};
use crate::store::jsonl::TakenOut;
use std::collections::{BTreeMap, HashSet};

/// The edits of an import: the schema with the classes and labels it lacks (only where it lacks some), then one
/// `AddDocuments`. Also remarks about rows that brought a name the schema did not have.
///
/// A class that came with a row answers the main question but leaves the document to do; only our own files say more.
pub fn edits(project: &Project, mut drafts: Vec<Draft>) -> (Vec<Edit>, Vec<RowIssue>) {
    let whole = drafts.iter_mut().find_map(|draft| draft.project.take()).filter(|whole| may_take_over(project, whole));
    let mut names = Names::of(project, whole);
    names.first_link_type(project, &drafts);
    names.edits(project, drafts)
}

/// A project as the journal of a file of ours tells it.
pub struct Restored {
    pub project: Project,
    pub history: History,
}

/// Brings back a whole project with its journal from our own lines, into a project to which nothing has happened yet.
/// `None` where there is no journal, where it does not fit what the rows say, or where rows stayed outside.
pub fn restored(project: &Project, history: &History, imported: &Imported) -> Option<Restored> {
    let is_new = history.done().is_empty() && history.undone().is_empty();
    let whole = imported.drafts.first()?.project.as_ref().filter(|whole| is_new && may_take_over(project, whole))?;
    if whole.journal.is_empty() || imported.report.rows != imported.report.imported {
        return None;
    }
    let gone = |gone: &TakenOut| Some((usize::try_from(gone.id).ok()?, gone.draft()?));
    let gone: BTreeMap<usize, Draft> = whole.taken_out.iter().map(gone).collect::<Option<_>>()?;
    let (count, mut rest) = (imported.drafts.len() + gone.len(), imported.drafts.iter());
    if gone.len() != whole.taken_out.len() || gone.keys().any(|at| *at >= count) {
        return None;
    }
    // One after the other: there may be a million.
    let all = (0..count).filter_map(|at| gone.get(&at).cloned().or_else(|| rest.next().cloned()));
    let mut back = project.clone();
    for edit in Names::of(project, Some(whole.clone())).edits(project, all).0 {
        back.apply(edit).ok()?;
    }
    for gone in &whole.taken_out {
        back.apply(Edit::SetPresent { first: DocId(gone.id), count: 1, to: false }).ok()?;
    }
    let entries = whole.journal.iter().map(|entry| Entry { kind: entry.kind, step: entry.step.clone() });
    let history = History::replay(entries);
    // Every step can be taken back and made again, or the journal is of another project.
    let (mut trial, mut steps) = (back.clone(), history.clone());
    while let Some(undone) = steps.undo(&mut trial) {
        undone.ok()?;
    }
    while let Some(redone) = steps.redo(&mut trial) {
        redone.ok()?;
    }
    Some(Restored { project: back, history })
}

/// Whether a project without documents becomes the one that a file of ours is from: nothing of its own goes by that.
fn may_take_over(project: &Project, whole: &OwnProject) -> bool {
    let (held, schema) = (project.schema(), &whole.schema);
    let is_named =
        |names: Vec<&str>| names.iter().all(|name| !name.trim().is_empty()) && names.iter().collect::<HashSet<_>>().len() == names.len();
    let classes = |question: &Question| is_named(question.classes.iter().map(|class| class.name.as_str()).collect());
    let is_sound = is_named(schema.questions.iter().map(|question| question.name.as_str()).collect())
        && is_named(schema.span_labels.iter().map(|label| label.name.as_str()).collect())
        && is_named(schema.link_types().iter().map(|held| held.name.as_str()).collect())
        && schema.questions.iter().all(classes);
    let has_question = |question: &Question| {
        let same = schema.questions.iter().find(|other| other.name == question.name);
        same.is_some_and(|same| question.classes.iter().all(|class| same.classes.iter().any(|other| other.name == class.name)))
    };
    let is_untouched = **held == Schema::default();
    let is_within =
        held.questions.iter().all(has_question) && held.span_labels.iter().all(|label| schema.span_label(&label.name).is_some());
    is_sound
        && project.all_documents().is_empty()
        && project.annotators().is_empty()
        && project.guidelines().is_empty()
        && (is_untouched || is_within)
}

/// A schema that grows by the names it is asked for.
struct Names {
    schema: Schema,
    annotators: Vec<String>,
    guidelines: String,
    new: Vec<RowIssue>,
    pool: MetaPool,
    /// Questions of numbers that this import brought: their range becomes what the file needs.
    grows: Vec<QuestionId>,
    /// Attributes of numbers that this import brought, by label and name.
    growing: Vec<(u16, String)>,
}

impl Names {
    /// Those of a project, or of the one that a file of ours is from where it is taken over.
    fn of(project: &Project, whole: Option<Box<OwnProject>>) -> Self {
        let (schema, annotators, guidelines) = match whole {
            Some(whole) => (whole.schema, whole.annotators, whole.guidelines),
            None => (Schema::clone(project.schema()), project.annotators().to_vec(), project.guidelines().to_owned()),
        };
        Self { schema, annotators, guidelines, new: Vec::new(), pool: MetaPool::default(), grows: Vec::new(), growing: Vec::new() }
    }

    /// The edits that bring drafts in, one after the other.
    fn edits(mut self, project: &Project, drafts: impl IntoIterator<Item = Draft>) -> (Vec<Edit>, Vec<RowIssue>) {
        let first = project.next_id();
        let documents: Vec<Document> =
            drafts.into_iter().enumerate().map(|(at, draft)| self.document(DocId::from_index(first.index() + at), draft)).collect();
        let mut edits = Vec::new();
        if self.schema != **project.schema() {
            edits.push(Edit::SetSchema { to: Box::new(self.schema) });
        }
        if self.annotators != project.annotators() {
            edits.push(Edit::SetAnnotators { to: self.annotators });
        }
        if self.guidelines != project.guidelines() {
            edits.push(Edit::SetGuidelines { to: self.guidelines });
        }
        if !documents.is_empty() {
            edits.push(Edit::AddDocuments { first, count: documents.len() as u32, documents });
        }
        (edits, self.new)
    }

    fn document(&mut self, id: DocId, draft: Draft) -> Document {
        let Draft { row, text, label, meta, split, annotation, project: _ } = draft;
        let mut annotation = annotation.unwrap_or_default();
        let layers = std::mem::take(&mut annotation.layers);
        let layers = layers.into_iter().filter(|(name, _)| !name.trim().is_empty());
        let layers = layers.map(|(name, own)| (self.annotator(name), self.annotation(own, None, row))).collect();
        let comments = (0..).map(CommentId).zip(std::mem::take(&mut annotation.comments)).collect();
        let annotation = self.annotation(annotation, label, row);
        Document { meta: self.pool.meta(meta), split, annotation, layers, comments, ..Document::new(id, text) }
    }

    fn annotator(&mut self, name: String) -> AnnotatorId {
        let at = self.annotators.iter().position(|held| *held == name).unwrap_or(self.annotators.len());
        if at == self.annotators.len() {
            self.annotators.push(name);
        }
        AnnotatorId(at as u16)
    }

    fn annotation(&mut self, draft: DraftAnnotation, label: Option<String>, row: usize) -> Annotation {
        let DraftAnnotation { answers, spans, links, state, skip_reason, flagged, foreign, one_question, .. } = draft;
        let DraftAnnotation { attributes, link_types, rejected, .. } = draft;
        let mut said = Annotation { state, skip_reason, flagged, rejected, ..Annotation::default() };
        for (name, draft) in answers {
            let question = self.question(&name, &draft, one_question, row);
            match self.answer(question, &draft, row) {
                Some(answer) => {
                    said.answers.insert(question, answer);
                }
                None => {
                    let reason = format!("answers {name:?} in a way that the question does not take; the answer was left out");
                    self.new.push(RowIssue { row, reason, skipped: false });
                }
            }
        }
        if let Some(label) = label {
            let question = match self.schema.main_question() {
                Some((id, _)) => id,
                None => self.question("sentiment", &DraftAnswer::Class(String::new()), false, row),
            };
            let class = self.class(question, &label, row);
            said.answers.entry(question).or_insert(Answer::Class(class));
        }
        for DraftSpan { id, range, label, polarity } in spans {
            let label = self.span_label(&label, polarity.is_some(), row);
            if foreign && polarity.is_some() {
                self.give_polarity(label, row);
            }
            said.spans.insert(SpanId(id), Span { range, label, polarity });
        }
        let known = |id: u32| said.spans.contains_key(&SpanId(id));
        let sound = links.into_iter().filter(|(from, to)| from != to && known(*from) && known(*to));
        said.links = sound.map(|(from, to)| Link { from: SpanId(from), to: SpanId(to) }).collect();
        self.details(&mut said, attributes, link_types, row);
        said
    }

    fn remark(&mut self, row: usize, what: &str, name: &str) {
        let reason = format!("brings the new {what} {name:?}; it was added to the schema");
        self.new.push(RowIssue { row, reason, skipped: false });
    }

    /// `or_main`: rather the main question than a new one.
    fn question(&mut self, name: &str, draft: &DraftAnswer, or_main: bool, row: usize) -> QuestionId {
        if let Some(at) = place(self.schema.questions.iter().map(|question| question.name.as_str()), name) {
            return QuestionId(at);
        }
        if let Some((main, _)) = self.schema.main_question().filter(|_| or_main) {
            return main;
        }
        let kind = match draft {
            DraftAnswer::Class(_) => Kind::One,
            DraftAnswer::Classes(_) => Kind::Several,
            DraftAnswer::Number(_) => Kind::Number(Scale::default()),
            DraftAnswer::Text(_) => Kind::Text,
        };
        self.schema.questions.push(Question { name: name.to_owned(), classes: Vec::new(), kind });
        let id = QuestionId((self.schema.questions.len() - 1) as u16);
        if matches!(kind, Kind::Number(_)) {
            self.grows.push(id);
        }
        self.remark(row, "question", name);
        id
    }

    /// The answer as the question takes it; `None` when it can't.
    fn answer(&mut self, question: QuestionId, draft: &DraftAnswer, row: usize) -> Option<Answer> {
        let words = match draft {
            DraftAnswer::Class(name) | DraftAnswer::Text(name) => name.clone(),
            DraftAnswer::Classes(names) => names.join(", "),
            DraftAnswer::Number(number) => number.to_string(),
        };
        let kind = self.schema.question(question)?.kind;
        let answer = match (kind, draft) {
            (Kind::One, DraftAnswer::Class(name)) => Answer::Class(self.class(question, name, row)),
            (Kind::One, DraftAnswer::Classes(names)) if names.len() == 1 => Answer::Class(self.class(question, &names[0], row)),
            (Kind::Several, DraftAnswer::Class(name)) => Answer::Classes([self.class(question, name, row)].into()),
            (Kind::Several, DraftAnswer::Classes(names)) => {
                Answer::Classes(names.iter().map(|name| self.class(question, name, row)).collect())
            }
            // A text or a number is no new class, but may be the name of one.
            (Kind::One, _) => Answer::Class(self.schema.question(question)?.class(&words)?),
            (Kind::Several, _) => Answer::Classes([self.schema.question(question)?.class(&words)?].into()),
            (Kind::Number(_), DraftAnswer::Number(number)) => {
                self.widen(question, *number);
                Answer::Number(*number)
            }
            (Kind::Number(_), _) => Answer::Number(Number::parse(&words)?),
            (Kind::Text, _) => Answer::Text(words),
        };
        self.schema.question(question)?.takes(&answer).then_some(answer)
    }

    /// Makes the range of a question that this import brought hold a number.
    fn widen(&mut self, question: QuestionId, number: Number) {
        let asked = &mut self.schema.questions[usize::from(question.0)];
        let Kind::Number(scale) = &mut asked.kind else { return };
        if !self.grows.contains(&question) || scale.contains(number) {
            return;
        }
        let whole = |value: f64| Number::new(value).unwrap_or(number);
        scale.min = scale.min.min(whole(number.value().floor()));
        scale.max = scale.max.max(whole(number.value().ceil()));
    }

    fn class(&mut self, question: QuestionId, name: &str, row: usize) -> u16 {
        let classes = &mut self.schema.questions[usize::from(question.0)].classes;
        if let Some(at) = place(classes.iter().map(|class| class.name.as_str()), name) {
            return at;
        }
        let at = classes.len();
        classes.push(Class { name: name.to_owned(), hue: (at % 8) as u8 });
        self.remark(row, "class", name);
        at as u16
    }

    fn give_polarity(&mut self, label: u16, row: usize) {
        let label = &mut self.schema.span_labels[usize::from(label)];
        if !label.polarity {
            label.polarity = true;
            let reason = format!("gives a polarity to {:?}; spans of this label can have one from now on", label.name);
            self.new.push(RowIssue { row, reason, skipped: false });
        }
    }

    fn span_label(&mut self, name: &str, polarity: bool, row: usize) -> u16 {
        let labels = &mut self.schema.span_labels;
        if let Some(at) = place(labels.iter().map(|label| label.name.as_str()), name) {
            return at;
        }
        let at = labels.len();
        // Keys as a new schema would choose them: the new label's is the last.
        let all: Vec<&str> = labels.iter().map(|label| label.name.as_str()).chain([name]).collect();
        let fresh = Schema::with_names(&[] as &[&str], &all).span_labels.pop();
        let used: Vec<char> = labels.iter().map(|label| label.key).collect();
        let key = fresh.map(|label| label.key).filter(|key| !used.contains(key));
        let key = key.or_else(|| "abdegimopqrtuvwxyz".chars().find(|key| !used.contains(key))).unwrap_or('a');
        labels.push(SpanLabel { name: name.to_owned(), key, hue: ((at + 3) % 8) as u8, polarity });
        self.remark(row, "span label", name);
        at as u16
    }
}

/// The place of a name: exactly, or else without regard to case ("Positive" is the class "positive").
fn place<'a>(mut names: impl Iterator<Item = &'a str> + Clone, wanted: &str) -> Option<u16> {
    let exact = names.clone().position(|name| name == wanted);
    exact.or_else(|| names.position(|name| name.to_lowercase() == wanted.to_lowercase())).map(|at| at as u16)
}
