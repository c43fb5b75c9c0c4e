//! Suggestions for the document on the table and those ahead: a model's spans and classes, computed on the thread
//! `gloss-suggest`, and words that a list says are to be marked. Nothing is computed while suggestions are hidden.
//!
//! A suggestion is no part of the project until a person accepts it or turns it down.

use super::job::{Job, Reporter, Waker};
use super::{Desk, Notice, phrase::Phrases};
use crate::nn::{ModelFiles, Threads};
use crate::predict::{Predictor, Stored};
use crate::project::{DocId, Document, Edit, Guess, Guesses, Project, Rejected, Schema, State, TextRange, WordMatcher};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::collections::BTreeMap;
use std::sync::Arc;

/// So many documents after the current one are looked at ahead of time.
const AHEAD: usize = 24;
/// So many go to the model at once: news comes every few hundred milliseconds.
const BATCH: usize = 8;

/// A span that may be marked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ghost {
    pub range: TextRange,
    /// Place in the project's span labels.
    pub label: u16,
    /// `None` for a word of the list.
    pub probability: Option<f32>,
}

/// What a model said about one document, by the names it was trained with.
struct Said {
    /// Probability of each class of the model.
    classes: Vec<f32>,
    /// Range, label of the model, probability.
    spans: Vec<(TextRange, u16, f32)>,
}

type Texts = Vec<(DocId, Arc<str>)>;

enum News {
    Ready { classes: Vec<String>, span_labels: Vec<String> },
    Said(Vec<(DocId, Said)>),
    Failed(String),
}

/// One model on its thread.
struct Worker {
    // Dropped before the job is joined, which frees a thread that waits for texts.
    texts: Sender<Vec<Asked>>,
    job: Job<News>,
}

impl Worker {
    /// Asks the thread to end, without waiting for what it is at.
    fn retire(self) -> Job<News> {
        self.job.request_stop();
        self.job
    }
}

/// Everything suggested since the run was chosen.
pub(super) struct Suggester {
    wake: Waker,
    worker: Option<Worker>,
    /// Threads that are ending.
    retired: Vec<Job<News>>,
    /// The run whose model answers; what it said is forgotten when another is chosen.
    run: Option<String>,
    classes: Vec<String>,
    span_labels: Vec<String>,
    said: BTreeMap<DocId, Said>,
    /// Documents before this place were asked about when all were wanted.
    scanned: usize,
    is_busy: bool,
    has_failed: bool,
    /// The likeliest class of each document, as places of the project's schema.
    guesses: Arc<Guesses>,
    guessed_for: Option<Arc<Schema>>,
    /// How many documents had been looked at when the guesses were gathered.
    guessed_of: usize,
    words: Words,
}

/// Words found in the document on the table.
#[derive(Default)]
struct Words {
    matcher: Option<(Arc<Schema>, WordMatcher)>,
    doc: Option<DocId>,
    found: Vec<Ghost>,
}

impl Suggester {
    pub fn new(wake: Waker) -> Self {
        Self {
            wake,
            worker: None,
            retired: Vec::new(),
            run: None,
            classes: Vec::new(),
            span_labels: Vec::new(),
            said: BTreeMap::new(),
            scanned: 0,
            is_busy: false,
            has_failed: false,
            guesses: Arc::default(),
            guessed_for: None,
            guessed_of: 0,
            words: Words::default(),
        }
    }

    pub fn forget(&mut self) {
        let mut retired = std::mem::take(&mut self.retired);
        retired.extend(self.worker.take().map(Worker::retire));
        *self = Self { retired, ..Self::new(self.wake.clone()) };
    }

    /// The likeliest class of each document looked at so far.
    pub fn guesses(&self) -> &Arc<Guesses> {
        &self.guesses
    }

    fn choose(&mut self, run: Option<&str>) {
        if self.run.as_deref() != run {
            self.forget();
            self.run = run.map(str::to_owned);
        }
    }

