//! How far the annotators of a project agree, on each question and each span label, with the documents where they do not.
//!
//! Compared are the layers of annotators, never the outcome. A document counts for a pair when both finished it or said
//! something about it. Classes: raw agreement, Cohen's and Fleiss' kappa, Krippendorff's alpha ([`nominal`]). Several labels
//! and numbers: alpha by how far apart answers are ([`graded`]). Spans: F1 of
//! equal and of overlapping ones, and Krippendorff's alpha for unitizing ([`spans`]), whose continuum is the texts one
//! after another, and the gamma of Mathet, Widlöcher and Métivier ([`gamma`]).
//!
//! Parts that links of parts join are one mark: equal where every part is, met where a part is. Alpha for unitizing looks
//! at the parts by themselves, because it is about which places are marked; for gamma such a mark reaches from its first
//! part to its last.

mod details;
pub mod gamma;
pub mod graded;
pub mod joint;
pub mod nominal;
mod questions;
pub mod spans;

use super::{Annotation, AnnotatorId, DocId, Document, Project, QuestionId, Schema, Span, SpanId};
use gamma::Gamma;
use questions::question_agreement;
use spans::{Disagreement, Mark, Matches, Section};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

/// Everything compared, of one revision of a project.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Agreement {
    /// Those who share a document with another.
    pub annotators: Vec<AnnotatorId>,
    /// Documents that two or more labelled.
    pub documents: usize,
    /// Documents with any difference between two annotators.
    pub disputed: Arc<[DocId]>,
    pub questions: Vec<QuestionAgreement>,
    /// By span label, in order of the schema; those that nobody used are left out.
    pub labels: Vec<SpanAgreement>,
    /// Spans of all labels together; `None` when nobody marked any.
    pub all_labels: Option<SpanAgreement>,
    /// What is said of spans that two or more marked alike.
    pub details: Vec<DetailAgreement>,
}

/// Agreement on one question.
#[derive(Clone, Debug, PartialEq)]
pub struct QuestionAgreement {
    pub question: QuestionId,
    /// Documents that two or more answered.
    pub documents: usize,
    pub raw: Option<f64>,
    /// Over the documents that all annotators answered; of one class only.
    pub fleiss: Option<f64>,
    /// Nominal for classes, by MASI for several labels, interval for numbers.
    pub alpha: Option<f64>,
    /// The mean distance of two numbers.
    pub difference: Option<f64>,
    pub pairs: Vec<PairOnQuestion>,
    /// Of several labels, each for itself; those that nobody gave are left out.
    pub classes: Vec<ClassAgreement>,
    pub differing: Arc<[DocId]>,
}

/// Two annotators on one question.
#[derive(Clone, Debug, PartialEq)]
pub struct PairOnQuestion {
    pub who: [AnnotatorId; 2],
    pub documents: usize,
    pub raw: Option<f64>,
    /// Of one class only.
    pub cohen: Option<f64>,
    /// Of several labels and of numbers, as for all annotators.
    pub alpha: Option<f64>,
    pub difference: Option<f64>,
    pub differing: Arc<[DocId]>,
}

/// Agreement on whether one label of several is given.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassAgreement {
    pub class: u16,
    /// How often it was given, by all annotators.
    pub given: usize,
    pub raw: Option<f64>,
    /// Cohen's of two annotators, Fleiss' of more.
    pub kappa: Option<f64>,
    pub alpha: Option<f64>,
    pub differing: Arc<[DocId]>,
}

/// What can be said of a span beside place and label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    Polarity,
    /// By its place among the label's attributes.
    Attribute(u16),
}

/// Agreement on something said of spans that two or more marked at the same place with the same label.
#[derive(Clone, Debug, PartialEq)]
pub struct DetailAgreement {
    pub label: u16,
    pub what: Detail,
    /// Places of which two or more said it.
    pub spans: usize,
    pub raw: Option<f64>,
    /// Nominal; interval for numbers.
    pub alpha: Option<f64>,
    /// The mean distance of two numbers.
    pub difference: Option<f64>,
    pub differing: Arc<[DocId]>,
}

