//! A colleague's copy of a project, document by document: what they said becomes a layer of theirs, documents we lack
//! are added, and labels we lack join the schema. Plans the edits of one step and reports; changes nothing.

mod joined;

use super::{
    Annotation, AnnotatorId, Answer, Comment, CommentId, DocId, Document, Edit, History, Kind, Layer, Project, Question, QuestionId,
    Schema, SchemaChange, SpanLabel,
};
use joined::{Joined, attributes, link_types};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Their project, and whose answers its outcome is.
pub struct Colleague<'a> {
    pub project: &'a Project,
    pub history: &'a History,
    /// Used for the outcome of a project that only they labelled.
    pub name: &'a str,
}

/// What a merge does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MergePlan {
    /// In order, as one step; empty when there is nothing new.
    pub edits: Vec<Edit>,
    pub report: MergeReport,
}

/// What became of a colleague's documents and answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergeReport {
    /// Documents of theirs that are in our project.
    pub matched: usize,
    /// Documents of theirs that we lacked.
    pub added: usize,
    /// External ids that name another text here; these documents stay out.
    pub other_texts: Vec<String>,
    pub layers: BTreeMap<String, LayerReport>,
    /// Outcomes of theirs that stay out: an outcome is settled in one project only.
    pub outcomes_left_out: usize,
    /// Questions, classes and span labels that we lacked.
    pub new_labels: Vec<String>,
    /// Span labels that carry a polarity in one of the projects only.
    pub polarity_differs: Vec<String>,
    pub comments: usize,
    /// Both have guidelines, and not the same. Ours stay.
    pub guidelines_differ: bool,
}

/// What became of the answers of one annotator, in documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LayerReport {
    pub new: usize,
    /// Theirs take the place of what we had of this annotator.
    pub changed: usize,
    pub same: usize,
    /// Our own answers, which are not those in their file. Ours stay.
    pub kept: usize,
}

/// Why two projects can't be merged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    #[error("the answers in the colleague's file need a name")]
    NoName,
    #[error("both of you are called {0}: give the colleague another name, so that your answers stay apart")]
    SameName(String),
    #[error("there is no room for more labels or annotators")]
    TooMany,
}

impl History {
    /// The documents that someone said something about, rather than an import.
    pub fn annotated(&self) -> BTreeSet<DocId> {
        fn of(edit: &Edit) -> Option<DocId> {
            match edit {
                Edit::ByAnnotator { what, .. } => of(what),
                edit => edit.annotated(),
            }
        }
        self.done().iter().flat_map(|step| &step.edits).filter_map(of).collect()
    }

    /// Who made the most steps.
    pub fn main_author(&self) -> Option<&str> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let annotates = |edit: &Edit| edit.annotated().is_some() || matches!(edit, Edit::ByAnnotator { .. });
        for step in self.done().iter().filter(|step| step.edits.iter().any(annotates)) {
            *counts.entry(&step.author).or_default() += 1;
        }
        counts.into_iter().max_by_key(|(name, count)| (*count, std::cmp::Reverse(*name))).map(|(name, _)| name)
    }
}

impl Project {
    /// The documents whose outcome is the work of the person who labelled alone: those touched by hand or, where none
    /// was, all that came with answers.
    pub fn own_work(&self, history: &History) -> BTreeSet<DocId> {
        let touched = history.annotated();
        let counts = |doc: &&Document| touched.is_empty() || touched.contains(&doc.id);
        self.documents().filter(counts).filter(|doc| doc.annotation != Annotation::default()).map(|doc| doc.id).collect()
    }

    /// What merging a colleague's project into this one comes to. `our_name` is who has labelled here, if alone so far.
    ///
    /// # Errors
    /// When it can't be told whose answers are whose.
    pub fn plan_merge(&self, history: &History, our_name: &str, colleague: &Colleague<'_>) -> Result<MergePlan, MergeError> {
        let their_name = colleague.name.trim();
        if colleague.project.annotators().is_empty() {
            if their_name.is_empty() {
                return Err(MergeError::NoName);
            }
            if their_name == our_name {
                return Err(MergeError::SameName(our_name.to_owned()));
            }
        }
        Merge::new(self, history, our_name, colleague)?.run()
    }
}

/// A merge under way.
struct Merge<'a> {
    ours: &'a Project,
    our_name: &'a str,
    /// Documents whose outcome is ours, where we labelled alone so far.
    our_work: BTreeSet<DocId>,
    theirs: &'a Project,
    their_name: &'a str,
    /// Documents of theirs whose outcome is their work, where they labelled alone.
    their_work: BTreeSet<DocId>,
    annotators: Vec<String>,
    labels: Labels,
    plan: MergePlan,
}