    fn start(&mut self, threads: Threads, precision: Stored, source: impl FnOnce() -> Result<ModelFiles, String> + Send + 'static) {
        let (texts, inbox) = bounded::<Vec<Asked>>(2);
        let work = move |reporter: &Reporter<News>| answer((source, precision), &threads, &inbox, reporter);
        match Job::start("gloss-suggest", self.wake.clone(), work, News::Failed) {
            Ok(job) => self.worker = Some(Worker { texts, job }),
            Err(error) => log::warn!("no thread for suggestions: {error}"),
        }
    }

    /// Sends the texts if the thread is free.
    fn ask(&mut self, texts: Vec<Asked>) {
        if let Some(worker) = &self.worker {
            self.is_busy = worker.texts.try_send(texts).is_ok();
        }
    }

    /// Takes in what the thread has to say; answers with a failure.
    fn drain(&mut self) -> Option<String> {
        self.retired.retain(|job| !job.is_finished());
        let news = self.worker.as_ref().map(|worker| worker.job.drain()).unwrap_or_default();
        let mut failure = None;
        for news in news {
            match news {
                News::Ready { classes, span_labels } => (self.classes, self.span_labels) = (classes, span_labels),
                News::Said(said) => {
                    self.is_busy = false;
                    self.said.extend(said);
                }
                News::Failed(reason) => {
                    self.has_failed = true;
                    failure = Some(reason);
                }
            }
        }
        if failure.is_some() {
            self.worker = None;
        }
        failure
    }

    /// Classes of the model as places in the main question; `None` for those the project does not have.
    fn class_places(&self, schema: &Schema) -> Vec<Option<u16>> {
        let question = schema.main_question().map(|(_, question)| question);
        self.classes.iter().map(|name| question?.class(name)).collect()
    }

    fn refresh_guesses(&mut self, schema: &Arc<Schema>) {
        // Gathering takes as long as there are guesses: not for each batch, and the list should not dance.
        let grown = self.said.len() - self.guessed_of;
        let is_due = grown > 0 && (grown * 4 >= self.guessed_of || !self.is_busy);
        if !is_due && self.guessed_for.as_ref().is_some_and(|of| Arc::ptr_eq(of, schema)) {
            return;
        }
        self.guessed_of = self.said.len();
        let places = self.class_places(schema);
        let best = |said: &Said| {
            let known = places.iter().zip(&said.classes).filter_map(|(place, probability)| Some(((*place)?, *probability)));
            known.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(class, probability)| Guess { class, probability })
        };
        self.guesses = Arc::new(self.said.iter().filter_map(|(doc, said)| Some((*doc, best(said)?))).collect());
        self.guessed_for = Some(schema.clone());
    }

    /// The next documents of the whole project, for a list that is ordered or filtered by guesses. Each is looked at once;
    /// those of undone imports too, which may come back.
    fn next_of_all(&mut self, project: &Project) -> Texts {
        let rest = project.all_documents().get(self.scanned..).unwrap_or_default();
        let mut texts = Texts::new();
        for doc in rest {
            if texts.len() >= BATCH {
                break;
            }
            self.scanned += 1;
            if !self.said.contains_key(&doc.id) {
                texts.push((doc.id, doc.text.clone()));
            }
        }
        texts
    }

    fn refresh_words(&mut self, schema: &Arc<Schema>, document: Option<&Document>) {
        let Words { matcher, doc, found } = &mut self.words;
        let is_same = matcher.as_ref().is_some_and(|(of, _)| Arc::ptr_eq(of, schema));
        if is_same && *doc == document.map(|document| document.id) {
            return;
        }
        if !is_same {
            *matcher = Some((schema.clone(), WordMatcher::of(schema)));
        }
        *doc = document.map(|document| document.id);
        let matches = matcher.as_ref().zip(document).map(|((_, matcher), document)| matcher.find(&document.text));
        let ghost = |(range, label)| Ghost { range, label, probability: None };
        *found = matches.unwrap_or_default().into_iter().map(ghost).collect();
    }

    /// What is still to be decided about a document, in reading order. A place that has been marked already, or
    /// rejected, is not suggested again.
    fn ghosts(&self, schema: &Schema, document: &Document) -> Vec<Ghost> {
        let label = |model: u16| self.span_labels.get(usize::from(model)).and_then(|name| schema.span_label(name));
        let of_model = self.said.get(&document.id).into_iter().flat_map(|said| &said.spans);
        let of_model = of_model.filter_map(|(range, model, probability)| {
            Some(Ghost { range: *range, label: label(*model)?, probability: Some(*probability) })
        });
        let of_words = self.words.found.iter().filter(|_| self.words.doc == Some(document.id)).copied();
        let mut ghosts: Vec<Ghost> = Vec::new();
        for ghost in of_model.chain(of_words) {
            let settled = document
                .annotation
                .spans
                .values()
                .any(|span| span.range == ghost.range || span.label == ghost.label && span.range.overlaps(ghost.range));
            let twice = ghosts.iter().any(|other| other.label == ghost.label && other.range.overlaps(ghost.range));
            let rejected = document
                .annotation
                .rejected
                .iter()
                .any(|one| one.range == ghost.range && schema.span_label(&one.label) == Some(ghost.label));
            if !settled && !twice && !rejected {
                ghosts.push(ghost);
            }
        }
        ghosts.sort_by_key(|ghost| (ghost.range.start(), ghost.range.end(), ghost.label));
        ghosts
    }
}

