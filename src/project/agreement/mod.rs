//! How far the annotators of a project agree, on each question and each span label, with the documents where they do not.
//!
//! Compared are the layers of annotators, never the outcome. A document counts for a pair when both finished it or said
//! something about it. Classes: raw agreement, Cohen's and Fleiss' kappa, Krippendorff's alpha ([`nominal`]). Spans: F1 of
//! equal and of overlapping ones, and Krippendorff's alpha for unitizing ([`spans`]), whose continuum is the texts one
//! after another. The gamma of Mathet, Widlöcher and Métivier (2015) is not here: its chance level is drawn at random.

pub mod nominal;
pub mod spans;

use super::{Annotation, AnnotatorId, DocId, Document, Project, QuestionId, SpanId};
use nominal::Ratings;
use spans::{Disagreement, Matches, Section};
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
}

/// Agreement on one question.
#[derive(Clone, Debug, PartialEq)]
pub struct QuestionAgreement {
    pub question: QuestionId,
    /// Documents that two or more answered.
    pub documents: usize,
    pub raw: Option<f64>,
    /// Over the documents that all annotators answered.
    pub fleiss: Option<f64>,
    pub alpha: Option<f64>,
    pub pairs: Vec<PairOnQuestion>,
    pub differing: Arc<[DocId]>,
}

/// Two annotators on one question.
#[derive(Clone, Debug, PartialEq)]
pub struct PairOnQuestion {
    pub who: [AnnotatorId; 2],
    pub documents: usize,
    pub raw: Option<f64>,
    pub cohen: Option<f64>,
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
    pub differing: Arc<[DocId]>,
}

/// A document that several labelled.
struct Compared<'a> {
    doc: &'a Document,
    said: Vec<(AnnotatorId, &'a Annotation)>,
}

impl Agreement {
    /// Compares all layers of a project. Takes as long as there are documents.
    pub fn of(project: &Project) -> Self {
        let compared: Vec<Compared<'_>> = project
            .documents()
            .filter(|doc| doc.layers.len() > 1)
            .map(|doc| Compared { doc, said: doc.opinions().collect() })
            .filter(|compared| compared.said.len() > 1)
            .collect();
        let mut annotators: Vec<AnnotatorId> = compared.iter().flat_map(|one| &one.said).map(|(who, _)| *who).collect();
        annotators.sort_unstable();
        annotators.dedup();
        let schema = project.schema();
        let question = |at: usize| question_agreement(QuestionId(at as u16), &compared, &annotators);
        let label = |at: usize| span_agreement(Some(at as u16), &compared, &annotators);
        Self {
            documents: compared.len(),
            disputed: compared.iter().filter(|one| one.doc.is_disputed()).map(|one| one.doc.id).collect(),
            questions: (0..schema.questions.len()).filter_map(question).collect(),
            labels: (0..schema.span_labels.len()).filter_map(label).collect(),
            all_labels: span_agreement(None, &compared, &annotators),
            annotators,
        }
    }
}

