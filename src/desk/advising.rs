//! Which documents to look at next, and which labels look wrong, by what the newest run says: gathered a few thousand
//! documents at a time, ranked on the thread `gloss-advise`. Nothing is ranked before a list asks for it.
//!
//! Answers are best judged by a model that has not learnt from them. So what the suggesting run says counts where it had not;
//! elsewhere the newest run that held the document out (each document once, in runs by folds), and only without one the run
//! that learnt from it.

use super::Desk;
use super::job::{Job, Reporter};
use super::suggesting::{Said, Wanted, is_marked};
use crate::advise::{Candidate, Judged, JudgedSpans, informative, span_suspects, suspects, uncertainty};
use crate::project::{Advice, DocId, Document, Layer, Order, Project, QuestionId, State, TextRange};
use crate::store::Runs;
use crate::train::HeldOut;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

/// Documents that are gathered between two frames.
const PIECE: usize = 4_096;
/// After so many more answers the ranks are made anew.
const ANSWERS: usize = 25;

/// What ranks were made of. They are made anew when it is another one.
#[derive(Clone, Debug, PartialEq)]
struct Basis {
    run: Option<String>,
    runs: usize,
    looked_at: usize,
    /// Of the schema: names and places of classes.
    classes: Vec<String>,
    span_labels: Vec<String>,
    layer: Layer,
    answers: usize,
    wanted: [bool; 2],
}

/// What is being gathered for the thread.
struct Gathered {
    basis: Basis,
    /// The document gathered last.
    last: Option<DocId>,
    candidates: Vec<Candidate>,
    /// What the suggesting run says of answered documents.
    said: Vec<Judged>,
    /// What runs said of documents that they held out.
    held_out: BTreeMap<DocId, Vec<f32>>,
    /// Answers of the documents in `held_out`.
    answers: BTreeMap<DocId, u16>,
    /// The same of spans: what the suggesting run finds, and what runs found in documents that they held out.
    spans_said: Vec<JudgedSpans>,
    spans_held_out: BTreeMap<DocId, JudgedSpans>,
}

/// The ranks, and those on their way.
#[derive(Default)]
pub(super) struct Adviser {
    advice: Arc<Advice>,
    basis: Option<Basis>,
    gathering: Option<Gathered>,
    job: Option<Job<Option<Advice>>>,
}

impl Adviser {
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    pub(super) fn advice(&self) -> &Arc<Advice> {
        &self.advice
    }
}

impl Desk {
    /// What is known about which documents to look at; empty before a list asks for it.
    pub fn advice(&self) -> &Advice {
        &self.adviser.advice
    }

    /// Whether documents are being ranked.
    pub fn is_advising(&self) -> bool {
        self.adviser.gathering.is_some() || self.adviser.job.is_some()
    }

    /// Whether the list asks for the most informative documents, and for suspected errors.
    pub(super) fn needs_advice(&self) -> [bool; 2] {
        let asked = self.filter.needs_advice();
        let ordered = [self.order == Order::MostInformative, matches!(self.order, Order::SuspectedErrors | Order::SuspectedSpans)];
        [0, 1].map(|at| self.suggests() && (asked[at] || ordered[at]))
    }

    /// Which documents the model must look at for the list.
    pub(super) fn wanted_guesses(&self) -> Option<Wanted> {
        match self.needs_advice() {
            _ if self.needs_guesses() => Some(Wanted::All),
            [true, true] => Some(Wanted::All),
            [true, false] => Some(Wanted::Todo),
            [false, true] => Some(Wanted::Answered),
            [false, false] => None,
        }
    }

    /// Ranks are made anew although little has changed: a person has asked for the list once more.
    pub(super) fn renew_advice(&mut self) {
        self.adviser.basis = None;
    }

    pub(super) fn poll_advice(&mut self) {
        if let Some(news) = self.adviser.job.as_ref().and_then(|job| job.drain().pop()) {
            self.adviser.job = None;
            // What could not be ranked is not tried again before something changes.
            self.adviser.advice = Arc::new(news.unwrap_or_default());
        }
        let wanted = self.needs_advice();
        let Some(open) = self.open.as_ref().filter(|_| wanted.contains(&true)) else {
            self.adviser.gathering = None;
            return;
        };
        if self.adviser.job.is_none() && self.adviser.gathering.is_none() {
            let basis = self.basis(&open.project, wanted);
            if self.adviser.basis.as_ref() == Some(&basis) {
                return;
            }
            self.adviser.basis = Some(basis.clone());
            let gathered = self.begin(&open.project, basis);
            self.adviser.gathering = Some(gathered);
        }
        self.gather();
    }

