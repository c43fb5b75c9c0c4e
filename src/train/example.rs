//! What a run learns from: an owned snapshot of the labelled documents, taken at one revision.

use super::attributes::{self, SpanValue};
use super::questions::{AskedQuestion, TaughtAnswer, answers_of};
use crate::nn::SpanAttribute;
use crate::project::{
    Annotation, Conversations, DocId, Polarity, Project, Schema, Span, SpanId, Split, State, TextRange, assign_split, draw,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A labelled document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Example {
    pub doc: DocId,
    pub text: Arc<str>,
    /// Turns of its conversation before it, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// The first turn of its conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub talk: Option<DocId>,
    /// Class of the main question; `None` teaches no class.
    pub class: Option<u16>,
    /// Marked spans; `None` when the document was not marked for spans and teaches none.
    pub spans: Option<Vec<(TextRange, u16)>>,
    /// Polarity of each span; `None` teaches none. May be shorter than `spans`.
    pub polarities: Vec<Option<Polarity>>,
    /// What is said of each span beside its polarity, by places in [`TrainData::attributes`]. May be shorter than `spans`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Vec<SpanValue>>,
    /// Links `(from, to)` by places in `spans`: from the opinion to the aspect. `None` teaches no links.
    pub links: Option<Vec<(u32, u32)>>,
    /// Answers to [`TrainData::questions`], in their order; may be shorter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Option<TaughtAnswer>>,
    /// What a teacher says of the classes, as logarithms of probabilities; empty without a teacher.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taught: Vec<f32>,
    /// Words of its text, and others that the encoder puts in their place: see [`super::Proposer`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proposed: Vec<(TextRange, Vec<String>)>,
    pub split: Split,
}

impl Default for Example {
    fn default() -> Self {
        Self {
            doc: DocId(0),
            text: Arc::from(""),
            before: Vec::new(),
            talk: None,
            class: None,
            spans: None,
            polarities: Vec::new(),
            attributes: Vec::new(),
            links: None,
            answers: Vec::new(),
            taught: Vec::new(),
            proposed: Vec::new(),
            split: Split::Train,
        }
    }
}

/// Span labels by the part they play in opinions: a link goes from an opinion to an aspect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roles {
    pub aspects: Vec<u16>,
    pub opinions: Vec<u16>,
}

/// The snapshot a run works on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainData {
    /// Revision of the project it was taken from.
    pub revision: u64,
    pub classes: Vec<String>,
    pub span_labels: Vec<String>,
    pub roles: Roles,
    /// Attributes of spans that training documents say anything of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<SpanAttribute>,
    pub examples: Vec<Example>,
    /// Documents that are not done: what is not marked in them may have been overlooked.
    pub underway: BTreeSet<DocId>,
    /// Questions beside the main one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<AskedQuestion>,
    /// Words that may stand for each other in new wordings, a list each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub synonyms: Vec<Vec<String>>,
    /// Training documents without a class of the main question, for a teacher to answer. Never kept.
    #[serde(skip)]
    pub unlabelled: Vec<(DocId, Arc<str>)>,
    /// What a person should know about where the documents come from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Whether training can start, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// Labelled training documents of each class.
    pub per_class: Vec<usize>,
    /// Training spans of each label.
    pub per_span_label: Vec<usize>,
    /// Training documents that answer each question beside the main one.
    pub per_question: Vec<usize>,
    /// Documents that teach something.
    pub train: usize,
    pub held_out: usize,
}

impl Readiness {
    /// Fewer labelled documents than this can't be trained on.
    pub const MIN_TRAIN: usize = 16;

    /// Whether there is enough to start: documents on both sides, and two classes, a span label or another question.
    pub fn can_start(&self) -> bool {
        let classes = self.per_class.iter().filter(|count| **count > 0).count();
        let spans: usize = self.per_span_label.iter().sum();
        let answers: usize = self.per_question.iter().sum();
        self.train >= Self::MIN_TRAIN && self.held_out > 0 && (classes >= 2 || spans > 0 || answers > 0)
    }
}