/// Agreement on the spans of one label. F1 over pairs of annotators is the mean, each pair weighing as much as its spans.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanAgreement {
    /// `None` for all labels together.
    pub label: Option<u16>,
    /// Spans in the documents compared, of all annotators.
    pub spans: usize,
    pub exact_f1: Option<f64>,
    pub overlap_f1: Option<f64>,
    /// Krippendorff's alpha for unitizing, over the documents that all annotators labelled.
    pub alpha: Option<f64>,
    /// Of all annotators together, over the documents that all of them labelled; of more than two who share none, the mean
    /// over their pairs.
    pub gamma: Option<Gamma>,
    /// Whether gamma is that of all annotators together.
    pub gamma_of_all: bool,
    pub differing: Arc<[DocId]>,
}

/// A document that several labelled.
struct Compared<'a> {
    doc: &'a Document,
    said: Vec<(AnnotatorId, &'a Annotation)>,
}

/// What several labelled, taken from a project: can be measured on another thread.
pub struct Comparison {
    schema: Arc<Schema>,
    documents: Vec<Document>,
}

impl Comparison {
    /// The documents with more than one layer.
    pub fn of(project: &Project) -> Self {
        let documents = project.documents().filter(|doc| doc.layers.len() > 1).cloned().collect();
        Self { schema: project.schema().clone(), documents }
    }

    /// Compares all layers; `None` when it was told to stop. Takes as long as there are documents.
    pub fn measured(&self, stopped: &dyn Fn() -> bool) -> Option<Agreement> {
        let compared: Vec<Compared<'_>> = self
            .documents
            .iter()
            .map(|doc| Compared { doc, said: doc.opinions().collect() })
            .filter(|compared| compared.said.len() > 1)
            .collect();
        let mut annotators: Vec<AnnotatorId> = compared.iter().flat_map(|one| &one.said).map(|(who, _)| *who).collect();
        annotators.sort_unstable();
        annotators.dedup();
        let schema = &*self.schema;
        let held = Held { schema, compared: &compared, annotators: &annotators, stopped };
        let question = |(id, asked)| question_agreement(id, asked, &compared, &annotators);
        let agreement = Agreement {
            documents: compared.len(),
            disputed: compared.iter().filter(|one| one.doc.is_disputed()).map(|one| one.doc.id).collect(),
            questions: schema.questions().filter_map(question).collect(),
            labels: (0..schema.span_labels.len() as u16).filter_map(|at| held.on_spans(Some(at))).collect(),
            all_labels: held.on_spans(None),
            details: details::details(schema, &compared, &annotators),
            annotators: annotators.clone(),
        };
        (!stopped()).then_some(agreement)
    }
}

impl Agreement {
    /// Compares all layers of a project at once.
    pub fn of(project: &Project) -> Self {
        Comparison::of(project).measured(&|| false).unwrap_or_default()
    }
}

/// The places of a label in an annotation, with the label, in code points; parts by themselves.
fn sections(doc: &Document, said: &Annotation, label: Option<u16>) -> Vec<Section> {
    let spans = said.spans.values().filter(|span| label.is_none_or(|label| span.label == label));
    spans.map(|span| (span.label, span.range.chars(&doc.text))).collect()
}

/// The marks of a label in an annotation, by bytes: spans, and what parts make together, which has the label of its first.
fn marks(schema: &Schema, said: &Annotation, label: Option<u16>) -> Vec<Mark> {
    let mark = |parts: Vec<SpanId>| {
        let spans: Vec<&Span> = parts.iter().filter_map(|id| said.spans.get(id)).collect();
        Some(Mark { label: spans.first()?.label, places: spans.iter().map(|span| span.range.bytes()).collect() })
    };
    said.wholes(schema).into_iter().filter_map(mark).filter(|mark| label.is_none_or(|label| mark.label == label)).collect()
}

/// The marks of a label from where each begins to where it ends, in code points.
fn units(schema: &Schema, doc: &Document, said: &Annotation, label: Option<u16>) -> Vec<Section> {
    let chars = |byte: usize| super::byte_to_char(&doc.text, byte);
    marks(schema, said, label).iter().map(|mark| (mark.label, chars(mark.hull().start)..chars(mark.hull().end))).collect()
}

/// What spans are compared in.
struct Held<'a> {
    schema: &'a Schema,
    compared: &'a [Compared<'a>],
    annotators: &'a [AnnotatorId],
    stopped: &'a dyn Fn() -> bool,
}