impl<'a> Merge<'a> {
    fn new(ours: &'a Project, history: &History, our_name: &'a str, colleague: &Colleague<'a>) -> Result<Self, MergeError> {
        let theirs = colleague.project;
        let mut plan = MergePlan::default();
        let labels = Labels::joined(ours.schema(), theirs.schema(), &mut plan.report)?;
        // From here on the two are compared, so what was said here is ours rather than settled.
        let annotators = if ours.annotators().is_empty() { vec![our_name.to_owned()] } else { ours.annotators().to_vec() };
        let our_work = if ours.annotators().is_empty() { ours.own_work(history) } else { BTreeSet::new() };
        let alone = theirs.annotators().is_empty();
        let their_work = if alone { theirs.own_work(colleague.history) } else { BTreeSet::new() };
        let their_name = colleague.name.trim();
        Ok(Self { ours, our_name, our_work, theirs, their_name, their_work, annotators, labels, plan })
    }

    fn run(mut self) -> Result<MergePlan, MergeError> {
        let known = self.annotators.len();
        let mut layers_of_ours = Vec::new();
        let mut added = Vec::new();
        let matches = Matcher::new(self.ours).all(self.theirs);
        for (doc, found) in self.theirs.documents().zip(matches) {
            match found {
                Found::Here(id) => {
                    self.plan.report.matched += 1;
                    let Some(own) = self.ours.document(id) else { continue };
                    self.merge_layers(own, doc, &mut layers_of_ours);
                    self.merge_comments(own, doc, &mut layers_of_ours);
                }
                Found::OtherText(id) => self.plan.report.other_texts.push(id),
                Found::Nowhere => {
                    let id = DocId::from_index(self.ours.next_id().index() + added.len());
                    let layers = self.said(doc).into_iter().map(|(name, said)| {
                        self.plan.report.layers.entry(name.clone()).or_default().new += 1;
                        (self.annotator(name), said)
                    });
                    let layers = layers.collect();
                    let comments = doc.comments.clone();
                    self.plan.report.comments += comments.len();
                    let fresh =
                        Document { meta: doc.meta.clone(), split: doc.split, layers, comments, ..Document::new(id, doc.text.clone()) };
                    added.push(fresh);
                }
            }
        }
        self.plan.report.added = added.len();
        if u16::try_from(self.annotators.len()).is_err() {
            return Err(MergeError::TooMany);
        }
        let mut edits = layers_of_ours;
        if !added.is_empty() {
            edits.push(Edit::AddDocuments { first: self.ours.next_id(), count: added.len() as u32, documents: added });
        }
        self.merge_guidelines(&mut edits);
        if self.labels.schema != **self.ours.schema() {
            self.plan.edits.push(Edit::SetSchema { to: Box::new(self.labels.schema) });
        }
        if self.annotators.len() > known {
            self.plan.edits.push(Edit::SetAnnotators { to: self.annotators });
            if self.ours.annotators().is_empty() {
                self.plan.edits.extend(self.ours.with_annotator(self.our_name, &self.our_work).into_iter().skip(1));
            }
        }
        self.plan.edits.extend(edits);
        Ok(self.plan)
    }

    fn annotator(&mut self, name: String) -> AnnotatorId {
        let at = self.annotators.iter().position(|held| *held == name).unwrap_or(self.annotators.len());
        if at == self.annotators.len() {
            self.annotators.push(name);
        }
        AnnotatorId(at as u16)
    }

    /// What is said about a document of theirs, by annotator, in the words of our schema.
    fn said(&mut self, doc: &Document) -> Vec<(String, Annotation)> {
        if self.theirs.annotators().is_empty() {
            let is_theirs = self.their_work.contains(&doc.id);
            let said = is_theirs.then(|| (self.their_name.to_owned(), self.labels.translated(&doc.annotation)));
            return said.into_iter().collect();
        }
        self.plan.report.outcomes_left_out += usize::from(!doc.annotation.is_blank());
        let name = |annotator: &AnnotatorId| self.theirs.annotators().get(usize::from(annotator.0)).cloned();
        doc.layers.iter().filter_map(|(annotator, said)| Some((name(annotator)?, self.labels.translated(said)))).collect()
    }