impl TrainData {
    /// The labelled documents of a project: a class answer teaches the class; a document that is done, or has
    /// any span, teaches spans (done without spans teaches that there are none). If no document of the project
    /// has a span, spans are not taught at all. Links in the same way, among the documents that teach spans.
    pub fn of(project: &Project, seed: u64, dev_share: f64) -> Self {
        let question = project.schema().main_question();
        let classes = question.map(|(_, q)| q.classes.iter().map(|c| c.name.clone()).collect()).unwrap_or_default();
        let questions = AskedQuestion::of(project);
        let any_span = project.documents().any(|doc| !doc.annotation.spans.is_empty());
        let any_link = project.documents().any(|doc| doc.annotation.main_links().next().is_some());
        let asked = attributes::asked(project.schema());
        let mut examples: Vec<Example> = project
            .documents()
            .filter(|doc| doc.annotation.state != State::Skipped && !doc.text.trim().is_empty())
            .filter_map(|doc| {
                let class = question.and_then(|(id, _)| doc.annotation.class(id));
                let marked = any_span && (!doc.annotation.spans.is_empty() || spans_were_asked(doc));
                let in_order = if marked { doc.annotation.spans_in_order() } else { Vec::new() };
                let linked = marked && any_link && (doc.annotation.main_links().next().is_some() || spans_were_asked(doc));
                let answers = answers_of(&doc.annotation, &questions);
                (class.is_some() || marked || answers.iter().any(Option::is_some)).then(|| Example {
                    doc: doc.id,
                    text: doc.text.clone(),
                    before: Vec::new(),
                    talk: None,
                    class,
                    spans: marked.then(|| in_order.iter().map(|(_, span)| (span.range, span.label)).collect()),
                    polarities: polarities(&doc.annotation, project.schema(), &in_order),
                    attributes: attributes_of(project.schema(), &asked, &doc.annotation, &in_order),
                    links: linked.then(|| links(&doc.annotation, project.schema(), &in_order)),
                    answers,
                    taught: Vec::new(),
                    proposed: Vec::new(),
                    split: doc.split.unwrap_or_else(|| assign_split(seed, doc.id, dev_share)),
                })
            })
            .collect();
        let span_labels = if any_span { project.schema().span_labels.iter().map(|l| l.name.clone()).collect() } else { Vec::new() };
        let underway = project.documents().filter(|doc| doc.annotation.state == State::Todo).map(|doc| doc.id).collect();
        let questions = questions.into_iter().map(|(_, question)| question).collect();
        let attributes = attributes::keep_taught(asked, &mut examples);
        Self {
            revision: project.revision(),
            classes,
            span_labels,
            roles: roles(project),
            attributes,
            examples,
            underway,
            questions,
            ..Self::default()
        }
    }

    /// Gives documents that are turns of a conversation the `most` turns before them. A conversation is held out as a whole,
    /// where no part is fixed: its turns would tell on each other.
    pub fn join_conversations(&mut self, project: &Project, most: usize, (seed, dev_share): (u64, f64)) {
        let conversations = Conversations::of(project);
        for example in &mut self.examples {
            let Some(first) = conversations.around(example.doc).first() else { continue };
            example.before = project.turns_before(&conversations, example.doc, most);
            example.talk = Some(*first);
            if project.document(example.doc).is_some_and(|doc| doc.split.is_none()) {
                example.split = assign_split(seed, *first, dev_share);
            }
        }
        if !conversations.is_empty() && most > 0 {
            let count = self.examples.iter().filter(|example| !example.before.is_empty()).count();
            self.notes.push(format!("turns of conversations read with up to {most} turns before them: {count}"));
        }
    }

    /// Leaves out training documents that were learnt before, but for a share of them that follows from the seed
    /// (rehearsal: Robins 1995). Gives how many it has left out.
    pub fn rehearse(&mut self, learnt: &BTreeSet<DocId>, share: f64, seed: u64) -> usize {
        const PURPOSE: u64 = 0x7265_706c_6179;
        let before = self.examples.len();
        let stays = |doc: DocId| assign_split(seed ^ PURPOSE, doc, share) == Split::Dev;
        self.examples.retain(|example| example.split != Split::Train || !learnt.contains(&example.doc) || stays(example.doc));
        before - self.examples.len()
    }

    /// Deals all documents but those for testing into `folds` parts, alike in their classes (Kohavi 1995, section 3.2): part
    /// `fold` is held out, the others teach. With every seed the parts are others.
    pub fn deal_folds(&mut self, fold: usize, folds: usize, seed: u64) {
        const PURPOSE: u64 = 0x666f_6c64;
        let mut order: Vec<usize> = (0..self.examples.len()).filter(|at| self.examples[*at].split != Split::Test).collect();
        order.sort_by_key(|at| {
            let example = &self.examples[*at];
            (example.class, draw(seed ^ PURPOSE, example.doc), example.doc)
        });
        // A conversation is dealt as a whole.
        let mut parts: BTreeMap<DocId, usize> = BTreeMap::new();
        for at in order {
            let (example, next) = (&mut self.examples[at], parts.len() % folds.max(1));
            let part = *parts.entry(example.talk.unwrap_or(example.doc)).or_insert(next);
            example.split = if part == fold { Split::Dev } else { Split::Train };
        }
    }

    /// Looks for the documents that teach nothing and might: neither skipped, nor empty, nor held out.
    pub fn find_unlabelled(&mut self, project: &Project, seed: u64, dev_share: f64) {
        let known: BTreeSet<DocId> = self.examples.iter().map(|example| example.doc).collect();
        let open = project.documents().filter(|doc| doc.annotation.state != State::Skipped && !doc.text.trim().is_empty());
        let learnt = open.filter(|doc| doc.split.unwrap_or_else(|| assign_split(seed, doc.id, dev_share)) == Split::Train);
        self.unlabelled = learnt.filter(|doc| !known.contains(&doc.id)).map(|doc| (doc.id, doc.text.clone())).collect();
    }

