//! Rows by name to documents by place in the schema: the edits with which a project takes an import in.

mod details;

use super::roles::MAIN;
use super::{Draft, DraftAnnotation, DraftAnswer, DraftSpan, ImportReport, Imported, OwnProject, RowIssue};
use crate::project::{
    Annotation, AnnotatorId, Answer, Class, CommentId, DocId, Document, Edit, Entry, History, Kind, Link, MetaPool, Number, Project,
    Question, QuestionId, Scale, Schema, Span, SpanId, SpanLabel,
};
use crate::store::jsonl::{OwnEntry, TakenOut};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// What an import has to know of a project: small, so that a thread can make the edits while the project is worked on.
#[derive(Clone, Debug, PartialEq)]
pub struct Ground {
    schema: Arc<Schema>,
    annotators: Vec<String>,
    guidelines: String,
    /// The id of the first document to come.
    first: DocId,
    /// Whether spans are linked somewhere.
    is_linked: bool,
}

impl Ground {
    pub fn of(project: &Project) -> Self {
        let has_links = |doc: &Document| !doc.annotation.links.is_empty() || doc.layers.values().any(|said| !said.links.is_empty());
        Self {
            schema: project.schema().clone(),
            annotators: project.annotators().to_vec(),
            guidelines: project.guidelines().to_owned(),
            first: project.next_id(),
            is_linked: project.documents().any(has_links),
        }
    }

    /// The edits of an import: the schema with the classes and labels it lacks (only where it lacks some), then one
    /// `AddDocuments`. Also remarks about rows that brought a name the schema did not have.
    ///
    /// A class that came with a row answers the main question but leaves the document to do; only our own files say more.
    pub fn edits(&self, mut drafts: Vec<Draft>) -> (Vec<Edit>, Vec<RowIssue>) {
        let whole = drafts.iter_mut().find_map(|draft| draft.project.take()).filter(|whole| self.may_take_over(whole));
        let mut names = Names::of(self, whole.as_deref());
        names.first_link_type(self.is_linked, &drafts);
        names.edits(self, drafts)
    }

    /// [`Ground::edits`] with the remarks in the report.
    pub fn plan(&self, imported: Imported) -> (Plan, ImportReport) {
        let (edits, remarks) = self.edits(imported.drafts);
        as_edits(edits, remarks, imported.report)
    }
}

/// [`Ground::edits`] for a project that nobody changes meanwhile.
pub fn edits(project: &Project, drafts: Vec<Draft>) -> (Vec<Edit>, Vec<RowIssue>) {
    Ground::of(project).edits(drafts)
}

/// A project as the journal of a file of ours tells it.
pub struct Restored {
    pub project: Project,
    pub history: History,
}

/// What rows do to a project.
pub enum Plan {
    /// They are a whole project with its journal, and nothing has happened to this one yet.
    Restore(Box<Restored>),
    /// As [`edits`].
    Edits(Vec<Edit>),
}

/// Brings our own lines back as a whole project with its journal, into a project to which nothing has happened yet. Where
/// there is no journal, where it does not fit what the rows say, or where rows stayed outside, they come in as edits. The
/// report tells which, and what the schema took in.
pub fn plan(project: &Project, history: &History, imported: Imported) -> (Plan, ImportReport) {
    let Imported { mut drafts, report } = imported;
    let ground = Ground::of(project);
    let is_new = history.done().is_empty() && history.undone().is_empty() && report.rows == report.imported;
    let whole = drafts.first_mut().filter(|_| is_new).and_then(|first| first.project.take());
    let Some(whole) = whole else { return ground.plan(Imported { drafts, report }) };
    let gone: Option<BTreeMap<usize, Draft>> =
        whole.taken_out.iter().map(|gone: &TakenOut| Some((usize::try_from(gone.id).ok()?, gone.draft()?))).collect();
    let count = drafts.len() + whole.taken_out.len();
    let is_sound = |gone: &BTreeMap<usize, Draft>| gone.len() == whole.taken_out.len() && gone.keys().all(|at| *at < count);
    let Some(gone) = gone.filter(|gone| is_sound(gone) && !whole.journal.is_empty() && ground.may_take_over(&whole)) else {
        drafts[0].project = Some(whole);
        return ground.plan(Imported { drafts, report });
    };
    match restored(project, &ground, *whole, drafts, gone) {
        Ok(restored) => {
            let report = ImportReport { journal: Some(restored.history.done().len()), ..report };
            (Plan::Restore(Box::new(restored)), report)
        }
        Err((edits, remarks)) => as_edits(edits, remarks, report),
    }
}