    fn merge_layers(&mut self, own: &Document, doc: &Document, edits: &mut Vec<Edit>) {
        for (name, said) in self.said(doc) {
            let held = self.ours.annotator(&name).and_then(|annotator| own.said_in(Layer::Own(annotator)));
            let report = self.plan.report.layers.entry(name.clone()).or_default();
            match held {
                Some(held) if held.says_the_same_as(&said) && held.state == said.state => {
                    report.same += 1;
                    continue;
                }
                Some(_) if name == self.our_name => {
                    report.kept += 1;
                    continue;
                }
                Some(_) => report.changed += 1,
                None => report.new += 1,
            }
            let annotator = self.annotator(name);
            edits.push(Edit::SetAnnotation { doc: own.id, to: Box::new(said) }.by(annotator));
        }
    }

    fn merge_comments(&mut self, own: &Document, doc: &Document, edits: &mut Vec<Edit>) {
        let is_here = |comment: &Comment| {
            let same = |held: &Comment| held.author == comment.author && held.time_ms == comment.time_ms && held.text == comment.text;
            own.comments.values().any(same)
        };
        let mut id = own.free_comment_id();
        for comment in doc.comments.values().filter(|comment| !is_here(comment)) {
            edits.push(Edit::PutComment { doc: own.id, id, comment: comment.clone() });
            id = CommentId(id.0 + 1);
            self.plan.report.comments += 1;
        }
    }

    fn merge_guidelines(&mut self, edits: &mut Vec<Edit>) {
        let (ours, theirs) = (self.ours.guidelines(), self.theirs.guidelines());
        if ours.is_empty() && !theirs.is_empty() {
            edits.push(Edit::SetGuidelines { to: theirs.to_owned() });
        } else if !theirs.is_empty() && ours != theirs {
            self.plan.report.guidelines_differ = true;
        }
    }
}

/// Where a document of theirs is in our project.
enum Found {
    Here(DocId),
    /// Another text has its external id.
    OtherText(String),
    Nowhere,
}

/// Finds documents by text; where a text stands twice, by external id, then in order.
struct Matcher<'a> {
    ours: &'a Project,
    by_text: HashMap<&'a str, Vec<DocId>>,
    ids: HashMap<&'a str, DocId>,
}

/// The id a document came with.
fn external_id(doc: &Document) -> Option<&str> {
    doc.meta.get("id").filter(|id| !id.is_empty())
}

impl<'a> Matcher<'a> {
    fn new(ours: &'a Project) -> Self {
        let mut by_text: HashMap<&str, Vec<DocId>> = HashMap::new();
        let mut ids = HashMap::new();
        for doc in ours.documents() {
            by_text.entry(&doc.text).or_default().push(doc.id);
            external_id(doc).map(|id| ids.entry(id).or_insert(doc.id));
        }
        Self { ours, by_text, ids }
    }

    /// One answer for each document of theirs.
    fn all(mut self, theirs: &Project) -> Vec<Found> {
        theirs.documents().map(|doc| self.find(doc)).collect()
    }

    fn find(&mut self, doc: &Document) -> Found {
        let id = external_id(doc);
        let has_id = |ours: &Project, held: DocId| id.is_some() && ours.document(held).and_then(external_id) == id;
        match self.by_text.get_mut(&*doc.text).filter(|free| !free.is_empty()) {
            Some(free) => {
                let at = free.iter().position(|held| has_id(self.ours, *held)).unwrap_or(0);
                Found::Here(free.remove(at))
            }
            None => match id.filter(|id| self.ids.contains_key(id)) {
                Some(id) => Found::OtherText(id.to_owned()),
                None => Found::Nowhere,
            },
        }
    }
}

/// Our schema with what theirs has besides, and where their labels stand in it.
struct Labels {
    schema: Schema,
    /// By question of theirs: ours, and the place of each class.
    questions: Vec<(QuestionId, Vec<u16>)>,
    spans: Vec<u16>,
    /// By span label of theirs.
    attributes: Vec<Joined>,
    link_types: Vec<u16>,
}

impl Labels {
    fn joined(ours: &Schema, theirs: &Schema, report: &mut MergeReport) -> Result<Self, MergeError> {
        let mut schema = ours.clone();
        let mut questions = Vec::new();
        for asked in &theirs.questions {
            let at = question(&mut schema, asked, report)?;
            let held = &mut schema.questions[usize::from(at)];
            let mut classes = Vec::new();
            for class in &asked.classes {
                let known = place(held.classes.iter().map(|class| class.name.as_str()), &class.name);
                if known.is_none() {
                    held.classes.push(class.clone());
                    report.new_labels.push(class.name.clone());
                }
                classes.push(known.map_or_else(|| room(held.classes.len() - 1), Ok)?);
            }
            questions.push((QuestionId(at), classes));
        }
        let mut spans = Vec::new();
        for label in &theirs.span_labels {
            spans.push(span_label(&mut schema, label, report)?);
        }
        let mut joined = Vec::new();
        for (label, to) in (0u16..).zip(&spans) {
            joined.push(attributes(&mut schema, *to, theirs.attributes(label), report)?);
        }
        let link_types = link_types(&mut schema, theirs, &spans, report)?;
        Ok(Self { schema, questions, spans, attributes: joined, link_types })
    }