    /// Training documents once more in other wordings that a person brought, by the very text; a wording teaches the class and
    /// the other questions, no spans. Gives how many were added.
    pub fn add_wordings(&mut self, wordings: &[(String, String)]) -> usize {
        let mut of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        wordings.iter().for_each(|(text, wording)| of.entry(text.trim()).or_default().push(wording));
        let learnt = self.examples.iter().filter(|example| example.split == Split::Train);
        let more = learnt.flat_map(|example| {
            let wordings = of.get(example.text.trim()).map_or(&[][..], Vec::as_slice);
            wordings.iter().map(|wording| Example {
                text: Arc::from(*wording),
                spans: None,
                polarities: Vec::new(),
                attributes: Vec::new(),
                links: None,
                ..example.clone()
            })
        });
        let more: Vec<Example> = more.filter(|example| example.class.is_some() || !example.answers.is_empty()).collect();
        let count = more.len();
        self.examples.extend(more);
        count
    }

    /// Counts for the start button.
    pub fn readiness(&self) -> Readiness {
        let mut ready = Readiness {
            per_class: vec![0; self.classes.len()],
            per_span_label: vec![0; self.span_labels.len()],
            per_question: vec![0; self.questions.len()],
            ..Default::default()
        };
        for example in &self.examples {
            if example.split != Split::Train {
                ready.held_out += 1;
                continue;
            }
            ready.train += 1;
            if let Some(count) = example.class.and_then(|class| ready.per_class.get_mut(usize::from(class))) {
                *count += 1;
            }
            for (count, answer) in ready.per_question.iter_mut().zip(&example.answers) {
                *count += usize::from(answer.is_some());
            }
            for (_, label) in example.spans.iter().flatten() {
                if let Some(count) = ready.per_span_label.get_mut(usize::from(*label)) {
                    *count += 1;
                }
            }
        }
        ready
    }
}

/// Attributes of the spans; nothing where no span has any.
fn attributes_of(schema: &Schema, asked: &[SpanAttribute], annotation: &Annotation, spans: &[(SpanId, Span)]) -> Vec<Vec<SpanValue>> {
    if asked.is_empty() {
        return Vec::new();
    }
    spans.iter().map(|(id, span)| attributes::said(schema, asked, span.label, annotation.attributes_of(*id))).collect()
}

/// Links as places in the list of spans. A span that is marked in parts is as many spans to a model, of which each has the
/// links of the whole: so it learns them, so it answers, and so its answers are counted.
fn links(annotation: &Annotation, schema: &Schema, spans: &[(SpanId, Span)]) -> Vec<(u32, u32)> {
    let place = |id: SpanId| spans.iter().position(|(other, _)| *other == id).map(|at| at as u32);
    let parts = |id: SpanId| if has_parts(annotation, schema) { annotation.whole(schema, id) } else { vec![id] };
    let mut found = BTreeSet::new();
    for link in annotation.main_links() {
        let (from, to) = (parts(link.from), parts(link.to));
        // Parts of one thing are not about each other.
        let pairs = from.iter().flat_map(|from| to.iter().map(move |to| (*from, *to))).filter(|(from, to)| from != to);
        found.extend(pairs.filter_map(|(from, to)| Some((place(from)?, place(to)?))));
    }
    found.into_iter().collect()
}

/// Polarity of each span; a part without one has that of the first part that has one.
fn polarities(annotation: &Annotation, schema: &Schema, spans: &[(SpanId, Span)]) -> Vec<Option<Polarity>> {
    let has_parts = has_parts(annotation, schema);
    let of_whole = |id: SpanId| annotation.whole(schema, id).iter().find_map(|part| annotation.spans.get(part)?.polarity);
    spans.iter().map(|(id, span)| span.polarity.or_else(|| if has_parts { of_whole(*id) } else { None })).collect()
}

/// Only few documents have spans in parts, and looking for them costs.
fn has_parts(annotation: &Annotation, schema: &Schema) -> bool {
    annotation.links.iter().any(|link| annotation.joins_parts(schema, link))
}

/// The labels that links go to and come from; where there are no links, those called so.
fn roles(project: &Project) -> Roles {
    let (mut aspects, mut opinions) = (BTreeSet::new(), BTreeSet::new());
    for annotation in project.documents().map(|doc| &doc.annotation) {
        let label = |id| annotation.spans.get(&id).map(|span| span.label);
        for (from, to) in annotation.main_links().filter_map(|link| label(link.from).zip(label(link.to))) {
            opinions.insert(from);
            aspects.insert(to);
        }
    }
    if aspects.is_empty() {
        aspects = labels_called(project.schema(), &["aspect", "方面", "属性"]);
        opinions = labels_called(project.schema(), &["opinion", "观点"]);
    }
    Roles { aspects: aspects.into_iter().collect(), opinions: opinions.into_iter().collect() }
}

fn labels_called(schema: &Schema, names: &[&str]) -> BTreeSet<u16> {
    let called = |name: &str| names.iter().any(|wanted| name.eq_ignore_ascii_case(wanted));
    (0u16..).zip(&schema.span_labels).filter(|(_, label)| called(&label.name)).map(|(at, _)| at).collect()
}

/// A document finished by hand was looked at for spans; one whose class came with an import was not.
fn spans_were_asked(doc: &crate::project::Document) -> bool {
    doc.annotation.state == State::Done
}