    fn basis(&self, project: &Project, wanted: [bool; 2]) -> Basis {
        let tally = project.tally(self.layer);
        let question = project.schema().main_question();
        let classes: Vec<String> =
            question.map(|(_, question)| question.classes.iter().map(|class| class.name.clone()).collect()).unwrap_or_default();
        let answered: usize = question.map_or(0, |(id, _)| (0u16..).take(classes.len()).map(|class| tally.class(id, class)).sum());
        Basis {
            run: self.suggesting_run().map(str::to_owned),
            runs: self.runs().len(),
            looked_at: self.suggester.gathered(),
            classes,
            span_labels: project.schema().span_labels.iter().map(|label| label.name.clone()).collect(),
            layer: self.layer,
            answers: (answered + tally.done + tally.skipped) / ANSWERS,
            wanted,
        }
    }

    fn begin(&self, project: &Project, basis: Basis) -> Gathered {
        let (mut held_out, mut answers, mut spans_held_out) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let main = project.schema().main_question().map(|(id, _)| id);
        if basis.wanted[1] {
            for run in self.runs().iter().rev() {
                let (labels, places) = (places(&run.span_labels, &basis.span_labels), places(&run.classes, &basis.classes));
                for answer in run.report.iter().flat_map(|report| &report.held_out) {
                    let doc = DocId(answer.doc);
                    let given = project.document(doc).and_then(|held| class_of(held, basis.layer, main?));
                    if let (Some(given), false) = (given, held_out.contains_key(&doc) || answer.probabilities.is_empty()) {
                        held_out.insert(doc, placed(&answer.probabilities, &places, basis.classes.len()));
                        answers.insert(doc, given);
                    }
                    let judged = project.document(doc).filter(|_| !labels.is_empty() && !spans_held_out.contains_key(&doc));
                    if let Some(judged) =
                        judged.and_then(|document| judged_spans(document, basis.layer, found_by(answer, document, &labels)))
                    {
                        spans_held_out.insert(doc, judged);
                    }
                }
            }
        }
        Gathered { basis, last: None, candidates: Vec::new(), said: Vec::new(), held_out, answers, spans_said: Vec::new(), spans_held_out }
    }

    /// Takes in what the model said of the next documents; after the last ones the thread starts.
    fn gather(&mut self) {
        let (Some(mut gathered), Some(open)) = (self.adviser.gathering.take(), &self.open) else { return };
        let main = open.project.schema().main_question().map(|(id, _)| id);
        let labels = places(self.suggester.span_labels(), &gathered.basis.span_labels);
        let places = places(self.suggester.classes(), &gathered.basis.classes);
        let from = gathered.last.map_or(Bound::Unbounded, Bound::Excluded);
        let mut count = 0;
        for (id, said) in self.suggester.said_from(from).take(PIECE) {
            count += 1;
            gathered.last = Some(*id);
            if let Some(document) = open.project.document(*id) {
                gathered.take(document, said, &places, &labels, main);
            }
        }
        if count == PIECE {
            self.adviser.gathering = Some(gathered);
            return (self.surroundings.wake)();
        }
        let runs = Runs::of(&open.path);
        let work = move |reporter: &Reporter<Option<Advice>>| reporter.tell(gathered.advice(&runs, &|| reporter.stopped()));
        match Job::start("gloss-advise", self.surroundings.wake.clone(), work, |_| None) {
            Ok(job) => self.adviser.job = Some(job),
            Err(error) => log::warn!("no thread to rank documents: {error}"),
        }
    }
}

impl Gathered {
    fn take(&mut self, document: &Document, said: &Said, places: &[Option<usize>], labels: &[Option<usize>], main: Option<QuestionId>) {
        let layer = self.basis.layer;
        let held = document.said_in(layer);
        let answer = main.and_then(|main| class_of(document, layer, main));
        let is_todo = held.is_none_or(|held| held.state == State::Todo);
        if self.basis.wanted[0] && is_todo && answer.is_none() {
            let uncertainty = uncertainty(&said.classes, said.spans.iter().map(|span| span.probability));
            self.candidates.push(Candidate { doc: document.id, text: document.text.clone(), uncertainty });
        }
        if let Some(answer) = answer.filter(|_| self.basis.wanted[1] && !said.classes.is_empty()) {
            let probabilities = placed(&said.classes, places, self.basis.classes.len());
            self.said.push(Judged { doc: document.id, answer, probabilities, learnt: true });
        }
        if self.basis.wanted[1] && !labels.is_empty() {
            let known = said.spans.iter().filter_map(|span| Some((span.range, placed_label(labels, span.label)?, span.probability)));
            self.spans_said.extend(judged_spans(document, layer, known.collect()).map(|one| JudgedSpans { learnt: true, ..one }));
        }
    }