    fn translated(&self, said: &Annotation) -> Annotation {
        let mut said = said.clone();
        let answers = std::mem::take(&mut said.answers);
        for (question, answer) in answers {
            let Some((to, classes)) = self.questions.get(usize::from(question.0)) else { continue };
            let place = |class: u16| classes.get(usize::from(class)).copied();
            let answer = match answer {
                Answer::Class(class) => place(class).map(Answer::Class),
                Answer::Classes(given) => Some(Answer::Classes(given.into_iter().filter_map(place).collect())),
                // Only classes stand elsewhere in our schema.
                Answer::Number(_) | Answer::Text(_) => Some(answer),
            };
            said.answers.extend(answer.map(|answer| (*to, answer)));
        }
        for (id, held) in &mut said.attributes {
            let label = said.spans.get(id).map(|span| usize::from(span.label));
            let joined = label.and_then(|label| self.attributes.get(label));
            *held = joined.map(|joined| joined.translated(held)).unwrap_or_default();
        }
        said.attributes.retain(|_, held| !held.is_empty());
        let link_type = |at: u16| self.link_types.get(usize::from(at)).copied().unwrap_or_default();
        let types = said.links.iter().map(|link| (*link, link_type(said.link_type(link)))).filter(|(_, link_type)| *link_type > 0);
        said.link_types = types.collect();
        for span in said.spans.values_mut() {
            span.label = self.spans.get(usize::from(span.label)).copied().unwrap_or(span.label);
        }
        said
    }
}

/// The place of their question in our schema, which gets it if it has none of that name that takes such answers.
fn question(schema: &mut Schema, asked: &Question, report: &mut MergeReport) -> Result<u16, MergeError> {
    let alike = |held: &Question| std::mem::discriminant(&held.kind) == std::mem::discriminant(&asked.kind);
    let mut name = asked.name.clone();
    loop {
        match place(schema.questions.iter().map(|held| held.name.as_str()), &name) {
            Some(at) if alike(&schema.questions[usize::from(at)]) => {
                let held = &mut schema.questions[usize::from(at)];
                if let (Kind::Number(ours), Kind::Number(theirs)) = (&mut held.kind, asked.kind) {
                    // What was in range there must be in range here.
                    (ours.min, ours.max) = (ours.min.min(theirs.min), ours.max.max(theirs.max));
                }
                return Ok(at);
            }
            Some(_) => name.push_str(" (2)"),
            None => {
                report.new_labels.push(name.clone());
                schema.questions.push(Question { name, ..asked.clone() });
                return room(schema.questions.len() - 1);
            }
        }
    }
}

/// The place of their span label in our schema, which gets it if it has none.
fn span_label(schema: &mut Schema, label: &SpanLabel, report: &mut MergeReport) -> Result<u16, MergeError> {
    if let Some(at) = place(schema.span_labels.iter().map(|held| held.name.as_str()), &label.name) {
        if schema.span_labels[usize::from(at)].polarity != label.polarity {
            report.polarity_differs.push(label.name.clone());
        }
        return Ok(at);
    }
    // As if it were added by hand: with a free key and hue.
    let plan = Project::new(schema.clone()).plan(&SchemaChange::AddSpanLabel { name: label.name.clone() });
    if let Some(Edit::SetSchema { to }) = plan.map_err(|_| MergeError::TooMany)?.edits.pop() {
        *schema = *to;
    }
    let at = room(schema.span_labels.len() - 1)?;
    schema.span_labels[usize::from(at)].polarity = label.polarity;
    report.new_labels.push(label.name.clone());
    Ok(at)
}

/// Places of labels are 16 bits wide.
fn room(at: usize) -> Result<u16, MergeError> {
    u16::try_from(at).map_err(|_| MergeError::TooMany)
}

/// The place of a name: exactly, or else without regard to case.
fn place<'a>(mut names: impl Iterator<Item = &'a str> + Clone, wanted: &str) -> Option<u16> {
    let exact = names.clone().position(|name| name == wanted);
    exact.or_else(|| names.position(|name| name.to_lowercase() == wanted.to_lowercase())).map(|at| at as u16)
}