impl Held<'_> {
    /// `None` when nobody marked one.
    fn on_spans(&self, label: Option<u16>) -> Option<SpanAgreement> {
        let (mut spans, mut differing) = (0, Vec::new());
        let mut pairs: BTreeMap<[AnnotatorId; 2], Matches> = BTreeMap::new();
        for Compared { doc, said } in self.compared {
            let marked: Vec<(AnnotatorId, Vec<Mark>)> = said.iter().map(|(who, said)| (*who, marks(self.schema, said, label))).collect();
            spans += marked.iter().map(|(_, marks)| marks.len()).sum::<usize>();
            let mut differs = false;
            for (at, (one, marked_by_one)) in marked.iter().enumerate() {
                for (other, marked_by_other) in &marked[at + 1..] {
                    let matches = Matches::between(marked_by_one, marked_by_other);
                    differs |= 2 * matches.exact < matches.size();
                    *pairs.entry([*one, *other]).or_default() += matches;
                }
            }
            if differs {
                differing.push(doc.id);
            }
        }
        let mean = |f1: fn(Matches) -> Option<f64>| {
            let all: usize = pairs.values().map(|matches| matches.size()).sum();
            let sum: f64 = pairs.values().filter_map(|matches| Some(f1(*matches)? * matches.size() as f64)).sum();
            (all > 0).then(|| sum / all as f64)
        };
        (spans > 0).then(|| {
            let of_all = self.gamma_of(label, self.annotators);
            SpanAgreement {
                label,
                spans,
                exact_f1: mean(Matches::exact_f1),
                overlap_f1: mean(Matches::overlap_f1),
                alpha: self.alpha(label),
                gamma: of_all.or_else(|| self.mean_gamma(label)),
                gamma_of_all: of_all.is_some(),
                differing: differing.into(),
            }
        })
    }

    /// Alpha for unitizing over the texts that all annotators labelled, one after another.
    fn alpha(&self, label: Option<u16>) -> Option<f64> {
        let mut by_label: BTreeMap<u16, Vec<Vec<Range<usize>>>> = BTreeMap::new();
        let mut length = 0;
        for Compared { doc, said } in self.compared.iter().filter(|one| one.said.len() == self.annotators.len()) {
            for (observer, (_, said)) in said.iter().enumerate() {
                for (label, place) in sections(doc, said, label) {
                    let observers = by_label.entry(label).or_insert_with(|| vec![Vec::new(); self.annotators.len()]);
                    observers[observer].push(length + place.start..length + place.end);
                }
            }
            // A place between two texts, so that sections at an end and at a beginning never touch.
            length += doc.text.chars().count() + 1;
        }
        by_label.values().map(|observers| spans::unitizing_disagreement(observers, length)).sum::<Disagreement>().alpha()
    }

    /// Gamma over the texts that all of these annotators labelled, one after another.
    fn gamma_of(&self, label: Option<u16>, annotators: &[AnnotatorId]) -> Option<Gamma> {
        let mut marked: Vec<Vec<Section>> = vec![Vec::new(); annotators.len()];
        let mut length = 0;
        for Compared { doc, said } in self.compared {
            let by = |who: &AnnotatorId| said.iter().find(|(held, _)| held == who).map(|(_, said)| *said);
            let Some(all) = annotators.iter().map(by).collect::<Option<Vec<_>>>() else { continue };
            for (marked, said) in marked.iter_mut().zip(all) {
                let units = units(self.schema, doc, said, label);
                marked.extend(units.into_iter().map(|(label, place)| (label, length + place.start..length + place.end)));
            }
            length += doc.text.chars().count() + 1;
        }
        gamma::gamma_until(&marked, length, gamma::Dissimilarity::default(), SEED, self.stopped)
    }

    /// The mean over all pairs of annotators.
    fn mean_gamma(&self, label: Option<u16>) -> Option<Gamma> {
        let pairs = self.annotators.iter().enumerate().flat_map(|(at, one)| self.annotators[at + 1..].iter().map(|other| [*one, *other]));
        let found: Vec<Gamma> = pairs.filter_map(|pair| self.gamma_of(label, &pair)).collect();
        let mean = found.iter().map(|gamma| gamma.value).sum::<f64>() / found.len() as f64;
        (!found.is_empty()).then_some(Gamma { value: mean, exact: true })
    }
}

/// Of the chance level of gamma, so that a project has one gamma.
const SEED: u64 = 2015;

/// Spans of one annotation that another lacks: no span of it has the same place, label, polarity and attributes.
pub fn only_in(one: &Annotation, other: &Annotation) -> Vec<SpanId> {
    let held: BTreeSet<_> = other.spans.keys().filter_map(|id| other.span_key(*id)).collect();
    one.spans.keys().filter(|id| one.span_key(**id).is_none_or(|key| !held.contains(&key))).copied().collect()
}