    /// On the thread.
    fn advice(self, runs: &Runs, stopped: &dyn Fn() -> bool) -> Option<Advice> {
        let learnt = self.basis.run.as_deref().and_then(|run| learnt_from(runs, run));
        let mut judged: BTreeMap<DocId, Judged> = BTreeMap::new();
        for (doc, probabilities) in self.held_out {
            let answer = self.answers.get(&doc).copied()?;
            judged.insert(doc, Judged { doc, answer, probabilities, learnt: false });
        }
        for one in self.said {
            let is_new = learnt.as_ref().is_some_and(|learnt| !learnt.contains(&one.doc));
            if is_new {
                judged.insert(one.doc, Judged { learnt: false, ..one });
            } else {
                judged.entry(one.doc).or_insert(one);
            }
        }
        let judged: Vec<Judged> = judged.into_values().collect();
        let mut spans = self.spans_held_out;
        for one in self.spans_said {
            if learnt.as_ref().is_some_and(|learnt| !learnt.contains(&one.doc)) {
                spans.insert(one.doc, JudgedSpans { learnt: false, ..one });
            } else {
                spans.entry(one.doc).or_insert(one);
            }
        }
        let spans: Vec<JudgedSpans> = spans.into_values().collect();
        let spans_learnt = spans.iter().filter(|one| one.learnt).count();
        let judged_learnt = judged.iter().filter(|one| one.learnt).count();
        let ranked = informative(&self.candidates, stopped)?;
        Some(Advice {
            informative: ranked.into_iter().zip(0u32..).collect(),
            suspects: suspects(&judged).into_iter().collect(),
            judged: judged.len() - judged_learnt,
            judged_learnt,
            span_suspects: span_suspects(&spans, &self.basis.span_labels).into_iter().collect(),
            judged_spans: spans.len() - spans_learnt,
            judged_spans_learnt: spans_learnt,
        })
    }
}

/// What is marked beside what was found; `None` where marks are not to be judged.
fn judged_spans(document: &Document, layer: Layer, found: Vec<(TextRange, u16, f32)>) -> Option<JudgedSpans> {
    let said = document.said_in(layer).filter(|said| is_marked(said))?;
    let marked = said.spans.values().map(|span| (span.range, span.label)).collect();
    Some(JudgedSpans { doc: document.id, marked, found, learnt: false })
}

/// The spans that a run found in a document it had held out, where these fit the text; nothing of a run without spans.
fn found_by(answer: &HeldOut, document: &Document, labels: &[Option<usize>]) -> Vec<(TextRange, u16, f32)> {
    let sure = answer.opinions.probabilities.iter().copied();
    let found = answer.spans.iter().zip(sure).filter_map(|(&(start, end, label), sure)| {
        Some((TextRange::new(&document.text, start as usize..end as usize)?, placed_label(labels, label)?, sure))
    });
    found.collect()
}

fn placed_label(labels: &[Option<usize>], label: u16) -> Option<u16> {
    labels.get(usize::from(label)).copied().flatten().map(|place| place as u16)
}

/// What a run has learnt from; `None` where it does not say.
fn learnt_from(runs: &Runs, run: &str) -> Option<BTreeSet<DocId>> {
    let learnt = runs.learnt_from(run).inspect_err(|error| log::warn!("{error}")).ok()?;
    (!learnt.is_empty()).then_some(learnt)
}

fn class_of(document: &Document, layer: Layer, main: QuestionId) -> Option<u16> {
    document.said_in(layer)?.class(main)
}

/// Where each class of a model stands in the project.
fn places(model: &[String], project: &[String]) -> Vec<Option<usize>> {
    model.iter().map(|name| project.iter().position(|held| held == name)).collect()
}

/// Probabilities in the order of the project's classes; 0 for those that the model does not know.
fn placed(probabilities: &[f32], places: &[Option<usize>], classes: usize) -> Vec<f32> {
    let mut placed = vec![0.0; classes];
    for (probability, place) in probabilities.iter().zip(places) {
        if let Some(held) = place.and_then(|place| placed.get_mut(place)) {
            *held = *probability;
        }
    }
    placed
}