/// A document on its way to the model, with the turns before it where it is one of a conversation.
struct Asked {
    doc: DocId,
    text: Arc<str>,
    before: Vec<String>,
}

/// The thread: loads the model, then answers until nobody asks any more.
fn answer(
    (source, precision): (impl FnOnce() -> Result<ModelFiles, String>, Stored),
    threads: &Threads,
    inbox: &Receiver<Vec<Asked>>,
    reporter: &Reporter<News>,
) {
    let loaded = source().and_then(|files| Predictor::stored_as(&files, precision).map_err(|error| error.to_string()));
    let predictor = match loaded {
        Ok(predictor) => predictor,
        Err(reason) => return reporter.tell(News::Failed(reason)),
    };
    reporter.tell(News::Ready { classes: predictor.classes().to_vec(), span_labels: predictor.span_labels().to_vec() });
    while let Ok(texts) = inbox.recv() {
        if reporter.stopped() {
            return;
        }
        let turns: Vec<_> = texts.iter().map(|asked| crate::predict::Turn { text: &asked.text, before: &asked.before }).collect();
        match threads.run(|| predictor.predict_turns(&turns)) {
            Ok(predictions) => {
                let said = texts.iter().zip(predictions).map(|(asked, prediction)| {
                    let spans = prediction.spans.iter().map(|span| (span.range, span.label, span.probability)).collect();
                    (asked.doc, Said { classes: prediction.probabilities, spans })
                });
                reporter.tell(News::Said(said.collect()));
            }
            Err(error) => return reporter.tell(News::Failed(error.to_string())),
        }
    }
}

impl Desk {
    /// Whether suggestions are shown, and made.
    pub fn suggests(&self) -> bool {
        self.settings.suggestions
    }

    /// Spans that may be marked in a document that is to do, in reading order; empty while suggestions are hidden.
    pub fn ghosts(&self, doc: DocId) -> Vec<Ghost> {
        let Some((project, document)) = self.project().and_then(|project| Some((project, project.document(doc)?.seen_in(self.layer))))
        else {
            return Vec::new();
        };
        if !self.suggests() || document.annotation.state != State::Todo {
            return Vec::new();
        }
        self.suggester.ghosts(project.schema(), &document)
    }

    /// The likeliest class of the main question for a document; `None` while suggestions are hidden.
    pub fn guess(&self, doc: DocId) -> Option<Guess> {
        let likeliest = self.class_probabilities(doc).into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
        likeliest.map(|(class, probability)| Guess { class, probability })
    }

    /// Probability of each class of the main question; empty while suggestions are hidden or not yet made.
    pub fn class_probabilities(&self, doc: DocId) -> Vec<(u16, f32)> {
        let said = self.suggester.said.get(&doc).filter(|_| self.suggests());
        let Some((project, said)) = self.project().zip(said) else { return Vec::new() };
        let places = self.suggester.class_places(project.schema());
        places.into_iter().zip(&said.classes).filter_map(|(place, probability)| Some((place?, *probability))).collect()
    }