/// `None` when nobody gave a class.
fn question_agreement(question: QuestionId, compared: &[Compared<'_>], annotators: &[AnnotatorId]) -> Option<QuestionAgreement> {
    let ratings = |one: &Compared<'_>| -> Ratings {
        let class = |who: &AnnotatorId| one.said.iter().find(|(held, _)| held == who)?.1.class(question);
        annotators.iter().map(class).collect()
    };
    let units: Vec<(DocId, Ratings)> = compared.iter().map(|one| (one.doc.id, ratings(one))).collect();
    let given = |ratings: &Ratings| ratings.iter().flatten().count();
    let differs = |ratings: &[Option<u16>]| {
        let mut classes = ratings.iter().flatten();
        classes.next().is_some_and(|first| classes.any(|other| other != first))
    };
    let classes = usize::from(units.iter().flat_map(|(_, ratings)| ratings).flatten().copied().max()?) + 1;
    let whole = units.iter().filter(|(_, ratings)| given(ratings) == annotators.len());
    let counts: Vec<Vec<usize>> = whole
        .map(|(_, ratings)| {
            (0..classes).map(|class| ratings.iter().flatten().filter(|held| usize::from(**held) == class).count()).collect()
        })
        .collect();
    let mut pairs = Vec::new();
    for (a, one) in annotators.iter().enumerate() {
        for (b, other) in annotators.iter().enumerate().skip(a + 1) {
            let both: Vec<(DocId, (u16, u16))> =
                units.iter().filter_map(|(doc, ratings)| Some((*doc, (ratings[a]?, ratings[b]?)))).collect();
            let classes: Vec<(u16, u16)> = both.iter().map(|(_, classes)| *classes).collect();
            let equal = classes.iter().filter(|(a, b)| a == b).count();
            pairs.push(PairOnQuestion {
                who: [*one, *other],
                documents: both.len(),
                raw: (!both.is_empty()).then(|| equal as f64 / both.len() as f64),
                cohen: nominal::cohen_kappa(&classes),
                differing: both.iter().filter(|(_, (a, b))| a != b).map(|(doc, _)| *doc).collect(),
            });
        }
    }
    let differing = units.iter().filter(|(_, ratings)| differs(ratings)).map(|(doc, _)| *doc).collect();
    let documents = units.iter().filter(|(_, ratings)| given(ratings) > 1).count();
    let ratings: Vec<Ratings> = units.into_iter().map(|(_, ratings)| ratings).collect();
    Some(QuestionAgreement {
        question,
        documents,
        raw: nominal::raw_agreement(&ratings),
        fleiss: nominal::fleiss_kappa(&counts),
        alpha: nominal::krippendorff_alpha(&ratings),
        pairs,
        differing,
    })
}

/// The places of a label in an annotation, with the label, in code points.
fn sections(doc: &Document, said: &Annotation, label: Option<u16>) -> Vec<Section> {
    let spans = said.spans.values().filter(|span| label.is_none_or(|label| span.label == label));
    spans.map(|span| (span.label, span.range.chars(&doc.text))).collect()
}

/// `None` when nobody marked one.
fn span_agreement(label: Option<u16>, compared: &[Compared<'_>], annotators: &[AnnotatorId]) -> Option<SpanAgreement> {
    let (mut spans, mut differing) = (0, Vec::new());
    let mut pairs: BTreeMap<[AnnotatorId; 2], Matches> = BTreeMap::new();
    for Compared { doc, said } in compared {
        let marked: Vec<(AnnotatorId, Vec<Section>)> = said.iter().map(|(who, said)| (*who, sections(doc, said, label))).collect();
        spans += marked.iter().map(|(_, sections)| sections.len()).sum::<usize>();
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
    (spans > 0).then(|| SpanAgreement {
        label,
        spans,
        exact_f1: mean(Matches::exact_f1),
        overlap_f1: mean(Matches::overlap_f1),
        alpha: continuum_alpha(label, compared, annotators),
        differing: differing.into(),
    })
}

/// Alpha for unitizing over the texts that all annotators labelled, one after another.
fn continuum_alpha(label: Option<u16>, compared: &[Compared<'_>], annotators: &[AnnotatorId]) -> Option<f64> {
    let mut by_label: BTreeMap<u16, Vec<Vec<Range<usize>>>> = BTreeMap::new();
    let mut length = 0;
    for Compared { doc, said } in compared.iter().filter(|one| one.said.len() == annotators.len()) {
        for (observer, (_, said)) in said.iter().enumerate() {
            for (label, place) in sections(doc, said, label) {
                let observers = by_label.entry(label).or_insert_with(|| vec![Vec::new(); annotators.len()]);
                observers[observer].push(length + place.start..length + place.end);
            }
        }
        // A place between two texts, so that sections at an end and at a beginning never touch.
        length += doc.text.chars().count() + 1;
    }
    by_label.values().map(|observers| spans::unitizing_disagreement(observers, length)).sum::<Disagreement>().alpha()
}

/// Spans of one annotation that another lacks: no span of it has the same place, label, polarity and attributes.
pub fn only_in(one: &Annotation, other: &Annotation) -> Vec<SpanId> {
    let held: BTreeSet<_> = other.spans.keys().filter_map(|id| other.span_key(*id)).collect();
    one.spans.keys().filter(|id| one.span_key(**id).is_none_or(|key| !held.contains(&key))).copied().collect()
}