fn as_edits(edits: Vec<Edit>, remarks: Vec<RowIssue>, mut report: ImportReport) -> (Plan, ImportReport) {
    report.issues.extend(remarks);
    (Plan::Edits(edits), report)
}

/// # Errors
/// The edits that bring the rows in without the journal, which does not fit them.
fn restored(
    project: &Project,
    ground: &Ground,
    whole: OwnProject,
    drafts: Vec<Draft>,
    mut gone: BTreeMap<usize, Draft>,
) -> Result<Restored, (Vec<Edit>, Vec<RowIssue>)> {
    let outside: HashSet<usize> = gone.keys().copied().collect();
    let (count, mut rest) = (drafts.len() + gone.len(), drafts.into_iter());
    // One after the other, each draft gone when its document is there: there may be a million.
    let all = (0..count).filter_map(|at| gone.remove(&at).or_else(|| rest.next()));
    let (edits, remarks) = Names::of(ground, Some(&whole)).edits(ground, all);
    let (added, others): (Vec<Edit>, Vec<Edit>) = edits.into_iter().partition(|edit| matches!(edit, Edit::AddDocuments { .. }));
    let mut back = project.clone();
    let out = whole.taken_out.iter().map(|gone| Edit::SetPresent { first: DocId(gone.id), count: 1, to: false });
    let applied = others.iter().cloned().chain(added).chain(out).try_for_each(|edit| back.apply(edit).map(drop));
    let history = History::replay(whole.journal.into_iter().map(|OwnEntry { kind, step }| Entry { kind, step }));
    if applied.is_ok() && can_be_taken_back(back.clone(), history.clone()) {
        return Ok(Restored { project: back, history });
    }
    let documents = back.all_documents().iter().enumerate().filter(|(at, _)| !outside.contains(at)).map(|(_, doc)| doc.clone());
    let at = |at: usize| DocId::from_index(ground.first.index() + at);
    let documents: Vec<Document> = documents.enumerate().map(|(place, doc)| Document { id: at(place), present: true, ..doc }).collect();
    let add = Edit::AddDocuments { first: ground.first, count: documents.len() as u32, documents };
    Err((others.into_iter().chain([add]).collect(), remarks))
}

/// Whether every step can be taken back and made again, or the journal is of another project.
fn can_be_taken_back(mut project: Project, mut history: History) -> bool {
    while let Some(undone) = history.undo(&mut project) {
        if undone.is_err() {
            return false;
        }
    }
    while let Some(redone) = history.redo(&mut project) {
        if redone.is_err() {
            return false;
        }
    }
    true
}

impl Ground {
    /// Whether a project without documents becomes the one that a file of ours is from: nothing of its own goes by that.
    fn may_take_over(&self, whole: &OwnProject) -> bool {
        let (held, schema) = (&self.schema, &whole.schema);
        let is_named = |names: Vec<&str>| {
            names.iter().all(|name| !name.trim().is_empty()) && names.iter().collect::<HashSet<_>>().len() == names.len()
        };
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
            && self.first == DocId::from_index(0)
            && self.annotators.is_empty()
            && self.guidelines.is_empty()
            && (is_untouched || is_within)
    }
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
    fn of(ground: &Ground, whole: Option<&OwnProject>) -> Self {
        let (schema, annotators, guidelines) = match whole {
            Some(whole) => (whole.schema.clone(), whole.annotators.clone(), whole.guidelines.clone()),
            None => (Schema::clone(&ground.schema), ground.annotators.clone(), ground.guidelines.clone()),
        };
        Self { schema, annotators, guidelines, new: Vec::new(), pool: MetaPool::default(), grows: Vec::new(), growing: Vec::new() }
    }

    /// The edits that bring drafts in, one after the other.
    fn edits(mut self, ground: &Ground, drafts: impl IntoIterator<Item = Draft>) -> (Vec<Edit>, Vec<RowIssue>) {
        let first = ground.first;
        let documents: Vec<Document> =
            drafts.into_iter().enumerate().map(|(at, draft)| self.document(DocId::from_index(first.index() + at), draft)).collect();
        let mut edits = Vec::new();
        if self.schema != *ground.schema {
            edits.push(Edit::SetSchema { to: Box::new(self.schema) });
        }
        if self.annotators != ground.annotators {
            edits.push(Edit::SetAnnotators { to: self.annotators });
        }
        if self.guidelines != ground.guidelines {
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
        let is_alone = answers.len() == 1;
        for (name, draft) in answers {
            let or_main = one_question && (is_alone || name == MAIN);
            let question = self.question(&name, &draft, or_main, row);
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