    /// How many documents the model has looked at; `None` when there is no model or suggestions are hidden.
    pub fn looked_at(&self) -> Option<usize> {
        (self.suggests() && self.suggester.run.is_some()).then_some(self.suggester.said.len())
    }

    /// Takes in what has been computed and asks for what comes next. Costs little when there is nothing to do.
    pub(super) fn poll_suggestions(&mut self) {
        let run = self.tester.run().map(str::to_owned).filter(|_| self.suggests() && self.open.is_some());
        self.suggester.choose(run.as_deref());
        if let Some(reason) = self.suggester.drain() {
            let reason = format!("Suggestions can't be made with the run {}: {reason}", run.as_deref().unwrap_or_default());
            self.notify(Notice::Failed(reason));
        }
        let Some(open) = &self.open else { return };
        let schema = open.project.schema().clone();
        let document = self.current.filter(|_| self.suggests()).and_then(|doc| open.project.document(doc));
        self.suggester.refresh_words(&schema, document);
        if run.is_some() && !self.suggester.is_busy && !self.suggester.has_failed {
            self.ask_for_next(run);
        }
        self.suggester.refresh_guesses(&schema);
    }

    fn ask_for_next(&mut self, run: Option<String>) {
        let Some(open) = &self.open else { return };
        let mut texts = self.next_texts(&open.project);
        if texts.is_empty() && self.needs_guesses() {
            texts = self.suggester.next_of_all(&open.project);
        }
        if texts.is_empty() {
            return;
        }
        if self.suggester.worker.is_none()
            && let Some(run) = run
            && let Some(source) = self.model_source(&run)
        {
            let threads = self.threads.of(self.settings.threads);
            let precision = self.settings.precision;
            self.suggester.start(threads, precision, move || source().map_err(|error| error.to_string()));
        }
        let asked = texts.into_iter().map(|(doc, text)| Asked { doc, text, before: self.turns_before(doc) }).collect();
        self.suggester.ask(asked);
    }

    /// The current document first, then those ahead.
    fn next_texts(&self, project: &Project) -> Texts {
        let unknown = |doc: &DocId| !self.suggester.said.contains_key(doc);
        let ids = self.queue.ids();
        let ahead = ids.iter().skip(self.position).take(AHEAD).copied();
        let near = self.current.into_iter().chain(ahead);
        let mut wanted: Vec<DocId> = Vec::new();
        for doc in near.filter(unknown) {
            if !wanted.contains(&doc) {
                wanted.push(doc);
            }
        }
        wanted.truncate(BATCH);
        wanted.into_iter().filter_map(|id| Some((id, project.document(id)?.text.clone()))).collect()
    }

    /// For runs that start from now on, and for suggestions at once.
    pub(super) fn set_threads(&mut self, threads: usize) {
        self.change_settings(|settings| settings.threads = threads);
        self.suggester.forget();
    }

    /// For Test and for suggestions.
    pub(super) fn set_precision(&mut self, precision: Stored) {
        self.change_settings(|settings| settings.precision = precision);
        self.suggester.forget();
        let pinned = self.tester.run().filter(|_| self.tester.is_pinned()).map(str::to_owned);
        self.use_run(pinned);
    }

    pub(super) fn reject(&mut self, doc: DocId, range: TextRange, label: u16) {
        let phrases = Phrases(self.settings.language);
        let Some((project, document)) = self.project().and_then(|project| Some((project, project.document(doc)?))) else { return };
        let Some(label) = project.schema().span_labels.get(usize::from(label)) else { return };
        let name = phrases.reject(document, range, &label.name);
        let what = Rejected { range, label: label.name.clone() };
        self.commit(name, vec![Edit::SetRejected { doc, what, to: true }]);
    }

    /// The name of the run whose model suggests.
    pub(super) fn suggesting_run(&self) -> Option<&str> {
        self.suggester.run.as_deref()
    }
}
